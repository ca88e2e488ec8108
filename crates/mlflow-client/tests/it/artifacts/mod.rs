//! One contract for files, wherever they lie: what a program may rely on behind `ArtifactStore`.
//!
//! Every case is an `async fn` over a [`Place`]; the macro below makes of each a test of its own for each place, such as
//! `artifacts::s3::files::one_is_replaced`. Servers are shared with other tests, so each place is a folder of its own.
//!
//! Which server stands behind a place: `proxy` a real `mlflow server`; `s3` moto; `gs` moto as well, since Google's storage
//! speaks S3's XML in these calls and no emulator of it can be installed with pip; `azure` Azurite, Microsoft's own
//! emulator, which checks every signature; `memory` the library's own store in memory. Azurite needs Node.js, so its tests
//! are ignored unless somebody says that it is there, as `cargo xtask test` does.

#[cfg(feature = "azure")]
mod azure_only;
mod files;
mod folders;
mod parts;
#[cfg(feature = "s3")]
mod s3_only;
#[cfg(any(feature = "s3", feature = "azure"))]
mod tls;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlflow_client::artifacts::{ArtifactPath, ArtifactStore, Artifacts, LocalFile, ReadStart};
use mlflow_client::uri::{ArtifactUri, Resolved, resolve};
use mlflow_client::{Client, MemoryStore, Settings};
use st_testkit::MlflowServer;
use tempfile::TempDir;

/// A folder of artifacts that is empty.
struct Place {
    store: Arc<dyn ArtifactStore>,
    artifacts: Artifacts,
    /// Absent where the place has no name that anybody could open.
    uri: Option<ArtifactUri>,
    /// Where files of this machine lie.
    folder: TempDir,
}

impl Place {
    fn of(artifacts: Artifacts, uri: &str) -> Self {
        let uri: ArtifactUri = uri.parse().unwrap();
        let store = artifacts.open(&uri).unwrap();
        Self { store, artifacts, uri: Some(uri), folder: tempfile::tempdir().unwrap() }
    }

    fn of_settings(settings: &Settings, uri: &str) -> Self {
        Self::of(Client::connect(settings).unwrap().artifacts().clone(), uri)
    }

    /// A folder of this machine.
    fn local() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root").display().to_string();
        let artifacts = Artifacts::new(mlflow_client::artifacts::ArtifactSettings::default());
        Self { folder, ..Self::of(artifacts, &root) }
    }

    /// The artifact proxy of MLflow 3.17.2.
    fn proxy() -> Self {
        let settings = Settings::for_tracking_uri(MlflowServer::shared().url());
        Self::of_settings(&settings, &format!("mlflow-artifacts:/{}", unique()))
    }

    /// S3, as moto speaks it.
    #[cfg(feature = "s3")]
    fn s3() -> Self {
        let server = st_testkit::S3Server::shared();
        let bucket = unique();
        server.make_bucket(&bucket);
        Self::of_settings(&s3_settings(&server.url(), "key", "not-checked"), &format!("s3://{bucket}/a/b"))
    }

    /// The root of a bucket.
    #[cfg(feature = "s3")]
    fn s3_root() -> Self {
        let server = st_testkit::S3Server::shared();
        let bucket = unique();
        server.make_bucket(&bucket);
        Self::of_settings(&s3_settings(&server.url(), "key", "not-checked"), &format!("s3://{bucket}"))
    }

    /// Google's storage, as far as S3's XML goes.
    #[cfg(feature = "gs")]
    fn gs() -> Self {
        let server = st_testkit::S3Server::shared();
        let (bucket, url) = (unique(), server.url());
        server.make_bucket(&bucket);
        let settings = settings(&[("STORAGE_EMULATOR_HOST", &url)]);
        Self::of_settings(&settings, &format!("gs://{bucket}/a/b"))
    }

    /// Azure's storage, as Azurite speaks it: with the account's key.
    #[cfg(feature = "azure")]
    fn azure() -> Self {
        let container = unique();
        st_testkit::AzureServer::shared().make_container(&container);
        Self::of_settings(&azure_settings(), &azure_uri(&container, "a/b"))
    }

    /// The root of a container, by the other name that Azure's storage has.
    #[cfg(feature = "azure")]
    fn azure_root() -> Self {
        let container = unique();
        st_testkit::AzureServer::shared().make_container(&container);
        let uri = format!("abfss://{container}@{}.dfs.core.windows.net", st_testkit::AzureServer::ACCOUNT);
        Self::of_settings(&azure_settings(), &uri)
    }

    /// With a signature instead of the key.
    #[cfg(feature = "azure")]
    fn azure_sas() -> Self {
        use st_testkit::AzureServer;
        let (server, container) = (AzureServer::shared(), unique());
        server.make_container(&container);
        let text =
            format!("BlobEndpoint={};SharedAccessSignature={}", server.endpoint(), AzureServer::SIGNATURE);
        Self::of_settings(&azure_settings_of(&text), &azure_uri(&container, "a/b"))
    }

    /// What stands for a store that no server can be started for.
    #[cfg(feature = "azure")]
    fn memory() -> Self {
        let store =
            mlflow_client::artifacts::ObjectArtifacts::in_memory("abfss://c@account.dfs.core.windows.net");
        Self { store: Arc::new(store), uri: None, ..Self::local() }
    }

    /// A file of this machine.
    fn file(&self, content: &[u8]) -> LocalFile {
        let path = self.folder.path().join(unique());
        std::fs::write(&path, content).unwrap();
        LocalFile { path, length: content.len() as u64 }
    }

    async fn write(&self, name: &str, content: &[u8]) {
        self.store.write(&path(name), &self.file(content)).await.unwrap();
    }

    /// All bytes from somewhere on, and the tag that came with them.
    async fn read(&self, name: &str, start: &ReadStart) -> (u64, Vec<u8>, Option<String>) {
        let read = self.store.read(&path(name), start).await.unwrap();
        let (offset, tag) = (read.offset, read.tag.clone());
        (offset, read.bytes(64 << 20).await.unwrap(), tag)
    }

    async fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name, &ReadStart::default()).await.1).unwrap()
    }

    /// What lies in a directory: `name`, or `name/`.
    async fn list(&self, directory: Option<&str>) -> Vec<String> {
        let infos = self.store.list(directory.map(path).as_ref()).await.unwrap();
        infos.iter().map(|info| format!("{}{}", info.path, if info.is_dir { "/" } else { "" })).collect()
    }

    fn uri(&self) -> &ArtifactUri {
        self.uri.as_ref().unwrap()
    }

    async fn resolved(&self, below: Option<&str>) -> Resolved {
        let uri = below.map_or_else(|| self.uri().clone(), |below| self.uri().join(&path(below)).unwrap());
        let store = MemoryStore::new();
        resolve(&uri, &store, &store).await.unwrap()
    }

    fn destination(&self) -> PathBuf {
        self.folder.path().join("destination")
    }
}

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::try_new(text).unwrap()
}

