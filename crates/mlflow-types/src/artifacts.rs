//! Artifacts: what lies below a run or a logged model, and how a server hands files on that lie behind it.
//!
//! The files themselves are no JSON, so reading and writing one is no [`Endpoint`]: their address below
//! [`Api::Artifacts`](crate::Api) is [`file_path`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::{encoded, route};
use crate::{Empty, Endpoint, Method, ModelId, Repeat, RunId, wire};

/// A file or a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its path. A server names what it likes: whoever writes it to a disk checks it first.
    pub path: String,
    /// Whether it is a directory.
    #[serde(default)]
    pub is_dir: bool,
    /// Its size in bytes; a directory has none.
    #[serde(default, with = "wire::optional_int64")]
    pub file_size: Option<i64>,
}

/// What lies in a directory of a run's artifacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListArtifacts {
    /// The run.
    pub run_id: RunId,
    /// The directory; the topmost if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where the page begins: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}
route!(ListArtifacts: Get "artifacts/list" -> ListArtifactsResponse);

/// What lies in a directory of a logged model's artifacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListLoggedModelArtifacts {
    /// The model.
    pub model_id: ModelId,
    /// The directory; the topmost if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_directory_path: Option<String>,
    /// Where the page begins: what the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_token: Option<String>,
}
route!(
    ListLoggedModelArtifacts: Get "logged-models/{model_id}/artifacts/directories" -> ListArtifactsResponse, {model_id}
);

/// A page of a directory. Paths begin at the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListArtifactsResponse {
    /// The URI below which the artifacts lie.
    #[serde(default)]
    pub root_uri: String,
    /// What is there.
    #[serde(default)]
    pub files: Vec<FileInfo>,
    /// Where the next page begins, if there is one.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub next_page_token: Option<String>,
}

/// What lies in a directory behind the server. Paths begin at the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListProxiedArtifacts {
    /// The directory; the topmost if absent. One that is missing, or a file, holds nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}
route!(ListProxiedArtifacts: Get Artifacts "artifacts" -> ListProxiedArtifactsResponse);

/// A directory behind the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProxiedArtifactsResponse {
    /// What is there.
    #[serde(default)]
    pub files: Vec<FileInfo>,
}

/// The path of a file behind the server, below [`Api::Artifacts`](crate::Api): GET reads it, PUT writes it.
pub fn file_path(path: &str) -> String {
    format!("artifacts/{}", encoded_path(path))
}

/// Each part of a path percent-encoded; its slashes stay.
fn encoded_path(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// States a route that ends in a path behind the server.
macro_rules! path_route {
    ($call:ty: $method:ident $prefix:literal / {$field:ident} -> $response:ty $(, $repeat:ident)?) => {
        impl Endpoint for $call {
            type Response = $response;
            const METHOD: Method = Method::$method;
            const PATH: &'static str = concat!($prefix, "/{path}");
            const API: crate::Api = crate::Api::Artifacts;
            $(const REPEAT: Repeat = Repeat::$repeat;)?

            fn path(&self) -> Cow<'static, str> {
                format!("{}/{}", $prefix, encoded_path(&self.$field)).into()
            }
        }
    };
}

/// Removes a file behind the server, or a directory with all in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeleteProxiedArtifact {
    /// Which one.
    #[serde(skip)]
    pub path: String,
}
path_route!(DeleteProxiedArtifact: Delete "artifacts"/{path} -> Empty);

/// Begins an upload in parts, straight to the store behind the server. Asked twice, it begins two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateMultipartUpload {
    /// The directory that the file is to be in.
    #[serde(skip)]
    pub directory: String,
    /// The file's name.
    pub path: String,
    /// How many parts there will be.
    pub num_parts: u64,
}
path_route!(CreateMultipartUpload: Post "mpu/create"/{directory} -> MultipartUpload);

/// An upload in parts, and where each goes. `Debug` shows no address: whoever has one may write.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultipartUpload {
    /// What the store calls it; some need no name.
    #[serde(default, deserialize_with = "wire::optional_text::deserialize")]
    pub upload_id: Option<String>,
    /// An address for each part.
    #[serde(default)]
    pub credentials: Vec<MultipartUploadCredential>,
}

/// Where a part goes.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultipartUploadCredential {
    /// An address that is signed.
    pub url: String,
    /// Which part; they are counted from 1.
    pub part_number: u64,
    /// What the request must say.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A part that arrived.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultipartUploadPart {
    /// Which part; they are counted from 1.
    pub part_number: u64,
    /// What the store answered as its `ETag`.
    pub etag: String,
    /// Where it went.
    pub url: String,
}

/// Makes a file of the parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CompleteMultipartUpload {
    /// The directory of the file.
    #[serde(skip)]
    pub directory: String,
    /// The file's name.
    pub path: String,
    /// What the store calls the upload.
    pub upload_id: Option<String>,
    /// All parts.
    pub parts: Vec<MultipartUploadPart>,
}
path_route!(CompleteMultipartUpload: Post "mpu/complete"/{directory} -> Empty, Freely);

