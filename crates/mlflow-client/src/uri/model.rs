//! `models:` URIs.

use std::fmt;
use std::str::FromStr;

use mlflow_types::{ModelAlias, ModelId, ModelVersionNumber, RegisteredModelName};

use super::parts::{DatabricksAuthority, Parts, error, scheme};
use crate::artifacts::ArtifactPath;
use crate::{Error, Result};

/// A `models:` URI: a logged model or a version of a registered one, and perhaps something inside it.
///
/// One segment is always a logged model, even where a registered model has that name, unless it holds an `@`, which
/// begins an alias. Of two segments the second is a version if it is a number, the newest version if it is `latest` in
/// any case, and a stage otherwise. What follows is a path inside the model. Names are taken raw, not percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelUri {
    /// The workspace of Databricks that knows the model, if one is named.
    pub authority: Option<DatabricksAuthority>,
    /// The model.
    pub model: ModelReference,
    /// A path inside the model.
    pub path: Option<ArtifactPath>,
}

/// Which model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ModelReference {
    /// `models:/<model id>`: a logged model.
    Logged(ModelId),
    /// `models:/<name>/<number>`: one version.
    Version {
        /// The registered model.
        name: RegisteredModelName,
        /// The number.
        version: ModelVersionNumber,
    },
    /// `models:/<name>/latest`: the highest version.
    Latest {
        /// The registered model.
        name: RegisteredModelName,
    },
    /// `models:/<name>/<stage>`: the newest version in a stage. MLflow has replaced stages by aliases.
    Stage {
        /// The registered model.
        name: RegisteredModelName,
        /// The stage, as it was written.
        stage: String,
    },
    /// `models:/<name>@<alias>`: the version that an alias points at.
    Alias {
        /// The registered model.
        name: RegisteredModelName,
        /// The alias.
        alias: ModelAlias,
    },
}

impl ModelUri {
    /// The URI of a model as a whole.
    pub fn new(model: ModelReference) -> Self {
        Self { authority: None, model, path: None }
    }

    pub(super) fn parse(parts: Parts<'_>) -> Result<Self> {
        if parts.path.contains(['?', '#']) || parts.path.chars().any(char::is_control) {
            return Err(parts.error("`?`, `#` and control characters cannot stand in it"));
        }
        let authority = DatabricksAuthority::parse(&parts)?;
        let path = parts.path.strip_prefix('/').map(|path| path.trim_end_matches('/')).unwrap_or_default();
        if path.is_empty() {
            return Err(parts.error(FORM));
        }
        let (first, rest) = cut(path);
        let (model, rest) = if first.contains('@') {
            (alias(&parts, first)?, rest)
        } else if let Some(rest) = rest {
            let (second, rest) = cut(rest);
            (versioned(&parts, first, second)?, rest)
        } else {
            (ModelReference::Logged(first.parse().map_err(|error| name_error(&parts, &error))?), None)
        };
        let path = rest.map(ArtifactPath::try_new).transpose().map_err(|error| parts.bad_path(&error))?;
        Ok(Self { authority, model, path })
    }
}

const FORM: &str = "a model is `models:/MODEL_ID`, `models:/NAME/VERSION`, `models:/NAME/latest`, `models:/NAME/STAGE` or `models:/NAME@ALIAS`";

fn cut(path: &str) -> (&str, Option<&str>) {
    path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)))
}

fn alias(parts: &Parts<'_>, segment: &str) -> Result<ModelReference> {
    let (name, alias) = segment.rsplit_once('@').ok_or_else(|| parts.error(FORM))?;
    Ok(ModelReference::Alias {
        name: name.parse().map_err(|error| name_error(parts, &error))?,
        alias: alias.parse().map_err(|error| name_error(parts, &error))?,
    })
}

fn versioned(parts: &Parts<'_>, name: &str, suffix: &str) -> Result<ModelReference> {
    let name = name.parse().map_err(|error| name_error(parts, &error))?;
    if suffix.trim().is_empty() {
        return Err(parts.error(FORM));
    }
    Ok(if suffix.bytes().all(|byte| byte.is_ascii_digit()) {
        let version = suffix.parse().map_err(|error| name_error(parts, &error))?;
        ModelReference::Version { name, version }
    } else if suffix.eq_ignore_ascii_case("latest") {
        ModelReference::Latest { name }
    } else {
        ModelReference::Stage { name, stage: suffix.to_owned() }
    })
}

fn name_error(parts: &Parts<'_>, error: &mlflow_types::InvalidName) -> Error {
    parts.error(error.to_string())
}

impl ModelReference {
    /// The name of the registered model; a logged model has none here.
    pub fn name(&self) -> Option<&RegisteredModelName> {
        match self {
            Self::Logged(_) => None,
            Self::Version { name, .. }
            | Self::Latest { name }
            | Self::Stage { name, .. }
            | Self::Alias { name, .. } => Some(name),
        }
    }

    /// Catalog, schema and model, if the name has the three levels of Unity Catalog.
    pub fn unity_catalog(&self) -> Option<[&str; 3]> {
        let mut levels = self.name()?.as_str().split('.');
        let names = [levels.next()?, levels.next()?, levels.next()?];
        (levels.next().is_none() && names.iter().all(|name| !name.is_empty())).then_some(names)
    }
}

impl fmt::Display for ModelReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logged(id) => write!(formatter, "{id}"),
            Self::Version { name, version } => write!(formatter, "{name}/{version}"),
            Self::Latest { name } => write!(formatter, "{name}/latest"),
            Self::Stage { name, stage } => write!(formatter, "{name}/{stage}"),
            Self::Alias { name, alias } => write!(formatter, "{name}@{alias}"),
        }
    }
}

