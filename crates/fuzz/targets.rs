//! What is fed with damaged files: one function a target, any bytes in, no panic.
//!
//! The fuzzer calls them with its inventions, and a test of `xtask` with the corpora in `fixtures/fuzz`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io, thread};

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
use st_hub::{Hub, HubSettings, ModelName};
use st_model::{
    Defaults, ModelSpec, ModuleEntry, PoolingSpec, Provenance, SentenceSpec, StoredCalibrations, Tokenizer,
    TokenizerSpec, TransformerConfig, read_tokenizer,
};
use tempfile::TempDir;

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

/// The header of an ONNX file. On disk it is the same, and data outside of it lies in the file beside it.
pub(crate) fn onnx_header(bytes: &[u8]) {
    const DATA: usize = 16;
    let read = st_export::onnx::read_header(bytes);
    let Ok(folder) = folder_of([("model.onnx", bytes), ("model.onnx_data", &[0; DATA])]) else { return };
    if let Ok(header) = st_export::onnx::open_header(&folder.path().join("model.onnx")) {
        for tensor in &header.initializers {
            let Some(data) = &tensor.external else { continue };
            let end = data.offset.checked_add(data.length.unwrap_or(0));
            assert!(end.is_some_and(|end| end <= DATA as u64), "{} ends outside of the file", tensor.name);
        }
        assert_eq!(read.ok(), Some(header), "not the same on disk");
    }
}

/// A SentencePiece model, as each class that knows such files makes a tokenizer of it.
pub(crate) fn sentencepiece(bytes: &[u8]) {
    for (class, file) in [
        ("", "tokenizer.model"),
        ("LlamaTokenizer", "tokenizer.model"),
        ("XLMRobertaTokenizer", "sentencepiece.bpe.model"),
        ("CamembertTokenizer", "sentencepiece.bpe.model"),
        ("AlbertTokenizer", "spiece.model"),
        ("DebertaV2Tokenizer", "spm.model"),
    ] {
        let settings = format!(r#"{{"tokenizer_class": "{class}"}}"#);
        let settings = if class.is_empty() { "{}" } else { &settings };
        if let Ok(folder) = folder_of([(file, bytes), ("tokenizer_config.json", settings.as_bytes())]) {
            tokenize(folder.path());
        }
    }
}

/// A folder with a tokenizer: `tokenizer.json`, `tokenizer_config.json`, `vocab.txt` and what else it may have.
pub(crate) fn tokenizer(bytes: &[u8]) {
    if let Some(folder) = folder(bytes) {
        tokenize(folder.path());
    }
}

/// A folder with the configuration files of a model.
pub(crate) fn model_folder(bytes: &[u8]) {
    let Some(folder) = folder(bytes) else { return };
    if let Ok(spec) = ModelSpec::read(folder.path()) {
        let modules = spec.modules.iter().map(|module| module.path.as_str());
        assert!(modules.into_iter().all(is_inside), "a module lies outside: {:?}", spec.modules);
        let _ = spec.dim();
    }
}

/// The files of a model in the cache of the hub. What is found there lies there.
pub(crate) fn hub_cache(bytes: &[u8]) {
    let Some(cache) = folder(bytes) else { return };
    let mut settings = HubSettings::new(cache.path());
    settings.offline = true;
    let (Ok(hub), Ok(name)) = (Hub::new(settings), HUB_MODEL.parse::<ModelName>()) else { return };
    if let Ok(Some(snapshot)) = hub.cached(&name) {
        let folder = snapshot.folder.strip_prefix(cache.path());
        assert!(
            folder.is_ok_and(|folder| folder.to_str().is_some_and(is_inside)),
            "{}",
            snapshot.folder.display()
        );
    }
}

/// Answers of the hub: the first byte chooses the status; then what a model consists of, and behind a zero what each of its
/// files holds.
pub(crate) fn hub_answers(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let status = [200, 201, 206, 401, 403, 404, 416, 503][usize::from(*first) % 8];
    let (listing, file) = rest.split_at(rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len()));
    let Ok(stand_in) = &*STAND_IN else { return };
    let one_at_a_time = stand_in.runtime.lock().unwrap_or_else(PoisonError::into_inner);
    let answers =
        Answers { status, listing: listing.to_vec(), file: file.get(1..).unwrap_or_default().to_vec() };
    *stand_in.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    let Ok(name) = HUB_MODEL.parse::<ModelName>() else { return };
    let fetched = one_at_a_time.block_on(stand_in.hub.refresh(&name));
    if let Ok(snapshot) = fetched {
        let again = stand_in.hub.cached(&name);
        assert!(again.is_ok_and(|again| again.is_some_and(|again| again.folder == snapshot.folder)));
    }
    let beside = fs::read_dir(stand_in.folder.path()).into_iter().flatten().flatten();
    let beside: Vec<_> = beside.map(|entry| entry.file_name()).filter(|name| name != "cache").collect();
    assert!(beside.is_empty(), "written outside of the cache: {beside:?}");
    let _ = fs::remove_dir_all(stand_in.hub.cache());
}

