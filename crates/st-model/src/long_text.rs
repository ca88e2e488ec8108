//! Texts that are longer than the model reads at once.

use std::ops::Range;

use ndarray::{Array2, Axis};
use st_core::{LongText, Overlong};

use crate::Error;
use crate::tokenizer::{Tokenized, Tokenizer};

/// The texts of a call as what runs: one piece each, or several of a text that is too long.
pub(crate) struct Pieces {
    /// All pieces, in the order of the texts.
    tokenized: Vec<Tokenized>,
    /// Which texts were too long.
    overlong: Vec<Overlong>,
    /// For each text its pieces; none if each has one.
    parts: Option<Vec<Part>>,
}

/// The pieces of a text.
struct Part {
    pieces: Range<usize>,
    /// Tokens of the text itself in each piece.
    weights: Vec<usize>,
}

impl Pieces {
    /// Texts that were cut where they are too long.
    pub(crate) fn truncated(texts: Vec<Tokenized>) -> Self {
        let overlong = texts.iter().enumerate().filter(|(_, text)| text.is_truncated());
        let overlong = overlong.map(|(text, cut)| Overlong {
            text,
            tokens: cut.full_length,
            lost: cut.full_length - cut.ids.len(),
            windows: 1,
        });
        Self { overlong: overlong.collect(), tokenized: texts, parts: None }
    }

    /// The same, and an error if there are any.
    pub(crate) fn whole(texts: Vec<Tokenized>, limit: Option<usize>) -> Result<Self, Error> {
        let pieces = Self::truncated(texts);
        match (pieces.overlong.first(), limit) {
            (Some(first), Some(limit)) => {
                Err(Error::TooLong { index: first.text, tokens: first.tokens, limit })
            }
            _ => Ok(pieces),
        }
    }

    /// Texts of which none was cut, those that are too long in windows.
    pub(crate) fn windows(texts: Vec<Tokenized>, windows: &Windows) -> Self {
        let mut pieces = Vec::with_capacity(texts.len());
        let mut overlong = Vec::new();
        let mut parts = Vec::with_capacity(texts.len());
        for (index, text) in texts.into_iter().enumerate() {
            let start = pieces.len();
            let tokens = text.ids.len();
            let mut weights = vec![1];
            if tokens <= windows.limit {
                pieces.push(text);
            } else {
                weights.clear();
                for (piece, weight) in windows.split(&text.ids) {
                    pieces.push(piece);
                    weights.push(weight);
                }
                overlong.push(Overlong { text: index, tokens, lost: 0, windows: weights.len() });
            }
            parts.push(Part { pieces: start..pieces.len(), weights });
        }
        Self { tokenized: pieces, overlong, parts: Some(parts) }
    }

    /// Rows of pieces to rows of texts: means weighted by tokens, scaled to length one if `normalize`. The row of a
    /// text of one piece stays as it is.
    pub(crate) fn join(parts: Option<&Joints>, rows: Array2<f32>, normalize: bool) -> Array2<f32> {
        let Some(Joints(parts)) = parts else { return rows };
        let mut joined = Array2::zeros((parts.len(), rows.ncols()));
        for (part, mut out) in parts.iter().zip(joined.axis_iter_mut(Axis(0))) {
            if let [_one] = part.weights.as_slice() {
                out.assign(&rows.row(part.pieces.start));
                continue;
            }
            out.assign(&weighted_mean(&rows, part));
            if normalize {
                st_pooling::normalize_in_place(out.insert_axis(Axis(0)));
            }
        }
        joined
    }

    /// The pieces by themselves, and how their rows become rows of texts again.
    pub(crate) fn into_parts(self) -> (Vec<Tokenized>, Vec<Overlong>, Option<Joints>) {
        (self.tokenized, self.overlong, self.parts.map(Joints))
    }
}

/// How rows of pieces become rows of texts.
pub(crate) struct Joints(Vec<Part>);

/// Sums are `f64`: a text may have many windows.
fn weighted_mean(rows: &Array2<f32>, part: &Part) -> ndarray::Array1<f32> {
    let mut sums = ndarray::Array1::<f64>::zeros(rows.ncols());
    #[expect(clippy::cast_precision_loss, reason = "no text has 2^52 tokens")]
    let weights: Vec<f64> = part.weights.iter().map(|&weight| weight as f64).collect();
    for (piece, weight) in part.pieces.clone().zip(&weights) {
        sums.zip_mut_with(&rows.row(piece), |sum, &value| *sum += weight * f64::from(value));
    }
    let total: f64 = weights.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "a mean of f32 is rounded to f32")]
    sums.mapv(|sum| (sum / total) as f32)
}

