//! What the environment says about object stores.

use std::path::PathBuf;

use super::aws::FoundKeys;
use super::environment::{Environment, wrong};
use super::variables as name;
use super::{AzureSettings, GcsSettings, S3Addressing, S3Credentials, S3Settings};
use crate::Result;

/// What boto3 and `MLflow` read for S3.
pub(super) fn s3(environment: &Environment<'_>) -> Result<S3Settings> {
    let endpoint_url = [name::MLFLOW_S3_ENDPOINT_URL, name::AWS_ENDPOINT_URL_S3, name::AWS_ENDPOINT_URL]
        .into_iter()
        .find_map(|variable| environment.uri(variable));
    // Who never asks for S3 is not kept from work by a file that only S3 needs.
    let (region, credentials) = match (environment.aws_region(), environment.aws_keys()) {
        (Ok(region), Ok(keys)) => (region, s3_credentials(environment, keys)?),
        (Err(error), _) | (_, Err(error)) => {
            (None, unusable(name::AWS_SHARED_CREDENTIALS_FILE, error.to_string()))
        }
    };
    Ok(S3Settings {
        endpoint_url,
        ignore_tls: environment.flag(name::MLFLOW_S3_IGNORE_TLS, false)?,
        authorities: environment.path(name::AWS_CA_BUNDLE),
        region,
        credentials,
        addressing: addressing(environment)?,
        upload_arguments: environment.secret(name::MLFLOW_S3_UPLOAD_EXTRA_ARGS),
        expected_owner: environment.text(name::MLFLOW_S3_EXPECTED_BUCKET_OWNER),
    })
}

fn addressing(environment: &Environment<'_>) -> Result<S3Addressing> {
    let variable = name::MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE;
    match environment.text(variable).as_deref() {
        None | Some("auto") => Ok(S3Addressing::Auto),
        Some("path") => Ok(S3Addressing::Path),
        Some("virtual") => Ok(S3Addressing::Virtual),
        Some(other) => Err(wrong(variable, format!("`{other}` is neither `auto` nor `path` nor `virtual`"))),
    }
}

/// In the order of boto3: the environment, a web identity, the shared file, the container, the machine.
fn s3_credentials(environment: &Environment<'_>, keys: FoundKeys) -> Result<S3Credentials> {
    let version = name::MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION;
    match environment.text(version).map(|text| text.to_ascii_lowercase()).as_deref() {
        None | Some("s3v4") => {}
        Some("unsigned") => return Ok(S3Credentials::Unsigned),
        Some(other) => return Ok(unusable(version, format!("`{other}` is neither `s3v4` nor `unsigned`"))),
    }
    match (keys.access_key_id, keys.secret_access_key) {
        (Some(access_key_id), Some(secret_access_key)) => {
            let session_token = keys.session_token;
            return Ok(S3Credentials::Keys { access_key_id, secret_access_key, session_token });
        }
        (Some(_), None) => {
            return Ok(unusable(name::AWS_SECRET_ACCESS_KEY, "is not set, and the key's name is".into()));
        }
        (None, _) => {}
    }
    if let Some(profile) = environment.text(name::AWS_PROFILE) {
        let problem = format!(
            "profile `{profile}` has no key; single sign-on and assumed roles are not followed, put temporary keys into \
             the environment"
        );
        return Ok(unusable(name::AWS_PROFILE, problem));
    }
    let web = (environment.path(name::AWS_WEB_IDENTITY_TOKEN_FILE), environment.text(name::AWS_ROLE_ARN));
    if let (Some(token_file), Some(role_arn)) = web {
        let session_name = environment.text(name::AWS_ROLE_SESSION_NAME);
        return Ok(S3Credentials::WebIdentity { token_file, role_arn, session_name });
    }
    if let Some(relative_uri) = environment.text(name::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI) {
        return Ok(S3Credentials::Task { relative_uri });
    }
    let pod = (
        environment.text(name::AWS_CONTAINER_CREDENTIALS_FULL_URI),
        environment.path(name::AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE),
    );
    if let (Some(uri), Some(token_file)) = pod {
        return Ok(S3Credentials::Pod { uri, token_file });
    }
    if environment.flag(name::AWS_EC2_METADATA_DISABLED, false)? {
        return Ok(unusable(
            name::AWS_ACCESS_KEY_ID,
            "is not set, and no other credentials are found".into(),
        ));
    }
    Ok(S3Credentials::Machine)
}

