"""Loads the sparse encoder beside this file for mlflow.pyfunc: texts in, columns `indices` and `values` out.

Written by `st`. MLflow's own flavor sentence_transformers loads models with one dense vector a text only.
"""


class SparseVectors:
    """What `mlflow.pyfunc` calls."""

    def __init__(self, model):
        self.model = model

    def get_raw_model(self):
        return self.model

    def predict(self, model_input, params=None):
        import pandas

        encode = encoding(self.model, params)
        rows = encode(texts(model_input), convert_to_sparse_tensor=False, show_progress_bar=False)
        answer = {"indices": [], "values": []}
        for row in rows:
            active = row.nonzero().flatten()
            answer["indices"].append(active.tolist())
            answer["values"].append(row[active].tolist())
        return pandas.DataFrame(answer)


def _load_pyfunc(path, model_config=None):
    from sentence_transformers import SparseEncoder

    return SparseVectors(SparseEncoder(path))