/// The model that is asked for, and where it lies in the cache: `models--org--tiny`.
const HUB_MODEL: &str = "org/tiny";

/// URIs: what is read shows itself as what is read to the same, and nothing below it leads out of it.
pub(crate) fn uris(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(uri) = text.parse::<ArtifactUri>() {
        // What may hold a secret is not shown, so the two need not be equal.
        let shown = uri.to_string();
        let again = shown.parse::<ArtifactUri>().map(|again| again.to_string());
        assert_eq!(again.ok().as_ref(), Some(&shown), "{text:?} shown as {shown:?}");
    }
    if let Ok(name) = text.parse::<ModelName>() {
        let again = format!("hf://{name}").parse::<ModelName>();
        assert_eq!(again.ok().as_ref(), Some(&name), "{text:?} shown as {name}");
        assert!(is_inside(name.repository()) && is_inside(name.revision()), "let through: {name}");
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

/// Whether a path stays in the folder that it is joined to.
fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Whatever a tokenizer makes of a text, it keeps to the limit.
fn tokenize(folder: &Path) {
    const LIMIT: usize = 4;
    let Ok(tokenizer) = read_tokenizer(folder) else { return };
    let check = |tokens: Result<st_model::Tokenized, _>, special: usize| {
        let Ok(tokens) = tokens else { return };
        assert!(tokens.ids.len() <= special.max(LIMIT), "{tokens:?}");
        assert!(tokens.types.is_empty() || tokens.types.len() == tokens.ids.len(), "{tokens:?}");
    };
    let tokenizer: &dyn Tokenizer = tokenizer.as_ref();
    for text in [
        "",
        " ",
        "A man plays the guitar.",
        "wörld  ｆｕｌｌ\t日本\u{301} 🙂\n<s>[MASK]",
        "a\0b\u{ad}\u{10ffff}",
    ] {
        check(tokenizer.tokenize(text, Some(LIMIT)), tokenizer.special_tokens());
        check(tokenizer.tokenize_pair(text, "it is", Some(LIMIT)), tokenizer.pair_special_tokens());
        for id in tokenizer.tokenize_plain(text).unwrap_or_default() {
            let _ = tokenizer.token(id);
        }
    }
    let _ = (tokenizer.vocab_size(), tokenizer.id("the"), tokenizer.pad_id(), tokenizer.mask_id());
}

/// Files, each as its name, a zero, its content, and another zero.
fn folder(bytes: &[u8]) -> Option<TempDir> {
    const MOST: usize = 64;
    let mut parts = bytes.split(|byte| *byte == 0).take(2 * MOST);
    let mut files = Vec::new();
    while let (Some(name), Some(content)) = (parts.next(), parts.next()) {
        let name = std::str::from_utf8(name).ok()?;
        if name.is_empty() || name.len() > 200 || !is_inside(name) {
            return None;
        }
        files.push((name, content));
    }
    // One file where another one has a folder is no folder at all.
    folder_of(files).ok()
}

fn folder_of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for (name, content) in files {
        let path = folder.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(folder)
}

/// A hub on this machine that says what it is told to say, and a client of it.
struct StandIn {
    hub: Hub,
    answers: Arc<Mutex<Answers>>,
    runtime: Mutex<tokio::runtime::Runtime>,
    folder: TempDir,
}

#[derive(Clone, Default)]
struct Answers {
    status: u16,
    listing: Vec<u8>,
    file: Vec<u8>,
}

/// One for all inputs: connections are kept, or the system would run out of ports.
static STAND_IN: LazyLock<Result<StandIn, Box<dyn std::error::Error + Send + Sync>>> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let folder = tempfile::tempdir()?;
    let mut settings = HubSettings::new(folder.path().join("cache"));
    settings.endpoint = format!("http://{}", listener.local_addr()?);
    settings.attempts = 2;
    settings.pause = Duration::ZERO;
    let answers = Arc::new(Mutex::new(Answers::default()));
    let told = Arc::clone(&answers);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = Arc::clone(&told);
            thread::spawn(move || answer_all(&stream, &told));
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(StandIn { hub: Hub::new(settings)?, answers, runtime: Mutex::new(runtime), folder })
});

/// Answers one request after the other until the client goes away.
fn answer_all(mut stream: &TcpStream, told: &Mutex<Answers>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(first) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let Answers { status, listing, file } = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Headers have one line; what a server may say in them is what its body begins with.
        let words = file.split(|byte| !byte.is_ascii_graphic()).next().unwrap_or_default();
        let words = String::from_utf8_lossy(&words[..words.len().min(200)]);
        let body = if first.contains(" /api/") { &listing } else { &file };
        let head = format!(
            "HTTP/1.1 {status} Told\r\nContent-Length: {}\r\nETag: {words}\r\nContent-Range: {words}\r\n\
             X-Error-Code: {words}\r\nX-Error-Message: {words}\r\n\r\n",
            body.len()
        );
        let body = if first.starts_with("HEAD ") { &[] } else { body.as_slice() };
        stream.write_all(&[head.as_bytes(), body].concat())?;
    }
    Ok(())
}
