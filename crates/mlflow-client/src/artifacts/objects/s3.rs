//! S3, and what speaks like it.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key};

use super::refusal::setting;
use super::wire::Wire;
use crate::artifacts::ArtifactSettings;
use crate::settings::{S3Addressing, S3Credentials, S3Settings, Secret, Verify};
use crate::uri::Bucket;
use crate::{Error, Result};

/// The setting that says what every upload says besides.
const UPLOAD_ARGUMENTS: &str = "MLFLOW_S3_UPLOAD_EXTRA_ARGS";

/// Opens a bucket; nothing is asked yet.
pub(super) fn open(bucket: &Bucket, settings: &ArtifactSettings) -> Result<Arc<dyn ObjectStore>> {
    let (name, s3, location) = (&bucket.name, &settings.s3, format!("s3://{}", bucket.name));
    if name.contains(':') {
        let problem = "access points are not served; name their bucket".to_owned();
        return Err(Error::Uri { uri: location, problem });
    }
    if s3.expected_owner.is_some() {
        return setting(
            "MLFLOW_S3_EXPECTED_BUCKET_OWNER",
            "the owner of a bucket is not checked here; unset it",
        );
    }
    let wire = Wire::new(&location, &settings.http, verify(s3)).map_err(of_bundle)?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(name)
        .with_region(s3.region.as_deref().unwrap_or("us-east-1"))
        .with_retry(super::patience())
        .with_http_connector(wire);
    let virtual_host = is_virtual(s3, name);
    builder = builder.with_virtual_hosted_style_request(virtual_host);
    if let Some(endpoint) = &s3.endpoint_url {
        builder = builder.with_endpoint(endpoint_of(endpoint.expose(), virtual_host.then_some(name))?);
    }
    builder = upload_arguments(credentials(builder, &s3.credentials)?, s3.upload_arguments.as_ref())?;
    let store = builder.build().map_err(|error| super::refusal::error(&location, error))?;
    Ok(Arc::new(store))
}

fn verify(s3: &S3Settings) -> Verify {
    match &s3.authorities {
        _ if s3.ignore_tls => Verify::Nothing,
        Some(path) => Verify::Authorities(path.clone()),
        None => Verify::System,
    }
}

/// A file of authorities is the business of a setting of S3's own.
fn of_bundle(error: Error) -> Error {
    match error {
        Error::Setting { setting, problem } if setting == "MLFLOW_TRACKING_SERVER_CERT_PATH" => {
            Error::Setting { setting: "AWS_CA_BUNDLE".to_owned(), problem }
        }
        error => error,
    }
}

/// A bucket with a dot has no certificate as a host, and other servers than AWS's rarely have a host for each bucket.
fn is_virtual(s3: &S3Settings, bucket: &str) -> bool {
    match s3.addressing {
        S3Addressing::Auto => {
            s3.endpoint_url.is_none() && !bucket.contains(['.', '_']) && !has_capital(bucket)
        }
        S3Addressing::Path => false,
        S3Addressing::Virtual => true,
    }
}

fn has_capital(bucket: &str) -> bool {
    bucket.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// The address of the endpoint, with the bucket in its host where that is asked for.
fn endpoint_of(endpoint: &str, bucket: Option<&String>) -> Result<String> {
    const SETTING: &str = "MLFLOW_S3_ENDPOINT_URL";
    let Ok(mut url) = url::Url::parse(endpoint) else { return setting(SETTING, "it is no address") };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return setting(SETTING, "it is no address of http or https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return setting(
            SETTING,
            "user and password have no place in it; keys of AWS are settings of their own",
        );
    }
    if let (Some(bucket), Some(host)) = (bucket, url.host_str().map(str::to_owned))
        && url.set_host(Some(&format!("{bucket}.{host}"))).is_err()
    {
        return setting(SETTING, "no bucket can stand before its host");
    }
    Ok(url.to_string().trim_end_matches('/').to_owned())
}

fn credentials(builder: AmazonS3Builder, credentials: &S3Credentials) -> Result<AmazonS3Builder> {
    Ok(match credentials {
        S3Credentials::Machine => builder,
        S3Credentials::Keys { access_key_id, secret_access_key, session_token } => {
            let builder =
                builder.with_access_key_id(access_key_id).with_secret_access_key(secret_access_key.expose());
            match session_token {
                Some(token) => builder.with_token(token.expose()),
                None => builder,
            }
        }
        S3Credentials::WebIdentity { token_file, role_arn, session_name } => {
            let builder = builder
                .with_config(Key::WebIdentityTokenFile, token_file.display().to_string())
                .with_config(Key::RoleArn, role_arn);
            match session_name {
                Some(name) => builder.with_config(Key::RoleSessionName, name),
                None => builder,
            }
        }
        S3Credentials::Task { relative_uri } => {
            builder.with_config(Key::ContainerCredentialsRelativeUri, relative_uri)
        }
        S3Credentials::Pod { uri, token_file } => builder
            .with_config(Key::ContainerCredentialsFullUri, uri)
            .with_config(Key::ContainerAuthorizationTokenFile, token_file.display().to_string()),
        S3Credentials::Unsigned => builder.with_skip_signature(true),
        S3Credentials::Unusable { setting: name, problem } => return setting(name, problem),
    })
}

