//! A tracking server as a store.

use std::sync::Arc;

use mlflow_types::{Endpoint, Repeat};
use url::Url;

use super::http::HttpTransport;
use super::identity::{self, Identity};
use super::patience::Patience;
use super::{Session, Transport, encode};
use crate::settings::{HttpSettings, Settings, StoreUri, redacted};
use crate::{Error, Result};

/// A tracking server: MLflow's stores over REST.
///
/// Every call of the protocol can be made with [`call`](Self::call). The two traits
/// [`TrackingStore`](crate::TrackingStore) and [`RegistryStore`](crate::RegistryStore) go further: what creates something
/// is repeated after a failure, but only when a look at the server has shown that the first attempt left nothing behind.
#[derive(Clone, Debug)]
pub struct RestStore {
    session: Session,
    /// Whether a value that a server would cut, or refuse, is refused before it is sent.
    refuse_long_values: bool,
}

impl RestStore {
    /// A server behind a session.
    pub fn new(session: Session) -> Self {
        Self { session, refuse_long_values: false }
    }

    /// The tracking server of the settings. No connection is opened yet.
    ///
    /// # Errors
    /// [`Error::Uri`] when the tracking URI is none of a server, [`Error::Setting`] or [`Error::File`] when credentials or
    /// certificates cannot be used.
    pub fn connect(settings: &Settings) -> Result<Self> {
        Self::connect_to(settings, settings.tracking_uri.as_ref())
    }

    /// The registry's server: the tracking server, unless the settings name another.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_registry(settings: &Settings) -> Result<Self> {
        Self::connect_to(settings, settings.effective_registry_uri())
    }

    fn connect_to(settings: &Settings, uri: Option<&StoreUri>) -> Result<Self> {
        Self::connect_over(settings, uri, |http| Ok(Arc::new(HttpTransport::new(http)?)))
    }

    /// The same over any transport.
    fn connect_over(
        settings: &Settings,
        uri: Option<&StoreUri>,
        transport: impl FnOnce(&HttpSettings) -> Result<Arc<dyn Transport>>,
    ) -> Result<Self> {
        let uri = uri.ok_or_else(|| Error::Setting {
            setting: "MLFLOW_TRACKING_URI".into(),
            problem: "names no server".into(),
        })?;
        let mut http = settings.http.clone();
        let (mut address, identity) = match Server::of(uri.expose()) {
            Server::At(uri) => (address(uri)?, Identity::of(&settings.credentials)?),
            Server::Databricks(profile) => {
                let (host, identity) = identity::databricks(&settings.databricks, profile)?;
                http.retry.total_time = settings.databricks.retry_timeout;
                (address(&host)?, identity)
            }
        };
        let from_address = identity::take_user(&mut address)?;
        let session = Session::new(transport(&http)?, address)
            .with_identity(from_address.unwrap_or(identity))
            .with_workspace(settings.workspace.clone())
            .with_http(&http);
        Ok(Self { session, refuse_long_values: settings.logging.truncate_long_values == Some(false) })
    }

    /// The same on connections of its own, for use on another runtime.
    pub(super) fn on_its_own(&self) -> Self {
        Self { session: self.session.separate(), ..self.clone() }
    }

    pub(super) fn refuses_long_values(&self) -> bool {
        self.refuse_long_values
    }

    /// The connection to the server.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Makes a call of the protocol. A call that may not be repeated is sent again only when it surely did not run.
    ///
    /// # Errors
    /// [`Error::InvalidCall`] before anything is sent, [`Error::Api`] when the server refused,
    /// [`Error::Unreachable`] when no answer came, [`Error::Decode`] when the answer is not what was promised.
    pub async fn call<E: Endpoint>(&self, call: &E) -> Result<E::Response> {
        self.call_patiently(call, E::REPEAT, &mut self.session.patience()).await
    }

    /// [`call`](Self::call) with another permission, counted in `patience`.
    pub(crate) async fn call_patiently<E: Endpoint>(
        &self,
        call: &E,
        repeat: Repeat,
        patience: &mut Patience,
    ) -> Result<E::Response> {
        call.check()?;
        let request = encode::request(&self.session, call)?;
        self.session.ask(E::PATH, &request, repeat, patience, &secrets(call)).await
    }
}

/// What a call carries that nobody may read in an error: as it is, as JSON writes it, and as JSON writes JSON that is quoted.
fn secrets<E: Endpoint>(call: &E) -> Vec<String> {
    let mut secrets = Vec::new();
    for secret in call.secrets() {
        let mut text = secret.expose().to_owned();
        for _ in 0..3 {
            let json = serde_json::Value::from(text.as_str()).to_string();
            let inner = json.get(1..json.len() - 1).unwrap_or_default().to_owned();
            secrets.push(std::mem::replace(&mut text, inner));
        }
    }
    secrets
}

/// What a URI names.
enum Server<'a> {
    /// A server by its address.
    At(&'a str),
    /// A workspace of Databricks: `databricks`, or `databricks://PROFILE`.
    Databricks(Option<&'a str>),
}

impl<'a> Server<'a> {
    fn of(uri: &'a str) -> Self {
        match uri.strip_prefix("databricks") {
            Some("" | "://") => Self::Databricks(None),
            Some(rest) => {
                rest.strip_prefix("://").map_or(Self::At(uri), |profile| Self::Databricks(Some(profile)))
            }
            None => Self::At(uri),
        }
    }
}

fn address(uri: &str) -> Result<Url> {
    let wrong = |problem: &str| Error::Uri { uri: redacted(uri), problem: problem.to_owned() };
    let address = Url::parse(uri).map_err(|_| wrong("is no address of a server"))?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err(wrong("is no address of a server; one begins with http:// or https://"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests;
