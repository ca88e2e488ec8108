//! What is logged to runs.

use mlflow_types::RunId;
use mlflow_types::inputs::{Dataset, DatasetInput};
use mlflow_types::limits::{
    BATCH_BYTES, BATCH_METRICS, BATCH_PARAMS, BATCH_TAGS, BATCH_TOTAL, DATASET_DIGEST_CHARACTERS,
    DATASET_NAME_CHARACTERS, DATASET_PROFILE_CHARACTERS, DATASET_SCHEMA_CHARACTERS,
    DATASET_SOURCE_CHARACTERS, PARAM_VALUE_CHARACTERS, TAG_VALUE_CHARACTERS,
};
use mlflow_types::metrics::{GetMetricHistory, GetMetricHistoryResponse, Metric};
use mlflow_types::runs::{
    DeleteTag, LogBatch, LogInputs, LogMetric, LogModel, LogOutputs, LogParam, Run, SetTag,
};
use mlflow_types::tags::{Param, Tag, system};

use super::experiments::set;
use super::paging::page;
use super::refusal::{Answer, absent, invalid, key, length, required};
use super::runs::rename;
use super::{RunRecord, State};

impl State {
    pub(super) fn log_metric(&mut self, call: &LogMetric) -> Answer<()> {
        required("key", &call.metric.key)?;
        check_metric("", &call.metric)?;
        let metric = stored(&call.metric);
        self.active_run(&call.run_id)?.append(metric.clone());
        self.measure_model(&call.run_id, metric);
        Ok(())
    }

    pub(super) fn log_param(&mut self, call: &LogParam) -> Answer<()> {
        required("key", &call.key)?;
        key("key", "Param key", &call.key)?;
        let value = cut(&call.value, PARAM_VALUE_CHARACTERS);
        let params = &mut self.active_run(&call.run_id)?.run.data.params;
        match params.iter().find(|param| param.key == call.key) {
            None => params.push(Param::new(&call.key, value)),
            Some(known) if known.value == value => {}
            Some(known) => {
                return Err(invalid(format!(
                    "Changing param values is not allowed. Param with key='{}' was already logged with value='{}' for run ID='{}'. Attempted logging new value '{value}'.",
                    call.key, known.value, call.run_id
                )));
            }
        }
        Ok(())
    }

    pub(super) fn log_batch(&mut self, call: &LogBatch) -> Answer<()> {
        check_batch(call)?;
        let record = self.active_run(&call.run_id)?;
        let new_params = new_params(&record.run, call)?;
        record.run.data.params.extend(new_params);
        for metric in &call.metrics {
            record.append(stored(metric));
        }
        for tag in &call.tags {
            set_tag(&mut record.run, &tag.key, &tag.value);
        }
        for metric in &call.metrics {
            self.measure_model(&call.run_id, stored(metric));
        }
        Ok(())
    }

    pub(super) fn set_tag(&mut self, call: &SetTag) -> Answer<()> {
        required("key", &call.key)?;
        key("key", "key", &call.key)?;
        set_tag(&mut self.active_run(&call.run_id)?.run, &call.key, &call.value);
        Ok(())
    }

    pub(super) fn delete_tag(&mut self, call: &DeleteTag) -> Answer<()> {
        required("key", &call.key)?;
        let tags = &mut self.active_run(&call.run_id)?.run.data.tags;
        let before = tags.len();
        tags.retain(|tag| tag.key != call.key);
        if tags.len() == before {
            return Err(absent(format!("No tag with name: {} in run with id {}", call.key, call.run_id)));
        }
        Ok(())
    }

    pub(super) fn log_inputs(&mut self, call: &LogInputs) -> Answer<()> {
        call.datasets.iter().try_for_each(check_dataset)?;
        let experiment = self.active_run(&call.run_id)?.run.info.experiment_id.clone();
        for input in &call.datasets {
            let place = (experiment.clone(), input.dataset.name.clone(), input.dataset.digest.clone());
            let dataset: Dataset =
                self.datasets.entry(place).or_insert_with(|| input.dataset.clone()).clone();
            let known = &mut self.active_run(&call.run_id)?.run.inputs.dataset_inputs;
            // A dataset is an input of a run once; later tags of the same use are dropped, as on the server.
            if !known.iter().any(|known| known.dataset == dataset) {
                known.push(DatasetInput { tags: input.tags.clone(), dataset });
            }
        }
        let models = &mut self.active_run(&call.run_id)?.run.inputs.model_inputs;
        for model in &call.models {
            if !models.contains(model) {
                models.push(model.clone());
            }
        }
        Ok(())
    }

