//! Files that are written: where, how, and what is left when something goes wrong.

use std::fs;
use std::path::Path;

use st_export::onnx::open_header;
use st_export::{ExportOptions, Quantization, WeightPlacement, export, export_bytes};

use crate::fixture::{Tiny, mean, shapes, words};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn small_weights_are_inside_unless_asked_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new().write(folder.path());
    let out = folder.path().join("new/folder");
    let exported = export(folder.path(), Some(&mean()), &out, &ExportOptions::default()).unwrap();
    assert_eq!(names(&out), ["model.onnx"]);
    assert_eq!(exported.model, out.join("model.onnx"));
    assert_eq!(exported.weights, None);
    let bytes = fs::read(&exported.model).unwrap();
    assert_eq!(exported.bytes, bytes.len() as u64);
    assert!(bytes == export_bytes(folder.path(), Some(&mean()), Quantization::None).unwrap());

    let header = open_header(&exported.model).unwrap();
    assert_eq!((&exported.inputs, &exported.outputs), (&header.inputs, &header.outputs));
    assert_eq!(exported.operators, header.operators[""]);
    let parameters: usize = shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
    assert_eq!(exported.parameters, parameters as u64);
}

#[test]
fn external_weights_lie_page_by_page_beside_the_graph() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = Tiny::new();
    tiny.write(folder.path());
    let out = folder.path().join("out");
    let options = ExportOptions::default().with_weights(WeightPlacement::External);
    let exported = export(folder.path(), None, &out, &options).unwrap();
    assert_eq!(names(&out), ["model.onnx", "model.onnx_data"]);
    assert_eq!(exported.weights, Some(out.join("model.onnx_data")));
    let data = fs::read(out.join("model.onnx_data")).unwrap();
    let header = open_header(&exported.model).unwrap();
    let external: Vec<_> =
        header.initializers.iter().filter_map(|tensor| Some((tensor, tensor.external.as_ref()?))).collect();
    assert_eq!(external.len(), shapes().len());
    for (tensor, external) in external {
        assert_eq!((external.location.as_str(), external.offset % 4096), ("model.onnx_data", 0));
        let start = usize::try_from(external.offset).unwrap();
        let end = start + usize::try_from(external.length.unwrap()).unwrap();
        assert_eq!(data[start..end], tiny.float32(&tensor.name), "{}", tensor.name);
    }
}

#[test]
fn nothing_is_overwritten_unasked_and_nothing_stale_stays() {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new().write(folder.path());
    let out = folder.path().join("out");
    let external = ExportOptions::default().with_weights(WeightPlacement::External);
    export(folder.path(), None, &out, &external).unwrap();
    let error = export(folder.path(), None, &out, &external).unwrap_err();
    assert_eq!(words(&error, folder.path()), "`FOLDER/out/model.onnx` exists already");
    fs::remove_file(out.join("model.onnx")).unwrap();
    let error = export(folder.path(), None, &out, &ExportOptions::default()).unwrap_err();
    assert_eq!(words(&error, folder.path()), "`FOLDER/out/model.onnx_data` exists already");

    export(folder.path(), None, &out, &external.with_overwrite(true)).unwrap();
    assert_eq!(names(&out), ["model.onnx", "model.onnx_data"]);
    export(folder.path(), None, &out, &ExportOptions::default().with_overwrite(true)).unwrap();
    assert_eq!(names(&out), ["model.onnx"]);
}

#[test]
fn a_failed_export_leaves_no_file_and_an_old_graph_stays() {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new().write(folder.path());
    let out = folder.path().join("out");
    let options = ExportOptions::default().with_overwrite(true);
    export(folder.path(), None, &out, &options).unwrap();
    let before = fs::read(out.join("model.onnx")).unwrap();
    // The bad number is found only while the weights are being written.
    Tiny::new()
        .edited("encoder.layer.1.output.dense.weight", |tensor| tensor.bytes[..4].fill(0xff))
        .write(folder.path());
    for placement in [WeightPlacement::Inside, WeightPlacement::External] {
        let error = export(folder.path(), None, &out, &options.with_weights(placement)).unwrap_err();
        assert_eq!(
            words(&error, folder.path()),
            "tensor `encoder.layer.1.output.dense.weight` of `FOLDER/model.safetensors` holds NaN at index 0"
        );
        assert_eq!(names(&out), ["model.onnx"]);
        assert!(fs::read(out.join("model.onnx")).unwrap() == before);
    }
}

#[test]
fn a_destination_that_is_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new().write(folder.path());
    let out = folder.path().join("out");
    fs::write(&out, "").unwrap();
    let error = export(folder.path(), None, &out, &ExportOptions::default()).unwrap_err();
    assert_eq!(words(&error, folder.path()), "cannot create `FOLDER/out`: File exists (os error 17)");
}
