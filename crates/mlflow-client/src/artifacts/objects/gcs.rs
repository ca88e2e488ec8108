//! Google's storage.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::gcp::GoogleCloudStorageBuilder;

use super::refusal::setting;
use super::wire::Wire;
use crate::Result;
use crate::artifacts::ArtifactSettings;
use crate::settings::Verify;
use crate::uri::Bucket;

/// Opens a bucket; nothing is asked yet, but the file of credentials is read.
pub(super) fn open(bucket: &Bucket, settings: &ArtifactSettings) -> Result<Arc<dyn ObjectStore>> {
    const SETTING: &str = "GOOGLE_APPLICATION_CREDENTIALS";
    let location = format!("gs://{}", bucket.name);
    let wire = Wire::new(&location, &settings.http, Verify::System)?;
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&bucket.name)
        .with_retry(super::patience())
        .with_http_connector(wire);
    if let Some(emulator) = &settings.gcs.emulator {
        let address = emulator.expose().trim_end_matches('/');
        let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        builder = builder.with_base_url(&address).with_bearer_token("emulator");
    } else if let Some(file) = &settings.gcs.application_credentials {
        if let Err(source) = std::fs::File::open(file) {
            return Err(crate::Error::File { path: file.clone(), action: "read", source });
        }
        builder = builder.with_application_credentials(file.display().to_string());
    }
    match builder.build() {
        Ok(store) => Ok(Arc::new(store)),
        // What the library says may quote the file.
        Err(_) => match &settings.gcs.application_credentials {
            Some(file) => {
                let problem =
                    format!("{} holds neither a service account nor a user's login", file.display());
                setting(SETTING, problem)
            }
            None => setting(SETTING, "no credentials can be had without it"),
        },
    }
}
