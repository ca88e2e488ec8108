//! From a URI and settings to a store.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;

use super::ObjectArtifacts;
use crate::artifacts::{ArtifactSettings, ArtifactStore};
use crate::uri::{ArtifactUri, Container};
use crate::{Error, Result};

/// The buckets that were opened: connections and tokens are kept for the next folder in them.
#[derive(Clone, Default)]
pub(in crate::artifacts) struct Opened(Arc<Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>>);

impl Opened {
    /// The folder at a URI. `by_store` says that a store named it, which may be a hostile server.
    pub(in crate::artifacts) fn open(
        &self,
        uri: &ArtifactUri,
        settings: &ArtifactSettings,
        by_store: bool,
    ) -> Result<Arc<dyn ArtifactStore>> {
        let (key, prefix) = match uri {
            ArtifactUri::S3(bucket) => (format!("s3:{}", bucket.name), bucket.prefix.clone()),
            ArtifactUri::Gcs(bucket) => (format!("gs:{}", bucket.name), bucket.prefix.clone()),
            ArtifactUri::Azure(container) => {
                // The scheme decides which certificates are believed.
                let Container { scheme, name, host, prefix } = container;
                (format!("{scheme}:{name}@{host}:{by_store}"), prefix.clone())
            }
            _ => return Err(Error::Uri { uri: uri.to_string(), problem: "it is in no object store".into() }),
        };
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match opened.get(&key) {
            Some(store) => Arc::clone(store),
            None => {
                let store = bucket_of(uri, settings, by_store)?;
                opened.insert(key, Arc::clone(&store));
                store
            }
        };
        Ok(Arc::new(ObjectArtifacts::new(store, uri.to_string(), prefix, settings.multipart_part)))
    }
}

fn bucket_of(uri: &ArtifactUri, settings: &ArtifactSettings, by_store: bool) -> Result<Arc<dyn ObjectStore>> {
    // Without the feature of Azure nobody asks who named the host.
    let _ = by_store;
    match uri {
        #[cfg(feature = "s3")]
        ArtifactUri::S3(bucket) => super::s3::open(bucket, settings),
        #[cfg(feature = "gs")]
        ArtifactUri::Gcs(bucket) => super::gcs::open(bucket, settings),
        #[cfg(feature = "azure")]
        ArtifactUri::Azure(container) => super::azure::open(container, settings, by_store),
        _ => {
            let _ = settings;
            Err(crate::artifacts::open::needs_feature(uri))
        }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Opened")
    }
}