/// Encryption on the server's side. What else boto3 understands would be lost, so it is refused.
fn upload_arguments(mut builder: AmazonS3Builder, arguments: Option<&Secret>) -> Result<AmazonS3Builder> {
    let Some(arguments) = arguments else { return Ok(builder) };
    let parsed = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(arguments.expose());
    let Ok(arguments) = parsed else { return setting(UPLOAD_ARGUMENTS, "it is no JSON object") };
    for (name, value) in arguments {
        let key = match name.as_str() {
            "ServerSideEncryption" => "aws_server_side_encryption",
            "SSEKMSKeyId" => "aws_sse_kms_key_id",
            "BucketKeyEnabled" => "aws_sse_bucket_key_enabled",
            _ => {
                let known = "`ServerSideEncryption`, `SSEKMSKeyId` and `BucketKeyEnabled` are understood";
                return setting(UPLOAD_ARGUMENTS, format!("`{name}` is not served here; only {known}"));
            }
        };
        let value = match value {
            serde_json::Value::String(text) => text,
            serde_json::Value::Bool(flag) => flag.to_string(),
            _ => return setting(UPLOAD_ARGUMENTS, format!("`{name}` is neither text nor true nor false")),
        };
        if name == "ServerSideEncryption" && !matches!(value.as_str(), "AES256" | "aws:kms" | "aws:kms:dsse")
        {
            return setting(
                UPLOAD_ARGUMENTS,
                format!("`{name}` is neither `AES256` nor `aws:kms` nor `aws:kms:dsse`"),
            );
        }
        let Ok(key) = key.parse::<Key>() else {
            return setting(UPLOAD_ARGUMENTS, format!("`{name}` is not served here"));
        };
        builder = builder.with_config(key, value);
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(change: impl FnOnce(&mut S3Settings)) -> Result<()> {
        let mut settings = ArtifactSettings::default();
        change(&mut settings.s3);
        open(&Bucket { name: "bucket".into(), prefix: None }, &settings).map(drop)
    }

    #[track_caller]
    fn check_arguments(text: &str, expected: &str) {
        let said = opened(|s3| s3.upload_arguments = Some(Secret::new(text)));
        let said = said.map_or_else(|error| error.to_string(), |()| "opened".to_owned());
        assert_eq!(said, expected);
    }

    #[test]
    fn what_uploads_say_is_understood_or_refused() {
        check_arguments(r#"{"ServerSideEncryption": "AES256"}"#, "opened");
        check_arguments(
            r#"{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:x", "BucketKeyEnabled": true}"#,
            "opened",
        );
        check_arguments("AES256", "MLFLOW_S3_UPLOAD_EXTRA_ARGS: it is no JSON object");
        check_arguments(
            r#"{"ACL": "public-read"}"#,
            "MLFLOW_S3_UPLOAD_EXTRA_ARGS: `ACL` is not served here; only `ServerSideEncryption`, `SSEKMSKeyId` and \
             `BucketKeyEnabled` are understood",
        );
        check_arguments(
            r#"{"ServerSideEncryption": "s3cret"}"#,
            "MLFLOW_S3_UPLOAD_EXTRA_ARGS: `ServerSideEncryption` is neither `AES256` nor `aws:kms` nor `aws:kms:dsse`",
        );
    }

    #[test]
    fn what_cannot_be_done_is_told_when_a_bucket_is_opened() {
        let error = opened(|s3| s3.expected_owner = Some("1".into())).unwrap_err().to_string();
        assert_eq!(
            error,
            "MLFLOW_S3_EXPECTED_BUCKET_OWNER: the owner of a bucket is not checked here; unset it"
        );
        let unusable =
            S3Credentials::Unusable { setting: "AWS_PROFILE".into(), problem: "has no key".into() };
        let error = opened(|s3| s3.credentials = unusable).unwrap_err().to_string();
        assert_eq!(error, "AWS_PROFILE: has no key");
        let error = opened(|s3| s3.endpoint_url = Some("http://ann:s3cret@minio.test".into())).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn a_bucket_stands_in_the_host_or_in_the_path() {
        let check = |bucket: &str, endpoint: Option<&str>, addressing, expected: bool| {
            let mut s3 = S3Settings::default();
            (s3.endpoint_url, s3.addressing) = (endpoint.map(Into::into), addressing);
            assert_eq!(is_virtual(&s3, bucket), expected, "{bucket}");
        };
        check("bucket", None, S3Addressing::Auto, true);
        check("bucket.with.dots", None, S3Addressing::Auto, false);
        check("bucket", Some("http://minio.test"), S3Addressing::Auto, false);
        check("bucket", Some("http://minio.test"), S3Addressing::Virtual, true);
        check("bucket", None, S3Addressing::Path, false);
        let bucket = "bucket".to_owned();
        assert_eq!(
            endpoint_of("http://minio.test:9000/", Some(&bucket)).unwrap(),
            "http://bucket.minio.test:9000"
        );
        assert_eq!(endpoint_of("http://minio.test:9000/", None).unwrap(), "http://minio.test:9000");
        assert!(endpoint_of("minio.test:9000", None).is_err());
    }
}
