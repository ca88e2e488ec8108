//! A façade re-exports and explains; it has no code of its own.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::rules::Rules;
use super::{Findings, masking};

/// Checks the files that edges.toml calls façades.
pub(super) fn check(workspace: &Path, rules: &Rules, findings: &mut Findings) -> Result<()> {
    for file in rules.facade.iter().flat_map(|facade| &facade.files) {
        let path = workspace.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if let Some(item) = first_code(&masking::code(&text)) {
            findings.problems.push(format!("{file} is a façade, but holds `{item}`"));
        }
    }
    Ok(())
}

/// The beginning of the first item that is neither `mod`, `use` nor an attribute.
fn first_code(code: &str) -> Option<String> {
    let mut rest = code.trim_start();
    while !rest.is_empty() {
        let end = item_length(rest).ok_or_else(|| rest.lines().next().unwrap_or_default().trim().to_owned());
        match end {
            Ok(length) => rest = rest.get(length..).unwrap_or_default().trim_start(),
            Err(item) => return Some(item),
        }
    }
    None
}

/// Bytes of the permitted item that begins here; of a `mod x {` only the opening, of its end the brace.
fn item_length(text: &str) -> Option<usize> {
    let words = text.strip_prefix("pub ").unwrap_or(text);
    if text.starts_with('}') {
        return Some(1);
    }
    if text.starts_with("#[") || text.starts_with("#![") {
        return text.find(']').map(|end| end + 1);
    }
    if words.starts_with("use ") {
        return text.find(';').map(|end| end + 1);
    }
    if words.starts_with("mod ") {
        return text.find([';', '{']).map(|end| end + 1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_first(code: &str, expected: Option<&str>) {
        assert_eq!(first_code(code).as_deref(), expected);
    }

    #[test]
    fn re_exports_and_modules_are_permitted() {
        check_first(
            "#![warn(x)]\npub use a::{b, c};\nmod d;\n#[doc(inline)]\npub mod e {\n    pub use f::*;\n}\n",
            None,
        );
    }

    #[test]
    fn the_first_item_with_code_is_named() {
        check_first("pub use a;\npub fn f() {}\n", Some("pub fn f() {}"));
        check_first("pub mod e {\n    struct S;\n}", Some("struct S;"));
    }
}