    pub(super) fn log_outputs(&mut self, call: &LogOutputs) -> Answer<()> {
        if call.models.is_empty() {
            return required("models", "");
        }
        self.active_run(&call.run_id)?.run.outputs.model_outputs.extend(call.models.iter().cloned());
        Ok(())
    }

    pub(super) fn log_model(&mut self, call: &LogModel) -> Answer<()> {
        let model: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&call.model_json)
            .map_err(|_| {
                invalid(format!("Malformed model info. \n {} \n is not a valid JSON.", call.model_json))
            })?;
        let missing: Vec<String> = ["artifact_path", "flavors", "utc_time_created", "run_id"]
            .into_iter()
            .filter(|field| !model.contains_key(*field))
            .map(|field| format!("'{field}'"))
            .collect();
        if !missing.is_empty() {
            return Err(invalid(format!(
                "Model json is missing mandatory fields: {{{}}}",
                missing.join(", ")
            )));
        }
        let run = &mut self.active_run(&call.run_id)?.run;
        let known = run.data.tags.iter().find(|tag| tag.key == system::LOG_MODEL_HISTORY);
        let mut models: Vec<serde_json::Value> =
            known.and_then(|tag| serde_json::from_str(&tag.value).ok()).unwrap_or_default();
        models.push(model.into());
        set(
            &mut run.data.tags,
            Tag::new(system::LOG_MODEL_HISTORY, serde_json::Value::from(models).to_string()),
        );
        Ok(())
    }

    pub(super) fn get_metric_history(&mut self, call: &GetMetricHistory) -> Answer<GetMetricHistoryResponse> {
        required("metric_key", &call.metric_key)?;
        if call.max_results == Some(0) {
            return Err(invalid(
                "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer.",
            ));
        }
        let record = self.run_record(&call.run_id)?;
        let mut metrics: Vec<Metric> =
            record.history.iter().filter(|metric| metric.key == call.metric_key).cloned().collect();
        metrics.sort_by(|left, right| {
            (left.timestamp, left.step)
                .cmp(&(right.timestamp, right.step))
                .then_with(|| zero_for_nan(left.value).total_cmp(&zero_for_nan(right.value)))
        });
        let size = call.max_results.map_or(usize::MAX, |size| usize::try_from(size).unwrap_or(usize::MAX));
        let (metrics, next_page_token) = page(metrics, call.page_token.as_deref(), size)?;
        Ok(GetMetricHistoryResponse { metrics, next_page_token })
    }

    /// A metric that names a logged model is kept with the model too.
    fn measure_model(&mut self, run_id: &RunId, metric: Metric) {
        let Some(record) = metric.model_id.as_ref().and_then(|id| self.logged_models.get_mut(id)) else {
            return;
        };
        // The table of models' metrics has no place for what is no number.
        let measured = Metric { run_id: Some(run_id.clone()), value: zero_for_nan(metric.value), ..metric };
        let metrics = &mut record.model.data.metrics;
        let known = metrics.iter().any(|known| {
            known.key == measured.key
                && known.timestamp == measured.timestamp
                && known.step == measured.step
                && known.run_id == measured.run_id
        });
        if !known {
            metrics.push(measured);
        }
    }
}

impl RunRecord {
    /// Appends a value, unless it is there already, and keeps it as the latest if it is.
    fn append(&mut self, metric: Metric) {
        let metric =
            Metric { model_id: None, dataset_name: None, dataset_digest: None, run_id: None, ..metric };
        if self.history.iter().any(|known| same(known, &metric)) {
            return;
        }
        let latest = &mut self.run.data.metrics;
        match latest.iter_mut().find(|known| known.key == metric.key) {
            None => latest.push(metric.clone()),
            Some(known) if metric.is_later_than(known) => *known = metric.clone(),
            Some(_) => {}
        }
        self.history.push(metric);
    }
}

fn same(left: &Metric, right: &Metric) -> bool {
    left.key == right.key
        && left.timestamp == right.timestamp
        && left.step == right.step
        && left.value.to_bits() == right.value.to_bits()
}

/// What the database keeps of a metric: the infinite becomes the greatest double.
fn stored(metric: &Metric) -> Metric {
    let value = if metric.value.is_nan() { f64::NAN } else { metric.value.clamp(f64::MIN, f64::MAX) };
    Metric { value, ..metric.clone() }
}

