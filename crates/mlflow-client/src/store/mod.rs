//! The seam: what a tracking server does, as two traits, and what only a server does, as two more.

mod accounts;
mod registry;
mod tracking;
mod webhooks;

pub use accounts::AccountStore;
pub use registry::RegistryStore;
pub use tracking::TrackingStore;
pub use webhooks::WebhookStore;
