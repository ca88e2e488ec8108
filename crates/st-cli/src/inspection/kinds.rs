//! What is told of models that have no single vector of floats for a text.

use serde_json::{Value, json};
use st_export::Stage;
use st_model::{CrossEncoderSpec, ModelSpec, MultiVectorSpec, QueryExpansion};

use crate::report::Report;

/// Replaces what is said of vectors by what the kind of model has.
pub(super) fn add(report: &mut Report, spec: &ModelSpec) {
    if let Some(head) = &spec.cross_encoder {
        drop_keys(report, &["dim", "similarity", "truncate_dim"]);
        report.insert("scores".to_owned(), scores(head));
    }
    if let Some(settings) = &spec.multi_vector {
        drop_keys(report, &["similarity", "truncate_dim"]);
        report.insert("late_interaction".to_owned(), late_interaction(settings));
    }
    if spec.kind == st_model::ModelKind::SparseEncoder {
        drop_keys(report, &["truncate_dim"]);
        report.insert("sparse".to_owned(), sparse(spec));
    }
}

fn drop_keys(report: &mut Report, keys: &[&str]) {
    for key in keys {
        report.shift_remove(*key);
    }
}

fn scores(head: &CrossEncoderSpec) -> Value {
    json!({
        "labels": head.labels,
        "activation": head.activation.name(),
        "activation_from": head.activation_from.describe(),
    })
}

/// With the words of the reference; a table has neither pooling nor activation.
fn sparse(spec: &ModelSpec) -> Value {
    let stages = spec.routes.iter().flat_map(|route| &route.stages);
    let splade = stages.clone().find_map(|stage| match stage {
        Stage::Splade { sum, twice } => {
            Some((if *sum { "sum" } else { "max" }, if *twice { "log1p_relu" } else { "relu" }))
        }
        _ => None,
    });
    let autoencoder = stages.clone().find_map(|stage| match stage {
        Stage::SparseAutoEncoder { hidden, normalize, .. } => {
            Some(json!({"hidden": hidden, "standardise": normalize}))
        }
        _ => None,
    });
    let own = spec.routes.iter().find_map(|route| route.max_active_dims);
    json!({
        "pooling_strategy": splade.map(|(strategy, _)| strategy),
        "activation": splade.map(|(_, activation)| activation),
        "autoencoder": autoencoder,
        "max_active_dims": spec.sentence.max_active_dims.or(own),
    })
}

fn late_interaction(settings: &MultiVectorSpec) -> Value {
    let tasks: Vec<_> = [("query", settings.skips_queries), ("document", settings.skips_documents)]
        .into_iter()
        .filter(|(_, skips)| *skips && !settings.skiplist.is_empty())
        .map(|(task, _)| task)
        .collect();
    let [query, document] = &settings.prefixes;
    let some = |count: usize| (count > 0).then_some(count);
    json!({
        "interaction": settings.interaction.name(),
        "query_length": settings.query_length,
        "document_length": settings.document_length,
        "query_expansion": settings.expansion.as_ref().map(expansion),
        "skip_list": some(settings.skiplist.len()),
        "skipped_in": if tasks.is_empty() { Value::Null } else { json!(tasks) },
        "kept_only": some(settings.keep_only.len()),
        "query_prefix": query,
        "document_prefix": document,
        "written_by": settings.is_pylate.then_some("PyLate"),
    })
}

fn expansion(expansion: &QueryExpansion) -> Value {
    json!({
        "length": expansion.length,
        "strategy": if expansion.fixed { "fixed" } else { "min" },
        "attend": expansion.attend,
        // The reference takes the one that hides words.
        "token": expansion.token.as_deref().unwrap_or("mask"),
    })
}