fn zero_for_nan(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

/// Sets a tag; that of the run's name renames the run.
fn set_tag(run: &mut Run, key: &str, value: &str) {
    let value = cut(value, TAG_VALUE_CHARACTERS);
    if key == system::RUN_NAME {
        rename(run, &value);
    } else {
        set(&mut run.data.tags, Tag::new(key, value));
    }
}

/// The first characters of a text.
fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn check_metric(path: &str, metric: &Metric) -> Answer<()> {
    let at = |field: &str| if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
    key(&at("name"), "Metric name", &metric.key)?;
    if metric.timestamp < 0 {
        return Err(invalid(format!(
            "Invalid value {} for parameter '{}' supplied: metric '{}' (value={:?}). Timestamp must be a nonnegative long (64-bit integer) ",
            metric.timestamp,
            at("timestamp"),
            metric.key,
            metric.value
        )));
    }
    Ok(())
}

fn check_batch(call: &LogBatch) -> Answer<()> {
    let bytes = serde_json::to_vec(call).map_or(0, |body| body.len());
    if bytes > BATCH_BYTES {
        return Err(invalid(format!(
            "Batched logging API requests must be at most {BATCH_BYTES} bytes, got a request of size {bytes}."
        )));
    }
    for (index, metric) in call.metrics.iter().enumerate() {
        check_metric(&format!("metrics[{index}]"), metric)?;
    }
    for (index, param) in call.params.iter().enumerate() {
        key(&format!("params[{index}].key"), "Param key", &param.key)?;
    }
    for (index, tag) in call.tags.iter().enumerate() {
        let path = format!("tags[{index}].key");
        key(&path, &path, &tag.key)?;
    }
    let (metrics, params, tags) = (call.metrics.len(), call.params.len(), call.tags.len());
    check_count("metrics", BATCH_METRICS, metrics)?;
    check_count("params", BATCH_PARAMS, params)?;
    check_count("tags", BATCH_TAGS, tags)?;
    check_count("metrics, params, and tags", BATCH_TOTAL, metrics + params + tags)?;
    let repeated: Vec<String> = call
        .params
        .iter()
        .enumerate()
        .filter(|(index, param)| call.params.iter().take(*index).any(|earlier| earlier.key == param.key))
        .map(|(_, param)| format!("'{}'", param.key))
        .collect();
    if repeated.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "Duplicate parameter keys have been submitted: [{}]. Please ensure the request contains only one param value per param key.",
        repeated.join(", ")
    )))
}

fn check_count(what: &str, limit: usize, count: usize) -> Answer<()> {
    if count <= limit {
        return Ok(());
    }
    Err(invalid(format!(
        "A batch logging request can contain at most {limit} {what}. Got {count} {what}. Please split up {what} across multiple requests and try again."
    )))
}

/// The params of a batch that the run does not have yet; it must not have them with other values.
fn new_params(run: &Run, call: &LogBatch) -> Answer<Vec<Param>> {
    let mut new = Vec::new();
    let mut differing = Vec::new();
    for param in &call.params {
        let value = cut(&param.value, PARAM_VALUE_CHARACTERS);
        match run.data.params.iter().find(|known| known.key == param.key) {
            None => new.push(Param::new(&param.key, value)),
            Some(known) if known.value == value => {}
            Some(known) => differing.push(format!(
                "{{'key': '{}', 'old_value': '{}', 'new_value': '{value}'}}",
                param.key, known.value
            )),
        }
    }
    if differing.is_empty() {
        return Ok(new);
    }
    Err(invalid(format!(
        "Changing param values is not allowed. Params were already logged='[{}]' for run ID='{}'.",
        differing.join(", "),
        call.run_id
    )))
}

fn check_dataset(input: &DatasetInput) -> Answer<()> {
    let dataset = &input.dataset;
    length("name", DATASET_NAME_CHARACTERS, &dataset.name)?;
    length("digest", DATASET_DIGEST_CHARACTERS, &dataset.digest)?;
    length("source", DATASET_SOURCE_CHARACTERS, &dataset.source)?;
    length("schema", DATASET_SCHEMA_CHARACTERS, dataset.schema.as_deref().unwrap_or_default())?;
    length("profile", DATASET_PROFILE_CHARACTERS, dataset.profile.as_deref().unwrap_or_default())?;
    input.tags.iter().try_for_each(|tag| {
        length("key", 255, &tag.key)?;
        length("value", 500, &tag.value)
    })
}
