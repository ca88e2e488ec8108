//! Bytes as lower case hexadecimal digits.

use std::fmt::Write as _;

/// Two digits a byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Text grows; it does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes, unless something else than pairs of lower case digits stands there.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pairs_of_lower_case_digits_are_bytes() {
        assert_eq!(encode(&[0, 0x0a, 0xff]), "000aff");
        assert_eq!(decode("000aff"), Some(vec![0, 0x0a, 0xff]));
        assert_eq!(decode(""), Some(Vec::new()));
        for wrong in ["0", "000", "0A", "0g", " 0", "é", "+1"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
