//! What is fed with damaged files: one function a target, any bytes in, no panic.
//!
//! The fuzzer calls them with its inventions, and a test of `xtask` with the corpora in `fixtures/fuzz`.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use mlflow_client::artifacts::{ArtifactPath, ArtifactSettings, ArtifactStore, ProxyArtifacts};
use mlflow_client::rest::{HttpRequest, HttpResponse, RestStore, Session, Transport, TransportError};
use mlflow_client::settings::HttpSettings;
use mlflow_client::types::filter::{Filter, OrderBy, Searched};
use mlflow_client::types::logged_models::GetLoggedModel;
use mlflow_client::types::model_versions::GetModelVersion;
use mlflow_client::types::runs::{GetRun, SearchRuns};
use mlflow_client::uri::ArtifactUri;
use mlflow_client::{RegistryStore, TrackingStore};
use mlflow_flavor::{Certificate, Digests, MlModel};
use st_model::{
    Defaults, ModuleEntry, PoolingSpec, Provenance, SentenceSpec, StoredCalibrations, TokenizerSpec,
    TransformerConfig,
};

/// The file `MLmodel`. What is read and written again is read to the same value.
pub(crate) fn mlmodel(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(model) = MlModel::parse(text, "MLmodel") {
        let written = model.to_yaml();
        let again = MlModel::parse(&written, "MLmodel");
        assert_eq!(again.ok().as_ref(), Some(&model), "not the same after writing:\n{written}");
    }
}

/// `modules.json` and the configuration files beside it; every parser sees every text.
pub(crate) fn modules_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("modules.json");
    if let Ok(modules) = ModuleEntry::parse_list(path, text) {
        for module in modules {
            let inside =
                !module.path.starts_with('/') && !module.path.split(['/', '\\']).any(|part| part == "..");
            assert!(inside, "a path that leaves the folder was let through: {:?}", module.path);
        }
    }
    let _ = PoolingSpec::parse(path, text);
    for kind in st_model::support().kinds {
        let _ = SentenceSpec::parse(path, text, kind);
    }
    let _ = TransformerConfig::parse(path, text);
    let _ = TokenizerSpec::parse(path, text);
    let _ = StoredCalibrations::parse(path, text);
    let _ = Defaults::parse(path, text);
    if let Ok(provenance) = Provenance::from_json(text) {
        let again = Provenance::from_json(&provenance.to_json());
        assert_eq!(again.ok().as_ref(), Some(&provenance), "not the same after writing");
    }
}

/// The header of a safetensors file. Whatever is accepted lies inside the file.
pub(crate) fn safetensors_header(bytes: &[u8]) {
    let length = bytes.len() as u64;
    if let Ok(header) = st_export::checkpoint::read_safetensors_header(bytes, length) {
        for (name, tensor) in header.tensors {
            let end = tensor.offset.checked_add(tensor.bytes);
            assert!(end.is_some_and(|end| end <= length), "{name} ends outside of the file");
        }
    }
    // The rest of a large file is not in memory.
    let _ = st_export::checkpoint::read_safetensors_header(bytes, u64::MAX);
}

/// The header of an ONNX file.
pub(crate) fn onnx_header(bytes: &[u8]) {
    let _ = st_export::onnx::read_header(bytes);
}

/// URIs: what is read shows itself as what is read to the same, and nothing below it leads out of it.
pub(crate) fn uris(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(uri) = text.parse::<ArtifactUri>() {
        // What may hold a secret is not shown, so the two need not be equal.
        let shown = uri.to_string();
        let again = shown.parse::<ArtifactUri>().map(|again| again.to_string());
        assert_eq!(again.ok().as_ref(), Some(&shown), "{text:?} shown as {shown:?}");
    }
    if let Ok(path) = ArtifactPath::try_new(text) {
        let inside = path.as_str().split('/').all(|part| !matches!(part, "" | "." | ".."));
        assert!(inside && !path.as_str().contains(['\\', '\0']), "let through: {path:?}");
    }
}

/// Searches: what is read shows itself as what is read to the same.
pub(crate) fn filters(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for searched in [
        Searched::Runs,
        Searched::Experiments,
        Searched::LoggedModels,
        Searched::RegisteredModels,
        Searched::ModelVersions,
    ] {
        // Some texts can be read and not be said: they hold both kinds of quotes.
        if let Ok(shown) = Filter::parse(searched, text).and_then(|filter| filter.text_for(searched)) {
            let again = Filter::parse(searched, &shown).and_then(|again| again.text_for(searched));
            assert_eq!(again.ok().as_ref(), Some(&shown), "{searched:?}: {text:?} shown as {shown:?}");
        }
        let _ = OrderBy::parse(searched, text);
    }
}

/// What lies beside `MLmodel`: digests and certificate.
pub(crate) fn manifests(bytes: &[u8]) {
    let path = Path::new("file");
    if let Ok(digests) = Digests::parse(bytes, path) {
        let again = Digests::parse(digests.to_json().as_bytes(), path);
        assert_eq!(again.ok(), Some(digests));
    }
    if let Ok(certificate) = Certificate::parse(bytes, path) {
        let again = Certificate::parse(certificate.to_json().as_bytes(), path);
        assert_eq!(again.ok().map(|again| again.to_json()), Some(certificate.to_json()));
    }
}

/// Answers of a server: the first byte chooses the status, the rest is the body.
pub(crate) fn answers(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let status = [200, 201, 307, 400, 404, 429, 500, 503][usize::from(*first) % 8];
    let Ok(address) = "http://127.0.0.1:1".parse() else { return };
    let mut http = HttpSettings::default();
    http.retry.max_retries = 0;
    let session = Session::new(Arc::new(Scripted { status, body: body.to_vec() }), address).with_http(&http);
    let store = RestStore::new(session.clone());
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        let _ = store.search_runs(&SearchRuns::default()).await;
        if let Ok(run_id) = "0123456789abcdef0123456789abcdef".parse() {
            let _ = store.get_run(&GetRun { run_id }).await;
        }
        if let Ok(model_id) = "m-0123456789abcdef0123456789abcdef".parse() {
            let _ = store.get_logged_model(&GetLoggedModel { model_id }).await;
        }
        if let (Ok(name), Ok(version)) = ("encoder".parse(), "1".parse()) {
            let _ = store.get_model_version(&GetModelVersion { name, version }).await;
        }
        if let Ok(ArtifactUri::Proxy(uri)) = "mlflow-artifacts:/1".parse()
            && let Ok(proxy) = ProxyArtifacts::open(session, &uri, &ArtifactSettings::default())
        {
            // Every name that is told is a path, or there is no listing.
            let _ = proxy.list(None).await;
        }
    });
}

/// Answers always the same.
#[derive(Debug)]
struct Scripted {
    status: u16,
    body: Vec<u8>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, _: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let headers = vec![("location".to_owned(), String::from_utf8_lossy(&self.body).into_owned())];
        Ok(HttpResponse::new(self.status, headers, self.body.clone()))
    }
}
