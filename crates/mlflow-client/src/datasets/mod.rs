//! Datasets in local files.