fn unusable(setting: &str, problem: String) -> S3Credentials {
    S3Credentials::Unusable { setting: setting.into(), problem }
}

/// What Google's libraries read.
pub(super) fn gcs(environment: &Environment<'_>) -> GcsSettings {
    const FILE: &str = "application_default_credentials.json";
    let login = environment
        .path(name::CLOUDSDK_CONFIG)
        .or_else(|| environment.home().map(|home| home.join(".config/gcloud")))
        .map(|folder| folder.join(FILE))
        .filter(|file| file.is_file());
    GcsSettings {
        application_credentials: environment.path(name::GOOGLE_APPLICATION_CREDENTIALS).or(login),
        emulator: environment.uri(name::STORAGE_EMULATOR_HOST),
    }
}

/// What Azure's libraries and `MLflow` read.
pub(super) fn azure(environment: &Environment<'_>) -> AzureSettings {
    AzureSettings {
        connection_string: environment.secret(name::AZURE_STORAGE_CONNECTION_STRING),
        access_key: environment.secret(name::AZURE_STORAGE_ACCESS_KEY),
        sas_token: environment.secret(name::AZURE_STORAGE_SAS_TOKEN),
        tenant_id: environment.text(name::AZURE_TENANT_ID),
        client_id: environment.text(name::AZURE_CLIENT_ID),
        client_secret: environment.secret(name::AZURE_CLIENT_SECRET),
        federated_token_file: environment.text(name::AZURE_FEDERATED_TOKEN_FILE).map(PathBuf::from),
        authority_host: environment.text(name::AZURE_AUTHORITY_HOST),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    fn read(variables: &[(&str, &str)]) -> Settings {
        let lookup =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::from_environment(&lookup).unwrap()
    }

    #[track_caller]
    fn check_credentials(variables: &[(&str, &str)], kind: &str) {
        assert_eq!(format!("{:?}", read(variables).artifacts.s3.credentials), kind);
    }

    #[test]
    fn the_first_that_is_there_is_who_we_are() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn")];
        check_credentials(&[], "Machine");
        check_credentials(&keys, "Keys");
        check_credentials(&[keys, web].concat(), "Keys");
        check_credentials(&web, "WebIdentity");
        check_credentials(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x")], "Task");
        check_credentials(&[("AWS_EC2_METADATA_DISABLED", "true")], "Unusable");
        check_credentials(&keys[..1], "Unusable");
        check_credentials(&[("AWS_PROFILE", "sso")], "Unusable");
        check_credentials(&[("MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION", "UNSIGNED"), keys[0]], "Unsigned");
    }

    #[test]
    fn the_shared_files_are_read() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(home.path().join(".aws").join(name), text).unwrap();
        write("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n");
        write("config", "[default]\nregion = eu-west-3\n[profile far]\nregion = ap-south-1\n");
        let home = home.path().to_str().unwrap();
        let settings = read(&[("HOME", home)]).artifacts.s3;
        assert_eq!(settings.region.as_deref(), Some("eu-west-3"));
        assert_eq!(format!("{:?}", settings.credentials), "Keys");
        let settings = read(&[("HOME", home), ("AWS_PROFILE", "far")]).artifacts.s3;
        assert_eq!(settings.region.as_deref(), Some("ap-south-1"));
    }

    #[test]
    fn a_file_that_cannot_be_read_matters_to_s3_only() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".aws/config")).unwrap();
        check_credentials(&[("HOME", home.path().to_str().unwrap())], "Unusable");
    }

    #[test]
    fn no_secret_is_in_debug() {
        let settings = read(&[
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "s3cret"),
            ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", r#"{"SSECustomerKey": "s3cret"}"#),
            ("MLFLOW_S3_ENDPOINT_URL", "http://ann:s3cret@minio.test:9000"),
            ("AZURE_STORAGE_ACCESS_KEY", "s3cret"),
            ("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=s3cret"),
            ("AZURE_STORAGE_SAS_TOKEN", "sig=s3cret"),
            ("AZURE_CLIENT_SECRET", "s3cret"),
        ]);
        let shown = format!("{settings:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("http://minio.test:9000"), "{shown}");
    }
}
