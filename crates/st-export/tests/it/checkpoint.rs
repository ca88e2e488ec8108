//! Weight files: where they are, how they spell their tensors, and what can be wrong with them.

use std::fs;
use std::path::Path;

use safetensors::Dtype;
use st_export::{Head, Quantization, Task, export_bytes};

use crate::fixture::{Tiny, shard_name, words};

/// Both checkpoints give the same graph.
#[track_caller]
fn check_same(variant: impl FnOnce(&Path), expected: &Tiny) {
    let [left, right] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    variant(left.path());
    expected.write(right.path());
    assert!(
        export_bytes(left.path(), None, Quantization::None).unwrap()
            == export_bytes(right.path(), None, Quantization::None).unwrap()
    );
}

/// The export fails with exactly these words.
#[track_caller]
fn check_refused(prepare: impl FnOnce(&Path), expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let error = export_bytes(folder.path(), None, Quantization::None).unwrap_err();
    assert_eq!(words(&error, folder.path()), expected);
}

#[test]
fn wrappers_around_the_names_do_not_matter() {
    for prefix in [
        "bert.",
        "auto_model.",
        "0.auto_model.",
        "model.",
        "0.model.",
        "module.bert.",
        "encoder.",
        "base_model.model.",
    ] {
        let variant = Tiny::new().renamed(|name| format!("{prefix}{name}"));
        check_same(|folder| variant.write(folder), &Tiny::new());
    }
}

#[test]
fn old_names_of_the_normalisation_are_known() {
    let variant = Tiny::new().renamed(|name| {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    });
    check_same(|folder| variant.write(folder), &Tiny::new());
}

#[test]
fn what_token_embeddings_do_not_depend_on_is_left_out() {
    let variant = Tiny::new()
        .renamed(|name| format!("bert.{name}"))
        .with_tensor("bert.pooler.dense.weight", &[8, 8])
        .with_tensor("bert.embeddings.position_ids", &[1, 16])
        .with_tensor("cls.predictions.decoder.weight", &[11, 8])
        .with_tensor("classifier.weight", &[3, 8]);
    check_same(|folder| variant.write(folder), &Tiny::new());
}

#[test]
fn shards_are_read_through_their_index() {
    check_same(|folder| Tiny::new().write_shards(folder), &Tiny::new());
}

#[test]
fn missing_weights_say_what_was_looked_for() {
    let config = |folder: &Path| Tiny::new().write_config(folder);
    check_refused(
        config,
        "folder `FOLDER` has neither `model.safetensors` nor `model.safetensors.index.json`",
    );
    check_refused(
        |folder| {
            config(folder);
            fs::write(folder.join("pytorch_model.bin"), "PK").unwrap();
        },
        "`FOLDER/pytorch_model.bin` is a pickle, which is never read, and there is no `model.safetensors` beside it; in Python, load the model and call `model.save_pretrained(folder, safe_serialization=True)`",
    );
    check_refused(
        |folder| {
            config(folder);
            let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90868376\n";
            fs::write(folder.join("model.safetensors"), pointer).unwrap();
        },
        "`FOLDER/model.safetensors` is a Git LFS pointer, not the file itself; run `git lfs pull` where it was cloned",
    );
}

