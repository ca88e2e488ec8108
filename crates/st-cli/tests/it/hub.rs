//! Models by name: from the cache that Python shares, or from a hub, which a stand-in is.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use st_testkit::{Certificates, Fault, FaultProxy, Gate, HubModel, HubServer, Rule, tiny_model_dir};

use crate::support::{Place, Ran, TINY, ran};

const NAME: &str = "org/tiny";

fn server() -> HubServer {
    let server = HubServer::start();
    server.add(NAME, model());
    server
}

fn model() -> HubModel {
    HubModel::of_folder(&tiny_model_dir(TINY)).with_file("pytorch_model.bin", "a pickle")
}

/// `st` with a network, in which there is only the stand-in.
fn online(place: &Place, server: &HubServer, args: &[&str]) -> Command {
    let mut command = place.command(args);
    command.env("HF_HUB_OFFLINE", "0").env("HF_ENDPOINT", server.url());
    command
}

fn run(place: &Place, server: &HubServer, args: &[&str]) -> Ran {
    ran(online(place, server, args).output().unwrap())
}

#[track_caller]
fn fails(place: &Place, server: &HubServer, args: &[&str], expected: &str) {
    let ran = run(place, server, args);
    // What is looked for and where is said before; that has a test of its own.
    let after: Vec<_> = ran.stderr.lines().filter(|line| !line.starts_with("note: ")).collect();
    assert_eq!((ran.code, after.join("\n").as_str(), ran.stdout.as_str()), (2, expected, ""));
}

