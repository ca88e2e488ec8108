//! A model by its name: from the cache that Python shares, or from the hub.

use std::path::Path;

use anyhow::Context;
use st_hub::{Hub, HubEvent, ModelName, Snapshot};

use crate::error::Error;
use crate::mlflow;
use crate::progress::Bytes;
use crate::report;
use crate::settings::Settings;

/// What was typed, as the name of a model: an address of the hub, or a text that could be a name and is no folder.
pub(crate) fn name(text: &str) -> anyhow::Result<Option<ModelName>> {
    if ModelName::is_address(text) {
        return Ok(Some(text.parse()?));
    }
    Ok(text.parse().ok())
}

/// The model of a name.
pub(crate) fn fetch(text: &str, name: &ModelName, settings: &Settings) -> anyhow::Result<Snapshot> {
    let hub = Hub::new(Settings::hub()?)?;
    let cache = hub.cache().display().to_string();
    let tried = || {
        if settings.refresh {
            return Error::Refresh { name: name.to_string() };
        }
        let typed = (!ModelName::is_address(text)).then(|| text.to_owned());
        let advice = from_setup(name, settings.places.cache.as_deref());
        Error::NoModelNamed { typed, name: name.to_string(), cache: cache.clone(), advice }
    };
    if let Some(folder) = folder_before(text)
        && hub.cached(name).with_context(tried)?.is_none()
    {
        let advice = format!(
            "there is a folder `{folder}` here, so this is taken for a folder and no hub is asked; `-m hf://{name}` is \
             the model of that name on the hub"
        );
        return Err(Error::NoModel { folder: text.to_owned(), advice: Some(advice) }.into());
    }
    let hub = hub.with_observer({
        let (cache, bytes) = (cache.clone(), Bytes::new(settings.progress));
        move |event| tell(event, &cache, &bytes)
    });
    let runtime = mlflow::runtime()?;
    let found = if settings.refresh {
        runtime.block_on(hub.refresh(name))
    } else {
        runtime.block_on(hub.snapshot(name))
    };
    let snapshot = found.with_context(tried)?;
    let (commit, folder) = (&snapshot.commit, snapshot.folder.display());
    tracing::info!(%name, commit, %folder, fetched = snapshot.fetched, "model found by its name");
    Ok(snapshot)
}

/// The set-up of a checkout fetches a model, too, and not from the hub.
fn from_setup(name: &ModelName, cache: Option<&Path>) -> Option<String> {
    let (_, short) = name.repository().split_once('/')?;
    let folder = cache?.join("models").join(short);
    folder.is_dir().then(|| {
        format!("a model of that name was fetched by the set-up of a checkout: `-m {}`", folder.display())
    })
}

/// `models` of `models/minilm`, if there is such a folder: then more likely a path was mistyped than a name written.
fn folder_before(text: &str) -> Option<&str> {
    let (folder, _) = text.split_once('/').filter(|_| !ModelName::is_address(text))?;
    Path::new(folder).is_dir().then_some(folder)
}

/// That a network is used is told before it is.
fn tell(event: HubEvent, cache: &str, bytes: &Bytes) {
    match event {
        HubEvent::Asking { name, endpoint } => {
            report::note("note", &format!("looking for {name} at {endpoint}, for the cache {cache}"));
        }
        HubEvent::Fetching { files: 0, .. } => {}
        HubEvent::Fetching { files, bytes: total } => {
            #[expect(clippy::cast_precision_loss, reason = "a size for the eye")]
            let size = report::bytes(total as f64);
            report::note(
                "note",
                &format!("fetching {files} {}, {size}", if files == 1 { "file" } else { "files" }),
            );
            bytes.begin(total);
        }
        HubEvent::Received { bytes: more } => bytes.add(more),
        HubEvent::Dropped { bytes: less } => bytes.take(less),
        HubEvent::Unsure { file } => {
            let text = format!("the hub does not say whether the model has {file}; the cache has none");
            report::note("warning", &text);
        }
        _ => {}
    }
}
