//! What a server writes as plain rows: it refuses to write one twice.
//!
//! What a run made and the params of a logged model are rows whose key is all of them but a step or a value. A call of them
//! is one transaction, so a look finds all of its rows or none; sent again after the first one ran, it is a refusal.

use mlflow_types::limits;
use mlflow_types::logged_models::{GetLoggedModel, LogLoggedModelParams};
use mlflow_types::runs::{GetRun, LogOutputs};
use mlflow_types::tags::Param;

use super::RestStore;
use super::careful::{Careful, Sent};
use crate::Result;

impl RestStore {
    pub(crate) async fn log_outputs_once(&self, call: &LogOutputs) -> Result<()> {
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(_) => return Ok(()),
                Sent::Unknown => {
                    if careful.seen(self.find_outputs(call).await)?.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn find_outputs(&self, call: &LogOutputs) -> Result<Option<()>> {
        let run = self.call(&GetRun { run_id: call.run_id.clone() }).await?.run;
        let there = run.outputs.model_outputs;
        Ok(call.models.iter().all(|model| there.contains(model)).then_some(()))
    }

    pub(crate) async fn log_logged_model_params_once(&self, call: &LogLoggedModelParams) -> Result<()> {
        let mut careful = Careful::new(self);
        loop {
            match careful.send(call).await? {
                Sent::Answer(_) => return Ok(()),
                Sent::Unknown => {
                    if careful.seen(self.find_params(call).await)?.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn find_params(&self, call: &LogLoggedModelParams) -> Result<Option<()>> {
        let model = self.call(&GetLoggedModel { model_id: call.model_id.clone() }).await?.model;
        let is_there = |param: &Param| model.data.params.iter().any(|there| is_kept_as(param, there));
        Ok(call.params.iter().all(is_there).then_some(()))
    }
}

/// Whether a server that got the one holds the other; some cut a value that is too long.
fn is_kept_as(ours: &Param, there: &Param) -> bool {
    let cut = || ours.value.char_indices().nth(limits::PARAM_VALUE_CHARACTERS).map(|(end, _)| end);
    ours.key == there.key
        && (ours.value == there.value
            || cut().is_some_and(|end| ours.value.get(..end) == Some(there.value.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_cut_is_ours_still() {
        let long = "ö".repeat(6001);
        for (ours, there, same) in [
            ("1", "1", true),
            ("1", "2", false),
            (long.as_str(), long.as_str(), true),
            (long.as_str(), &"ö".repeat(6000), true),
            (long.as_str(), &"ö".repeat(5999), false),
            ("öö", "ö", false),
        ] {
            assert_eq!(is_kept_as(&Param::new("k", ours), &Param::new("k", there)), same, "{}", there.len());
        }
        assert!(!is_kept_as(&Param::new("k", "1"), &Param::new("l", "1")));
    }
}