/// Throws the parts away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AbortMultipartUpload {
    /// The directory of the file.
    #[serde(skip)]
    pub directory: String,
    /// The file's name.
    pub path: String,
    /// What the store calls the upload.
    pub upload_id: Option<String>,
}
path_route!(AbortMultipartUpload: Post "mpu/abort"/{directory} -> Empty, Freely);

/// An address at which a file behind the server can be read without the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetPresignedDownload {
    /// Which file.
    #[serde(skip)]
    pub path: String,
}
path_route!(GetPresignedDownload: Get "presigned"/{path} -> PresignedDownload);

/// Where a file can be read.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresignedDownload {
    /// An address that is signed.
    pub url: String,
    /// What the request must say.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The file's size in bytes.
    #[serde(default, with = "wire::optional_int64")]
    pub file_size: Option<i64>,
}

/// An address at which an artifact of a run or of a logged model can be written without the server. Only where artifacts
/// do not lie behind the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreatePresignedUploadUrl {
    /// The run; either this or the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The logged model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<ModelId>,
    /// The artifact.
    pub path: String,
    /// Seconds that the address holds for; 900 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<u32>,
}
route!(CreatePresignedUploadUrl: Post "artifacts/presigned-upload-url" -> PresignedUrl, Freely);

/// An address at which an artifact of a run can be read without the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreatePresignedDownloadUrl {
    /// The run.
    pub run_id: RunId,
    /// The artifact.
    pub path: String,
    /// Seconds that the address holds for, a week at most; what the server says if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<u32>,
}
route!(CreatePresignedDownloadUrl: Post "artifacts/presigned-download-url" -> PresignedUrl, Freely);

/// An address of one artifact.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresignedUrl {
    /// An address that is signed.
    pub presigned_url: String,
    /// What the request must say.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The artifact's size in bytes, where one is read.
    #[serde(default, with = "wire::optional_int64")]
    pub file_size: Option<i64>,
}

/// Whoever has a signed address may do what it is for: it is in no trace and in no error.
macro_rules! unseen {
    ($($type:ident { $($shown:ident),* })*) => {
        $(impl std::fmt::Debug for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.debug_struct(stringify!($type))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        })*
    };
}
unseen! {
    MultipartUpload { credentials }
    MultipartUploadCredential { part_number }
    MultipartUploadPart { part_number }
    PresignedDownload { file_size }
    PresignedUrl { file_size }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_keeps_its_slashes_and_nothing_else() {
        let call = DeleteProxiedArtifact { path: "1/a b/ö?.txt".to_owned() };
        assert_eq!(call.path(), "artifacts/1/a%20b/%C3%B6%3F%2Etxt");
        assert_eq!(serde_json::to_value(&call).unwrap(), json!({}));
        // A server would read it as `..`; encoded, the client's check finds it.
        assert_eq!(file_path("../x"), "artifacts/%2E%2E/x");
    }

    #[test]
    fn an_upload_in_parts_is_what_the_server_expects() {
        let call = CreateMultipartUpload { directory: "1/m".into(), path: "model.bin".into(), num_parts: 3 };
        assert_eq!(call.path(), "mpu/create/1/m");
        assert_eq!(serde_json::to_value(&call).unwrap(), json!({"path": "model.bin", "num_parts": 3}));
        assert_eq!(CreateMultipartUpload::REPEAT, Repeat::AfterLooking);
        let answer = json!({
            "upload_id": "u",
            "credentials": [{"url": "https://s3.test/?sig=s3cret", "part_number": 1, "headers": {"a": "b"}}],
        });
        let upload: MultipartUpload = serde_json::from_value(answer).unwrap();
        assert_eq!((upload.upload_id.as_deref(), upload.credentials[0].part_number), (Some("u"), 1));
        assert!(!format!("{upload:?}").contains("s3cret"), "{upload:?}");
        // Azure's uploads have no name.
        assert_eq!(
            serde_json::from_value::<MultipartUpload>(json!({"upload_id": ""})).unwrap().upload_id,
            None
        );
        let part = MultipartUploadPart { part_number: 1, etag: "e".into(), url: "u".into() };
        let call = CompleteMultipartUpload {
            directory: "1/m".into(),
            path: "model.bin".into(),
            upload_id: Some("u".into()),
            parts: vec![part],
        };
        assert_eq!(
            serde_json::to_value(&call).unwrap(),
            json!({"path": "model.bin", "upload_id": "u", "parts": [{"part_number": 1, "etag": "e", "url": "u"}]})
        );
        assert_eq!(CompleteMultipartUpload::REPEAT, Repeat::Freely);
    }

    #[test]
    fn sizes_come_as_numbers_and_as_text() {
        for size in [json!(7), json!("7")] {
            let answer = json!({"files": [{"path": "a", "is_dir": false, "file_size": size}, {"path": "b", "is_dir": true}]});
            let files = serde_json::from_value::<ListProxiedArtifactsResponse>(answer).unwrap().files;
            assert_eq!((files[0].file_size, files[1].file_size, files[1].is_dir), (Some(7), None, true));
        }
    }
}
