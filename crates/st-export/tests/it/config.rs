//! Configurations: which architecture, which settings.

use serde_json::{Value, json};
use st_export::{Head, Quantization, export_bytes};

use crate::fixture::{Tiny, words};

#[track_caller]
fn check_refused(tiny: &Tiny, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    tiny.write(folder.path());
    let error = export_bytes(folder.path(), None, Quantization::None).unwrap_err();
    assert_eq!(words(&error, folder.path()), expected);
}

#[track_caller]
fn check_accepted(tiny: &Tiny) {
    let folder = tempfile::tempdir().unwrap();
    tiny.write(folder.path());
    export_bytes(folder.path(), None, Quantization::None).unwrap();
}

/// What ends the refusal of an architecture.
fn supported() -> String {
    let names: Vec<&str> = st_export::families().map(|family| family.name).collect();
    assert!(names.len() >= 17, "{names:?}");
    format!("supported are {}", names.join(", "))
}

#[test]
fn other_architectures_are_named() {
    check_refused(
        &Tiny::new().with_setting("model_type", "laser").with_setting("architectures", json!(["LaserModel"])),
        &format!("`FOLDER/config.json` asks for the architecture `laser (LaserModel)`; {}", supported()),
    );
    check_refused(
        &Tiny::new().with_setting("model_type", "xlnet").with_setting("architectures", json!(["XLNetModel"])),
        "`FOLDER/config.json` asks for the architecture `xlnet (XLNetModel)`, which is refused: its layers are of a \
         kind that few embedding models have; export it with Python's optimum and name the graph",
    );
    // Code of its own under BERT's model type.
    check_refused(
        &Tiny::new().with_setting("architectures", json!(["LaserBertModel"])),
        &format!("`FOLDER/config.json` asks for the architecture `bert (LaserBertModel)`; {}", supported()),
    );
    check_refused(
        &Tiny::new().with_setting("model_type", Value::Null).with_setting("architectures", Value::Null),
        &format!("`FOLDER/config.json` asks for the architecture `(none)`; {}", supported()),
    );
}

#[test]
fn a_class_of_its_own_under_a_known_model_type_is_another_family() {
    check_refused(
        &Tiny::new().with_setting("architectures", json!(["JinaBertModel"])),
        "`FOLDER/config.json` sets `position_embedding_type` to `absolute` but it must be alibi",
    );
}

/// The same tensors under a class that attends differently must not pass for the class that they were made for.
#[test]
fn classes_that_only_begin_like_one_of_a_family_are_others() {
    for (model_type, class) in
        [("bert", "BertBidirectionalModel"), ("llama", "LlamaEncoderModel"), ("mistral", "MistralBiModel")]
    {
        check_refused(
            &Tiny::new().with_setting("model_type", model_type).with_setting("architectures", json!([class])),
            &format!(
                "`FOLDER/config.json` asks for the architecture `{model_type} ({class})`; {}",
                supported()
            ),
        );
    }
    check_refused(
        &Tiny::new()
            .with_setting("model_type", "xlm-roberta")
            .with_setting("architectures", json!(["XLMRobertaLoRA"])),
        "`FOLDER/config.json` asks for the architecture `xlm-roberta (XLMRobertaLoRA)`, which is refused: each call \
         chooses among adapters inside of its layers; export it with Python's optimum and name the graph",
    );
}

#[test]
fn either_key_may_name_the_architecture() {
    check_accepted(&Tiny::new().with_setting("model_type", Value::Null));
    check_accepted(&Tiny::new().with_setting("architectures", Value::Null));
    check_accepted(&Tiny::new().with_setting("architectures", json!(["BertForMaskedLM"])));
    check_accepted(&Tiny::new().with_setting("position_embedding_type", Value::Null));
}

#[test]
fn settings_that_cannot_be_honoured_are_refused() {
    for (key, value, expected) in [
        (
            "position_embedding_type",
            json!("relative_key"),
            "`position_embedding_type` to `relative_key` but it must be absolute",
        ),
        ("is_decoder", json!(true), "`is_decoder` to `true` but it must be false"),
        (
            "hidden_act",
            json!("mish"),
            "`hidden_act` to `mish` but it must be gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, relu, sigmoid, silu, swish or tanh",
        ),
        (
            "num_attention_heads",
            json!(3),
            "`num_attention_heads` to `3` but it must be a divisor of the width 8",
        ),
        (
            "num_attention_heads",
            json!(0),
            "`num_attention_heads` to `0` but it must be a whole number between 1 and 8",
        ),
        (
            "num_hidden_layers",
            json!(1_000_000_000),
            "`num_hidden_layers` to `1000000000` but it must be a whole number between 1 and 1024",
        ),
        ("hidden_size", json!(0), "`hidden_size` to `0` but it must be a whole number between 1 and 1048576"),
    ] {
        check_refused(
            &Tiny::new().with_setting(key, value),
            &format!("`FOLDER/config.json` sets {expected}"),
        );
    }
    check_refused(
        &Tiny::new().with_setting("vocab_size", "many"),
        "`FOLDER/config.json` sets `vocab_size` to `many` but it must be a whole number between 1 and 268435456",
    );
}

