//! Variables of MLflow that mean something to Python and nothing here.

use super::Settings;
use super::variables as name;

/// A variable, the value that asks for what happens anyway, and why any other has no effect.
type Ignored = (&'static str, Option<&'static str>, &'static str);

const PARTS: &str = "files come down in one piece";
const BACKGROUND: &str = "a run always sends in the background, as soon as it can";
const SYSTEM_METRICS: &str = "a run measures its machine only where a program asks for it";
const NO_PYTHON: &str = "no Python runs here";

const IGNORED: &[Ignored] = &[
    (name::MLFLOW_RUN_ID, None, "a run is continued only where a program says so"),
    (name::MLFLOW_ACTIVE_MODEL_ID, None, "metrics are linked to a model only where a program says so"),
    (name::MLFLOW_HTTP_POOL_CONNECTIONS, None, "connections are kept for any number of hosts"),
    (name::MLFLOW_ENABLE_MULTIPART_DOWNLOAD, Some("false"), PARTS),
    (name::MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE, None, PARTS),
    (name::MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE, None, PARTS),
    (name::MLFLOW_ENABLE_ASYNC_LOGGING, Some("true"), BACKGROUND),
    (name::MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS, None, BACKGROUND),
    (name::MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING, Some("false"), SYSTEM_METRICS),
    (name::MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL, None, SYSTEM_METRICS),
    (name::MLFLOW_LOG_MODEL_COMPRESSION, None, "the files of a model are logged as they are"),
    (name::MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT, None, NO_PYTHON),
    (name::MLFLOW_INPUT_EXAMPLE_INFERENCE_TIMEOUT, None, NO_PYTHON),
];

impl Settings {
    /// The variables that are set but change nothing in this crate, each with the reason as the end of a sentence, for a
    /// program to warn of. One that a program itself acts on it leaves out. `lookup` as in
    /// [`from_environment`](Self::from_environment).
    pub fn ignored(lookup: &dyn Fn(&str) -> Option<String>) -> Vec<(&'static str, &'static str)> {
        let is_set = |(variable, as_is, _): &&Ignored| {
            let value = lookup(variable).map(|value| match value.to_ascii_lowercase().as_str() {
                "1" => "true".to_owned(),
                "0" => "false".to_owned(),
                lower => lower.to_owned(),
            });
            value.is_some_and(|value| !value.is_empty() && Some(value.as_str()) != *as_is)
        };
        IGNORED.iter().filter(is_set).map(|(variable, _, reason)| (*variable, *reason)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: &[&str]) {
        let lookup =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let found: Vec<&str> = Settings::ignored(&lookup).into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, expected, "{variables:?}");
    }

    #[test]
    fn what_is_set_and_does_nothing_is_told() {
        check(&[], &[]);
        check(&[("MLFLOW_TRACKING_URI", "x"), ("MLFLOW_RUN_ID", "")], &[]);
        check(&[("MLFLOW_LOG_MODEL_COMPRESSION", "gzip")], &["MLFLOW_LOG_MODEL_COMPRESSION"]);
        // Who asks for what happens anyway gets it.
        for (variable, as_is, other) in [
            ("MLFLOW_ENABLE_ASYNC_LOGGING", ["True", "1"], ["false", "0"]),
            ("MLFLOW_ENABLE_MULTIPART_DOWNLOAD", ["false", "0"], ["TRUE", "1"]),
            ("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", ["False", "0"], ["true", "1"]),
        ] {
            for value in as_is {
                check(&[(variable, value)], &[]);
            }
            for value in other {
                check(&[(variable, value)], &[variable]);
            }
        }
        assert_eq!(
            Settings::ignored(
                &|name| (name == "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT").then(|| "9".to_owned())
            ),
            [("MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT", "no Python runs here")]
        );
    }
}
