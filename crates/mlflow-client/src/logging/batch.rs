//! Which of the waiting entries go into the next call.

use std::collections::HashSet;

use mlflow_types::RunId;
use mlflow_types::limits;
use mlflow_types::metrics::Metric;
use mlflow_types::runs::LogBatch;
use mlflow_types::tags::{Param, Tag};

use super::Entry;

/// Bytes kept free in a body for what surrounds the entries.
const MARGIN: usize = 1000;

/// The next call: the first of `entries`, as many as one call takes.
///
/// Order is kept by never reaching past an entry that does not fit. A key of a param or tag that occurs a second time
/// begins the next call: a server refuses the first kind, and of the second the later value must win.
pub(crate) fn next_batch(run_id: &RunId, entries: &[Entry]) -> (LogBatch, usize) {
    let mut batch =
        LogBatch { run_id: run_id.clone(), metrics: Vec::new(), params: Vec::new(), tags: Vec::new() };
    let (mut params, mut tags) = (HashSet::new(), HashSet::new());
    let mut bytes = MARGIN;
    let mut count = 0;
    for entry in entries.iter().take(limits::BATCH_TOTAL) {
        bytes += size(entry);
        // A single entry always goes: if it is too large, the server says so.
        if count > 0 && bytes > limits::BATCH_BYTES {
            break;
        }
        match entry {
            Entry::Metric(metric) => batch.metrics.push(metric.clone()),
            Entry::Param(param) if batch.params.len() < limits::BATCH_PARAMS && params.insert(&param.key) => {
                batch.params.push(param.clone());
            }
            Entry::Tag(tag) if batch.tags.len() < limits::BATCH_TAGS && tags.insert(&tag.key) => {
                batch.tags.push(tag.clone());
            }
            _ => break,
        }
        count += 1;
    }
    (batch, count)
}

/// An upper bound of the entry's bytes in a body: JSON writes a byte as six characters at most (`\u001f`).
fn size(entry: &Entry) -> usize {
    let text = |text: &str| {
        let escaped = text.bytes().filter(|byte| byte.is_ascii_control() || matches!(byte, b'"' | b'\\'));
        text.len() + 5 * escaped.count()
    };
    let option = |value: Option<&str>| value.map_or(0, text);
    match entry {
        Entry::Metric(Metric { key, model_id, dataset_name, dataset_digest, .. }) => {
            200 + text(key)
                + option(model_id.as_ref().map(AsRef::as_ref))
                + option(dataset_name.as_deref())
                + option(dataset_digest.as_deref())
        }
        Entry::Param(Param { key, value }) | Entry::Tag(Tag { key, value }) => 24 + text(key) + text(value),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(entries: &[Entry]) -> Vec<(usize, usize, usize)> {
        let run_id = RunId::try_new("r").unwrap();
        let mut rest = entries;
        let mut batches = Vec::new();
        while !rest.is_empty() {
            let (batch, count) = next_batch(&run_id, rest);
            assert!(count > 0, "{:?}", rest[0]);
            assert!(serde_json::to_vec(&batch).unwrap().len() <= limits::BATCH_BYTES);
            batches.push((batch.metrics.len(), batch.params.len(), batch.tags.len()));
            rest = &rest[count..];
        }
        batches
    }

    fn metrics(count: usize) -> Vec<Entry> {
        (0..count)
            .map(|step| Entry::Metric(Metric::new("loss", 0.5, 1, i64::try_from(step).unwrap())))
            .collect()
    }

    fn params(count: usize, value: &str) -> Vec<Entry> {
        (0..count).map(|index| Entry::Param(Param::new(format!("p{index}"), value))).collect()
    }

    #[test]
    fn a_batch_holds_what_one_call_takes() {
        assert_eq!(batches(&metrics(2500)), [(1000, 0, 0), (1000, 0, 0), (500, 0, 0)]);
        assert_eq!(batches(&params(250, "x")), [(0, 100, 0), (0, 100, 0), (0, 50, 0)]);
        let mixed: Vec<Entry> = [metrics(950), params(99, "x")].concat();
        assert_eq!(batches(&mixed), [(950, 50, 0), (0, 49, 0)]);
    }

    #[test]
    fn a_body_never_grows_past_the_limit() {
        let long = "\u{1}".repeat(6000);
        assert_eq!(batches(&params(100, &long)).iter().map(|batch| batch.1).sum::<usize>(), 100);
        let long = "\"ü€".repeat(1500);
        assert_eq!(batches(&params(100, &long)).iter().map(|batch| batch.1).sum::<usize>(), 100);
    }

    #[test]
    fn a_key_that_comes_again_begins_the_next_call() {
        let tag = |value: &str| Entry::Tag(Tag::new("stage", value));
        assert_eq!(batches(&[tag("a"), tag("b"), tag("c")]), [(0, 0, 1); 3]);
        let param = || Entry::Param(Param::new("lr", "1"));
        assert_eq!(batches(&[param(), metrics(1).remove(0), param()]), [(1, 1, 0), (0, 1, 0)]);
    }
}
