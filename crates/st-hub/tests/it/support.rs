//! A cache, a hub with a tiny model, and a client between them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use st_hub::{Error, Hub, HubEvent, HubSettings, Snapshot, Token, TokenSource};
use st_testkit::{HubModel, HubServer, tiny_model_dir};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The name of the model.
pub(crate) const NAME: &str = "org/tiny";
/// Its folder in the cache.
pub(crate) const FOLDER: &str = "models--org--tiny";
/// Its large file.
pub(crate) const WEIGHTS: &str = "model.safetensors";

/// A cache that is empty at first, and a hub that has a model.
pub(crate) struct World {
    pub(crate) server: HubServer,
    cache: PathBuf,
    runtime: Runtime,
    _folder: TempDir,
}

/// A small model, as the hub has it: with files that nobody needs.
pub(crate) fn model() -> HubModel {
    HubModel::of_folder(&tiny_model_dir("mean-normalize"))
        .with_file(".gitattributes", "*.safetensors filter=lfs\n")
        .with_file("README.md", "# Tiny\n")
        .with_file("pytorch_model.bin", "a pickle")
        .with_file("onnx/model.onnx", "a graph")
        .with_file("train_script.py", "print()\n")
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(model())
    }

    pub(crate) fn with(model: HubModel) -> Self {
        Self::on(HubServer::start(), model)
    }

    pub(crate) fn on(server: HubServer, model: HubModel) -> Self {
        server.add(NAME, model);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { server, cache: folder.path().join("cache"), runtime, _folder: folder }
    }

    /// The cache.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// A file or folder below the model's folder in the cache.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.cache.join(FOLDER).join(path)
    }

    pub(crate) fn settings(&self) -> HubSettings {
        let mut settings = HubSettings::new(&self.cache);
        settings.endpoint = self.server.url();
        settings.attempts = 3;
        settings.pause = Duration::from_millis(1);
        settings.metadata_timeout = Duration::from_secs(5);
        settings.download_timeout = Duration::from_secs(5);
        settings
    }

    /// With a token, through another address, and the like.
    pub(crate) fn settings_with(&self, change: impl FnOnce(&mut HubSettings)) -> HubSettings {
        let mut settings = self.settings();
        change(&mut settings);
        settings
    }

    pub(crate) fn get_with(&self, settings: HubSettings, name: &str) -> Result<Snapshot, Error> {
        self.runtime.block_on(Hub::new(settings)?.snapshot(&name.parse()?))
    }

    pub(crate) fn get(&self, name: &str) -> Result<Snapshot, Error> {
        self.get_with(self.settings(), name)
    }

    pub(crate) fn refresh(&self, name: &str) -> Result<Snapshot, Error> {
        self.refresh_with(self.settings(), name)
    }

    pub(crate) fn refresh_with(&self, settings: HubSettings, name: &str) -> Result<Snapshot, Error> {
        self.runtime.block_on(Hub::new(settings)?.refresh(&name.parse()?))
    }

    /// What happened on the way.
    pub(crate) fn events(&self, settings: HubSettings) -> (Result<Snapshot, Error>, Vec<HubEvent>) {
        let events = Arc::new(Mutex::new(Vec::new()));
        let hub = Hub::new(settings).unwrap().with_observer({
            let events = Arc::clone(&events);
            move |event| events.lock().unwrap().push(event)
        });
        let outcome = self.runtime.block_on(hub.snapshot(&NAME.parse().unwrap()));
        let events = events.lock().unwrap().clone();
        (outcome, events)
    }

    /// How often the storage was asked for a file.
    pub(crate) fn fetched_from_storage(&self) -> usize {
        self.server.requests().iter().filter(|request| request.to_storage).count()
    }

    /// Names below the folder of blobs that no model needs.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("blobs")).map(|entries| {
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
        });
        entries.unwrap_or_default().into_iter().filter(|name| name.contains('.')).collect()
    }
}

pub(crate) fn token(token: &str) -> TokenSource {
    TokenSource::Given(Token::new(token).unwrap())
}

/// All files below a folder, links followed, with `/` between the parts of their names.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    if !folder.exists() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                open.push((entry.path(), format!("{name}/")));
            } else {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}
