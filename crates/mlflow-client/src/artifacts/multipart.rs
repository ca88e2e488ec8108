//! Large files in parts, past the proxy and straight to what stands behind it.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use mlflow_types::{Method, Repeat};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use url::Url;

use super::proxy::ProxyArtifacts;
use super::store::{ArtifactStore, LocalFile};
use super::{ArtifactPath, answer};
use crate::rest::{HttpBody, HttpRequest, Patience, Session};
use crate::{Error, Result};

/// Parts that travel at the same time.
const PARALLEL: usize = 4;

/// Object stores take no more parts.
const MOST_PARTS: u64 = 10_000;

/// S3 and what speaks like it take no smaller parts, but for the last.
const LEAST_PART: u64 = 5 << 20;

/// Looks whether a file is there whose last call was not answered. Few, for there is another way to send it.
const MOST_LOOKS: u32 = 3;

/// The route of a part, for messages.
const PART: &str = "a part of a file";

/// Headers that say how a body travels: no server's business.
const OUR_HEADERS: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];

#[derive(Serialize)]
struct Create<'a> {
    path: &'a str,
    num_parts: u64,
}

#[derive(Deserialize)]
struct Created {
    #[serde(default)]
    upload_id: Option<String>,
    credentials: Vec<Credential>,
}

#[derive(Deserialize)]
struct Credential {
    url: String,
    part_number: u64,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Finish<'a> {
    path: &'a str,
    upload_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    #[serde(rename = "part_number")]
    number: u64,
    etag: String,
    url: String,
}

/// Uploads a file in parts. The answer is false if that did not succeed and left nothing: the way through the server, in
/// one piece, is open still.
///
/// A server offers parts by what stands behind it, and not by what we can reach: the addresses that it gives may be those of
/// its own network. So whatever goes wrong on this way, but for our own file, is a word in the log and no error.
pub(super) async fn upload(proxy: &ProxyArtifacts, path: &ArtifactPath, file: &LocalFile) -> Result<bool> {
    let Some(directory) = proxy.full(path.parent().as_ref()) else { return Ok(false) };
    let part = proxy.settings.multipart_part.max(file.length.div_ceil(MOST_PARTS)).max(LEAST_PART);
    let upload = Upload { proxy, path, file, directory, part };
    let done = match upload.create().await {
        Ok(created) => upload.run(created).await,
        Err(error @ (Error::Api(_) | Error::Decode { .. })) => Err(error),
        // The server itself cannot be asked.
        Err(error) => return Err(error),
    };
    match done {
        Ok(()) => Ok(true),
        Err(error @ Error::File { .. }) => Err(error),
        Err(error) => {
            let problem = problem(&error);
            tracing::warn!(%path, problem, "not in parts; it is sent in one piece through the server");
            Ok(false)
        }
    }
}

/// One file on its way.
struct Upload<'a> {
    proxy: &'a ProxyArtifacts,
    path: &'a ArtifactPath,
    file: &'a LocalFile,
    directory: ArtifactPath,
    /// Bytes of a part; the last has what is left.
    part: u64,
}

