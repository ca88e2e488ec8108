//! Runs, without what is logged to them.

use mlflow_types::RunId;
use mlflow_types::experiments::LifecycleStage;
use mlflow_types::filter::{Filter, OrderBy, Searched, compare_runs};
use mlflow_types::runs::{
    CreateRun, DeleteRun, GetRun, RestoreRun, Run, RunData, RunInfo, RunInputs, RunOutputs, RunStatus,
    SearchRuns, SearchRunsResponse, UpdateRun,
};
use mlflow_types::tags::{Tag, system};

use super::experiments::{in_view, merged, set};
use super::paging::{limited, page, tracking_size};
use super::refusal::{Answer, absent, invalid};
use super::{RunRecord, State, random_name, stage};

/// Runs a page, when the call does not say.
const PAGE: u32 = 1000;

impl State {
    pub(super) fn create_run(&mut self, call: &CreateRun) -> Answer<Run> {
        let artifacts = self.active_experiment(&call.experiment_id)?.artifact_location.clone();
        let name = run_name(call)?;
        let id = uuid::Uuid::new_v4().simple().to_string();
        let run_id = RunId::try_new(id).map_err(|error| invalid(error.to_string()))?;
        let mut tags = merged(&call.tags);
        set(&mut tags, Tag::new(system::RUN_NAME, &name));
        let run = Run {
            info: RunInfo {
                run_id: run_id.clone(),
                run_name: name,
                experiment_id: call.experiment_id.clone(),
                user_id: call.user_id.clone(),
                status: RunStatus::Running,
                start_time: Some(call.start_time),
                end_time: None,
                artifact_uri: format!("{artifacts}/{run_id}/artifacts"),
                lifecycle_stage: LifecycleStage::Active,
            },
            data: RunData { tags, ..RunData::default() },
            inputs: RunInputs::default(),
            outputs: RunOutputs::default(),
        };
        self.runs.insert(run_id, RunRecord { run: run.clone(), history: Vec::new() });
        Ok(run)
    }

    pub(super) fn get_run(&self, call: &GetRun) -> Answer<Run> {
        self.runs.get(&call.run_id).map(|record| record.run.clone()).ok_or_else(|| no_run(&call.run_id))
    }

    pub(super) fn update_run(&mut self, call: &UpdateRun) -> Answer<RunInfo> {
        let run = &mut self.active_run(&call.run_id)?.run;
        if let Some(status) = call.status {
            run.info.status = status;
        }
        if call.end_time.is_some() {
            run.info.end_time = call.end_time;
        }
        if let Some(name) = call.run_name.as_ref().filter(|name| !name.is_empty()) {
            rename(run, name);
        }
        Ok(run.info.clone())
    }

    pub(super) fn delete_run(&mut self, call: &DeleteRun) -> Answer<()> {
        self.run_record(&call.run_id)?.run.info.lifecycle_stage = LifecycleStage::Deleted;
        Ok(())
    }

    pub(super) fn restore_run(&mut self, call: &RestoreRun) -> Answer<()> {
        self.run_record(&call.run_id)?.run.info.lifecycle_stage = LifecycleStage::Active;
        Ok(())
    }

    pub(super) fn search_runs(&self, call: &SearchRuns) -> Answer<SearchRunsResponse> {
        let size = call.max_results.unwrap_or(PAGE);
        limited(size, 50_000)?;
        let size = tracking_size(size)?;
        let filter = Filter::parse_optional(Searched::Runs, call.filter.as_deref())?;
        let orders = OrderBy::parse_all(Searched::Runs, &call.order_by)?;
        let mut found: Vec<&Run> = self
            .runs
            .values()
            .map(|record| &record.run)
            .filter(|run| call.experiment_ids.contains(&run.info.experiment_id))
            .filter(|run| in_view(run.info.lifecycle_stage, call.run_view_type))
            .filter(|run| filter.matches_run(run))
            .collect();
        found.sort_by(|left, right| compare_runs(&orders, left, right));
        let (found, next_page_token) = page(found, call.page_token.as_deref(), size)?;
        Ok(SearchRunsResponse { runs: found.into_iter().cloned().collect(), next_page_token })
    }

    pub(super) fn run_record(&mut self, id: &RunId) -> Answer<&mut RunRecord> {
        self.runs.get_mut(id).ok_or_else(|| no_run(id))
    }

    /// A run that can be changed.
    pub(super) fn active_run(&mut self, id: &RunId) -> Answer<&mut RunRecord> {
        let record = self.run_record(id)?;
        match record.run.info.lifecycle_stage {
            LifecycleStage::Active => Ok(record),
            deleted @ LifecycleStage::Deleted => Err(invalid(format!(
                "The run {id} must be in the 'active' state. Current state is {}.",
                stage(deleted)
            ))),
        }
    }
}

fn no_run(id: &RunId) -> super::refusal::Refusal {
    absent(format!("Run with id={id} not found"))
}

/// The name that a run gets: its own, its tag's, or an invented one.
fn run_name(call: &CreateRun) -> Answer<String> {
    let given = call.run_name.as_deref().filter(|name| !name.is_empty());
    let tag = call.tags.iter().find(|tag| tag.key == system::RUN_NAME).map(|tag| tag.value.as_str());
    match (given, tag.filter(|tag| !tag.is_empty())) {
        (Some(given), Some(tag)) if given != tag => Err(invalid(format!(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{given}', mlflow.runName='{tag}')."
        ))),
        (Some(name), _) | (None, Some(name)) => Ok(name.to_owned()),
        (None, None) => Ok(random_name()),
    }
}

/// Gives a run another name, in both places where it has one.
pub(super) fn rename(run: &mut Run, name: &str) {
    name.clone_into(&mut run.info.run_name);
    set(&mut run.data.tags, Tag::new(system::RUN_NAME, name));
}