#[test]
fn a_name_is_as_good_as_a_folder() {
    let (place, server) = (Place::new(), server());
    let texts = ["encode", "one", "two", "-m"];
    let with = |model: &'static str| [&texts[..], &[model]].concat();
    let expected = place.ok(&with("TINY"));

    let first = run(&place, &server, &with(NAME));
    assert_eq!((first.code, first.stdout.as_str()), (0, expected.as_str()), "{}", first.stderr);
    let cache = place.hub().display().to_string();
    let notes = format!(
        "note: looking for {NAME}@main at {}, for the cache {cache}\nnote: fetching 9 files, 80.0 kB\n",
        server.url()
    );
    assert!(first.stderr.starts_with(&notes), "{}", first.stderr);

    server.forget();
    for name in [NAME, "hf://org/tiny", "hf://org/tiny@main"] {
        let again = run(&place, &server, &with(name));
        assert_eq!((again.code, again.stdout.as_str()), (0, expected.as_str()), "{}", again.stderr);
        assert!(!again.stderr.contains("note: "), "{}", again.stderr);
    }
    assert_eq!(run(&place, &server, &["encode", "-m", NAME, "one", "-o", "out.jsonl", "--header"]).code, 0);
    let first: Value = serde_json::from_str(place.read("out.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(first["provenance"]["model"]["name"], format!("hf://{NAME}@{}", model().commit()));
    // Without a network, too.
    assert_eq!(place.ok(&with(NAME)), expected);
    assert_eq!(server.requests(), []);
}

#[test]
fn nothing_is_written_into_the_cache_that_python_shares() {
    let (place, server) = (Place::new(), server());
    assert_eq!(run(&place, &server, &["encode", "-m", NAME, "one"]).code, 0);
    let expected = format!(
        "error: {NAME} is not to be changed: its digests would no longer fit\n\
         hint: change the sentence-transformers folder and save or log it again; `st calibrate -o ranges.npy` writes \
         ranges to a file"
    );
    place.write("corpus.txt", "one\ntwo\n");
    fails(&place, &server, &["calibrate", "-m", NAME, "-i", "corpus.txt"], &expected);
    fails(&place, &server, &["configure", "-m", NAME, "--long-text", "error"], &expected);
}

#[test]
fn what_is_logged_says_where_it_is_from() {
    let (place, server) = (Place::new(), server());
    let logged = run(&place, &server, &["log", "-m", NAME, "--register", "enc"]);
    assert_eq!(logged.code, 0, "{}", logged.stderr);
    let commit = model().commit();
    let shown: Value = serde_json::from_str(&place.ok(&["models", "show", "enc", "--json"])).unwrap();
    let tags = shown["model_versions"][0]["tags"].as_array().unwrap();
    let tag = |key: &str| tags.iter().find(|tag| tag["key"] == key).map(|tag| tag["value"].clone());
    assert_eq!(tag("st.hub_model"), Some(NAME.into()));
    assert_eq!(tag("st.hub_commit"), Some(commit.as_str().into()));
    // Files, not links into somebody's cache.
    place.ok(&["models", "download", "models:/enc/1", "-o", "copy"]);
    let weights = place.path("copy").join("model.sentence_transformer/model.safetensors");
    let original = fs::read(tiny_model_dir(TINY).join("model.safetensors")).unwrap();
    assert_eq!(fs::read(&weights).unwrap(), original);
    assert!(!weights.is_symlink());
    // A copy is from where its original is.
    place.ok(&["log", "-m", "copy", "--register", "again"]);
    let shown = place.ok(&["models", "show", "again", "--json"]);
    assert!(shown.contains(&commit), "{shown}");
}

#[test]
fn an_inspection_says_which_commit_it_is() {
    let (place, server) = (Place::new(), server());
    server.add("sentence-transformers/tiny", model().with_revision("v1"));
    let ran = run(&place, &server, &["inspect", "-m", "tiny@v1", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let hub = serde_json::json!({"model": "sentence-transformers/tiny", "revision": "v1", "commit": model().commit()});
    assert_eq!(report["hub"], hub);
}

#[test]
fn a_branch_that_moved_is_fetched_when_asked_for() {
    let (place, server) = (Place::new(), server());
    run(&place, &server, &["encode", "-m", NAME, "one"]);
    let moved = model().with_file("README.md", "# Other\n");
    server.add(NAME, moved.clone());
    let commit = |args: &[&str]| {
        let ran = run(&place, &server, args);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
        report["hub"]["commit"].as_str().unwrap().to_owned()
    };
    assert_eq!(commit(&["inspect", "-m", NAME, "--json"]), model().commit());
    assert_eq!(commit(&["inspect", "-m", NAME, "--json", "--refresh"]), moved.commit());
    assert_eq!(commit(&["inspect", "-m", NAME, "--json"]), moved.commit());
    place.fails(
        &["inspect", "-m", NAME, "--refresh"],
        "error: cannot find out what org/tiny is today\n  \
         caused by: org/tiny cannot be looked up: the network is switched off\n\
         hint: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set: leave `--refresh` out to use what the cache has",
    );
}

#[test]
fn processes_that_want_a_model_at_once_download_it_once() {
    let (place, server) = (Place::new(), server());
    let started: Vec<_> = (0..3)
        .map(|_| {
            online(&place, &server, &["inspect", "-m", NAME, "--json"])
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for process in started {
        let ran = ran(process.wait_with_output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert_eq!(server.requests().iter().filter(|request| request.to_storage).count(), 1);
}

#[test]
fn a_process_that_is_killed_leaves_a_part_that_the_next_one_goes_on_with() {
    let (place, server) = (Place::new(), server());
    let slow = Fault::Drip { bytes: 500, pause: Duration::from_millis(50) };
    let proxy = FaultProxy::start(server.address(), vec![Rule::new("GET", "*/tokenizer.json", slow)]);
    let args = ["inspect", "-m", NAME, "--json"];
    let mut first = online(&place, &server, &args).env("HF_ENDPOINT", proxy.url()).spawn().unwrap();
    let folder = place.hub().join("models--org--tiny");
    let part = folder.join("blobs").join(format!("{}.incomplete", model().digest("tokenizer.json")));
    let length = || part.metadata().map_or(0, |metadata| metadata.len());
    let begun = Instant::now();
    while length() < 1000 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing comes");
        std::thread::sleep(Duration::from_millis(5));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let left = length();
    assert!(!folder.join("refs/main").exists());

    server.forget();
    let second = run(&place, &server, &args);
    assert_eq!(second.code, 0, "{}", second.stderr);
    let asked = server.requests().into_iter().find(|request| request.path.ends_with("/tokenizer.json"));
    assert_eq!(asked.and_then(|request| request.range), Some(format!("bytes={left}-")));
    assert!(!part.exists() && folder.join("refs/main").is_file());
}

#[test]
fn what_was_tried_is_said() {
    let (place, server) = (Place::new(), server());
    let (cache, url) = (place.hub().display().to_string(), server.url());
    fails(
        &place,
        &server,
        &["encode", "-m", "no-such", "text"],
        &format!(
            "error: no folder `no-such` here, and no whole model sentence-transformers/no-such in the cache {cache}\n  \
             caused by: {url} has no model sentence-transformers/no-such, or does not show it\n\
             hint: check the name, or the path if a folder is meant; private models need a token: `hf auth login` keeps \
             a token, and HF_TOKEN names one"
        ),
    );
    fails(
        &place,
        &server,
        &["encode", "-m", "hf://org/tiny@v9", "text"],
        &format!(
            "error: no whole model org/tiny@v9 in the cache {cache}\n  caused by: org/tiny has no revision `v9`\n\
             hint: leave the revision out for the newest one of org/tiny"
        ),
    );
    server.forget();
    place.fails(
        &["encode", "-m", "org/tiny", "text"],
        &format!(
            "error: no folder `org/tiny` here, and no whole model org/tiny in the cache {cache}\n  \
             caused by: org/tiny is not in {cache}, and the network is switched off\n\
             hint: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set: unset it to fetch the model, or name a folder"
        ),
    );
    fails(
        &place,
        &server,
        &["encode", "-m", "hf://datasets/org/data", "text"],
        "error: `hf://datasets/org/data` is not the name of a model: the address is not one of a model\n\
         hint: a model on the hub is ORG/NAME, hf://ORG/NAME or hf://ORG/NAME@REVISION; everything else is a folder or an \
         MLflow URI",
    );
    assert_eq!(server.requests(), []);
}

/// `models/tiny`, where there is a folder `models`: a slip in a path, and no reason to tell a server of it.
#[test]
fn a_slip_in_a_path_asks_no_hub() {
    let (place, server) = (Place::new(), server());
    fs::create_dir(place.path("org")).unwrap();
    fails(
        &place,
        &server,
        &["encode", "-m", NAME, "text"],
        "error: model folder org/tiny does not exist\n\
         hint: there is a folder `org` here, so this is taken for a folder and no hub is asked; `-m hf://org/tiny` is the \
         model of that name on the hub",
    );
    assert_eq!(server.requests(), []);
    assert_eq!(run(&place, &server, &["encode", "-m", "hf://org/tiny", "text"]).code, 0);
    // What the cache has needs no hub, so nothing is given away.
    server.forget();
    assert_eq!(run(&place, &server, &["encode", "-m", NAME, "text"]).code, 0);
    assert_eq!(server.requests(), []);
}

#[test]
fn doctor_says_where_names_are_looked_for() {
    let (place, server) = (Place::new(), server());
    let ran =
        ran(online(&place, &server, &["doctor", "--json"]).env("HF_TOKEN", "hf_secret").output().unwrap());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let expected = serde_json::json!({
        "endpoint": server.url(),
        "cache": place.hub().display().to_string(),
        "token": "that of the environment",
        "network": "used for what the cache has not",
        "authorities": "those of the system",
    });
    assert_eq!((&report["hub"], ran.stdout.contains("hf_secret")), (&expected, false));
    let wrong =
        crate::support::ran(place.command(&["doctor", "--json"]).env("HF_ENDPOINT", "hub").output().unwrap());
    assert_eq!(wrong.code, 1);
    assert!(wrong.stdout.contains("cannot understand HF_ENDPOINT"), "{}", wrong.stdout);
    assert_eq!(server.requests(), []);
}

#[test]
fn a_hub_that_only_the_company_vouches_for() {
    let (certificates, place) = (Certificates::make(), Place::new());
    let server = HubServer::with_tls(&certificates);
    server.add("org/tiny", model());
    let args = ["encode", "-m", "org/tiny", "text"];
    let refused = ran(online(&place, &server, &args).output().unwrap());
    let url = server.url();
    let expected = format!(
        "  caused by: {url}/api/models/org/tiny/revision/main: no secure connection\n  \
         caused by: invalid peer certificate: UnknownIssuer\n\
         hint: somebody between may show a certificate of its own, as a company's proxy does: name a file with its authority \
         in SSL_CERT_FILE; a hub that speaks no TLS has an HF_ENDPOINT that begins with http://\n"
    );
    assert!(refused.stderr.ends_with(&expected), "{}", refused.stderr);
    let trusting =
        |command: &mut Command| ran(command.env("SSL_CERT_FILE", certificates.authority()).output().unwrap());
    let doctor = trusting(&mut online(&place, &server, &["doctor", "--json"]));
    let report: Value = serde_json::from_str(&doctor.stdout).unwrap();
    assert_eq!(report["hub"]["authorities"], certificates.authority().display().to_string());
    assert_eq!(trusting(&mut online(&place, &server, &args)).code, 0);
}

#[test]
fn a_gate_has_its_way_shown() {
    let (place, server) = (Place::new(), server());
    let url = server.url();
    server.add("org/gated", model().with_gate(Gate::Gated("hf_good".to_owned())));
    let expected = |hint: &str| {
        format!(
            "error: no folder `org/gated` here, and no whole model org/gated in the cache {}\n  \
             caused by: org/gated is gated: {url} gives it to those only whom its owner admits\nhint: {hint}",
            place.hub().display()
        )
    };
    fails(
        &place,
        &server,
        &["encode", "-m", "org/gated", "text"],
        &expected(&format!(
            "accept the terms at {url}/org/gated, and say who you are: `hf auth login` keeps a token, and HF_TOKEN names one"
        )),
    );
    let with = |token: &str| {
        ran(online(&place, &server, &["encode", "-m", "org/gated", "text"])
            .env("HF_TOKEN", token)
            .output()
            .unwrap())
    };
    let refused = with("hf_bad");
    let hint = format!("accept the terms at {url}/org/gated as the user whose token is used\n");
    assert!(refused.stderr.ends_with(&hint) && !refused.stderr.contains("hf_bad"), "{}", refused.stderr);
    assert_eq!(with("hf_good").code, 0);
    // The file of `hf auth login`, in its usual place.
    fs::remove_dir_all(place.hub()).unwrap();
    fs::write(place.hub().parent().unwrap().join("token"), "hf_good\n").unwrap();
    let ran = run(&place, &server, &["encode", "-m", "org/gated", "text"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn digests_are_compared_when_they_are_required() {
    let (place, server) = (Place::new(), server());
    let args = ["encode", "-m", NAME, "text", "--require-digests"];
    assert_eq!(run(&place, &server, &args).code, 0);
    let blobs = place.hub().join("models--org--tiny/blobs");
    let weights = blobs.join(model().digest("model.safetensors"));
    let mut bytes = fs::read(&weights).unwrap();
    bytes[60_000] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let damaged = place.run(&args);
    assert_eq!(damaged.code, 2);
    assert!(
        damaged.stderr.starts_with("error: org/tiny/model.safetensors: the SHA-256 is "),
        "{}",
        damaged.stderr
    );
    assert!(damaged.stderr.ends_with("`--refresh` fetches it again\n"), "{}", damaged.stderr);
    let mended = [&args[..], &["--refresh"]].concat();
    assert_eq!(run(&place, &server, &mended).code, 0);
    assert_eq!(place.run(&args).code, 0);
}
