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
use crate::rest::{HttpBody, HttpRequest};
use crate::{Error, Result};

/// Parts that travel at the same time.
const PARALLEL: usize = 4;

/// Object stores take no more parts.
const MOST_PARTS: u64 = 10_000;

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

/// Uploads a file in parts. The answer is false if the server cannot do that after all.
pub(super) async fn upload(proxy: &ProxyArtifacts, path: &ArtifactPath, file: &LocalFile) -> Result<bool> {
    let Some(directory) = proxy.full(path.parent().as_ref()) else { return Ok(false) };
    let part = proxy.settings.multipart_part.max(file.length.div_ceil(MOST_PARTS)).max(1);
    let call = Create { path: path.name(), num_parts: file.length.div_ceil(part) };
    let created = match post::<Created>(proxy, "create", &directory, &call).await {
        Err(error) if error.as_api().is_some_and(|api| matches!(api.status, 404 | 405 | 501)) => {
            return Ok(false);
        }
        created => created?,
    };
    let upload_id = created.upload_id.clone();
    let done = match send(proxy, path, file, part, created).await {
        Ok(parts) => complete(proxy, &directory, path, file, upload_id.as_deref(), parts).await,
        Err(error) => Err(error),
    };
    if done.is_err() {
        // Unfinished parts cost money where they lie; that they cannot be removed is not what went wrong first.
        let call = Finish { path: path.name(), upload_id: upload_id.as_deref(), parts: Vec::new() };
        let _ = post::<IgnoredAny>(proxy, "abort", &directory, &call).await;
    }
    done.map(|()| true)
}

async fn post<T: DeserializeOwned>(
    proxy: &ProxyArtifacts,
    step: &str,
    directory: &ArtifactPath,
    call: &impl Serialize,
) -> Result<T> {
    let route = format!("mlflow-artifacts/mpu/{step}");
    let body = serde_json::to_vec(call)
        .map_err(|source| Error::Decode { route: route.clone(), source: source.into() })?;
    let request = HttpRequest {
        method: Method::Post,
        url: proxy.address(&format!("api/2.0/{route}/{}", directory.encoded())),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: HttpBody::Bytes(body.into()),
    };
    // A second `create` would leave parts behind; the others find their work done.
    let repeat = if step == "create" { Repeat::AfterLooking } else { Repeat::Freely };
    proxy.ask(&route, &request, repeat).await
}

async fn send(
    proxy: &ProxyArtifacts,
    path: &ArtifactPath,
    file: &LocalFile,
    part: u64,
    created: Created,
) -> Result<Vec<Part>> {
    let damaged = |problem: &str| Error::Damaged {
        artifact: format!("{}/{path}", proxy.location()),
        problem: problem.to_owned(),
    };
    let mut credentials = created.credentials;
    credentials.sort_by_key(|credential| credential.part_number);
    let numbers = credentials.iter().map(|credential| credential.part_number);
    if !numbers.eq(1..=file.length.div_ceil(part)) {
        return Err(damaged("the server gives other parts than were asked for"));
    }
    let damaged = &damaged;
    futures::stream::iter(credentials)
        .map(|credential| async move {
            let offset = (credential.part_number - 1) * part;
            let url = address(proxy, &credential.url)
                .ok_or_else(|| damaged("the server sends a part to an address that no object store has"))?;
            let request = HttpRequest {
                method: Method::Put,
                url,
                headers: credential
                    .headers
                    .into_iter()
                    .map(|(name, value)| (name.to_lowercase(), value))
                    .collect(),
                body: HttpBody::File {
                    path: file.path.clone(),
                    offset,
                    length: part.min(file.length - offset),
                },
            };
            let route = "a part of a file";
            let response = proxy.session.execute(route, request, Repeat::Freely).await?;
            let response = answer::accepted(route, response).await?;
            let etag = response.header("etag").unwrap_or_default().to_owned();
            Ok(Part { number: credential.part_number, etag, url: credential.url })
        })
        .buffered(PARALLEL)
        .try_collect()
        .await
}

/// Parts go to an object store over TLS. The server's own host may do without, and no host may be an address in the
/// machine's own network, where metadata services answer to everyone.
fn address(proxy: &ProxyArtifacts, url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let own = super::open::authority(&url) == super::open::authority(proxy.session.address());
    let allowed = proxy.settings.allowed_hosts.contains(&super::open::authority(&url));
    let public = match url.host()? {
        url::Host::Domain(name) => name != "localhost" && !name.ends_with(".internal"),
        url::Host::Ipv4(ip) => {
            !(ip.is_link_local() || ip.is_loopback() || ip.is_private() || ip.is_unspecified())
        }
        url::Host::Ipv6(ip) => {
            !(ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local())
                && ip.to_ipv4_mapped().is_none()
        }
    };
    (own || allowed || (url.scheme() == "https" && public)).then_some(url)
}

/// Puts the parts together. If the answer gets lost, the listing tells whether that was done.
async fn complete(
    proxy: &ProxyArtifacts,
    directory: &ArtifactPath,
    path: &ArtifactPath,
    file: &LocalFile,
    upload_id: Option<&str>,
    parts: Vec<Part>,
) -> Result<()> {
    let call = Finish { path: path.name(), upload_id, parts };
    let Err(error) = post::<IgnoredAny>(proxy, "complete", directory, &call).await else { return Ok(()) };
    let listed = proxy.list(path.parent().as_ref()).await.unwrap_or_default();
    let there = listed.iter().any(|info| info.path == *path && info.file_size == Some(file.length));
    if there { Ok(()) } else { Err(error) }
}
