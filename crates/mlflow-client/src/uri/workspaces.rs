//! Which workspace of Databricks a URI means, and which one a client speaks to.

use super::parts::DatabricksAuthority;
use super::{ArtifactUri, ModelReference};
use crate::settings::{Settings, StoreUri};
use crate::{Error, Result};

/// The workspaces of Databricks that a client's stores are; none where a store is something else.
///
/// `models://prod@databricks/encoder/1` is another model than `models:/encoder/1` here. Python opens that workspace; a client
/// of this library has two stores and no third, so it serves such a URI only where it is that workspace, and never takes
/// a model of the same name from elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspaces {
    tracking: Option<DatabricksAuthority>,
    registry: Option<DatabricksAuthority>,
}

impl Workspaces {
    /// The workspaces that settings name.
    pub(crate) fn of(settings: &Settings) -> Self {
        let workspace =
            |uri: Option<&StoreUri>| uri.and_then(|uri| DatabricksAuthority::of_store(uri.expose()));
        Self {
            tracking: workspace(settings.tracking_uri.as_ref()),
            registry: workspace(settings.effective_registry_uri()),
        }
    }

    /// Refuses a URI of a workspace that is not the one of the store that would be asked.
    pub(crate) fn check(&self, uri: &ArtifactUri) -> Result<()> {
        let (named, ours, option) = match uri {
            ArtifactUri::Run(run) => (&run.authority, &self.tracking, "tracking URI"),
            ArtifactUri::Model(model) => match model.model {
                ModelReference::Logged(_) => (&model.authority, &self.tracking, "tracking URI"),
                _ => (&model.authority, &self.registry, "registry URI"),
            },
            _ => return Ok(()),
        };
        match named {
            Some(named) if ours.as_ref() != Some(named) => {
                let store = named
                    .profile()
                    .map_or_else(|| "databricks".to_owned(), |profile| format!("databricks://{profile}"));
                Err(Error::Uri {
                    uri: uri.to_string(),
                    problem: format!(
                        "is of another store than the one that would be asked; name `{store}` as the {option}"
                    ),
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tracking: &str, registry: Option<&str>, uri: &str, refused: Option<&str>) {
        let mut settings = Settings::for_tracking_uri(tracking);
        settings.registry_uri = registry.map(StoreUri::new);
        let checked = Workspaces::of(&settings).check(&uri.parse().unwrap());
        let problem = checked.err().map(|error| error.to_string());
        let expected = refused.map(|named| {
            format!("{uri}: is of another store than the one that would be asked; name {named}")
        });
        assert_eq!(problem, expected, "{tracking} {registry:?}");
    }

    #[test]
    fn a_model_of_a_workspace_is_not_taken_from_another_store() {
        let prod = "models://prod@databricks/encoder/1";
        let as_registry = Some("`databricks://prod` as the registry URI");
        check("http://localhost:5000", None, prod, as_registry);
        check("databricks", None, prod, as_registry);
        check("databricks://test", None, prod, as_registry);
        check("databricks://prod", None, prod, None);
        check("http://localhost:5000", Some("databricks://prod"), prod, None);
        check("databricks://prod", Some("http://localhost:5000"), prod, as_registry);
        check("databricks", None, "models://databricks/encoder@champion", None);
        check(
            "databricks://prod",
            None,
            "models://databricks/encoder/1",
            Some("`databricks` as the registry URI"),
        );
    }

    #[test]
    fn runs_and_logged_models_are_the_tracking_stores() {
        let as_tracking = Some("`databricks://prod` as the tracking URI");
        for uri in ["runs://prod@databricks/0a1b/model", "models://prod@databricks/m-0a"] {
            check("sqlite:///mlflow.db", None, uri, as_tracking);
            check("sqlite:///mlflow.db", Some("databricks://prod"), uri, as_tracking);
            check("databricks://prod", Some("sqlite:///mlflow.db"), uri, None);
        }
    }

    #[test]
    fn without_a_workspace_the_stores_are_meant() {
        for uri in ["models:/encoder/1", "runs:/0a1b/model", "file:///srv/model", "s3://bucket/model"] {
            check("http://localhost:5000", None, uri, None);
            check("databricks://prod", None, uri, None);
        }
    }
}
