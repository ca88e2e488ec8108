//! Names that untrusted files give for files beside them.

/// Whether `name` can only mean a file in the same folder, on every platform.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.contains(|letter: char| matches!(letter, '/' | '\\' | ':') || letter.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_drives_and_devices_are_not_plain() {
        for name in ["model.onnx_data", "a b", "..data", "модель"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", ".", "..", "../a", "a/b", "/etc/passwd", "a\\b", "C:a", "*/_ORT_MEM_ADDR_/*", "a\0b"]
        {
            assert!(!is_plain(name), "{name}");
        }
    }
}
