//! SentencePiece's table of replacements: a tree in an array, and the texts that its leaves point at.
//!
//! The library walks the array without looking where it goes, so a table is walked here first.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use st_core::BoxError;

/// As `tokenizer.json` holds it.
pub(super) fn to_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Refuses a normalizer, or steps of one, whose table leads out of itself.
pub(super) fn check(normalizer: &Value) -> Result<(), BoxError> {
    for step in normalizer.get("normalizers").and_then(Value::as_array).into_iter().flatten() {
        check(step)?;
    }
    let Some(table) = normalizer.get("precompiled_charsmap").and_then(Value::as_str) else { return Ok(()) };
    if is_sound(&STANDARD.decode(table)?) { Ok(()) } else { Err("`precompiled_charsmap` is damaged".into()) }
}

/// Whether every step from every place of the array stays in it, and every leaf is a place between characters.
fn is_sound(table: &[u8]) -> bool {
    let Some((size, rest)) = table.split_first_chunk() else { return false };
    let size = u32::from_le_bytes(*size) as usize;
    let Some((units, texts)) = rest.split_at_checked(size) else { return false };
    let Ok(texts) = str::from_utf8(texts) else { return false };
    let units: Vec<u32> =
        units.as_chunks().0.iter().map(|unit: &[u8; 4]| u32::from_le_bytes(*unit)).collect();
    let leads = |(place, unit): (usize, &u32)| {
        // A leaf: nothing leads on from it, but from the first place, which is not asked what it is.
        if unit >> 31 == 1 && place != 0 {
            return true;
        }
        let next = place ^ ((unit >> 10) as usize) << ((unit & 1 << 9) >> 6);
        let leaf = || units.get(next).map(|leaf| (leaf & 0x7fff_ffff) as usize);
        let ends = unit >> 8 & 1 == 0 || leaf().is_some_and(|at| texts.is_char_boundary(at));
        // Any byte may come next.
        (next | 0xff) < units.len() && ends
    };
    !units.is_empty() && units.iter().enumerate().all(leads)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(units: &[u32], texts: &str) -> Vec<u8> {
        let size = u32::try_from(units.len() * 4).unwrap();
        let units = units.iter().flat_map(|unit| unit.to_le_bytes());
        size.to_le_bytes().into_iter().chain(units).chain(texts.bytes()).collect()
    }

    #[test]
    fn only_sound_tables_pass() {
        let mut units = [0_u32; 256];
        assert!(is_sound(&table(&units, "")));
        // `a` leads to a leaf at 1 ^ `a`, whose text begins at 2.
        units[usize::from(b'a')] = u32::from(b'a') | 1 << 8 | 1 << 10;
        units[usize::from(b'a') ^ 1] = 1 << 31 | 2;
        assert!(is_sound(&table(&units, "x\0y\0")));
        assert!(!is_sound(&table(&units, "x")), "the text is not there");
        assert!(!is_sound(&table(&units, "xää")), "in the middle of a character");
        assert!(!is_sound(&table(&units[..200], "x\0y\0")), "a byte may lead out");
        units[usize::from(b'b')] = u32::from(b'b') | 0x400 << 10;
        assert!(!is_sound(&table(&units, "x\0y\0")), "an offset leads out");
        units[0] = u32::MAX;
        assert!(!is_sound(&table(&units[..], "x\0y\0")), "the first place leads out");
        assert!(!is_sound(&[1, 0, 0]) && !is_sound(&[255; 9]) && !is_sound(&[0; 4]));
    }

    #[test]
    fn steps_of_a_normalizer_are_looked_at() {
        let step = |table: &[u8]| json!({"type": "Precompiled", "precompiled_charsmap": to_text(table)});
        let steps = |table: &[u8]| json!({"type": "Sequence", "normalizers": [{"type": "NFC"}, step(table)]});
        assert!(check(&steps(&table(&[0; 256], ""))).is_ok());
        assert!(check(&steps(b"damaged")).is_err());
        assert!(check(&Value::Null).is_ok());
    }
}
