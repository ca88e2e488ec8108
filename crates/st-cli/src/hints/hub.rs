//! What helps when a model is named.

use st_hub::Error;

/// How a token gets to where it is looked for.
const TOKEN: &str = "`hf auth login` keeps a token, and HF_TOKEN names one";

/// What helps with a failure of the hub, or of the cache of its models.
pub(super) fn hub(error: &Error) -> Option<String> {
    Some(match error {
        Error::Name { .. } => {
            "a model on the hub is ORG/NAME, hf://ORG/NAME or hf://ORG/NAME@REVISION; everything else is a folder or an \
             MLflow URI"
                .to_owned()
        }
        Error::Offline { .. } | Error::OfflineIncomplete { .. } => {
            "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set: unset it to fetch the model, or name a folder".to_owned()
        }
        Error::NotAsked { .. } => {
            "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set: leave `--refresh` out to use what the cache has".to_owned()
        }
        Error::NotFound { with_token: false, .. } => {
            format!("check the name, or the path if a folder is meant; private models need a token: {TOKEN}")
        }
        Error::NotFound { .. } => {
            "check the name, or the path if a folder is meant; a private model needs a token that may read it".to_owned()
        }
        Error::NoRevision { repository, .. } => {
            format!("leave the revision out for the newest one of {repository}")
        }
        Error::Gated { endpoint, repository, with_token: false } => {
            format!("accept the terms at {endpoint}/{repository}, and say who you are: {TOKEN}")
        }
        Error::Gated { endpoint, repository, .. } => {
            format!("accept the terms at {endpoint}/{repository} as the user whose token is used")
        }
        Error::Refused { with_token: true, .. } => {
            format!("the token is not valid here: {TOKEN}; HF_HUB_DISABLE_IMPLICIT_TOKEN=1 sends none")
        }
        Error::Refused { .. } => TOKEN.to_owned(),
        Error::Transport { .. } => {
            "HF_ENDPOINT names another hub or a mirror, HTTPS_PROXY a proxy; HF_HUB_DOWNLOAD_TIMEOUT is in seconds; what \
             was fetched is kept, and the next attempt goes on from there"
                .to_owned()
        }
        Error::Insecure { .. } => {
            "somebody between may show a certificate of its own, as a company's proxy does: name a file with its authority in \
             SSL_CERT_FILE; a hub that speaks no TLS has an HF_ENDPOINT that begins with http://"
                .to_owned()
        }
        Error::Authorities { .. } => {
            "the first of SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE that is set names it: a file in \
             PEM, or a folder that `openssl rehash` went through"
                .to_owned()
        }
        Error::NoWeights { .. } => {
            "pickle is never read: convert the model once, in Python: `SentenceTransformer(NAME).save_pretrained(FOLDER)`, \
             and name the folder"
                .to_owned()
        }
        Error::Digest { .. } | Error::Size { .. } => {
            "the file was damaged on its way or in the cache: `--refresh` fetches it again".to_owned()
        }
        Error::LfsPointer { .. } => "run `git lfs pull` where it was cloned, or remove it from the cache".to_owned(),
        Error::Escape { .. } => {
            "something other than the hub's programs changed the cache: remove the folder of the model from it".to_owned()
        }
        Error::NoCache => "set HF_HOME to a folder for models".to_owned(),
        Error::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "make room, or set HF_HUB_CACHE to a folder on another disk; what was fetched is kept".to_owned()
        }
        Error::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            "set HF_HUB_CACHE to a folder that you may write to".to_owned()
        }
        _ => return None,
    })
}
