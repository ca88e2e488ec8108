//! The header of a safetensors file, from untrusted bytes.
//!
//! The reference crate wants the whole file in memory to read its header; this one reads the header alone, so
//! a checkpoint of any size costs kilobytes until its tensors are asked for.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Longest header that is read, the limit of the reference implementation.
const HEADER_LIMIT: u64 = 100_000_000;
/// The little-endian header length that every file starts with.
pub(crate) const PREFIX: u64 = 8;

/// How a safetensors file breaks its format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderProblem {
    /// The file ends inside its header.
    #[error("the file has {found} bytes but its header needs {needed}")]
    Truncated {
        /// Bytes in the file.
        found: u64,
        /// Bytes that the length and the header take.
        needed: u64,
    },
    /// A header longer than any real one.
    #[error("the header claims {claimed} bytes but {HEADER_LIMIT} is the limit")]
    TooLong {
        /// The length that the file states.
        claimed: u64,
    },
    /// The header is not the JSON that it should be.
    #[error("the header is not valid JSON")]
    Json(#[source] serde_json::Error),
    /// A tensor whose bytes lie outside the file.
    #[error("tensor `{tensor}` ends at byte {end} of the data but there are {data}")]
    OutOfBounds {
        /// The tensor.
        tensor: String,
        /// Where it ends, from the start of the data.
        end: u64,
        /// Bytes of data in the file.
        data: u64,
    },
    /// A tensor that does not take the bytes that its shape needs.
    #[error("tensor `{tensor}` spans the bytes {start} to {end}, which does not fit {dtype}{shape:?}")]
    Span {
        /// The tensor.
        tensor: String,
        /// Where it starts.
        start: u64,
        /// Where it ends.
        end: u64,
        /// Its number format.
        dtype: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Two tensors that share bytes.
    #[error("tensors `{first}` and `{second}` overlap")]
    Overlap {
        /// The one that starts first.
        first: String,
        /// The one that starts inside it.
        second: String,
    },
}

/// One tensor of a safetensors file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// Number format as the file spells it, such as `F32`.
    pub dtype: String,
    /// Sizes of the axes.
    pub shape: Vec<usize>,
    /// First byte, from the start of the file.
    pub offset: u64,
    /// Number of bytes.
    pub bytes: u64,
}

/// All tensors of a safetensors file, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SafetensorsHeader {
    /// The tensors.
    pub tensors: BTreeMap<String, TensorEntry>,
}

/// Reads the header of a safetensors file of `file_bytes` bytes from its first bytes.
///
/// `start` holds the length and the header and may hold more. Nothing is allocated from a length that the
/// bytes only claim, and no input makes this panic.
///
/// # Errors
///
/// [`HeaderProblem`] names what is wrong.
pub fn read_safetensors_header(start: &[u8], file_bytes: u64) -> Result<SafetensorsHeader, HeaderProblem> {
    let header = header_length(start, file_bytes)?;
    let needed = PREFIX + header;
    let json = usize::try_from(needed)
        .ok()
        .and_then(|end| start.get(8..end))
        .ok_or(HeaderProblem::Truncated { found: start.len() as u64, needed })?;
    let entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(json).map_err(HeaderProblem::Json)?;
    let data = file_bytes - needed;
    let mut tensors = BTreeMap::new();
    for (name, value) in entries {
        // Free text for people, never needed to read the weights.
        if name != "__metadata__" {
            let raw: RawEntry = serde_json::from_value(value).map_err(HeaderProblem::Json)?;
            let entry = checked(&name, raw, needed, data)?;
            tensors.insert(name, entry);
        }
    }
    disjoint(&tensors)?;
    Ok(SafetensorsHeader { tensors })
}

/// Length of the JSON part of a header, checked against the size of the file.
pub(crate) fn header_length(start: &[u8], file_bytes: u64) -> Result<u64, HeaderProblem> {
    let prefix: [u8; 8] = start
        .get(..8)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(HeaderProblem::Truncated { found: file_bytes.min(start.len() as u64), needed: PREFIX })?;
    let claimed = u64::from_le_bytes(prefix);
    if claimed > HEADER_LIMIT {
        return Err(HeaderProblem::TooLong { claimed });
    }
    if PREFIX + claimed > file_bytes {
        return Err(HeaderProblem::Truncated { found: file_bytes, needed: PREFIX + claimed });
    }
    Ok(claimed)
}

