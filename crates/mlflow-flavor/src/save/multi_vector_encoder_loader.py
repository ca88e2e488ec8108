"""Loads the late-interaction model beside this file for mlflow.pyfunc: texts in, a list of vectors for each out.

Written by `st`. MLflow's own flavor sentence_transformers loads models with one dense vector a text only.
"""


class TokenVectors:
    """What `mlflow.pyfunc` calls."""

    def __init__(self, model):
        self.model = model

    def get_raw_model(self):
        return self.model

    def predict(self, model_input, params=None):
        encode = encoding(self.model, params)
        rows = encode(texts(model_input), convert_to_numpy=True, show_progress_bar=False)
        return [row.tolist() for row in rows]


def _load_pyfunc(path, model_config=None):
    from sentence_transformers import MultiVectorEncoder

    return TokenVectors(MultiVectorEncoder(path))
