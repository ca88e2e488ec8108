# What a call of `mlflow.pyfunc` asks of an encoder; these lines end each loader that reads texts.


def encoding(model, params):
    """The method for texts that are queries, documents, or of which nothing is known."""
    task = (params or {}).get("task") or ""
    return {"": model.encode, "query": model.encode_query, "document": model.encode_document}[task]


def texts(model_input):
    """A text alone, a list, or the first column of a frame."""
    if isinstance(model_input, str):
        return [model_input]
    if hasattr(model_input, "iloc") and model_input.ndim == 2:
        model_input = model_input.iloc[:, 0]
    return [str(text) for text in model_input]