/// How a text is cut into windows: each has the special tokens and the prompt, and a part of the text.
#[derive(Debug)]
pub(crate) struct Windows {
    before: Vec<u32>,
    after: Vec<u32>,
    prompt: Vec<u32>,
    limit: usize,
    overlap: usize,
}

impl Windows {
    /// Windows of at most `limit` tokens, of which neighbours share `overlap` tokens of the text.
    pub(crate) fn new(
        tokenizer: &dyn Tokenizer,
        prompt: &str,
        limit: usize,
        overlap: usize,
    ) -> Result<Self, Error> {
        let ids = |text: &str| {
            let tokens = tokenizer.tokenize(text, None);
            tokens.map(|tokens| tokens.ids).map_err(|source| Error::Tokenize { index: 0, source })
        };
        // What stands around a text is what a text adds nothing to.
        let around = ids("")?;
        let before = common_start(&around, &ids("a")?);
        let (before, after) = around.split_at(before);
        let prompt = ids(prompt)?;
        let prompt = prompt.get(before.len()..prompt.len() - after.len()).unwrap_or_default().to_vec();
        let windows = Self { before: before.to_vec(), after: after.to_vec(), prompt, limit, overlap };
        let room = limit.saturating_sub(around.len() + windows.prompt.len());
        match room.checked_sub(1) {
            None => {
                let reason = format!("the prompt and {} special tokens leave no room for text", around.len());
                Err(Error::option("max_seq_length", limit, &reason))
            }
            Some(most) if overlap > most => {
                let reason = format!("a window has room for {room} tokens of the text");
                Err(Error::option("overlap", overlap, &reason))
            }
            Some(_) => Ok(windows),
        }
    }

    /// How many tokens stand before those of the text itself, and the latter.
    ///
    /// The last token of a prompt may have grown together with the text; then it belongs to the text.
    pub(crate) fn own<'a>(&self, ids: &'a [u32]) -> (usize, &'a [u32]) {
        let inside = self.inside(ids);
        let prompt = common_start(&self.prompt, inside);
        (self.before.len() + prompt, inside.get(prompt..).unwrap_or_default())
    }

    /// Tokens without the special ones around them.
    pub(crate) fn inside<'a>(&self, ids: &'a [u32]) -> &'a [u32] {
        ids.get(self.before.len()..ids.len() - self.after.len()).unwrap_or_default()
    }

    /// Tokens of the text that a window has room for behind so many others.
    pub(crate) fn room(&self, before: usize) -> usize {
        self.limit - before - self.after.len()
    }

    /// The windows of a text that is too long, `ids` with prompt and special tokens; and how many tokens of the text
    /// itself are in each.
    pub(crate) fn split(&self, ids: &[u32]) -> Vec<(Tokenized, usize)> {
        let (before, text) = self.own(ids);
        let prompt = ids.get(self.before.len()..before).unwrap_or_default();
        let spans = spans(text.len(), self.room(before), self.overlap);
        let window = |span: Range<usize>| {
            let weight = span.len();
            let part = text.get(span).unwrap_or_default();
            let ids: Vec<u32> = [&self.before, prompt, part, &self.after].concat();
            (Tokenized { full_length: ids.len(), ids, ..Tokenized::default() }, weight)
        };
        spans.into_iter().map(window).collect()
    }
}

/// How many items two lists have in common at their start.
fn common_start(one: &[u32], other: &[u32]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Spans of at most `room` of `length` tokens, each but the first beginning with the last `overlap` tokens of the one
/// before. There is one at least; `overlap` is less than `room`.
pub(crate) fn spans(length: usize, room: usize, overlap: usize) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    loop {
        let end = (start + room).min(length);
        spans.push(start..end);
        if end == length {
            return spans;
        }
        start = end - overlap;
    }
}

/// The policy in force: that of the call, else that of the model.
pub(crate) fn policy(asked: Option<LongText>, stored: Option<LongText>) -> LongText {
    asked.or(stored).unwrap_or_default()
}

#[cfg(test)]
mod tests;
