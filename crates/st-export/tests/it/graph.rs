//! The graph that comes out: its doors, its operators, its weights.

use half::{bf16, f16};
use safetensors::Dtype;
use st_core::PoolingMode;
use st_export::onnx::{GraphHeader, read_header};
use st_export::{Head, Quantization, export_bytes};

use crate::fixture::{HIDDEN, Tensor, Tiny, mean, shapes};

fn exported(tiny: &Tiny, head: Option<&Head>) -> (Vec<u8>, GraphHeader) {
    let folder = tempfile::tempdir().unwrap();
    tiny.write(folder.path());
    let bytes = export_bytes(folder.path(), head, Quantization::None).unwrap();
    let header = read_header(&bytes).unwrap();
    (bytes, header)
}

fn outputs(header: &GraphHeader) -> Vec<String> {
    header.outputs.iter().map(ToString::to_string).collect()
}

/// Every weight of `tiny` stands in the file, number by number.
#[track_caller]
fn check_weights(bytes: &[u8], tiny: &Tiny) {
    for (name, _) in shapes() {
        let data = tiny.float32(&name);
        assert!(bytes.windows(data.len()).any(|window| window == data), "{name}");
    }
}

#[test]
fn inputs_and_outputs_have_names_types_and_axes() {
    let (_, header) = exported(&Tiny::new(), Some(&mean()));
    let inputs: Vec<String> = header.inputs.iter().map(ToString::to_string).collect();
    assert_eq!(
        inputs,
        ["input_ids", "attention_mask", "token_type_ids"]
            .map(|name| format!("{name}: int64[batch, sequence]"))
    );
    assert_eq!(
        outputs(&header),
        ["token_embeddings: float32[batch, sequence, 8]", "sentence_embedding: float32[batch, 8]"]
    );
    assert_eq!(header.producer_name, "st-export");
    assert_eq!(header.opsets.iter().collect::<Vec<_>>(), [(&String::new(), &20)]);
}

#[test]
fn without_a_head_only_tokens_come_out() {
    let (_, header) = exported(&Tiny::new(), None);
    assert_eq!(outputs(&header), ["token_embeddings: float32[batch, sequence, 8]"]);
}

#[test]
fn every_layer_is_made_of_plain_operators() {
    let (_, header) = exported(&Tiny::new(), None);
    assert_eq!(header.operators.keys().collect::<Vec<_>>(), [""]);
    let count = |name: &str| header.operators[""].get(name).copied().unwrap_or(0);
    assert_eq!(["Gemm", "Softmax", "Gelu", "LayerNormalization"].map(count), [12, 2, 2, 5]);
    assert_eq!(["MatMul", "Gather", "Slice", "Where"].map(count), [4, 2, 1, 1]);
}

#[test]
fn weights_keep_their_names_and_numbers() {
    let tiny = Tiny::new();
    let (bytes, header) = exported(&tiny, Some(&mean()));
    check_weights(&bytes, &tiny);
    for (name, shape) in shapes() {
        let tensor = header.initializers.iter().find(|tensor| tensor.name == name).unwrap();
        let dims: Vec<usize> = tensor.dims.iter().map(|&size| usize::try_from(size).unwrap()).collect();
        assert_eq!(dims, shape, "{name}");
    }
}

#[test]
fn half_precision_becomes_single() {
    let narrowed = |dtype: Dtype, narrow: fn(f32) -> [u8; 2]| {
        let mut tiny = Tiny::new();
        for tensor in tiny.tensors.values_mut() {
            let numbers =
                tensor.bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
            let bytes = numbers.flat_map(narrow).collect();
            *tensor = Tensor { dtype, shape: tensor.shape.clone(), bytes };
        }
        tiny
    };
    for tiny in [
        narrowed(Dtype::F16, |number| f16::from_f32(number).to_le_bytes()),
        narrowed(Dtype::BF16, |number| bf16::from_f32(number).to_le_bytes()),
    ] {
        let (bytes, _) = exported(&tiny, None);
        check_weights(&bytes, &tiny);
    }
}

#[test]
fn the_head_adds_what_each_mode_needs() {
    for (modes, operators) in [
        (vec![PoolingMode::Cls], vec!["ArgMax", "GatherND"]),
        (vec![PoolingMode::Max], vec!["ReduceMax"]),
        (vec![PoolingMode::Mean], vec!["ReduceSum", "Squeeze"]),
        (vec![PoolingMode::MeanSqrtLen], vec!["ReduceSum", "Sqrt"]),
        (vec![PoolingMode::WeightedMean], vec!["ArgMax", "Range", "ReduceSum"]),
        (vec![PoolingMode::LastToken], vec!["ArgMax", "GatherND", "ReduceMax"]),
        (vec![PoolingMode::Max, PoolingMode::Mean, PoolingMode::MeanSqrtLen], vec!["ReduceMax", "Sqrt"]),
    ] {
        let head = Head::new(modes);
        let (_, header) = exported(&Tiny::new(), Some(&head));
        assert_eq!(
            header.outputs[1].to_string(),
            format!("sentence_embedding: float32[batch, {}]", head.dim(HIDDEN))
        );
        for operator in operators {
            assert!(header.operators[""].contains_key(operator), "{head:?} {operator}");
        }
        assert!(!header.operators[""].contains_key("ReduceL2"), "{head:?} does not normalise");
        let (_, header) = exported(&Tiny::new(), Some(&head.with_normalize(true)));
        assert_eq!(header.operators[""]["ReduceL2"], 1);
    }
}

#[test]
fn modes_that_share_a_sum_compute_it_once() {
    let head = Head::new([PoolingMode::Mean, PoolingMode::MeanSqrtLen]);
    let (_, header) = exported(&Tiny::new(), Some(&head));
    assert_eq!(header.operators[""]["ReduceSum"], 1);
}

#[test]
fn activations_are_chosen_by_their_name() {
    for (name, operator) in [
        ("gelu", "Gelu"),
        ("gelu_new", "Gelu"),
        ("gelu_pytorch_tanh", "Gelu"),
        ("relu", "Relu"),
        ("silu", "Sigmoid"),
        ("tanh", "Tanh"),
    ] {
        let (bytes, header) = exported(&Tiny::new().with_setting("hidden_act", name), None);
        assert_eq!(header.operators[""][operator], 2, "{name}");
        let tanh_form = bytes.windows(4).any(|window| window == b"tanh");
        assert_eq!(tanh_form, matches!(name, "gelu_new" | "gelu_pytorch_tanh"), "{name}");
    }
}

#[test]
fn the_same_checkpoint_gives_the_same_bytes() {
    let (first, _) = exported(&Tiny::new(), Some(&mean()));
    let (second, _) = exported(&Tiny::new(), Some(&mean()));
    assert!(first == second);
}
