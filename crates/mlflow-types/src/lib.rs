//! MLflow's REST protocol as values.
//!
//! Every call of the protocol is a struct that knows its verb, its path, the answer that it promises, and whether it may
//! be sent twice ([`Endpoint`]). Nothing here opens a connection: `mlflow-client` sends these values to a server, or
//! answers them itself from an embedded database, and a test can look at them with neither.
//!
//! One module stands for one resource of MLflow's REST reference, under the reference's own name. Identifiers and names
//! are types that were checked once ([`names`]); what MLflow limits (key lengths, batch sizes) is in [`limits`], and each
//! call says with [`Endpoint::check`] whether it keeps to them.
//!
//! ```
//! use mlflow_types::{Endpoint, Method, Repeat, runs::LogMetric};
//!
//! let call = LogMetric::new("0a1b".parse()?, "spearman", 0.8099, 1_700_000_000_000, 0);
//! assert_eq!(LogMetric::METHOD, Method::Post);
//! assert_eq!(call.path(), "runs/log-metric");
//! assert_eq!(LogMetric::REPEAT, Repeat::AfterLooking);
//! assert_eq!(serde_json::to_value(&call)?["value"], 0.8099);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod endpoint;
mod error_code;
mod secret;
mod wire;

pub mod artifacts;
pub mod experiment_permissions;
pub mod experiments;
pub mod filter;
pub mod inputs;
pub mod keys;
pub mod limits;
pub mod logged_models;
pub mod metrics;
pub mod model_versions;
pub mod names;
pub mod permissions;
pub mod registered_model_permissions;
pub mod registered_models;
pub mod runs;
pub mod server_info;
pub mod tags;
pub mod users;
pub mod webhooks;

pub use endpoint::{Api, Empty, Endpoint, InvalidCall, Method, Repeat};
pub use error_code::ErrorCode;
pub use names::{
    ExperimentId, InvalidName, LoggedModelName, ModelAlias, ModelId, ModelVersionNumber, RegisteredModelName,
    RunId, Username, WebhookId, WebhookName,
};
pub use secret::SecretText;
