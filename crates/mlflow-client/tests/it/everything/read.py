"""Everything that Python's MLflow finds in the database `mlflow.db` of the working directory, as its server would say it."""

import json

import mlflow
from mlflow.entities import ViewType
from mlflow.utils.proto_json_utils import message_to_json

mlflow.set_tracking_uri("sqlite:///mlflow.db")
client = mlflow.MlflowClient()


def said(entity):
    return json.loads(message_to_json(entity.to_proto()))


experiments = client.search_experiments(view_type=ViewType.ALL)
ids = [experiment.experiment_id for experiment in experiments]
runs = [client.get_run(run.info.run_id) for run in client.search_runs(ids, run_view_type=ViewType.ALL)]
histories = [
    {"metrics": [said(metric) for metric in client.get_metric_history(run.info.run_id, key)]}
    for run in sorted(runs, key=lambda run: run.info.run_id)
    for key in sorted(run.data.metrics)
]
found = {
    "experiments": [said(experiment) for experiment in experiments],
    "runs": [said(run) for run in runs],
    "histories": histories,
    "logged_models": [said(model) for model in client.search_logged_models(ids)],
    "registered_models": [said(client.get_registered_model(model.name)) for model in client.search_registered_models()],
    "model_versions": [
        said(client.get_model_version(version.name, version.version)) for version in client.search_model_versions()
    ],
}
print(json.dumps(found))