impl fmt::Display for ModelUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("models:")?;
        if let Some(authority) = &self.authority {
            write!(formatter, "//{authority}")?;
        }
        write!(formatter, "/{}", self.model)?;
        self.path.as_ref().map_or(Ok(()), |path| write!(formatter, "/{path}"))
    }
}

impl FromStr for ModelUri {
    type Err = Error;

    fn from_str(uri: &str) -> Result<Self> {
        match scheme(uri) {
            Some((scheme, rest)) if scheme == "models" => Self::parse(Parts::of(uri, rest)),
            _ => Err(error(uri, FORM)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RegisteredModelName {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(uri: &str, model: ModelReference, path: Option<&str>) {
        let parsed: ModelUri = uri.parse().unwrap();
        assert_eq!((&parsed.model, parsed.path.as_ref().map(ArtifactPath::as_str)), (&model, path));
        assert_eq!(parsed.to_string().parse::<ModelUri>().unwrap(), parsed);
    }

    #[track_caller]
    fn check_refused(uri: &str, message: &str) {
        assert_eq!(uri.parse::<ModelUri>().unwrap_err().to_string(), message);
    }

    #[test]
    fn one_segment_is_a_logged_model() {
        check("models:/m-0a", ModelReference::Logged("m-0a".parse().unwrap()), None);
        check("models:/encoder", ModelReference::Logged("encoder".parse().unwrap()), None);
        check("MODELS:///m-0a/", ModelReference::Logged("m-0a".parse().unwrap()), None);
    }

    #[test]
    fn digits_are_a_version() {
        let version =
            |number| ModelReference::Version { name: name("reg"), version: ModelVersionNumber::new(number) };
        check("models:/reg/12", version(12), None);
        check("models:/reg/012", version(12), None);
        check(
            "models:/reg/3/model.sentence_transformer/config.json",
            version(3),
            Some("model.sentence_transformer/config.json"),
        );
    }

    #[test]
    fn latest_in_any_case_and_stages() {
        check("models:/reg/latest", ModelReference::Latest { name: name("reg") }, None);
        check("models:/reg/LATEST", ModelReference::Latest { name: name("reg") }, None);
        check(
            "models:/reg/Production",
            ModelReference::Stage { name: name("reg"), stage: "Production".to_owned() },
            None,
        );
    }

    #[test]
    fn the_last_at_sign_begins_the_alias() {
        let alias = |of: &str| ModelReference::Alias { name: name(of), alias: "champion".parse().unwrap() };
        check("models:/reg@champion", alias("reg"), None);
        check("models:/a@b@champion", alias("a@b"), None);
        check("models:/reg@champion/MLmodel", alias("reg"), Some("MLmodel"));
    }

    #[test]
    fn names_are_raw() {
        check(
            "models:/my model/1",
            ModelReference::Version { name: name("my model"), version: ModelVersionNumber::new(1) },
            None,
        );
        check(
            "models:/a%20b/1",
            ModelReference::Version { name: name("a%20b"), version: ModelVersionNumber::new(1) },
            None,
        );
    }

    #[test]
    fn databricks_and_unity_catalog() {
        let uri: ModelUri = "models://prod@databricks/main.search.encoder@champion".parse().unwrap();
        assert_eq!(uri.authority.as_ref().unwrap().profile(), Some("prod"));
        assert_eq!(uri.model.unity_catalog(), Some(["main", "search", "encoder"]));
        assert_eq!(uri.to_string(), "models://prod@databricks/main.search.encoder@champion");
        let uri: ModelUri = "models://scope:prefix@databricks/reg/1/a".parse().unwrap();
        assert_eq!(uri.authority.unwrap().profile(), Some("scope:prefix"));
        let uri: ModelUri = "models://databricks/reg/1".parse().unwrap();
        assert_eq!((uri.authority.unwrap().profile(), uri.model.unity_catalog()), (None, None));
        assert_eq!("models:/a..b/1".parse::<ModelUri>().unwrap().model.unity_catalog(), None);
    }

    #[test]
    fn what_is_no_model_is_refused() {
        for uri in ["models:/", "models:", "models:reg/1", "models://", "models:/reg/ ", "runs:/reg"] {
            check_refused(uri, &format!("{uri}: {FORM}"));
        }
        check_refused(
            "models://reg/1",
            "models://reg/1: after `//` only `databricks` or `PROFILE@databricks` can stand; one slash is meant otherwise",
        );
        check_refused(
            "models:/reg/1?x=2",
            "models:/reg/1?x=2: `?`, `#` and control characters cannot stand in it",
        );
        check_refused("models:/reg/1/../2", "models:/reg/1/../2: its path has the part `..`");
        check_refused(
            "models:/reg@v1",
            "models:/reg@v1: \"v1\" is no model alias: 1 to 255 word characters or `-`, neither `latest` nor `v` and a number",
        );
        check_refused(
            "models:/reg/99999999999",
            "models:/reg/99999999999: \"99999999999\" is no model version: a whole number",
        );
        check_refused(
            "models:/@a",
            "models:/@a: \"\" is no registered model name: not empty, without / and :, not `.`, and not beginning with `..`",
        );
        check_refused(
            "models:/a:b",
            "models:/a:b: \"a:b\" is no model id: 1 to 256 letters, digits, `_` or `-`, the first a letter or digit",
        );
    }
}