#[test]
fn broken_files_say_how_they_are_broken() {
    check_refused(
        |folder| {
            Tiny::new().write(folder);
            let path = folder.join("model.safetensors");
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        },
        "`FOLDER/model.safetensors` is not a usable safetensors file: tensor `encoder.layer.1.output.dense.weight` ends at byte 5248 of the data but there are 5247",
    );
    check_refused(
        |folder| {
            Tiny::new().write_config(folder);
            fs::write(folder.join("model.safetensors"), "").unwrap();
        },
        "`FOLDER/model.safetensors` is not a usable safetensors file: the file has 0 bytes but its header needs 8",
    );
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    const QUERY: &str = "encoder.layer.1.attention.self.query.weight";
    check_refused(
        |folder| {
            let mut tiny = Tiny::new();
            tiny.tensors.remove(QUERY);
            tiny.write(folder);
        },
        "tensor `encoder.layer.1.attention.self.query.weight` is missing in `FOLDER/model.safetensors`",
    );
    check_refused(
        |folder| Tiny::new().edited(QUERY, |tensor| tensor.shape = vec![4, 16]).write(folder),
        "tensor `encoder.layer.1.attention.self.query.weight` of `FOLDER/model.safetensors` is [4, 16] but the configuration says [8, 8]",
    );
    check_refused(
        |folder| Tiny::new().with_tensor("encoder.layer.2.output.dense.bias", &[8]).write(folder),
        "tensor `encoder.layer.2.output.dense.bias` of `FOLDER/model.safetensors` has no place in the architecture `bert`",
    );
    check_refused(
        |folder| Tiny::new().edited(QUERY, |tensor| tensor.dtype = Dtype::I32).write(folder),
        "tensor `encoder.layer.1.attention.self.query.weight` of `FOLDER/model.safetensors` holds I32 but only F32, F16 and BF16 can be exported",
    );
    check_refused(
        |folder| Tiny::new().with_tensor(&format!("bert.{QUERY}"), &[8, 8]).write(folder),
        "tensors `bert.encoder.layer.1.attention.self.query.weight` and `encoder.layer.1.attention.self.query.weight` of `FOLDER/model.safetensors` are both `encoder.layer.1.attention.self.query.weight`",
    );
}

/// Without a head nobody asks for the pooler, so that the same folder passes.
#[test]
fn spare_tensors_that_are_there_twice_are_refused_once_they_count() {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new()
        .with_tensor("bert.pooler.dense.weight", &[8, 8])
        .with_tensor("pooler.dense.weight", &[8, 8])
        .with_tensor("pooler.dense.bias", &[8])
        .with_tensor("classifier.weight", &[3, 8])
        .with_tensor("classifier.bias", &[3])
        .write(folder.path());
    export_bytes(folder.path(), None, Quantization::None).unwrap();
    let head = Head::of_stages(Task::Classification { labels: 3 }, []);
    let error = export_bytes(folder.path(), Some(&head), Quantization::None).unwrap_err();
    assert_eq!(
        words(&error, folder.path()),
        "tensors `bert.pooler.dense.weight` and `pooler.dense.weight` of `FOLDER/model.safetensors` are both \
         `pooler.dense.weight`"
    );
}

#[test]
fn numbers_that_are_none_are_found() {
    const NAME: &str = "encoder.layer.0.output.dense.bias";
    for (number, printed) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        check_refused(
            |folder| {
                let edit = |bytes: &mut [u8]| bytes[12..16].copy_from_slice(&number.to_le_bytes());
                Tiny::new().edited(NAME, |tensor| edit(&mut tensor.bytes)).write(folder);
            },
            &format!("tensor `{NAME}` of `FOLDER/model.safetensors` holds {printed} at index 3"),
        );
    }
}

#[test]
fn an_index_that_lies_is_caught() {
    let index = |folder: &Path, edit: fn(String) -> String| {
        Tiny::new().write_shards(folder);
        let path = folder.join("model.safetensors.index.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, edit(text)).unwrap();
    };
    check_refused(
        |folder| index(folder, |text| text.replacen(&shard_name(0), "../other.safetensors", 1)),
        "`FOLDER/model.safetensors.index.json` names the shard `../other.safetensors`, which is not a plain file name",
    );
    check_refused(
        |folder| index(folder, |text| text.replacen("embeddings.LayerNorm.bias", "embeddings.Other.bias", 1)),
        "`FOLDER/model-00001-of-00002.safetensors` does not hold the tensor `embeddings.Other.bias` that the index promises",
    );
    check_refused(
        |folder| index(folder, |_| "{}".to_owned()),
        "cannot understand `FOLDER/model.safetensors.index.json`: missing field `weight_map` at line 1 column 2",
    );
    check_refused(
        |folder| {
            Tiny::new().write_shards(folder);
            fs::remove_file(folder.join(shard_name(1))).unwrap();
        },
        "cannot open `FOLDER/model-00002-of-00002.safetensors`: No such file or directory (os error 2)",
    );
}
