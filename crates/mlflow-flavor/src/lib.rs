//! mlflow-flavor: not written yet.
