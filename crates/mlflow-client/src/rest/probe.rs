//! What a server is, as far as it can be asked.

use std::time::Duration;

use mlflow_types::experiments::SearchExperiments;
use mlflow_types::server_info::{GetServerInfo, ServerInfo};
use mlflow_types::{Api, Method, Repeat};

use super::transport::HttpRequest;
use super::{RestStore, decode};
use crate::{Error, Result};

/// Bytes of a version; a longer answer is that of another program.
const LONGEST_VERSION: usize = 100;

/// What a server is.
#[derive(Debug)]
#[non_exhaustive]
pub struct ServerReport {
    /// Its version, such as `3.17.2`; absent if it does not tell, as Databricks, or not to us.
    pub version: Option<String>,
    /// What it is made of; absent if it does not tell, as before MLflow 3.6, or not to us.
    pub info: Option<ServerInfo>,
    /// From a question to its answer, on a connection that stands.
    pub round_trip: Duration,
    /// Why it does not let us in; absent if it does.
    pub denied: Option<Error>,
}

impl RestStore {
    /// Asks the server what it is, and whether it lets us in.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when nobody answers; whatever is answered by a program that is no MLflow server.
    pub async fn probe(&self) -> Result<ServerReport> {
        let version = self.version().await?;
        let clock = self.session().clock();
        let started = clock.elapsed();
        let look = SearchExperiments { max_results: 1, ..SearchExperiments::default() };
        let denied = match self.call(&look).await {
            Ok(_) => None,
            Err(error) if error.is_denied() => Some(error),
            Err(error) => return Err(error),
        };
        let round_trip = clock.elapsed().saturating_sub(started);
        // What is not told is no failure: the server has let us in, or has said why not.
        let info = self.call(&GetServerInfo::default()).await.ok();
        Ok(ServerReport { version, info, round_trip, denied })
    }

    async fn version(&self) -> Result<Option<String>> {
        let request = HttpRequest::new(Method::Get, self.session().url(Api::Root, "version")?);
        let mut response = self.session().execute("version", request, Repeat::Freely).await?;
        if response.status == 403 {
            // The check of the host's name comes before everything else.
            return Err(decode::refusal("version", &mut response).await);
        }
        let text = response.bytes(LONGEST_VERSION).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        let is_version = text.starts_with(|first: char| first.is_ascii_digit())
            && text.chars().all(|part| part.is_ascii_alphanumeric() || matches!(part, '.' | '+' | '-'));
        Ok((response.status == 200 && is_version).then_some(text))
    }
}
