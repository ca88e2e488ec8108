//! What a route answers, as a value, without any of our secrets in what goes wrong.

use mlflow_types::Repeat;
use serde::de::DeserializeOwned;

use super::patience::Patience;
use super::transport::{HttpRequest, HttpResponse};
use super::{Session, decode, identity};
use crate::{Error, Result};

impl Session {
    /// What a route answers, as [`execute`](Self::execute) asks it; that its body breaks off is a failure of the attempt.
    /// `secrets` are what the request itself holds of them.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), and [`Error::Api`] when the server refused, [`Error::Decode`] when the answer is not
    /// what was promised.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        route: &str,
        request: &HttpRequest,
        repeat: Repeat,
        patience: &mut Patience,
        secrets: &[String],
    ) -> Result<T> {
        let whole = Some(decode::LONGEST_BODY);
        let mut response = self.persist(route, request, repeat, patience, whole).await?;
        if response.status >= 400 && !secrets.is_empty() {
            response = scrubbed(response, secrets).await;
        }
        let answer = decode::answer(route, response).await;
        answer.map_err(|error| self.told(error, patience, secrets))
    }

    /// A refusal with what it cost to get it; an answer that is none, without our secrets.
    fn told(&self, error: Error, patience: &Patience, secrets: &[String]) -> Error {
        match error {
            Error::Api(mut api) => {
                api.attempts = patience.attempts;
                api.elapsed = patience.elapsed(self.clock());
                Error::Api(api)
            }
            Error::Decode { route, source } => {
                let words = source.to_string();
                let scrubbed = identity::without(&self.scrub(&words), secrets);
                let source = if scrubbed == words { source } else { scrubbed.into() };
                Error::Decode { route, source }
            }
            error => error,
        }
    }
}

/// A refusal without them, before anything of it is cut; it is in memory already.
async fn scrubbed(mut response: HttpResponse, secrets: &[String]) -> HttpResponse {
    let body = response.bytes(decode::LONGEST_BODY).await.unwrap_or_default();
    let words = identity::without(&String::from_utf8_lossy(&body), secrets);
    HttpResponse::new(response.status, response.headers, words)
}
