//! What MLflow limits (`mlflow.utils.validation` of MLflow 3.17).

/// Entities of all kinds in one `runs/log-batch`.
pub const BATCH_TOTAL: usize = 1000;
/// Metrics in one `runs/log-batch`.
pub const BATCH_METRICS: usize = 1000;
/// Params in one `runs/log-batch`, in one `logged-models` and in one `logged-models/{model_id}/params`.
pub const BATCH_PARAMS: usize = 100;
/// Tags in one `runs/log-batch`.
pub const BATCH_TAGS: usize = 100;
/// Bytes of the body of one `runs/log-batch`.
pub const BATCH_BYTES: usize = 1_000_000;
/// Characters of the key of a metric, a param or a tag.
pub const KEY_CHARACTERS: usize = 250;
/// Characters of a param's value; a server cuts a longer one without a word.
pub const PARAM_VALUE_CHARACTERS: usize = 6000;
/// Characters of a run's tag's value; a server cuts a longer one without a word.
pub const TAG_VALUE_CHARACTERS: usize = 8000;
/// Characters of an experiment's name.
pub const EXPERIMENT_NAME_CHARACTERS: usize = 500;
/// Characters of an experiment's tag's value.
pub const EXPERIMENT_TAG_VALUE_CHARACTERS: usize = 20_000;
/// Characters of a registered model's tag's value.
pub const REGISTERED_MODEL_TAG_VALUE_CHARACTERS: usize = 100_000;
/// Characters of a dataset's name.
pub const DATASET_NAME_CHARACTERS: usize = 500;
/// Characters of a dataset's digest.
pub const DATASET_DIGEST_CHARACTERS: usize = 36;
/// Characters of a dataset's source.
pub const DATASET_SOURCE_CHARACTERS: usize = 65_535;
/// Characters of a dataset's schema.
pub const DATASET_SCHEMA_CHARACTERS: usize = 1_048_575;
/// Characters of a dataset's profile.
pub const DATASET_PROFILE_CHARACTERS: usize = 16_777_215;
/// Datasets in one `runs/log-inputs`.
pub const BATCH_DATASETS: usize = 1000;