fn unique() -> String {
    format!("x{}", uuid::Uuid::new_v4().simple())
}

#[cfg(feature = "azure")]
fn azure_uri(container: &str, folder: &str) -> String {
    format!("wasbs://{container}@{}.blob.core.windows.net/{folder}", st_testkit::AzureServer::ACCOUNT)
}

#[cfg(feature = "azure")]
fn azure_settings() -> Settings {
    azure_settings_of(&st_testkit::AzureServer::shared().connection_string())
}

#[cfg(feature = "azure")]
fn azure_settings_of(connection_string: &str) -> Settings {
    settings(&[
        ("AZURE_STORAGE_CONNECTION_STRING", connection_string),
        ("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", "5242880"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1"),
    ])
}

#[cfg(feature = "__objects")]
fn settings(variables: &[(&str, &str)]) -> Settings {
    let variable = |name: &str| {
        let own = variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        // No server is asked: the tracking store is not what these tests are about.
        own.or_else(|| (name == "MLFLOW_TRACKING_URI").then(|| "http://127.0.0.1:1".to_owned()))
    };
    Settings::from_environment(&variable).unwrap()
}

#[cfg(feature = "s3")]
fn s3_settings(endpoint: &str, id: &str, secret: &str) -> Settings {
    settings(&[
        ("MLFLOW_S3_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", "5242880"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1"),
    ])
}

/// Every file below a folder.
fn files_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// The tests of one place, each with the attributes in brackets.
macro_rules! tests {
    ($attributes:tt $module:ident of $place:ident: $($topic:ident { $($case:ident)* })*) => {
        mod $module {
            $(mod $topic {
                $(crate::artifacts::case! { $attributes $place $topic $case })*
            })*
        }
    };
}

macro_rules! case {
    ([$($attributes:tt)*] $place:ident $topic:ident $case:ident) => {
        $($attributes)*
        #[tokio::test]
        async fn $case() {
            let place = crate::artifacts::Place::$place();
            crate::artifacts::$topic::$case(&place).await;
        }
    };
}

use case;

/// What every place does with files.
macro_rules! files {
    ($attributes:tt $module:ident of $place:ident: $($more:ident { $($case:ident)* })*) => {
        tests! {
            $attributes $module of $place:
            files {
                an_empty_folder_has_nothing_in_it
                one_is_listed_and_read
                odd_names_stay_what_they_are
                one_is_replaced
                an_empty_one_arrives
                one_is_read_from_its_middle
                one_that_changed_is_read_from_its_beginning
                what_is_not_there_is_said_to_be_missing
                a_name_that_begins_alike_is_another
                a_large_one_arrives_whole
            }
            $($more { $($case)* })*
        }
    };
}

/// And with folders, where the place has a name.
macro_rules! contract {
    ($attributes:tt $module:ident of $place:ident) => {
        files! {
            $attributes $module of $place:
            folders {
                one_goes_up_and_comes_down
                a_single_file_comes_down
                nothing_is_left_of_one_that_is_damaged
                what_is_not_there_is_said_to_be_missing
            }
        }
    };
}

/// What a proxy does not check, and a store does.
macro_rules! whole {
    ($attributes:tt $module:ident of $place:ident) => {
        tests! {
            $attributes $module of $place: files { one_that_grew_leaves_nothing one_that_shrank_leaves_nothing }
        }
    };
}

contract! { [] local of local }
contract! { [] proxy of proxy }
#[cfg(feature = "s3")]
contract! { [] s3 of s3 }
#[cfg(feature = "s3")]
contract! { [] s3_root of s3_root }
#[cfg(feature = "gs")]
contract! { [] gs of gs }
#[cfg(feature = "azure")]
contract! { [#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]] azure of azure }
#[cfg(feature = "azure")]
contract! { [#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]] azure_root of azure_root }
#[cfg(feature = "azure")]
contract! { [#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]] azure_sas of azure_sas }
#[cfg(feature = "azure")]
files! { [] memory of memory: }

mod whole {
    whole! { [] local of local }
    #[cfg(feature = "s3")]
    whole! { [] s3 of s3 }
    #[cfg(feature = "gs")]
    whole! { [] gs of gs }
    #[cfg(feature = "azure")]
    whole! { [#[ignore = "needs Azurite: where Node.js is, `cargo xtask test` runs it"]] azure of azure }
    #[cfg(feature = "azure")]
    whole! { [] memory of memory }
}
