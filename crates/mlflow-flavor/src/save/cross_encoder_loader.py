"""Loads the cross-encoder beside this file for mlflow.pyfunc: columns `text` and `text_pair` in, scores out.

Written by `st`. MLflow's own flavor sentence_transformers loads models that answer vectors only.
"""


class PairScorer:
    """What `mlflow.pyfunc` calls."""

    def __init__(self, model):
        self.model = model

    def get_raw_model(self):
        return self.model

    def predict(self, model_input, params=None):
        pairs = list(zip(model_input["text"], model_input["text_pair"]))
        return self.model.predict(pairs, show_progress_bar=False)


def _load_pyfunc(path, model_config=None):
    from sentence_transformers import CrossEncoder

    return PairScorer(CrossEncoder(path))
