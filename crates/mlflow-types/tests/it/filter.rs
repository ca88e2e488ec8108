//! The language of searches: what is read, what is refused, what is written, and what it means.

use mlflow_types::filter::{Attribute, DatasetAttribute, Filter, OrderBy, Searched, compare_runs, like};
use mlflow_types::runs::Run;
use proptest::prelude::*;
use serde_json::json;

/// Reads a filter and writes it again.
#[track_caller]
fn reads(searched: Searched, text: &str, expected: &str) {
    let filter = Filter::parse(searched, text).expect("a filter");
    assert_eq!(filter.to_string(), expected, "{text}");
    assert_eq!(Filter::parse(searched, expected).expect("a filter"), filter, "{expected}");
}

#[track_caller]
fn refuses(searched: Searched, text: &str, expected: &str) {
    let error = Filter::parse(searched, text).expect_err("no filter");
    assert_eq!(error.to_string(), expected, "{text}");
}

#[test]
fn of_runs() {
    let reads = |text, expected| reads(Searched::Runs, text, expected);
    reads("", "");
    reads("metrics.a>1", "metrics.a > 1");
    reads("metric.a >1e-3", "metrics.a > 0.001");
    reads("metrics.a > -.5", "metrics.a > -0.5");
    reads("metrics.a >= 1e30", "metrics.a >= 1e30");
    reads("metrics.\"a b\" > 1", "metrics.`a b` > 1");
    reads("metrics.'a b' > 1", "metrics.`a b` > 1");
    reads("`metrics`.a.b > 1", "metrics.a.b > 1");
    reads("metrics.1a > 1", "metrics.`1a` > 1");
    reads("parameters.k = \"v\"", "params.k = 'v'");
    reads("params.k = 'it''s'", "params.k = \"it''s\"");
    reads("params.k = 'a\\'b'", "params.k = \"a\\'b\"");
    reads("params.k like 'a%' and tag.b iLike 'x'", "params.k LIKE 'a%' AND tags.b ILIKE 'x'");
    reads("params.k is  null AND tags.`a.b` IS not NULL", "params.k IS NULL AND tags.a.b IS NOT NULL");
    reads("attributes.run_id in ('a', \"b\",)", "run_id IN ('a', 'b')");
    reads("run_id NOT  IN ('a')", "run_id NOT IN ('a')");
    reads("run_id IN ('a\\'\\\\\\n')", "run_id IN ('a\\x27\\x5c\\n')");
    reads("`run name` = 'x' AND Created > 5", "run_name = 'x' AND start_time > 5");
    reads("attr.status != \"FAILED\"", "status != 'FAILED'");
    reads("start_time > 5.5", "start_time > 5.5");
    reads(
        "dataset.name = 'a' AND datasets.digest in ('b')",
        "datasets.name = 'a' AND datasets.digest IN ('b')",
    );
    reads(
        "AND params.a='b'AND params.c='d' params.e = 'f' AND",
        "params.a = 'b' AND params.c = 'd' AND params.e = 'f'",
    );
    reads("params.`IN` = 'x'", "params.`IN` = 'x'");
    reads("metrics.é\n>\t1", "metrics.`é` > 1");
}

