"""One of everything, written by Python's MLflow into the database `mlflow.db` of the working directory."""

import mlflow
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)
from mlflow.entities.logged_model_status import LoggedModelStatus

mlflow.set_tracking_uri("sqlite:///mlflow.db")
client = mlflow.MlflowClient()

experiment = client.create_experiment("größe 𝄞", tags={"team": "search"})
client.create_experiment("elsewhere", artifact_location="s3://bucket/root")
deleted = client.create_experiment("deleted")
client.create_run(deleted)
client.delete_experiment(deleted)

run = client.create_run(experiment, start_time=1_700_000_000_000, tags={"mlflow.user": "ann"}, run_name="named")
run_id = run.info.run_id
client.log_batch(
    run_id,
    metrics=[
        Metric("loss", float("nan"), 5, 1),
        Metric("loss", float("inf"), 4, 0),
        Metric("loss", 0.1, 4, 0),
        Metric("val/acc", float("-inf"), 1, -3),
        Metric("tiny", 5e-324, 1, 0),
    ],
    params=[Param("lr", "0.1"), Param("empty", ""), Param("a b.c-d_e:f/g", "ö" * 6000)],
    tags=[RunTag("mlflow.note.content", "line\nline")],
)
unnamed = client.create_run(experiment)
client.set_tag(unnamed.info.run_id, "mlflow.parentRunId", run_id)
client.delete_run(client.create_run(experiment).info.run_id)

model = client.create_logged_model(
    experiment, name="enc", source_run_id=run_id, tags={"a": "b"}, params={"pooling": "mean"}, model_type="encoder"
)
nameless = client.create_logged_model(experiment)
client.finalize_logged_model(nameless.model_id, LoggedModelStatus.FAILED)
client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 3)])
dataset = Dataset("sts", "0a1b2c", "code", '{"tags": {}}', schema="[]", profile='{"rows": 2}')
client.log_inputs(
    run_id,
    datasets=[DatasetInput(dataset, [InputTag("mlflow.data.context", "eval")])],
    models=[LoggedModelInput(nameless.model_id)],
)
client.log_metric(
    run_id, "spearman", 0.8, timestamp=7, step=2, dataset_name="sts", dataset_digest="0a1b2c", model_id=model.model_id
)
client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
client.set_terminated(run_id, "FINISHED", end_time=1_700_000_001_000)

client.create_registered_model("reg-enc", tags={"owner": "search"}, description="Encodes.")
first = client.create_model_version(
    "reg-enc", f"models:/{model.model_id}", tags={"v": "1"}, description="The first.", model_id=model.model_id
)
client.create_model_version("reg-enc", "s3://bucket/model", run_id=unnamed.info.run_id)
client.create_model_version("reg-enc", "s3://bucket/other")
client.set_registered_model_alias("reg-enc", "champion", first.version)
client.set_registered_model_alias("reg-enc", "newest", 2)
client.transition_model_version_stage("reg-enc", 2, "Production")
client.delete_model_version("reg-enc", "3")
client.create_registered_model("empty")
print("null")
