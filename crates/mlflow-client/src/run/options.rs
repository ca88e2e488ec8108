//! What a run is started with.

use mlflow_types::tags::{Tag, system};
use mlflow_types::{ExperimentId, RunId};

use super::GitState;
use crate::logging::LoggingOptions;
use crate::long_values::cut_tag;
use crate::{Error, Result};

/// What a run is started with, or resumed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Its experiment; needed unless a run is resumed.
    pub experiment_id: Option<ExperimentId>,
    /// The run to go on with.
    pub resume: Option<RunId>,
    /// Its name; the store invents one if absent.
    pub run_name: Option<String>,
    /// A description, in Markdown.
    pub description: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
    /// The run that it belongs to.
    pub parent_run_id: Option<RunId>,
    /// Who starts it; the store's `user_id` and the tag `mlflow.user`.
    pub user: Option<String>,
    /// The program: the tag `mlflow.source.name`.
    pub source_name: Option<String>,
    /// The state of the program's sources.
    pub git: Option<GitState>,
    /// How entries wait for the store.
    pub logging: LoggingOptions,
    /// Whether a value of a param or a tag that is longer than MLflow keeps is cut, with a warning, as Python does; otherwise
    /// it is refused. [`LoggingSettings`](crate::settings::LoggingSettings) has what the environment says.
    pub truncate_long_values: bool,
}

impl RunOptions {
    /// A new run of an experiment.
    pub fn new(experiment_id: ExperimentId) -> Self {
        Self { experiment_id: Some(experiment_id), ..Self::default() }
    }

    /// A run to go on with.
    pub fn resume(run_id: RunId) -> Self {
        Self { resume: Some(run_id), ..Self::default() }
    }

    /// The same with a name.
    #[must_use]
    pub fn with_run_name(mut self, name: impl Into<String>) -> Self {
        self.run_name = Some(name.into());
        self
    }

    /// The same with a description, in Markdown.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The same with one more tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }

    /// The same within another run.
    #[must_use]
    pub fn with_parent(mut self, run_id: RunId) -> Self {
        self.parent_run_id = Some(run_id);
        self
    }

    /// The same by a user.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The same by a program.
    #[must_use]
    pub fn with_source_name(mut self, name: impl Into<String>) -> Self {
        self.source_name = Some(name.into());
        self
    }

    /// The same from sources in a state.
    #[must_use]
    pub fn with_git(mut self, git: GitState) -> Self {
        self.git = Some(git);
        self
    }

    /// The same with another patience, or a spool.
    #[must_use]
    pub fn with_logging(mut self, logging: LoggingOptions) -> Self {
        self.logging = logging;
        self
    }

    /// The same, cutting values that are too long instead of refusing them.
    #[must_use]
    pub fn with_truncation(mut self, truncate: bool) -> Self {
        self.truncate_long_values = truncate;
        self
    }

    /// The tags that the caller gave, with the description among them.
    pub(super) fn own_tags(&self) -> Result<Vec<Tag>> {
        let mut tags = self.tags.clone();
        if let Some(description) = &self.description {
            if tags.iter().any(|tag| tag.key == system::NOTE) {
                return Err(Error::Setting {
                    setting: "description".to_owned(),
                    problem: format!("is given twice, also as the tag {}", system::NOTE),
                });
            }
            tags.push(Tag::new(system::NOTE, description));
        }
        if self.truncate_long_values {
            tags.iter_mut().for_each(cut_tag);
        }
        Ok(tags)
    }

    /// All tags of a new run, as Python's `start_run` sets them: the caller's own win.
    pub(super) fn all_tags(&self) -> Result<Vec<Tag>> {
        let mut tags = self.own_tags()?;
        let git = self.git.as_ref();
        let found = [
            (system::PARENT_RUN_ID, self.parent_run_id.as_ref().map(ToString::to_string)),
            (system::RUN_NAME, self.run_name.clone()),
            (system::USER, self.user.clone()),
            (system::SOURCE_NAME, self.source_name.clone()),
            (system::SOURCE_TYPE, self.source_name.as_ref().map(|_| "LOCAL".to_owned())),
            (system::GIT_COMMIT, git.map(|git| git.commit.clone())),
            ("mlflow.source.git.branch", git.and_then(|git| git.branch.clone())),
            ("mlflow.source.git.repoURL", git.and_then(|git| git.repository_url.clone())),
        ];
        for (key, value) in found {
            if let Some(value) = value.filter(|_| !tags.iter().any(|tag| tag.key == key)) {
                tags.push(Tag::new(key, value));
            }
        }
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_of_a_nested_run_are_those_that_python_writes() {
        let options = RunOptions::new(ExperimentId::try_new("0").unwrap())
            .with_tag("a", "b")
            .with_description("dd")
            .with_parent(RunId::try_new("0647").unwrap())
            .with_user("root")
            .with_source_name("t.py");
        let tags: Vec<(String, String)> =
            options.all_tags().unwrap().into_iter().map(|tag| (tag.key, tag.value)).collect();
        let expected = [
            ("a", "b"),
            ("mlflow.note.content", "dd"),
            ("mlflow.parentRunId", "0647"),
            ("mlflow.user", "root"),
            ("mlflow.source.name", "t.py"),
            ("mlflow.source.type", "LOCAL"),
        ];
        assert_eq!(tags, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn the_callers_own_tags_win() {
        let options = RunOptions::default().with_user("root").with_tag("mlflow.user", "ann");
        assert_eq!(options.all_tags().unwrap(), [Tag::new("mlflow.user", "ann")]);
    }

    #[test]
    fn a_description_is_given_once() {
        let options = RunOptions::default().with_description("x").with_tag("mlflow.note.content", "y");
        assert_eq!(
            options.all_tags().unwrap_err().to_string(),
            "description: is given twice, also as the tag mlflow.note.content"
        );
    }
}