impl Upload<'_> {
    fn parts(&self) -> u64 {
        self.file.length.div_ceil(self.part)
    }

    async fn create(&self) -> Result<Created> {
        let call = Create { path: self.path.name(), num_parts: self.parts() };
        self.post("create", &call, &mut self.proxy.session.patience()).await
    }

    async fn run(&self, created: Created) -> Result<()> {
        let upload_id = created.upload_id.clone();
        // If a file of this length is there already, it is no sign that the parts were put together.
        let was_there = self.is_there().await;
        let done = match self.send(created).await {
            Ok(parts) => self.complete(upload_id.as_deref(), parts, was_there).await,
            Err(error) => Err(error),
        };
        if done.is_err() {
            // Unfinished parts cost money where they lie; that they cannot be removed is not what went wrong first.
            let call = Finish { path: self.path.name(), upload_id: upload_id.as_deref(), parts: Vec::new() };
            let _ = self.post::<IgnoredAny>("abort", &call, &mut self.proxy.session.patience()).await;
        }
        done
    }

    /// Repeats only what surely did not run: a second `create` would leave parts behind, a second `complete` and `abort`
    /// find nothing any more.
    async fn post<T: DeserializeOwned>(
        &self,
        step: &str,
        call: &impl Serialize,
        patience: &mut Patience,
    ) -> Result<T> {
        let route = format!("mlflow-artifacts/mpu/{step}");
        let body = serde_json::to_vec(call)
            .map_err(|source| Error::Encode { route: route.clone(), source: source.into() })?;
        let request = HttpRequest {
            method: Method::Post,
            url: self.proxy.address(&format!("api/2.0/{route}/{}", self.directory.encoded())),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: HttpBody::Bytes(body.into()),
        };
        self.proxy.session.ask(&route, &request, Repeat::AfterLooking, patience, &[]).await
    }

    async fn send(&self, created: Created) -> Result<Vec<Part>> {
        let mut credentials = created.credentials;
        credentials.sort_by_key(|credential| credential.part_number);
        let numbers = credentials.iter().map(|credential| credential.part_number);
        if !numbers.eq(1..=self.parts()) {
            return Err(self.damaged("the server gives other parts than were asked for"));
        }
        // Before the first byte goes out: what is sent in vain is sent twice.
        let addressed = credentials.into_iter().map(|credential| {
            let url = self.proxy.store_address(&credential.url);
            let url = url.ok_or_else(|| {
                self.damaged("the server sends a part to an address that no object store has")
            })?;
            Ok((credential, url))
        });
        let addressed = addressed.collect::<Result<Vec<_>>>()?;
        let session = self.proxy.object_store()?;
        futures::stream::iter(addressed)
            .map(|(credential, url)| self.send_part(session, credential, url))
            .buffered(PARALLEL)
            .try_collect()
            .await
    }

    async fn send_part(&self, session: &Session, credential: Credential, url: Url) -> Result<Part> {
        let offset = (credential.part_number - 1) * self.part;
        let headers = credential.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value));
        let request = HttpRequest {
            method: Method::Put,
            url,
            headers: headers.filter(|(name, _)| !OUR_HEADERS.contains(&name.as_str())).collect(),
            body: HttpBody::File {
                path: self.file.path.clone(),
                offset,
                length: self.part.min(self.file.length - offset),
            },
        };
        let response = session.execute(PART, request, Repeat::Freely).await?;
        let response = answer::accepted(PART, response).await?;
        let etag = response.header("etag").unwrap_or_default().to_owned();
        Ok(Part { number: credential.part_number, etag, url: credential.url })
    }

    /// Puts the parts together. If the answer gets lost, the listing tells whether that was done.
    async fn complete(&self, upload_id: Option<&str>, parts: Vec<Part>, was_there: bool) -> Result<()> {
        let session = &self.proxy.session;
        let call = Finish { path: self.path.name(), upload_id, parts };
        let mut patience = session.patience();
        let (mut may_have_run, mut looks) = (false, 0);
        loop {
            patience.may_have_run = false;
            let Err(error) = self.post::<IgnoredAny>("complete", &call, &mut patience).await else {
                return Ok(());
            };
            may_have_run |= patience.may_have_run;
            let pause = patience.pause_before_look(session.policy(), session.clock());
            let pause = pause.filter(|_| patience.may_have_run && looks < MOST_LOOKS);
            if let Some(pause) = pause {
                session.clock().sleep(pause).await;
            }
            // A call that is refused may be so because the one before it ran.
            if may_have_run && !was_there && self.is_there().await {
                return Ok(());
            }
            if pause.is_none() {
                return Err(error);
            }
            looks += 1;
        }
    }

    /// Whether the server has a file of this length.
    async fn is_there(&self) -> bool {
        let listed = self.proxy.list(self.path.parent().as_ref()).await.unwrap_or_default();
        listed.iter().any(|info| info.path == *self.path && info.file_size == Some(self.file.length))
    }

    fn damaged(&self, problem: &str) -> Error {
        Error::Damaged {
            artifact: format!("{}/{}", self.proxy.location(), self.path),
            problem: problem.to_owned(),
        }
    }
}

/// What went wrong, without the words of an object store: they may quote the signature of an address.
fn problem(error: &Error) -> String {
    match error {
        Error::Api(api) => format!("{}: {} {}", api.route, api.status, api.code.as_str()),
        Error::Damaged { problem, .. } => problem.clone(),
        error => error.to_string(),
    }
}
