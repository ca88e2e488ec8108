//! `AZURE_STORAGE_CONNECTION_STRING`, as Azure's own library reads it.

use url::Url;

use super::refusal::setting;
use crate::Result;

/// The setting.
const SETTING: &str = "AZURE_STORAGE_CONNECTION_STRING";

/// What `UseDevelopmentStorage=true` is short for: Azurite as it starts unasked. Its key is printed in every manual.
const DEVELOPMENT: &str = "AccountName=devstoreaccount1;\
    AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;\
    BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1";

/// What a connection string says of an account.
pub(super) struct Connection {
    /// The account's address, if it says one.
    pub(super) endpoint: Option<String>,
    pub(super) proof: Proof,
}

/// What proves that we may.
pub(super) enum Proof {
    /// The account's key.
    Key(String),
    /// A shared access signature.
    Signature(String),
}

impl Connection {
    /// `AccountName=…;AccountKey=…`, or with a signature instead of the key; and perhaps where the account is.
    pub(super) fn parse(text: &str, account: &str, cloud: &str) -> Result<Self> {
        let value = |name: &str| {
            let pairs = text.split(';').filter_map(|pair| pair.trim().split_once('='));
            pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
        };
        if value("UseDevelopmentStorage") == Some("true") {
            return Self::parse(DEVELOPMENT, account, cloud);
        }
        if let Some(other) = value("AccountName").filter(|name| *name != account) {
            return setting(SETTING, format!("it is of the account `{other}`, not of `{account}`"));
        }
        let proof = match (value("AccountKey"), value("SharedAccessSignature")) {
            (Some(key), _) => Proof::Key(key.to_owned()),
            (None, Some(token)) => Proof::Signature(token.to_owned()),
            (None, None) => {
                return setting(SETTING, "it has neither AccountKey nor SharedAccessSignature");
            }
        };
        let endpoint =
            match (value("BlobEndpoint"), value("DefaultEndpointsProtocol"), value("EndpointSuffix")) {
                (Some(endpoint), _, _) => Some(checked(endpoint)?),
                (None, None, None) => None,
                (None, protocol, suffix) => {
                    let (protocol, suffix) = (protocol.unwrap_or("https"), suffix.unwrap_or(cloud));
                    Some(checked(&format!("{protocol}://{account}.blob.{suffix}"))?)
                }
            };
        Ok(Self { endpoint, proof })
    }
}

/// The address of an account. What is wrong with it is told without it: part of it may be a secret.
fn checked(endpoint: &str) -> Result<String> {
    let Ok(url) = Url::parse(endpoint) else { return setting(SETTING, "its endpoint is no address") };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return setting(SETTING, "its endpoint is no address of http or https");
    }
    let more = !url.username().is_empty() || url.password().is_some() || url.query().is_some();
    if more || url.fragment().is_some() {
        return setting(SETTING, "its endpoint has more than a host, a port and a path");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The endpoint and the proof, or what is wrong.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let said = match Connection::parse(text, "account", "core.windows.net") {
            Ok(Connection { endpoint, proof }) => {
                let proof = match proof {
                    Proof::Key(key) => format!("key {key}"),
                    Proof::Signature(token) => format!("signature {token}"),
                };
                format!("{} {proof}", endpoint.as_deref().unwrap_or("-"))
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn it_is_of_one_account() {
        check("AccountName=account;AccountKey=a2U=", "- key a2U=");
        check("accountname=account; accountkey=a2U=;", "- key a2U=");
        check("SharedAccessSignature=sv=1&sig=x%3D", "- signature sv=1&sig=x%3D");
        check(
            "AccountName=other;AccountKey=s3cret",
            "AZURE_STORAGE_CONNECTION_STRING: it is of the account `other`, not of `account`",
        );
        check(
            "AccountName=account",
            "AZURE_STORAGE_CONNECTION_STRING: it has neither AccountKey nor SharedAccessSignature",
        );
    }

    #[test]
    fn it_may_say_where_the_account_is() {
        check(
            "AccountName=account;AccountKey=k;BlobEndpoint=http://127.0.0.1:10000/account;QueueEndpoint=x",
            "http://127.0.0.1:10000/account key k",
        );
        check(
            "BlobEndpoint=https://account.blob.core.windows.net/;SharedAccessSignature=sig=x",
            "https://account.blob.core.windows.net signature sig=x",
        );
        check(
            "DefaultEndpointsProtocol=https;AccountName=account;AccountKey=k;EndpointSuffix=stack.test",
            "https://account.blob.stack.test key k",
        );
        check(
            "DefaultEndpointsProtocol=https;AccountName=account;AccountKey=k",
            "https://account.blob.core.windows.net key k",
        );
    }

    #[test]
    fn an_endpoint_that_is_none_is_told_without_it() {
        let wrong = "AZURE_STORAGE_CONNECTION_STRING: its endpoint";
        check("AccountKey=k;BlobEndpoint=s3cret", &format!("{wrong} is no address"));
        check("AccountKey=k;BlobEndpoint=ftp://s3cret", &format!("{wrong} is no address of http or https"));
        for endpoint in ["http://ann:s3cret@x.test", "http://x.test/?sig=s3cret", "http://x.test/#s3cret"] {
            check(
                &format!("AccountKey=k;BlobEndpoint={endpoint}"),
                &format!("{wrong} has more than a host, a port and a path"),
            );
        }
    }

    #[test]
    fn the_emulator_has_a_name_of_its_own() {
        let connection =
            Connection::parse("UseDevelopmentStorage=true", "devstoreaccount1", "core.windows.net").ok();
        let endpoint = connection.and_then(|connection| connection.endpoint);
        assert_eq!(endpoint.as_deref(), Some("http://127.0.0.1:10000/devstoreaccount1"));
        check(
            "UseDevelopmentStorage=true",
            "AZURE_STORAGE_CONNECTION_STRING: it is of the account `devstoreaccount1`, not of `account`",
        );
    }
}
