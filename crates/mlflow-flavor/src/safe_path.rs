//! Paths that files of a model name: plain, relative, inside.

use std::path::PathBuf;

/// A relative path of plain parts, or what is wrong with it.
pub(crate) fn relative(path: &str) -> Result<PathBuf, &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.contains('\0') || path.contains('\\') {
        return Err("holds a backslash or a NUL");
    }
    if path.starts_with('/') || path.contains(':') {
        return Err("is absolute");
    }
    let mut parts = PathBuf::new();
    for part in path.split('/') {
        match part {
            "" | "." => return Err("is not written plainly"),
            ".." => return Err("leaves the model folder"),
            part => parts.push(part),
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_pass() {
        assert_eq!(relative("1_Pooling"), Ok(PathBuf::from("1_Pooling")));
        assert_eq!(relative("a/b.txt"), Ok(PathBuf::from("a").join("b.txt")));
        for (path, problem) in [
            ("", "is empty"),
            ("..", "leaves the model folder"),
            ("a/../../b", "leaves the model folder"),
            ("/etc", "is absolute"),
            ("C:/x", "is absolute"),
            ("a\\b", "holds a backslash or a NUL"),
            ("a\0b", "holds a backslash or a NUL"),
            ("a//b", "is not written plainly"),
            ("./a", "is not written plainly"),
            ("a/", "is not written plainly"),
        ] {
            assert_eq!(relative(path), Err(problem), "{path:?}");
        }
    }
}
