//! What the stand-in answers.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::HubRequest;
use super::model::{Gate, HubModel, digest, git, is_large};

/// An answer, before it is known whether its body is wanted.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn refusal(status: u16, code: &str, message: &str) -> Self {
        let answer = Self::new(status, json!({ "error": message }).to_string());
        answer.with("X-Error-Code", code).with("X-Error-Message", message)
    }

    /// The head without the empty line at its end, and the body.
    pub(super) fn to_wire(&self, is_head: bool) -> (String, Vec<u8>) {
        let mut head =
            format!("HTTP/1.1 {} Stand-in\r\nContent-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        (head, if is_head { Vec::new() } else { self.body.clone() })
    }
}

/// What the hub itself answers.
pub(super) fn hub(models: &HashMap<String, HubModel>, request: &HubRequest, storage: &str) -> Answer {
    let path = request.path.split('?').next().unwrap_or_default();
    let path = path.replace("%2F", "/");
    let missing = || Answer::refusal(404, "RepoNotFound", "Repository not found");
    let split = |separator: &str, path: &str| {
        let (repository, rest) = path.split_once(separator)?;
        Some((repository.to_owned(), rest.to_owned()))
    };
    let Some((repository, rest)) = (match path.strip_prefix("/api/models/") {
        Some(path) => split("/revision/", path).or_else(|| split("/tree/", path)),
        None => split("/resolve/", &path[1..]),
    }) else {
        return missing();
    };
    let Some(model) = models.get(&repository) else { return missing() };
    let authorized = |token: &String| request.authorization == Some(format!("Bearer {token}"));
    match &model.gate {
        Gate::Gated(token) if !authorized(token) => {
            let status = if request.authorization.is_some() { 403 } else { 401 };
            let message = format!("Access to model {repository} is restricted.");
            return Answer::refusal(status, "GatedRepo", &message);
        }
        Gate::Private(token) if !authorized(token) => return missing(),
        _ => {}
    }
    let commit = model.commit();
    let none = || Answer::refusal(404, "RevisionNotFound", "Invalid rev id");
    if path.contains("/revision/") && path.starts_with("/api/") {
        return if model.has(&rest) { revision(model, &repository) } else { none() };
    }
    if path.contains("/tree/") && path.starts_with("/api/") {
        return if model.has(&rest) { tree(model) } else { none() };
    }
    let Some((revision, file)) = rest.split_once('/') else { return missing() };
    if !model.has(revision) {
        return none();
    }
    resolve(model, request, &commit, file, storage)
}

/// The answer to `/api/models/…/revision/…?blobs=true`.
fn revision(model: &HubModel, repository: &str) -> Answer {
    let siblings: Vec<Value> = model
        .files
        .iter()
        .map(|(path, content)| {
            let name = model.renamed.get(path).unwrap_or(path);
            if model.is_terse {
                return json!({ "rfilename": name });
            }
            let mut sibling = json!({ "rfilename": name, "size": content.len(), "blobId": git(content) });
            if is_large(path) {
                sibling["blobId"] = json!(git(b"pointer"));
                sibling["lfs"] =
                    json!({ "sha256": digest(path, content), "size": content.len(), "pointerSize": 134 });
            }
            sibling
        })
        .collect();
    let body = json!({ "id": repository, "modelId": repository, "sha": model.commit(), "private": false,
        "tags": [], "downloads": 0, "likes": 0, "siblings": siblings });
    Answer::new(200, body.to_string()).with("Content-Type", "application/json")
}

/// The answer to `/api/models/…/tree/…?recursive=true`, which Python asks for.
fn tree(model: &HubModel) -> Answer {
    let entries: Vec<Value> = model
        .files
        .iter()
        .map(|(path, content)| {
            let mut entry =
                json!({ "type": "file", "path": path, "size": content.len(), "oid": git(content) });
            if is_large(path) {
                entry["lfs"] =
                    json!({ "oid": digest(path, content), "size": content.len(), "pointerSize": 134 });
            }
            entry
        })
        .collect();
    Answer::new(200, Value::from(entries).to_string()).with("Content-Type", "application/json")
}

fn resolve(model: &HubModel, request: &HubRequest, commit: &str, file: &str, storage: &str) -> Answer {
    let Some(content) = model.files.get(file) else {
        return Answer::refusal(404, "EntryNotFound", "Entry not found").with("X-Repo-Commit", commit);
    };
    let etag = format!("\"{}\"", digest(file, content));
    if is_large(file) {
        let location = format!("{storage}/{}?Signature=secret", digest(file, content));
        return Answer::new(302, "")
            .with("Location", location)
            .with("X-Repo-Commit", commit)
            .with("X-Linked-ETag", etag)
            .with("X-Linked-Size", content.len().to_string());
    }
    let content = model.swapped.get(file).unwrap_or(content);
    part(content, request).with("ETag", etag).with("X-Repo-Commit", commit)
}

/// What the storage answers: contents under their digests.
pub(super) fn storage(models: &HashMap<String, HubModel>, request: &HubRequest) -> Answer {
    let wanted = request.path.trim_start_matches('/').split('?').next().unwrap_or_default();
    for model in models.values() {
        let found =
            model.files.iter().find(|(path, content)| is_large(path) && digest(path, content) == wanted);
        if let Some((path, content)) = found {
            return part(model.swapped.get(path).unwrap_or(content), request);
        }
    }
    Answer::new(404, "")
}

/// All of it, or what is left from the byte on that was asked for.
fn part(content: &[u8], request: &HubRequest) -> Answer {
    let range = request.range.as_deref().and_then(|range| range.strip_prefix("bytes="));
    let Some(start) = range.and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok()) else {
        return Answer::new(200, content);
    };
    let total = content.len();
    let Some(rest) = content.get(start..).filter(|rest| !rest.is_empty()) else {
        return Answer::new(416, "").with("Content-Range", format!("bytes */{total}"));
    };
    let range = format!("bytes {start}-{}/{total}", total - 1);
    Answer::new(206, rest).with("Content-Range", range)
}
