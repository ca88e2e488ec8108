//! A name that is not there: which ones are, and which of them may have been meant.

use futures::{StreamExt, TryStreamExt};
use mlflow_client::Client;
use mlflow_client::types::model_versions::{ModelVersion, SearchModelVersions};
use mlflow_client::types::registered_models::{RegisteredModel, SearchRegisteredModels};
use mlflow_client::types::{ModelId, RegisteredModelName};
use mlflow_client::uri::{ArtifactUri, ModelReference};

/// Names that are looked through.
const LOOKED_AT: usize = 1000;

/// Names that are told.
const TOLD: usize = 3;

/// Less alike than this is something else; 1 is the same.
const ALIKE: f64 = 0.8;

/// Advice for a URI whose model is not there; none if it is of another kind, or the registry does not answer.
pub(crate) async fn advice(client: &Client, uri: &ArtifactUri) -> Option<String> {
    let ArtifactUri::Model(uri) = uri else { return None };
    let (name, wanted_alias) = match &uri.model {
        ModelReference::Logged(id) => return registered(client, id).await,
        ModelReference::Alias { name, .. } => (name, true),
        ModelReference::Version { name, .. }
        | ModelReference::Latest { name }
        | ModelReference::Stage { name, .. } => (name, false),
    };
    match client.registered_models().get(name).await {
        Ok(model) if wanted_alias => Some(aliases(&model)),
        Ok(_) => versions(client, name).await,
        Err(error) if error.is_not_found() => names(client, name).await,
        Err(_) => None,
    }
}

/// Advice for `models:/NAME`, which MLflow takes for the ID of a logged model; none if it is one.
async fn registered(client: &Client, id: &ModelId) -> Option<String> {
    if id.as_str().starts_with("m-") {
        return None;
    }
    let name: RegisteredModelName = id.as_str().parse().ok()?;
    match client.registered_models().get(&name).await {
        Ok(_) => versions(client, &name).await.map(|versions| {
            let name = plain(name.as_str());
            format!(
                "`{name}` is a registered model: say which version, as models:/{name}/latest or models:/{name}@ALIAS; \
                 {versions}"
            )
        }),
        Err(error) if error.is_not_found() => Some(
            "a name alone is the ID of a logged model, m-…; a registered model is models:/NAME/VERSION, \
             models:/NAME/latest or models:/NAME@ALIAS, and `st models list` shows them"
                .to_owned(),
        ),
        Err(_) => None,
    }
}

/// Advice for a name that no registered model has.
pub(crate) async fn names(client: &Client, wanted: &RegisteredModelName) -> Option<String> {
    let all = client.registered_models().search(SearchRegisteredModels::default()).take(LOOKED_AT);
    let all: Vec<RegisteredModel> = all.try_collect().await.ok()?;
    let all: Vec<String> = all.into_iter().map(|model| model.name.to_string()).collect();
    Some(told(wanted.as_str(), &all))
}

fn told(wanted: &str, all: &[String]) -> String {
    if all.is_empty() {
        return "the registry is empty; `st log --register NAME` puts a model into it".to_owned();
    }
    let near = near(wanted, all);
    if near.is_empty() {
        return "`st models list` shows the registered models".to_owned();
    }
    format!("did you mean {}? `st models list` shows all", near.join(" or "))
}

fn near(wanted: &str, all: &[String]) -> Vec<String> {
    let likeness = |name: &str| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let mut near: Vec<(f64, &String)> =
        all.iter().map(|name| (likeness(name), name)).filter(|(likeness, _)| *likeness >= ALIKE).collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().take(TOLD).map(|(_, name)| format!("`{}`", plain(name))).collect()
}

fn aliases(model: &RegisteredModel) -> String {
    let name = plain(model.name.as_str());
    if model.aliases.is_empty() {
        return format!("`{name}` has no aliases; `st models alias {name} ALIAS VERSION` sets one");
    }
    let aliases = model
        .aliases
        .iter()
        .map(|alias| format!("{} (version {})", plain(alias.alias.as_str()), alias.version));
    format!("`{name}` has {}", aliases.collect::<Vec<_>>().join(", "))
}

async fn versions(client: &Client, name: &RegisteredModelName) -> Option<String> {
    let call = SearchModelVersions {
        // A name with quotes of both kinds cannot be written; who has one gets no advice.
        filter: Some(format!("name = '{name}'")),
        ..SearchModelVersions::default()
    };
    let found = client.model_versions().search(call).take(LOOKED_AT);
    let found: Vec<ModelVersion> = found.try_collect().await.ok()?;
    let newest = found.iter().map(|version| version.version).max();
    let name = plain(name.as_str());
    Some(match newest {
        None => format!("`{name}` has no versions; `st models register -m URI --name {name}` makes one"),
        Some(newest) => {
            format!("the newest version of `{name}` is {newest}; `st models show {name}` shows all")
        }
    })
}

/// A foreign name without what would steer a terminal.
fn plain(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, all: &[&str], expected: &str) {
        let all: Vec<String> = all.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(told(wanted, &all), expected);
    }

    #[test]
    fn the_names_that_are_most_alike_are_told() {
        let all = ["encoder", "search-encoder", "Encoder-v2", "classifier"];
        check("encodr", &all, "did you mean `encoder` or `Encoder-v2`? `st models list` shows all");
        check("reranker", &all, "`st models list` shows the registered models");
        check("encoder", &[], "the registry is empty; `st log --register NAME` puts a model into it");
        check("a\u{1b}", &["a\u{1b}b"], "did you mean `a\u{fffd}b`? `st models list` shows all");
    }
}
