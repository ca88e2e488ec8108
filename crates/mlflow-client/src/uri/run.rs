//! `runs:` URIs.

use std::fmt;
use std::str::FromStr;

use mlflow_types::RunId;

use super::parts::{DatabricksAuthority, Parts, error, scheme};
use crate::artifacts::ArtifactPath;
use crate::{Error, Result};

/// `runs:/<run id>/<path>`: an artifact of a run, or, where the first part of the path is the name of a logged model that
/// the run made, something of that model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunUri {
    /// The workspace of Databricks that knows the run, if one is named.
    pub authority: Option<DatabricksAuthority>,
    /// The run.
    pub run_id: RunId,
    /// The path; absent for all of the run's artifacts.
    pub path: Option<ArtifactPath>,
}

const FORM: &str = "an artifact of a run is `runs:/RUN_ID/PATH`";

impl RunUri {
    pub(super) fn parse(parts: Parts<'_>) -> Result<Self> {
        if parts.path.contains(['?', '#']) {
            return Err(parts.error("`?` and `#` cannot stand in it"));
        }
        let authority = DatabricksAuthority::parse(&parts)?;
        let path = parts.path.strip_prefix('/').map(|path| path.trim_end_matches('/')).unwrap_or_default();
        if path.is_empty() {
            return Err(parts.error(FORM));
        }
        let (run_id, path) = path.split_once('/').map_or((path, None), |(run, path)| (run, Some(path)));
        Ok(Self {
            authority,
            run_id: run_id
                .parse()
                .map_err(|error: mlflow_types::InvalidName| parts.error(error.to_string()))?,
            path: path.map(ArtifactPath::try_new).transpose().map_err(|error| parts.bad_path(&error))?,
        })
    }
}

impl fmt::Display for RunUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("runs:")?;
        if let Some(authority) = &self.authority {
            write!(formatter, "//{authority}")?;
        }
        write!(formatter, "/{}", self.run_id)?;
        self.path.as_ref().map_or(Ok(()), |path| write!(formatter, "/{path}"))
    }
}

impl FromStr for RunUri {
    type Err = Error;

    fn from_str(uri: &str) -> Result<Self> {
        match scheme(uri) {
            Some((scheme, rest)) if scheme == "runs" => Self::parse(Parts::of(uri, rest)),
            _ => Err(error(uri, FORM)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, run: &str, path: Option<&str>) {
        let parsed: RunUri = uri.parse().unwrap();
        assert_eq!((parsed.run_id.as_str(), parsed.path.as_ref().map(ArtifactPath::as_str)), (run, path));
        assert_eq!(parsed.to_string().parse::<RunUri>().unwrap(), parsed);
    }

    #[track_caller]
    fn check_refused(uri: &str, problem: &str) {
        assert_eq!(uri.parse::<RunUri>().unwrap_err().to_string(), format!("{uri}: {problem}"));
    }

    #[test]
    fn a_run_and_a_path() {
        check("runs:/0a1b/model", "0a1b", Some("model"));
        check("runs:/0a1b/model/MLmodel", "0a1b", Some("model/MLmodel"));
        check("runs:/0a1b", "0a1b", None);
        check("runs:/0a1b/", "0a1b", None);
        check("runs://prod@databricks/0a1b/model", "0a1b", Some("model"));
    }

    #[test]
    fn what_is_no_run_is_refused() {
        check_refused("runs:/", FORM);
        check_refused("runs:0a1b/x", FORM);
        check_refused("runs:/0a1b/../x", "its path has the part `..`");
        check_refused("runs:/0a1b/a#b", "`?` and `#` cannot stand in it");
        check_refused(
            "runs:/a b/x",
            "\"a b\" is no run id: 1 to 256 letters, digits, `_` or `-`, the first a letter or digit",
        );
        check_refused("models:/a", FORM);
    }
}
