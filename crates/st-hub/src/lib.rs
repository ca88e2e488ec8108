//! Models by name: from `org/name` to a verified folder on this machine.
//!
//! [`Hub::snapshot`] looks into the cache that Python's `huggingface_hub` keeps, in Python's own layout; what is there is used
//! without a request. What is not there is fetched from the hub into the same cache, so that Python finds it, too.
//!
//! ```no_run
//! use st_hub::{Hub, HubSettings};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = Hub::new(HubSettings::from_env(|name| std::env::var_os(name))?)?;
//! let model = hub.snapshot(&"sentence-transformers/all-MiniLM-L6-v2".parse()?).await?;
//! println!("{} at {} in {}", model.name, model.commit, model.folder.display());
//! # Ok(())
//! # }
//! ```
//!
//! Only what a model needs is fetched: configurations, tokenizer, safetensors; the ONNX graph where there are no safetensors,
//! or with [`Wanted::onnx`]. Pickle never. Each file is verified, large ones by SHA-256 and small ones by git's digest, and then
//! renamed; a download that broke off goes on where it was. A branch stands for a commit only when all of it is there.
//!
//! Two things differ from Python. A branch that is in the cache is not looked up again: [`Hub::refresh`] does that. And the
//! token of the user goes to the hub alone, never to where the hub sends us.
//!
//! It knows files by their names only, never reads the environment by itself, and prints nothing. Names that a server gives
//! are plain relative paths or refused; links in the cache that lead out of it are refused.

mod authorities;
mod digest;
mod download;
mod error;
mod files;
mod http;
mod hub;
mod listing;
mod lock;
mod name;
mod place;
mod progress;
mod refusal;
mod repository;
mod retry;
mod settings;
mod verify;
mod whole;
mod whole_names;

pub use error::{BoxError, Error};
pub use files::Wanted;
pub use hub::{Hub, Snapshot};
pub use name::ModelName;
pub use progress::HubEvent;
pub use settings::{HubSettings, Proxies, Token, TokenSource};
