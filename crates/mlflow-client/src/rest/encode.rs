//! A call becomes a request.

use mlflow_types::{Endpoint, Method};
use serde_json::Value;

use super::session::Session;
use super::transport::{HttpBody, HttpRequest};
use crate::{BoxError, Error, Result};

/// The request of a call: with GET its fields are the query, with a key repeated for each item of a list; with every other
/// verb they are a JSON body, which MLflow wants declared as such even where it is empty.
pub(crate) fn request<E: Endpoint>(session: &Session, call: &E) -> Result<HttpRequest> {
    let mut url = session.url(E::API, &call.path())?;
    let unwritable = |source: BoxError| Error::Encode { route: E::PATH.to_owned(), source };
    if E::METHOD == Method::Get {
        let fields = serde_json::to_value(call).map_err(|error| unwritable(error.into()))?;
        let pairs = query(&fields).map_err(unwritable)?;
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        return Ok(HttpRequest::new(E::METHOD, url));
    }
    let body = serde_json::to_vec(call).map_err(|error| unwritable(error.into()))?;
    let mut request = HttpRequest::new(E::METHOD, url);
    request.headers.push(("content-type".into(), "application/json".into()));
    request.body = HttpBody::Bytes(body.into());
    Ok(request)
}

fn query(fields: &Value) -> Result<Vec<(&str, String)>, BoxError> {
    let Value::Object(fields) = fields else { return Err("the call is no object of fields".into()) };
    let mut pairs = Vec::new();
    for (key, value) in fields {
        match value {
            Value::Null => {}
            Value::Array(items) => {
                for item in items {
                    pairs.push((key.as_str(), text(key, item)?));
                }
            }
            value => pairs.push((key.as_str(), text(key, value)?)),
        }
    }
    Ok(pairs)
}

fn text(key: &str, value: &Value) -> Result<String, BoxError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(format!("`{key}` cannot stand in a query").into()),
    }
}
