//! The graph in eight bits.

use st_export::onnx::{GraphHeader, open_header, read_header};
use st_export::{ElementType, ExportOptions, Quantization, WeightPlacement, export, export_bytes};

use crate::fixture::{Tiny, mean, words};

fn exported(tiny: &Tiny) -> (Vec<u8>, GraphHeader) {
    let folder = tempfile::tempdir().unwrap();
    tiny.write(folder.path());
    let bytes = export_bytes(folder.path(), Some(&mean()), Quantization::Int8).unwrap();
    let header = read_header(&bytes).unwrap();
    (bytes, header)
}

#[test]
fn its_doors_are_those_of_the_float_graph_and_its_operators_standard() {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new().write(folder.path());
    let floats = export_bytes(folder.path(), Some(&mean()), Quantization::None).unwrap();
    let floats = read_header(&floats).unwrap();
    let (_, header) = exported(&Tiny::new());
    assert_eq!((&header.inputs, &header.outputs), (&floats.inputs, &floats.outputs));
    assert_eq!(header.opsets, floats.opsets);
    assert_eq!(header.operators.keys().collect::<Vec<_>>(), [""]);
    let count = |name: &str| header.operators[""].get(name).copied().unwrap_or(0);
    // Two layers of six products each, one of which, the projection of values, stays in floats.
    assert_eq!(["Gemm", "MatMulInteger", "DequantizeLinear", "QuantizeLinear"].map(count), [2, 10, 10, 8]);
}

#[test]
fn codes_are_the_weights_over_the_scale_of_their_channel() {
    let tiny = Tiny::new();
    let (bytes, header) = exported(&tiny);
    let name = "encoder.layer.0.intermediate.dense.weight";
    let codes =
        header.initializers.iter().find(|tensor| tensor.name == format!("{name}/int8/codes")).unwrap();
    let &[_, width] = tiny.tensors[name].shape.as_slice() else { panic!("a matrix") };
    let dims: Vec<usize> = codes.dims.iter().map(|&size| usize::try_from(size).unwrap()).rev().collect();
    assert_eq!((codes.element_type, &dims), (ElementType::Int8, &tiny.tensors[name].shape));
    let weights: Vec<f32> =
        tiny.float32(name).chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    let scale = |row: &[f32]| row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs())) / 127.0;
    let rows: Vec<&[f32]> = weights.chunks_exact(width).collect();
    #[expect(clippy::cast_possible_truncation, reason = "at most 127 by the choice of the scale")]
    let code = |row: &[f32], input: usize| (row[input] / scale(row)).round_ties_even() as i8;
    let expected: Vec<u8> =
        (0..width).flat_map(|input| rows.iter().map(move |row| code(row, input).cast_unsigned())).collect();
    assert!(bytes.windows(expected.len()).any(|window| window == expected));
}

#[test]
fn weights_outside_the_file_are_where_the_header_says() {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new().write(folder.path());
    let options = ExportOptions::default()
        .with_weights(WeightPlacement::External)
        .with_quantization(Quantization::Int8);
    let int8 = export(folder.path(), None, &folder.path().join("int8"), &options).unwrap();
    let options = options.with_quantization(Quantization::None);
    let floats = export(folder.path(), None, &folder.path().join("float32"), &options).unwrap();
    // Bounds and lengths of every tensor are checked against the file beside it.
    open_header(&int8.model).unwrap();
    assert_eq!(int8.parameters, floats.parameters);
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let spoil = |bytes: &mut Vec<u8>| bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let name = "encoder.layer.1.output.dense.weight";
    Tiny::new().edited(name, |tensor| spoil(&mut tensor.bytes)).write(folder.path());
    let error = export_bytes(folder.path(), None, Quantization::Int8).unwrap_err();
    assert_eq!(
        words(&error, folder.path()),
        "tensor `encoder.layer.1.output.dense.weight` of `FOLDER/model.safetensors` holds NaN at index 0"
    );
}