#[test]
fn distances_and_frequencies_that_contradict_each_other_are_refused() {
    let family =
        |kind: &str| Tiny::new().with_setting("model_type", kind).with_setting("architectures", Value::Null);
    check_refused(
        &family("t5").with_setting("relative_attention_max_distance", json!(8)),
        "`FOLDER/config.json` sets `relative_attention_max_distance` to `8` but it must be above a quarter of \
         `relative_attention_num_buckets`",
    );
    check_refused(
        &family("t5").with_setting("relative_attention_num_buckets", json!(512)),
        "`FOLDER/config.json` sets `relative_attention_max_distance` to `128` but it must be above a quarter of \
         `relative_attention_num_buckets`",
    );
    check_refused(
        &family("llama")
            .with_setting("rope_parameters", json!({"rope_theta": 10000.0}))
            .with_setting("rope_scaling", json!({"rope_type": "linear", "factor": 2.0})),
        "`FOLDER/config.json` sets `rope_scaling` to `something` but it must be absent where there are \
         `rope_parameters`",
    );
    check_refused(
        &family("llama").with_setting("head_dim", json!(3)),
        "`FOLDER/config.json` sets `head_dim` to `3` but it must be an even number, since dimensions rotate in pairs",
    );
    check_refused(
        &family("gte").with_setting("position_embedding_type", json!("rope")).with_setting(
            "rope_parameters",
            json!({"full_attention": {"rope_theta": 1e4}, "sliding_attention": {"rope_theta": 1e6}}),
        ),
        "`FOLDER/config.json` sets `rope_parameters` to `other kinds of layers` but it must be for those of the model",
    );
    check_refused(
        &family("llama").with_setting("partial_rotary_factor", json!(0.5)),
        "`FOLDER/config.json` sets `partial_rotary_factor` to `0.5` but it must be 1.0",
    );
}

#[test]
fn what_nomic_bert_may_do_otherwise_is_refused() {
    for (key, value, expected) in [
        ("prenorm", json!(true), "`true` but it must be false"),
        ("causal", json!(1), "`1` but it must be false"),
        ("rotary_emb_fraction", json!(0.5), "`0.5` but it must be 1.0"),
        ("rotary_emb_scale_base", json!(512), "`512` but it must be null"),
        ("num_experts", json!(8), "`8` but it must be 0"),
    ] {
        check_refused(
            &Tiny::new()
                .with_setting("model_type", "nomic_bert")
                .with_setting("architectures", Value::Null)
                .with_setting(key, value),
            &format!("`FOLDER/config.json` sets `{key}` to {expected}"),
        );
    }
}

/// The classes of the reference honour these keys whether or not they are theirs.
#[test]
fn encoders_that_would_look_back_only_are_refused() {
    let family =
        |kind: &str| Tiny::new().with_setting("model_type", kind).with_setting("architectures", Value::Null);
    for kind in
        ["bert", "roberta", "albert", "electra", "distilbert", "modernbert", "gte", "nomic_bert", "t5"]
    {
        check_refused(
            &family(kind).with_setting("is_causal", json!(true)),
            "`FOLDER/config.json` sets `is_causal` to `true` but it must be false",
        );
    }
    for kind in ["qwen2", "mistral", "gemma3_text"] {
        let tiny = family(kind).with_setting("is_causal", Value::Null);
        let folder = tempfile::tempdir().unwrap();
        tiny.write(folder.path());
        let error = export_bytes(folder.path(), None, Quantization::None).unwrap_err().to_string();
        assert!(error.contains("sets `is_causal` to `null`"), "{kind}: {error}");
    }
    check_refused(
        &family("modernbert").with_setting("sliding_window", json!(3)),
        "`FOLDER/config.json` sets `sliding_window` to `3` but it must be 64",
    );
    check_refused(
        &family("t5").with_setting("dense_act_fn", json!("silu")),
        "`FOLDER/config.json` sets `dense_act_fn` to `silu` but it must be relu",
    );
    check_refused(
        &family("t5").with_setting("d_model", json!(9)).with_setting("hidden_size", json!(8)),
        "`FOLDER/config.json` sets `hidden_size` to `8` but it must be 9",
    );
    check_refused(
        &family("t5").with_setting("is_gated_act", json!(true)),
        "`FOLDER/config.json` sets `is_gated_act` to `true` but it must be false",
    );
}

#[test]
fn a_folder_without_configuration_and_a_head_without_modes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = export_bytes(folder.path(), None, Quantization::None).unwrap_err();
    assert_eq!(words(&error, folder.path()), "folder `FOLDER` has no `config.json`");
    Tiny::new().write(folder.path());
    let error = export_bytes(folder.path(), Some(&Head::new([])), Quantization::None).unwrap_err();
    assert_eq!(error.to_string(), "a head needs at least one pooling mode");
}

#[test]
fn a_model_that_one_file_cannot_hold_is_refused_before_anything_is_written() {
    use std::fs::{File, OpenOptions};
    use std::io::Write;

    // Two gigabytes that take no room: a file with a hole behind its header.
    const ROWS: usize = 70_000_000;
    let folder = tempfile::tempdir().unwrap();
    let tiny = Tiny::new().with_setting("vocab_size", ROWS);
    tiny.write(folder.path());
    let mut offset = 0;
    let entries: serde_json::Map<String, Value> = crate::fixture::shapes()
        .into_iter()
        .map(|(name, mut shape)| {
            if name == "embeddings.word_embeddings.weight" {
                shape[0] = ROWS;
            }
            let end = offset + 4 * shape.iter().product::<usize>();
            let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [offset, end]});
            offset = end;
            (name, entry)
        })
        .collect();
    let header = Value::from(entries).to_string();
    let path = folder.path().join("model.safetensors");
    let mut file = File::create(&path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    let size = (8 + header.len() + offset) as u64;
    OpenOptions::new().write(true).open(&path).unwrap().set_len(size).unwrap();
    let error = export_bytes(folder.path(), None, Quantization::None).unwrap_err();
    let words = words(&error, folder.path());
    assert!(words.starts_with("`FOLDER` would take 22400"), "{words}");
    assert!(words.ends_with("bytes in one file but ONNX ends at 2147483647"), "{words}");
}
