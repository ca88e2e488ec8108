//! Reads a SentencePiece model: the few fields of its protobuf that a tokenizer is made from.
//!
//! Written by hand because it is all that this crate reads of protobuf, and the file is foreign bytes.

use std::collections::HashMap;

use serde_json::{Map, Value};
use st_core::BoxError;

use super::added::Added;
use super::charsmap;

/// A longer piece is taken for an attack: trainers make none of more than 16 characters unless asked to.
const MAX_PIECE_BYTES: usize = 1024;

/// What a piece is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Control,
    UserDefined,
    /// Normal, unknown, unused and byte pieces.
    Other,
}

/// A token with its score.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) score: f32,
    pub(super) kind: Kind,
}

/// A model file.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) pieces: Vec<Piece>,
    /// Whether it is Unigram; else it is BPE.
    pub(super) is_unigram: bool,
    pub(super) byte_fallback: bool,
    /// Ids of the unknown, first and last token; negative ones are not there.
    pub(super) unknown: u64,
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) unknown_piece: String,
    charsmap: Vec<u8>,
}

/// One field of a protobuf message.
enum Field<'a> {
    Number(u64),
    Float(f32),
    Bytes(&'a [u8]),
    Other,
}

impl Model {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, BoxError> {
        let mut model = Self { is_unigram: true, unknown_piece: "<unk>".to_owned(), ..Self::default() };
        let (mut first, mut last) = ((1, "<s>".to_owned()), (2, "</s>".to_owned()));
        for field in fields(bytes) {
            match field? {
                (1, Field::Bytes(piece)) => model.pieces.push(Piece::parse(piece)?),
                (2, Field::Bytes(trainer)) => {
                    for field in fields(trainer) {
                        match field? {
                            (3, Field::Number(kind)) => model.is_unigram = kind == 1,
                            (35, Field::Number(on)) => model.byte_fallback = on != 0,
                            (40, Field::Number(id)) => model.unknown = id,
                            (41, Field::Number(id)) => first.0 = signed(id),
                            (42, Field::Number(id)) => last.0 = signed(id),
                            (45, Field::Bytes(text)) => model.unknown_piece = utf8(text)?,
                            (46, Field::Bytes(text)) => first.1 = utf8(text)?,
                            (47, Field::Bytes(text)) => last.1 = utf8(text)?,
                            _ => {}
                        }
                    }
                }
                (3, Field::Bytes(normalizer)) => {
                    for field in fields(normalizer) {
                        if let (2, Field::Bytes(map)) = field? {
                            model.charsmap = map.to_vec();
                        }
                    }
                }
                _ => {}
            }
        }
        if model.pieces.is_empty() {
            return Err("it holds no pieces, so it is no SentencePiece model".into());
        }
        model.first = Some(first.1).filter(|_| first.0 >= 0);
        model.last = Some(last.1).filter(|_| last.0 >= 0);
        Ok(model)
    }

    /// The table of replacements in base64, as `tokenizer.json` holds it.
    pub(super) fn charsmap(&self) -> Option<String> {
        (!self.charsmap.is_empty()).then(|| charsmap::to_text(&self.charsmap))
    }

    /// Pieces that are matched as a whole.
    pub(super) fn added(&self) -> Vec<Added> {
        let added = self.pieces.iter().filter(|piece| piece.kind != Kind::Other);
        let token = |piece: &Piece| Added {
            content: piece.text.clone(),
            normalized: Some(false),
            special: piece.kind == Kind::Control,
            ..Added::default()
        };
        added.map(token).collect()
    }

    /// Pieces and scores, for Unigram.
    pub(super) fn scores(&self) -> Value {
        self.pieces
            .iter()
            .map(|piece| {
                Value::from(vec![Value::from(piece.text.as_str()), Value::from(f64::from(piece.score))])
            })
            .collect()
    }

