//! The one graph that is a whole model, for whoever runs it elsewhere.

use st_core::Mode;
use st_export::onnx::{GraphHeader, open_header};
use st_model::{Error, GraphInfo, GraphState, LoadOptions, ModelSpec};
use st_testkit::fixtures_dir;

use crate::support::options;

fn find(name: &str, options: &LoadOptions) -> Option<GraphInfo> {
    let spec = ModelSpec::read(&fixtures_dir().join(name)).unwrap();
    GraphInfo::find(&spec, options).unwrap()
}

fn header(graph: &GraphInfo) -> GraphHeader {
    open_header(graph.path.as_ref().unwrap()).unwrap()
}

#[test]
fn each_kind_has_the_output_that_it_is_for() {
    for (name, output) in [
        ("cross-encoders/bert-labels", "logits: float32[batch, 3]"),
        ("sparse/splade-bert", "sentence_embedding: float32[batch, 257]"),
        ("multi-vector/plain", "token_embeddings: float32[batch, sequence, 11]"),
        ("modules/words", "sentence_embedding: float32[batch, 13]"),
        ("models/mean", "sentence_embedding: float32[batch, 20]"),
    ] {
        let header = header(&find(name, &options()).unwrap());
        assert!(
            header.outputs.iter().any(|found| found.to_string() == output),
            "{name}: {:?}",
            header.outputs
        );
        assert_eq!(header.onnx_release(), Some("1.15.0"));
    }
}

/// Nobody else would know what to feed, and a graph without the input does what the attention mask says.
#[test]
fn it_takes_no_mask_of_its_own_for_pooling() {
    let inputs =
        |graph: &GraphInfo| header(graph).inputs.into_iter().map(|input| input.name).collect::<Vec<_>>();
    let found = find("models/prompt-excluded", &options()).unwrap();
    assert_eq!(inputs(&found), ["input_ids", "attention_mask", "token_type_ids"]);
    let loaded = crate::support::load(&fixtures_dir().join("models/prompt-excluded"), &options());
    assert!(inputs(loaded.graph().unwrap()).contains(&"pooling_mask".to_owned()));
}

#[test]
fn tables_several_routes_and_autoencoders_have_none() {
    for name in ["sparse/autoencoder", "sparse/inference-free", "modules/static", "modules/router"] {
        assert_eq!(find(name, &options()), None, "{name}");
    }
}

#[test]
fn a_graph_of_somebody_else_is_one_if_no_module_is_missing() {
    let logits = find("cross-encoders/bert", &options()).unwrap().path.unwrap();
    let tokens = find("multi-vector/plain", &options()).unwrap().path.unwrap();
    let given = |name: &str, graph: &std::path::Path| find(name, &options().with_graph(graph));
    let found = given("cross-encoders/bert", &logits).unwrap();
    assert_eq!((found.state, found.mode, found.path), (GraphState::Given, None, Some(logits.clone())));
    // Numbers for each token only, and then SpladePooling.
    assert_eq!(given("sparse/splade-bert", &logits), None);
    // Whether Dense and Normalize are in it, nobody can tell.
    assert_eq!(given("multi-vector/plain", &tokens), None);
    let fast = options().with_graph(&logits).with_mode(Mode::Fast);
    let spec = ModelSpec::read(&fixtures_dir().join("cross-encoders/bert")).unwrap();
    assert!(matches!(GraphInfo::find(&spec, &fast), Err(Error::FastGraph { .. })));
}

#[test]
fn without_a_cache_it_is_nowhere() {
    let found = find("cross-encoders/bert", &LoadOptions::new(st_model::Places::default())).unwrap();
    assert_eq!((found.path, found.state), (None, GraphState::Built));
}
