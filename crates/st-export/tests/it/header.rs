//! Headers of untrusted files: any bytes give a value or an error, never a panic.

use std::sync::LazyLock;

use proptest::prelude::*;
use st_export::checkpoint::read_safetensors_header;
use st_export::onnx::read_header;
use st_export::{Quantization, export_bytes};

use crate::fixture::{Tiny, mean};

/// A sound ONNX file and a sound safetensors file.
static SOUND: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new().write(folder.path());
    let onnx = export_bytes(folder.path(), Some(&mean()), Quantization::None).unwrap();
    [onnx, std::fs::read(folder.path().join("model.safetensors")).unwrap()]
});

/// Changes of a file: which byte becomes what.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
}

fn changed(sound: &[u8], changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for (place, value) in changes {
        bytes[place.index(sound.len())] = *value;
    }
    bytes
}

proptest! {
    #[test]
    fn changed_onnx_files_never_panic(changes in changes()) {
        let _ = read_header(&changed(&SOUND[0], &changes));
    }

    #[test]
    fn cut_onnx_files_never_panic_and_are_never_whole(end in any::<prop::sample::Index>()) {
        let sound = &SOUND[0];
        let cut = read_header(&sound[..end.index(sound.len())]);
        // Cut inside the graph it is malformed, before the graph it has none, and behind it only versions are
        // lost.
        if let Ok(header) = cut {
            prop_assert_eq!(header.inputs.len(), 3);
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_header(&bytes);
        let _ = read_safetensors_header(&bytes, bytes.len() as u64);
    }

    #[test]
    fn changed_safetensors_never_panic_and_never_point_outside(changes in changes()) {
        let sound = &SOUND[1];
        let header_end = 8 + usize::try_from(u64::from_le_bytes(sound[..8].try_into().unwrap())).unwrap();
        let mut bytes = changed(&sound[..header_end], &changes);
        bytes.extend_from_slice(&sound[header_end..]);
        if let Ok(header) = read_safetensors_header(&bytes, bytes.len() as u64) {
            for (name, entry) in header.tensors {
                prop_assert!(entry.offset + entry.bytes <= bytes.len() as u64, "{name}");
            }
        }
    }
}

#[test]
fn the_safetensors_library_reads_the_same() {
    let bytes = &SOUND[1];
    let ours = read_safetensors_header(bytes, bytes.len() as u64).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(bytes).unwrap();
    assert_eq!(ours.tensors.len(), theirs.len());
    for (name, tensor) in theirs.tensors() {
        let entry = &ours.tensors[&name];
        let start = usize::try_from(entry.offset).unwrap();
        let data = &bytes[start..start + usize::try_from(entry.bytes).unwrap()];
        assert_eq!((&entry.shape[..], data), (tensor.shape(), tensor.data()), "{name}");
    }
}
