//! Runs and logged models: how to find again what a call may have created.
//!
//! Nothing about a run or a logged model is unique but the identifier that the server gives it. So the call carries a tag
//! with a number of our own, by which a look finds it. It is taken away as soon as the answer is here: what people see has
//! the tags that they set. A process that dies in between leaves it behind, which harms nobody.

use mlflow_types::logged_models::{CreateLoggedModel, DeleteLoggedModelTag, LoggedModel, SearchLoggedModels};
use mlflow_types::runs::{CreateRun, DeleteTag, Run, SearchRuns};
use mlflow_types::tags::Tag;

use super::RestStore;
use super::careful::{Careful, Sent};
use crate::Result;

/// The tag by which a look finds what a call created.
const REQUEST_TAG: &str = "st.request";

impl RestStore {
    pub(crate) async fn create_run_once(&self, call: &CreateRun) -> Result<Run> {
        let tag = request_tag();
        let mut tagged = call.clone();
        tagged.tags.push(tag.clone());
        let mut careful = Careful::new(self);
        let mut run = loop {
            match careful.send(&tagged).await? {
                Sent::Answer(answer) => break answer.run,
                Sent::Unknown => {
                    if let Some(run) = careful.seen(self.find_run(call, &tag).await)? {
                        break run;
                    }
                }
            }
        };
        let untag = DeleteTag { run_id: run.info.run_id.clone(), key: tag.key };
        if let Err(error) = self.until_done(&untag).await {
            tracing::warn!(run_id = %run.info.run_id, %error, "the tag {REQUEST_TAG} stays on the run");
        }
        run.data.tags.retain(|tag| tag.key != REQUEST_TAG);
        Ok(run)
    }

    async fn find_run(&self, call: &CreateRun, tag: &Tag) -> Result<Option<Run>> {
        let search = SearchRuns {
            experiment_ids: vec![call.experiment_id.clone()],
            filter: Some(filter(tag)),
            max_results: Some(1),
            ..SearchRuns::default()
        };
        Ok(self.call(&search).await?.runs.into_iter().next())
    }

    pub(crate) async fn create_logged_model_once(&self, call: &CreateLoggedModel) -> Result<LoggedModel> {
        let tag = request_tag();
        let mut tagged = call.clone();
        tagged.tags.push(tag.clone());
        let mut careful = Careful::new(self);
        let mut model = loop {
            match careful.send(&tagged).await? {
                Sent::Answer(answer) => break answer.model,
                Sent::Unknown => {
                    if let Some(model) = careful.seen(self.find_logged_model(call, &tag).await)? {
                        break model;
                    }
                }
            }
        };
        let untag = DeleteLoggedModelTag { model_id: model.info.model_id.clone(), tag_key: tag.key };
        if let Err(error) = self.until_done(&untag).await {
            tracing::warn!(model_id = %model.info.model_id, %error, "the tag {REQUEST_TAG} stays on the model");
        }
        model.info.tags.retain(|tag| tag.key != REQUEST_TAG);
        Ok(model)
    }

    async fn find_logged_model(&self, call: &CreateLoggedModel, tag: &Tag) -> Result<Option<LoggedModel>> {
        let search = SearchLoggedModels {
            experiment_ids: vec![call.experiment_id.clone()],
            filter: Some(filter(tag)),
            max_results: Some(1),
            ..SearchLoggedModels::default()
        };
        Ok(self.call(&search).await?.models.into_iter().next())
    }
}

fn request_tag() -> Tag {
    Tag::new(REQUEST_TAG, uuid::Uuid::new_v4().simple().to_string())
}

fn filter(tag: &Tag) -> String {
    format!("tags.`{}` = '{}'", tag.key, tag.value)
}
