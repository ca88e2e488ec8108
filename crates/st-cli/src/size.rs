//! Sizes as people write them.

/// Bytes, or a number with `kB`, `MB`, `GB`, `TB` (powers of 1000).
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic()).trim();
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        other => return Err(format!("unknown unit `{other}`; known are kB, MB, GB, TB")),
    };
    let number: u64 = digits.parse().map_err(|_| "expected a number, such as 10GB".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in
            [("0", Ok(0)), ("12", Ok(12)), ("10GB", Ok(10_000_000_000)), ("5 mb", Ok(5_000_000))]
        {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("3 parsecs").unwrap_err(), "unknown unit `parsecs`; known are kB, MB, GB, TB");
        assert_eq!(parse("GB").unwrap_err(), "expected a number, such as 10GB");
    }
}
