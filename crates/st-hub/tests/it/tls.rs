//! Hubs that speak TLS: who is trusted, and what becomes of the token on the way. The authority is made for one test.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use st_hub::{Error, HubEvent, HubSettings};
use st_testkit::{Certificates, Gate, HubServer};

use crate::support::{NAME, WEIGHTS, World, files, model, token};

/// What the variables say of authorities, and all else as the world has it.
fn settings(world: &World, variables: &[(&str, &Path)]) -> HubSettings {
    let lookup = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, path)| path.as_os_str().to_owned())
    };
    let authorities = HubSettings::from_env(lookup).unwrap().authorities;
    world.settings_with(|settings| settings.authorities = authorities)
}

/// The error and its cause; the same whether it comes of a certificate or of something else.
#[track_caller]
fn insecure(outcome: Result<st_hub::Snapshot, Error>) -> (String, String) {
    let error = outcome.unwrap_err();
    let Error::Insecure { source, .. } = &error else { panic!("{error:?}") };
    (error.to_string(), source.to_string())
}

#[test]
fn a_hub_that_nobody_vouches_for_is_refused_at_once_and_says_why() {
    let (certificates, others) = (Certificates::make(), Certificates::make());
    let world = World::on(HubServer::with_tls(&certificates), model());
    let other = others.authority();
    // The system knows nothing of the authority, and another one does not vouch for the hub.
    for variables in [&[][..], &[("SSL_CERT_FILE", other.as_path())]] {
        let mut settings = settings(&world, variables);
        settings.token = token("hf_secret");
        let (error, cause) = insecure(world.get_with(settings, NAME));
        let url = world.server.url();
        assert_eq!(error, format!("{url}/api/models/{NAME}/revision/main: no secure connection"));
        assert!(cause.starts_with("invalid peer certificate: "), "{cause}");
        assert!(cause.contains("UnknownIssuer") || cause.contains("BadSignature"), "{cause}");
    }
    // Not a word was said to it, the token least of all.
    assert_eq!(world.server.requests(), []);
    assert_eq!(files(world.cache()), Vec::<String>::new());
}

#[test]
fn a_server_that_speaks_no_tls_is_told_from_one_that_is_away() {
    let world = World::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", server.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
    });
    let settings = world.settings_with(|settings| settings.endpoint = endpoint);
    let (_, cause) = insecure(world.get_with(settings, NAME));
    assert!(cause.contains("InvalidContentType"), "{cause}");
}

#[test]
fn whom_the_environment_trusts_is_trusted_there_and_where_the_hub_sends_us() {
    let certificates = Certificates::make();
    let authority = certificates.authority();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(&authority, folder.path().join("0a1b2c3d.0")).unwrap();
    for (variable, path) in [
        ("SSL_CERT_FILE", authority.as_path()),
        ("SSL_CERT_DIR", folder.path()),
        ("REQUESTS_CA_BUNDLE", &authority),
        ("REQUESTS_CA_BUNDLE", folder.path()),
        ("CURL_CA_BUNDLE", &authority),
    ] {
        let gated = model().with_gate(Gate::Gated("hf_secret".to_owned()));
        let world = World::on(HubServer::with_tls(&certificates), gated);
        let mut settings = settings(&world, &[(variable, path)]);
        settings.token = token("hf_secret");
        let snapshot = world.get_with(settings, NAME).unwrap();
        assert_eq!(fs::read(snapshot.folder.join(WEIGHTS)).unwrap().len(), 70_688, "{variable}");
        for request in world.server.requests() {
            let told = (!request.to_storage).then(|| "Bearer hf_secret".to_owned());
            assert_eq!(request.authorization, told, "{request:?}");
        }
        assert_eq!(world.fetched_from_storage(), 1);
    }
}

#[test]
fn from_https_nothing_leads_to_http() {
    let certificates = Certificates::make();
    let world = World::on(HubServer::with_storage_in_the_open(&certificates), model());
    let mut settings = settings(&world, &[("SSL_CERT_FILE", &certificates.authority())]);
    settings.token = token("hf_secret");
    let error = world.get_with(settings, NAME).unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error:?}");
    assert!(error.to_string().ends_with(": a redirection from https to http"), "{error}");
    assert_eq!(world.fetched_from_storage(), 0);
    assert!(!world.path("refs/main").exists());
}

#[test]
fn what_should_hold_certificates_and_does_not_is_told_before_anything_is_sent() {
    let certificates = Certificates::make();
    let world = World::on(HubServer::with_tls(&certificates), model());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("text.pem"), "no certificate").unwrap();
    fs::write(path("damaged.pem"), "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n")
        .unwrap();
    fs::create_dir(path("empty")).unwrap();
    // The name is not one that OpenSSL looks for.
    fs::create_dir(path("unhashed")).unwrap();
    fs::copy(certificates.authority(), path("unhashed/authority.pem")).unwrap();
    for name in ["absent.pem", "text.pem", "empty", "unhashed"] {
        let error = world.get_with(settings(&world, &[("SSL_CERT_FILE", &path(name))]), NAME).unwrap_err();
        let expected = format!("cannot read certificates of authorities in {}", path(name).display());
        assert_eq!(error.to_string(), expected);
    }
    let damaged = settings(&world, &[("SSL_CERT_FILE", &path("damaged.pem"))]);
    let error = world.get_with(damaged, NAME).unwrap_err();
    assert_eq!(error.to_string(), "cannot prepare connections");
    assert_eq!(world.server.requests(), []);
}

/// A network that answers in the hub's place until one logs in must not keep anybody from what the cache has.
#[test]
fn what_the_cache_has_needs_no_trust() {
    let certificates = Certificates::make();
    let world = World::on(HubServer::with_tls(&certificates), model());
    let trusting = settings(&world, &[("SSL_CERT_FILE", &certificates.authority())]);
    let snapshot = world.get_with(trusting, NAME).unwrap();
    assert!(!world.get(NAME).unwrap().fetched);
    // Nobody noted that the commit has no such file, so the hub would be asked.
    fs::remove_file(snapshot.folder.join("sentence_bert_config.json")).unwrap();
    let (outcome, events) = world.events(world.settings());
    assert_eq!(outcome.unwrap().folder, snapshot.folder);
    assert!(events.iter().any(|event| matches!(event, HubEvent::Unsure { .. })), "{events:?}");
    insecure(world.refresh(NAME));
}