    /// Ids and merges, for BPE: two pieces merge where their text together is a piece, the earlier one first.
    pub(super) fn merges(&self) -> (Value, Value) {
        let ids: HashMap<&str, usize> =
            self.pieces.iter().enumerate().map(|(id, piece)| (piece.text.as_str(), id)).collect();
        let mut merges = Vec::new();
        for (text, rank) in &ids {
            for (at, _) in text.char_indices().skip(1) {
                let (left, right) = text.split_at(at);
                if ids.contains_key(left) && ids.contains_key(right) {
                    merges.push((*rank, at, left, right));
                }
            }
        }
        merges.sort_unstable();
        let pair = |(_, _, left, right): (_, _, &str, &str)| {
            Value::from(vec![Value::from(left), Value::from(right)])
        };
        let merges = merges.into_iter().map(pair).collect();
        let vocab: Map<String, Value> =
            self.pieces.iter().enumerate().map(|(id, piece)| (piece.text.clone(), Value::from(id))).collect();
        (Value::Object(vocab), merges)
    }
}

impl Piece {
    fn parse(bytes: &[u8]) -> Result<Self, BoxError> {
        let mut piece = Self { text: String::new(), score: 0.0, kind: Kind::Other };
        for field in fields(bytes) {
            match field? {
                (1, Field::Bytes(text)) if text.len() > MAX_PIECE_BYTES => {
                    return Err(format!("a piece of {} bytes is too long", text.len()).into());
                }
                (1, Field::Bytes(text)) => piece.text = utf8(text)?,
                (2, Field::Float(score)) => piece.score = score,
                (3, Field::Number(3)) => piece.kind = Kind::Control,
                (3, Field::Number(4)) => piece.kind = Kind::UserDefined,
                _ => {}
            }
        }
        Ok(piece)
    }
}

/// The fields of a message in their order, each with its number.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = Result<(u64, Field<'_>), BoxError>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = next_field(&mut rest);
        if field.is_none() {
            rest = &[];
        }
        Some(field.ok_or_else(|| "it ends in the middle of a field, so it is no SentencePiece model".into()))
    })
}

fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let tag = varint(rest)?;
    let field = match tag & 7 {
        0 => Field::Number(varint(rest)?),
        1 => take(rest, 8).map(|_| Field::Other)?,
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Field::Bytes(take(rest, length)?)
        }
        5 => Field::Float(f32::from_le_bytes(take(rest, 4)?.try_into().ok()?)),
        _ => return None,
    };
    Some((tag >> 3, field))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *take(rest, 1)?.first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

/// Negative numbers are written as if they had 64 bits.
fn signed(value: u64) -> i64 {
    value.cast_signed()
}

fn utf8(bytes: &[u8]) -> Result<String, BoxError> {
    Ok(String::from_utf8(bytes.to_vec())?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(model) = Model::parse(&bytes) {
                model.merges();
            }
        }
    }

    #[test]
    fn a_model_is_read_and_a_cut_one_refused() {
        // One control piece `<s>`, one piece `ab` of score -1.5, a BPE trainer without a first token.
        let bytes = [
            &[0x0a, 7, 0x0a, 3][..],
            b"<s>",
            &[0x18, 3],
            &[0x0a, 9, 0x0a, 2],
            b"ab",
            &[0x15, 0, 0, 0xc0, 0xbf],
            &[0x12, 14, 0x18, 2, 0xc8, 2],
            &[0xff; 9],
            &[1],
        ]
        .concat();
        let model = Model::parse(&bytes).unwrap();
        assert_eq!(model.pieces[0].kind, Kind::Control);
        assert_eq!(model.pieces[1], Piece { text: "ab".to_owned(), score: -1.5, kind: Kind::Other });
        assert_eq!((model.is_unigram, model.first, model.last.as_deref()), (false, None, Some("</s>")));
        for end in [1, 3, 8, 12, 15, bytes.len() - 1] {
            assert!(Model::parse(&bytes[..end]).is_err(), "{end}");
        }
        assert!(Model::parse(b"").is_err());
    }
}
