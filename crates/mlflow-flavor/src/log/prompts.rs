//! Prompts of MLflow's prompt registry that a model goes with: Python's option `prompts`.

use std::fmt;
use std::str::FromStr;

use mlflow_client::types::logged_models::{LoggedModel, SetLoggedModelTags};
use mlflow_client::types::model_versions::ModelVersion;
use mlflow_client::types::runs::{Run, SetTag};
use mlflow_client::types::tags::Tag;
use mlflow_client::uri::{ArtifactUri, ModelReference, ModelUri};
use mlflow_client::{BoxError, Client};
use serde_json::{Value, json};

use super::LogError;
use crate::python_json::dumps;

/// The registry keeps prompts as registered models; this tag of a version tells them apart.
const IS_PROMPT: &str = "mlflow.prompt.is_prompt";
/// The tag of a run and of a logged model that names its prompts.
const LINKED: &str = "mlflow.linkedPrompts";

/// A version of a prompt: `prompts:/<name>/<version>` or `prompts:/<name>@<alias>`, where `@latest` is the highest.
///
/// ```
/// use mlflow_flavor::PromptUri;
///
/// let uri: PromptUri = "prompts:/query-instruction@production".parse().unwrap();
/// assert_eq!(uri.to_string(), "prompts:/query-instruction@production");
/// assert!("models:/encoder/1".parse::<PromptUri>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PromptUri {
    text: String,
    /// The same in the registry of models.
    model: ArtifactUri,
}

/// Text that is no URI of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{uri}` is not of the form prompts:/NAME/VERSION or prompts:/NAME@ALIAS")]
pub struct InvalidPromptUri {
    /// The text.
    pub uri: String,
}

impl FromStr for PromptUri {
    type Err = InvalidPromptUri;

    fn from_str(text: &str) -> Result<Self, InvalidPromptUri> {
        let invalid = || InvalidPromptUri { uri: text.to_owned() };
        let rest = text.strip_prefix("prompts:/").ok_or_else(invalid)?;
        // What models have as a version, prompts have as an alias.
        let newest = rest.strip_suffix("@latest").map(|name| format!("{name}/latest"));
        let uri = format!("models:/{}", newest.as_deref().unwrap_or(rest));
        let ArtifactUri::Model(ModelUri { model, path: None, .. }) = uri.parse().map_err(|_| invalid())?
        else {
            return Err(invalid());
        };
        let fits = match model {
            ModelReference::Alias { .. } | ModelReference::Version { .. } => true,
            ModelReference::Latest { .. } => newest.is_some(),
            _ => false,
        };
        if !fits {
            return Err(invalid());
        }
        Ok(Self { text: text.to_owned(), model: ArtifactUri::Model(ModelUri::new(model)) })
    }
}

impl fmt::Display for PromptUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The versions that the URIs mean today.
pub(super) async fn find(client: &Client, uris: &[PromptUri]) -> Result<Vec<ModelVersion>, LogError> {
    let mut prompts = Vec::with_capacity(uris.len());
    for uri in uris {
        let no_prompt = || LogError::NoPrompt { uri: uri.to_string() };
        let version = client.find_version(&uri.model).await?.ok_or_else(no_prompt)?;
        if !version.tags.iter().any(|tag| tag.key == IS_PROMPT && tag.value == "true") {
            return Err(no_prompt());
        }
        prompts.push(version);
    }
    Ok(prompts)
}

/// Notes on the run that it used the prompts.
pub(super) async fn link_to_run(
    client: &Client,
    run: &Run,
    prompts: &[ModelVersion],
) -> Result<(), LogError> {
    let run_id = &run.info.run_id;
    if let Some(value) = linked(&run.data.tags, prompts).map_err(|problem| bad_tag(run_id, problem))? {
        let call = SetTag { run_id: run_id.clone(), key: LINKED.to_owned(), value };
        client.tracking().set_tag(&call).await?;
    }
    Ok(())
}

/// Notes on the logged model that it goes with the prompts.
pub(super) async fn link_to_model(
    client: &Client,
    model: &LoggedModel,
    prompts: &[ModelVersion],
) -> Result<(), LogError> {
    let model_id = &model.info.model_id;
    if let Some(value) = linked(&model.info.tags, prompts).map_err(|problem| bad_tag(model_id, problem))? {
        let call =
            SetLoggedModelTags { model_id: model_id.clone(), tags: vec![Tag::new(LINKED.to_owned(), value)] };
        client.tracking().set_logged_model_tags(&call).await?;
    }
    Ok(())
}

fn bad_tag(of: impl fmt::Display, source: BoxError) -> LogError {
    LogError::LinkedPrompts { of: of.to_string(), source }
}

/// The value of the tag with these prompts added, if it changes: Python's `update_linked_prompts_tag`.
fn linked(tags: &[Tag], prompts: &[ModelVersion]) -> Result<Option<String>, BoxError> {
    let before = tags.iter().find(|tag| tag.key == LINKED);
    let before: Vec<Value> = before.map_or(Ok(Vec::new()), |tag| serde_json::from_str(&tag.value))?;
    let mut after = before.clone();
    for prompt in prompts {
        let entry = json!({"name": prompt.name.as_str(), "version": prompt.version.to_string()});
        if !after.contains(&entry) {
            after.push(entry);
        }
    }
    Ok((after.len() > before.len()).then(|| dumps(&Value::Array(after))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_aliases_are_prompts() {
        for uri in ["prompts:/a/1", "prompts:/a@b", "prompts:/a b@latest"] {
            assert_eq!(uri.parse::<PromptUri>().unwrap().to_string(), uri);
        }
        for uri in
            ["a", "prompts:/a", "prompts:/a/Staging", "prompts:/a/1/b", "prompts:/a/latest", "models:/a/1"]
        {
            let error = uri.parse::<PromptUri>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{uri}` is not of the form prompts:/NAME/VERSION or prompts:/NAME@ALIAS")
            );
        }
    }

    #[track_caller]
    fn check(before: Option<&str>, expected: Option<&str>) {
        let tags: Vec<Tag> =
            before.map(|value| Tag::new(LINKED.to_owned(), value.to_owned())).into_iter().collect();
        let prompt = json!({"name": "a", "version": "2", "creation_timestamp": 1});
        let prompt: ModelVersion = serde_json::from_value(prompt).unwrap();
        assert_eq!(linked(&tags, &[prompt]).unwrap().as_deref(), expected);
    }

    #[test]
    fn a_prompt_is_noted_once() {
        let noted = r#"[{"name": "a", "version": "2"}]"#;
        check(None, Some(noted));
        check(Some("[]"), Some(noted));
        check(Some(noted), None);
        check(
            Some(r#"[{"name": "b", "version": "1"}]"#),
            Some(r#"[{"name": "b", "version": "1"}, {"name": "a", "version": "2"}]"#),
        );
    }

    #[test]
    fn a_tag_that_is_no_list_is_not_overwritten() {
        assert!(linked(&[Tag::new(LINKED.to_owned(), "{}".to_owned())], &[]).is_err());
    }
}