#[test]
fn of_runs_refused() {
    let refuses = |text, expected| refuses(Searched::Runs, text, expected);
    refuses("  ", "Invalid filter '  '. Could not be parsed.");
    refuses("metrics.a = NaN", "Expected numeric value type for metric. Found NaN");
    refuses("metrics.a > 1AND metrics.b>2", "Expected numeric value type for metric. Found 1AND");
    refuses("metrics.a/b > 1", "Invalid comparison clause. Expected 'Identifier' found 'metrics.a/b'");
    refuses("1 < metrics.a", "Invalid comparison clause. Expected 'Identifier' found '1'");
    refuses(
        "params.k = v",
        "Parameter value is either not quoted or unidentified quote types used for string value v. Use either single or double quotes.",
    );
    refuses("params.k = 3", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 3");
    refuses("tags.k IN ('a')", "tags.k cannot be compared with a list");
    refuses(
        "status IN ('a')",
        "Only ['run_id'] attributes support comparison with a list of quoted string values.",
    );
    refuses(
        "run_id IN ()",
        "While parsing a list in the query, expected a non-empty list of string values, but got empty list",
    );
    refuses(
        "run_id IN (1)",
        "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (1,)",
    );
    refuses("start_time > '5'", "Expected numeric value type for numeric attribute: start_time. Found '5'");
    refuses("status > 'a'", "Invalid comparator '>' not one of '=', '!=', 'LIKE', 'ILIKE'");
    refuses("metrics.a LIKE 'x'", "Invalid comparator 'LIKE' not one of '=', '!=', '>', '>=', '<', '<='");
    refuses("metrics.a == 1", "Invalid comparator '==' not one of '=', '!=', '>', '>=', '<', '<='");
    refuses("metric.a = 1 OR metric.b = 2", "Invalid clause(s) in filter string: 'OR', 'metric.b', '=', '2'");
    refuses("(metric.a = 1)", "Invalid clause(s) in filter string: '(', 'metric.a', '=', '1', ')'");
    refuses("metrics.a = 1;", "Invalid clause(s) in filter string: ';'");
    refuses(
        "foo.a = 1",
        "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    );
    refuses(
        "attributes.foo = 'a'",
        "Invalid attribute key 'foo' specified. Valid keys are '{'artifact_uri', 'end_time', 'run_id', 'run_name', 'start_time', 'status', 'user_id'}'",
    );
    refuses(
        "dataset.foo = 'a'",
        "Invalid dataset key 'foo' specified. Valid keys are '{'name', 'digest', 'context'}'",
    );
    refuses("params.a = 'x", "Invalid clause(s) in filter string: ''x'");
    refuses("params.a", "Invalid clause(s) in filter string: 'params.a'");
    refuses(
        "end_time IS NULL",
        "IS NULL / IS NOT NULL is only supported for tags and params, not for 'end_time'",
    );
}

#[test]
fn of_experiments() {
    reads(Searched::Experiments, "name LIKE 'x%' AND tag.k != 'v'", "name LIKE 'x%' AND tags.k != 'v'");
    reads(Searched::Experiments, "experiment_id IN ('1','2')", "experiment_id IN ('1', '2')");
    reads(
        Searched::Experiments,
        "attribute.creation_time > 5 AND tags.k is null",
        "creation_time > 5 AND tags.k IS NULL",
    );
    refuses(
        Searched::Experiments,
        "name like 'x'",
        "Invalid comparator 'like' not one of 'LIKE', 'ILIKE', 'IN', 'NOT IN' in capital letters",
    );
    refuses(
        Searched::Experiments,
        "experiment_id = 'x'",
        "Invalid experiment ID: x. Experiment ID must be a valid integer.",
    );
    refuses(
        Searched::Experiments,
        "creation_time > 5.5",
        "Invalid value for numeric attribute 'creation_time': 5.5",
    );
    refuses(
        Searched::Experiments,
        "params.a = 'x'",
        "Invalid entity type 'params'. Valid values are ('attribute', 'tag', 'tags')",
    );
}

#[test]
fn of_models() {
    reads(
        Searched::LoggedModels,
        "name like 'x' AND creation_time > 5",
        "name LIKE 'x' AND creation_timestamp > 5",
    );
    reads(
        Searched::LoggedModels,
        "params.k in ('a') AND metrics.`a b` > 1.5",
        "params.k IN ('a') AND metrics.`a b` > 1.5",
    );
    reads(Searched::LoggedModels, "status = 2", "status = '2'");
    refuses(
        Searched::LoggedModels,
        "metric.a > 1",
        "Invalid entity type 'metric'. Valid values are ['attributes', 'metrics', 'params', 'tags']",
    );
    refuses(
        Searched::LoggedModels,
        "params.k IS NULL",
        "IS NULL / IS NOT NULL is only supported for runs and experiments, not for 'params.k'",
    );
    reads(
        Searched::RegisteredModels,
        "name IN ('a','b') AND tag.`a b` like 'x'",
        "name IN ('a', 'b') AND tags.`a b` LIKE 'x'",
    );
    refuses(
        Searched::RegisteredModels,
        "`name` = 'x'",
        "Invalid attribute key '`name`' specified. Valid keys are '{'name'}'",
    );
    reads(
        Searched::ModelVersions,
        "version_number = '1' AND run_id IN ('a')",
        "version_number = 1 AND run_id IN ('a')",
    );
    reads(Searched::ModelVersions, "source_path LIKE 'x%'", "source_path LIKE 'x%'");
    refuses(
        Searched::ModelVersions,
        "version_number > 1.5",
        "Invalid value for numeric attribute 'version_number': 1.5",
    );
    refuses(
        Searched::ModelVersions,
        "source_path IN ('x')",
        "Only ['name', 'run_id'] attributes support comparison with a list of quoted string values.",
    );
}

#[test]
fn texts_that_quotes_cannot_hold() {
    let both = "it's \"so\"";
    assert_eq!(
        Filter::param("k").equals(both).text_for(Searched::Runs).unwrap_err().to_string(),
        r#"a filter cannot say the text "it's \"so\"": it needs both kinds of quotes"#
    );
    let listed = Filter::param("k").equals(both).text_for(Searched::LoggedModels).unwrap();
    assert_eq!(listed, r#"params.k IN ('it\x27s "so"')"#);
    assert!(Filter::parse(Searched::LoggedModels, &listed).is_ok());
    assert_eq!(
        Filter::text(Attribute::Name).differs_from("it's").text_for(Searched::LoggedModels).unwrap(),
        r"name NOT IN ('it\x27s')"
    );
    assert_eq!(
        Filter::metric("a`b").greater(1).text_for(Searched::LoggedModels).unwrap_err().to_string(),
        r#"a filter cannot name the key "a`b""#
    );
    assert_eq!(
        Filter::dataset(DatasetAttribute::Name)
            .equals("x")
            .check(Searched::Experiments)
            .unwrap_err()
            .to_string(),
        "datasets.name cannot be compared in this search"
    );
}

#[test]
fn patterns() {
    for (text, pattern, expected) in [
        ("", "", true),
        ("", "%", true),
        ("a", "", false),
        ("abc", "a%", true),
        ("abc", "%c", true),
        ("abc", "%b%", true),
        ("abc", "a_c", true),
        ("abc", "a_", false),
        ("aXbXc", "a%b%c", true),
        ("ab", "a%b%c", false),
        ("é", "_", true),
        ("ABC", "abc", false),
        ("a%c", "a%%c", true),
        ("mississippi", "m%is%ip%", true),
        ("a\nb", "a%b", true),
    ] {
        assert_eq!(like(text, pattern), expected, "{text:?} LIKE {pattern:?}");
    }
}

fn run(id: &str, data: serde_json::Value) -> Run {
    serde_json::from_value(json!({
        "info": {"run_id": id, "experiment_id": "1", "status": "FINISHED", "start_time": 10, "user_id": "ann"},
        "data": data,
        "inputs": {"dataset_inputs": [{
            "tags": [{"key": "mlflow.data.context", "value": "test"}],
            "dataset": {"name": "sts", "digest": "d", "source_type": "local", "source": "{}"},
        }]},
    }))
    .expect("a run")
}

#[test]
fn meaning() {
    let run = run(
        "r1",
        json!({
            "metrics": [{"key": "m", "value": 0.5, "timestamp": 1}, {"key": "n", "value": "NaN", "timestamp": 1}],
            "params": [{"key": "p", "value": "Mean"}],
            "tags": [{"key": "mlflow.runName", "value": "first"}, {"key": "e", "value": ""}],
        }),
    );
    for (text, expected) in [
        ("", true),
        ("metrics.m > 0.4 AND metrics.m <= 0.5", true),
        ("metrics.m > 0.5", false),
        ("metrics.absent != 1", false),
        ("metrics.n != 1", true),
        ("metrics.n = 0", false),
        ("metrics.n < 1", false),
        ("params.p = 'mean'", false),
        ("params.p LIKE 'mean'", false),
        ("params.p ILIKE 'M_AN'", true),
        ("params.absent != 'x'", false),
        ("params.absent IS NULL", true),
        ("tags.e IS NOT NULL AND tags.e = ''", true),
        ("run_name = 'first'", true),
        ("status != 'RUNNING' AND start_time = 10.0", true),
        ("end_time != 5", false),
        ("run_id IN ('r1')", true),
        ("run_id NOT IN ('r1', 'r2')", false),
        ("datasets.name = 'sts' AND datasets.context LIKE 't%'", true),
        ("datasets.digest != 'd'", false),
    ] {
        let filter = Filter::parse(Searched::Runs, text).unwrap();
        assert_eq!(filter.matches_run(&run), expected, "{text}");
    }
}

#[track_caller]
fn ordered(clauses: &[&str], expected: &str) {
    let metric =
        |value: serde_json::Value| json!({"metrics": [{"key": "m", "value": value, "timestamp": 1}]});
    let mut runs = [
        run("a", metric(json!(1.0))),
        run("b", metric(json!("NaN"))),
        run("c", json!({})),
        run("d", metric(json!(2.0))),
    ];
    let clauses: Vec<String> = clauses.iter().map(ToString::to_string).collect();
    let orders = OrderBy::parse_all(Searched::Runs, &clauses).expect("clauses");
    runs.sort_by(|left, right| compare_runs(&orders, left, right));
    let found: Vec<&str> = runs.iter().map(|run| run.info.run_id.as_str()).collect();
    assert_eq!(found.join(" "), expected);
}

#[test]
fn orders() {
    ordered(&[], "a b c d");
    ordered(&["metrics.m"], "a d b c");
    ordered(&["metrics.`m` desc"], "d a b c");
    ordered(&["start_time", "run_id DESC"], "d c b a");
}

#[test]
fn orders_read() {
    for (searched, text, expected) in [
        (Searched::Runs, "metrics.\"a b\" desc", "metrics.`a b` DESC"),
        (Searched::Runs, "Created", "start_time ASC"),
        (Searched::Runs, "attributes.end_time ASC", "end_time ASC"),
        (Searched::Experiments, "attribute.name DESC", "name DESC"),
        (Searched::RegisteredModels, "timestamp DESC", "last_updated_timestamp DESC"),
        (Searched::ModelVersions, "creation_timestamp", "creation_timestamp ASC"),
    ] {
        assert_eq!(OrderBy::parse(searched, text).unwrap().to_string(), expected);
    }
    for (searched, text, expected) in [
        (Searched::Runs, "", "Invalid order_by clause ''. Could not be parsed."),
        (Searched::Runs, "metrics.a FOO", "Invalid ordering key in order_by clause 'metrics.a FOO'."),
        (
            Searched::Runs,
            "metrics.a, metrics.b",
            "Invalid order_by clause 'metrics.a, metrics.b'. Could not be parsed.",
        ),
        (
            Searched::Runs,
            "metrics.a/b DESC",
            "Invalid order_by clause 'metrics.a/b DESC'. Could not be parsed.",
        ),
        (Searched::Runs, "dataset.name", "Invalid order_by entity: datasets.name"),
        (Searched::Experiments, "tags.k", "Invalid order_by entity: tags.k"),
        (
            Searched::RegisteredModels,
            "foo",
            "Invalid attribute key 'foo' specified. Valid keys are '{'name', 'last_updated_timestamp'}'",
        ),
    ] {
        assert_eq!(OrderBy::parse(searched, text).unwrap_err().to_string(), expected);
    }
    let twice = ["metrics.a".to_owned(), "metrics.a DESC".to_owned()];
    assert_eq!(
        OrderBy::parse_all(Searched::Runs, &twice).unwrap_err().to_string(),
        "`order_by` contains duplicate fields: [\"metrics.a\", \"metrics.a DESC\"]"
    );
}

proptest! {
    /// What is built can be read back, whatever the keys and texts.
    #[test]
    fn built_filters_are_read_back(key in "[a-zA-Z0-9_. :/-]{1,12}", text in "\\PC{0,12}", number: f64) {
        let filter = Filter::metric(key.clone()).greater(number).and(Filter::param(key).equals(text));
        if let Ok(written) = filter.text_for(Searched::Runs) {
            prop_assert_eq!(Filter::parse(Searched::Runs, &written).unwrap(), filter);
        }
    }

    /// Lists hold any text.
    #[test]
    fn lists_hold_any_text(texts in prop::collection::vec("(?s).{0,8}", 1..4)) {
        let filter = Filter::text(Attribute::RunId).is_one_of(texts);
        prop_assert_eq!(Filter::parse(Searched::Runs, &filter.text_for(Searched::Runs).unwrap()).unwrap(), filter);
    }

    /// Any text is read or refused.
    #[test]
    fn no_text_breaks_the_parser(text in "\\PC{0,40}") {
        let _ = Filter::parse(Searched::Runs, &text);
        let _ = OrderBy::parse(Searched::Runs, &text);
    }
}
