//! Azure's storage.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::azure::{AzureConfigKey as Key, MicrosoftAzureBuilder};

use super::connection::{Connection, Proof};
use super::refusal::setting;
use super::wire::Wire;
use crate::artifacts::ArtifactSettings;
use crate::settings::{AzureSettings, HttpSettings, Verify};
use crate::uri::Container;
use crate::{Error, Result};

/// The clouds in which an account's host is Azure's own, so that a key may be used there.
const CLOUDS: [&str; 3] = ["core.windows.net", "core.chinacloudapi.cn", "core.usgovcloudapi.net"];

/// Opens a container; nothing is asked yet.
pub(super) fn open(
    container: &Container,
    settings: &ArtifactSettings,
    by_store: bool,
) -> Result<Arc<dyn ObjectStore>> {
    let location = Container { prefix: None, ..container.clone() }.to_string();
    let (account, cloud) = account_of(container, by_store).ok_or_else(|| Error::Uri {
        uri: location.clone(),
        problem: "its host is no account of Azure".into(),
    })?;
    let connection = settings.azure.connection_string.as_ref();
    let connection = connection.map(|text| Connection::parse(text.expose(), account, cloud)).transpose()?;
    let endpoint = connection.as_ref().and_then(|connection| connection.endpoint.clone());
    let wire = Wire::new(&location, &settings.http, verify(container, &settings.http))?;
    let builder = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(&container.name)
        .with_endpoint(endpoint.unwrap_or_else(|| format!("https://{account}.blob.{cloud}")))
        .with_retry(super::patience())
        .with_http_connector(wire);
    let builder = credentials(builder, connection, &settings.azure);
    match builder.build() {
        Ok(store) => Ok(Arc::new(store)),
        // What the library says may quote a key.
        Err(_) => setting("AZURE_STORAGE_ACCESS_KEY", "the key or the signature of the account is none"),
    }
}

/// The account and the cloud that a host names. A store may name only Azure's own: our key is proved to whoever is asked.
fn account_of(container: &Container, by_store: bool) -> Option<(&str, &str)> {
    let (account, rest) = container.host.split_once('.')?;
    let (service, cloud) = rest.split_once('.')?;
    let own = CLOUDS.contains(&cloud) && matches!(service, "dfs" | "blob");
    (!account.is_empty() && (own || (!by_store && matches!(service, "dfs" | "blob"))))
        .then_some((account, cloud))
}

/// `MLflow` asks for `wasbs:` as it asks the tracking server, and leaves `abfss:` to Azure's library.
fn verify(container: &Container, http: &HttpSettings) -> Verify {
    if container.scheme.starts_with("wasb") { http.tls.verify.clone() } else { Verify::System }
}

/// In `MLflow`'s order: the connection string, the key, the signature, and whoever Azure's libraries take us for.
fn credentials(
    builder: MicrosoftAzureBuilder,
    connection: Option<Connection>,
    azure: &AzureSettings,
) -> MicrosoftAzureBuilder {
    if let Some(connection) = connection {
        return match connection.proof {
            Proof::Key(key) => builder.with_access_key(key),
            Proof::Signature(token) => builder.with_config(Key::SasKey, token),
        };
    }
    if let Some(key) = &azure.access_key {
        return builder.with_access_key(key.expose());
    }
    if let Some(token) = &azure.sas_token {
        return builder.with_config(Key::SasKey, token.expose());
    }
    let mut builder = builder;
    for (key, value) in [
        (Key::AuthorityId, azure.tenant_id.as_deref()),
        (Key::ClientId, azure.client_id.as_deref()),
        (Key::AuthorityHost, azure.authority_host.as_deref()),
        (Key::ClientSecret, azure.client_secret.as_ref().map(crate::settings::Secret::expose)),
    ] {
        if let Some(value) = value {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(file) = &azure.federated_token_file {
        builder = builder.with_config(Key::FederatedTokenFile, file.display().to_string());
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;
    use crate::uri::ArtifactUri;

    #[track_caller]
    fn check(uri: &str, connection: Option<&str>, by_store: bool, expected: &str) {
        let ArtifactUri::Azure(container) = uri.parse().unwrap() else { panic!("{uri}") };
        let mut settings = ArtifactSettings::default();
        settings.azure.access_key = Some(Secret::new("a2V5"));
        settings.azure.connection_string = connection.map(Secret::new);
        let said = open(&container, &settings, by_store);
        assert_eq!(said.map_or_else(|error| error.to_string(), |_| "opened".to_owned()), expected);
    }

    #[test]
    fn only_hosts_of_azure_learn_who_we_are() {
        check("abfss://c@account.dfs.core.windows.net/p", None, true, "opened");
        check("wasbs://c@account.blob.core.chinacloudapi.cn/p", None, true, "opened");
        check("abfss://c@account.dfs.stack.test/p", None, false, "opened");
        check(
            "abfss://c@account.dfs.evil.test/p",
            None,
            true,
            "abfss://c@account.dfs.evil.test: its host is no account of Azure",
        );
        check("abfss://c@evil/p", None, false, "abfss://c@evil: its host is no account of Azure");
    }

    #[test]
    fn a_key_that_is_none_is_not_quoted() {
        check(
            "abfss://c@account.dfs.core.windows.net/p",
            Some("AccountKey=s3cret!"),
            true,
            "AZURE_STORAGE_ACCESS_KEY: the key or the signature of the account is none",
        );
    }

    #[test]
    fn only_wasbs_is_asked_as_the_tracking_server_is() {
        let mut http = HttpSettings::default();
        http.tls.verify = Verify::Nothing;
        for (uri, expected) in [
            ("wasbs://c@account.blob.core.windows.net", Verify::Nothing),
            ("abfss://c@account.dfs.core.windows.net", Verify::System),
        ] {
            let ArtifactUri::Azure(container) = uri.parse().unwrap() else { panic!("{uri}") };
            assert_eq!(verify(&container, &http), expected, "{uri}");
        }
    }
}