#[derive(Deserialize)]
struct RawEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

fn checked(name: &str, raw: RawEntry, data_start: u64, data: u64) -> Result<TensorEntry, HeaderProblem> {
    let RawEntry { dtype, shape, data_offsets: (start, end) } = raw;
    if end > data {
        return Err(HeaderProblem::OutOfBounds { tensor: name.to_owned(), end, data });
    }
    let needed = bits(&dtype).and_then(|bits| bytes_of(&shape, bits));
    let span = end.checked_sub(start);
    // A type that we do not know may have any size; it is refused when it is used.
    if span.is_none() || (bits(&dtype).is_some() && needed != span) {
        return Err(HeaderProblem::Span { tensor: name.to_owned(), start, end, dtype, shape });
    }
    Ok(TensorEntry { dtype, shape, offset: data_start + start, bytes: end - start })
}

fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F64" | "I64" | "U64" | "C64" => 64,
        "F32" | "I32" | "U32" => 32,
        "F16" | "BF16" | "I16" | "U16" => 16,
        "I8" | "U8" | "BOOL" | "F8_E4M3" | "F8_E5M2" | "F8_E8M0" => 8,
        _ => return None,
    })
}

fn bytes_of(shape: &[usize], bits: u64) -> Option<u64> {
    shape.iter().try_fold(bits / 8, |bytes, &size| bytes.checked_mul(u64::try_from(size).ok()?))
}

fn disjoint(tensors: &BTreeMap<String, TensorEntry>) -> Result<(), HeaderProblem> {
    let mut spans: Vec<_> = tensors.iter().filter(|(_, entry)| entry.bytes > 0).collect();
    spans.sort_by_key(|(_, entry)| entry.offset);
    for pair in spans.windows(2) {
        if let [(first, left), (second, right)] = pair
            && left.offset + left.bytes > right.offset
        {
            return Err(HeaderProblem::Overlap { first: (*first).clone(), second: (*second).clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(json: &str, data: usize) -> Vec<u8> {
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    }

    #[track_caller]
    fn check(json: &str, data: usize, expected: &str) {
        let bytes = file(json, data);
        let problem = read_safetensors_header(&bytes, bytes.len() as u64).unwrap_err();
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn tensors_are_found_by_name_with_offsets_from_the_start_of_the_file() {
        let json =
            r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,3],"data_offsets":[4,16]}}"#;
        let bytes = file(json, 16);
        let header = read_safetensors_header(&bytes, bytes.len() as u64).unwrap();
        let offset = 8 + json.len() as u64 + 4;
        let entry = TensorEntry { dtype: "F16".into(), shape: vec![2, 3], offset, bytes: 12 };
        assert_eq!(header.tensors, BTreeMap::from([("a".to_owned(), entry)]));
    }

    #[test]
    fn broken_headers_say_how() {
        check("[]", 0, "the header is not valid JSON");
        check(
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            4,
            "tensor `a` ends at byte 8 of the data but there are 4",
        );
        check(
            r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
            8,
            "tensor `a` spans the bytes 0 to 8, which does not fit F32[3]",
        );
        check(
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#,
            8,
            "tensor `a` spans the bytes 8 to 4, which does not fit F32[1]",
        );
        check(
            r#"{"a":{"dtype":"F32","shape":[9223372036854775807,9],"data_offsets":[0,4]}}"#,
            8,
            "tensor `a` spans the bytes 0 to 4, which does not fit F32[9223372036854775807, 9]",
        );
        check(
            r#"{"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[3],"data_offsets":[5,8]}}"#,
            8,
            "tensors `a` and `b` overlap",
        );
    }

    #[test]
    fn claimed_lengths_are_not_believed() {
        let problem = read_safetensors_header(&[0xff; 8], 8).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "the header claims 18446744073709551615 bytes but 100000000 is the limit"
        );
        let problem = read_safetensors_header(&[16, 0, 0, 0, 0, 0, 0, 0, b'{'], 9).unwrap_err();
        assert_eq!(problem.to_string(), "the file has 9 bytes but its header needs 24");
        let problem = read_safetensors_header(b"abc", 3).unwrap_err();
        assert_eq!(problem.to_string(), "the file has 3 bytes but its header needs 8");
    }
}
