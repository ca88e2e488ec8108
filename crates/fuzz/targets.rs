//! What is fed with damaged files: one function a target, any bytes in, no panic.
//!
//! The fuzzer calls them with its inventions, and a test of `xtask` with the corpora in `fixtures/fuzz`.

use std::path::Path;

use mlflow_flavor::MlModel;
use st_model::{ModuleEntry, PoolingSpec, SentenceSpec, TokenizerSpec, TransformerConfig};

/// The file `MLmodel`. What is read and written again is read to the same value.
pub(crate) fn mlmodel(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(model) = MlModel::parse(text, "MLmodel") {
        let written = model.to_yaml();
        let again = MlModel::parse(&written, "MLmodel");
        assert_eq!(again.ok().as_ref(), Some(&model), "not the same after writing:\n{written}");
    }
}

/// `modules.json` and the configuration files beside it; every parser sees every text.
pub(crate) fn modules_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("modules.json");
    if let Ok(modules) = ModuleEntry::parse_list(path, text) {
        for module in modules {
            let inside =
                !module.path.starts_with('/') && !module.path.split(['/', '\\']).any(|part| part == "..");
            assert!(inside, "a path that leaves the folder was let through: {:?}", module.path);
        }
    }
    let _ = PoolingSpec::parse(path, text);
    let _ = SentenceSpec::parse(path, text);
    let _ = TransformerConfig::parse(path, text);
    let _ = TokenizerSpec::parse(path, text);
}

/// The header of a safetensors file. Whatever is accepted lies inside the file.
pub(crate) fn safetensors_header(bytes: &[u8]) {
    let length = bytes.len() as u64;
    if let Ok(header) = st_export::checkpoint::read_safetensors_header(bytes, length) {
        for (name, tensor) in header.tensors {
            let end = tensor.offset.checked_add(tensor.bytes);
            assert!(end.is_some_and(|end| end <= length), "{name} ends outside of the file");
        }
    }
    // The rest of a large file is not in memory.
    let _ = st_export::checkpoint::read_safetensors_header(bytes, u64::MAX);
}

/// The header of an ONNX file.
pub(crate) fn onnx_header(bytes: &[u8]) {
    let _ = st_export::onnx::read_header(bytes);
}
