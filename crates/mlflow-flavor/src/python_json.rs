//! JSON as Python's `json.dumps` writes it.
