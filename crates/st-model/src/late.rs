//! Late chunking: a text is read whole, and its chunks are pooled afterwards.
//!
//! Each chunk's vector knows what stands around the chunk, because every token has seen the whole window (Günther et
//! al., 2024, arXiv 2409.04701). A text that does not fit is read in windows that overlap, and a token is taken from
//! the first window that has it, as the paper's algorithm for long texts does.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis, Slice, concatenate};
use st_core::{BoxError, EncodeOptions, Overlong, PoolingMode, TokenView, Vectors};

use crate::encoder::SentenceTransformer;
use crate::long_text::{Windows, spans};
use crate::prepared::Prepared;
use crate::spec::RouteSpec;
use crate::tokenizer::Tokenizer;
use crate::{Error, finish, prompt};

/// How texts are cut for [`SentenceTransformer::encode_late`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LateChunking {
    /// Tokens of a chunk at most; chunks end between words where they can.
    pub tokens: usize,
    /// Tokens that two neighbouring windows share, where a text does not fit into one.
    pub overlap: usize,
}

impl LateChunking {
    /// Chunks of at most `tokens` tokens; windows that share nothing.
    pub fn new(tokens: usize) -> Self {
        Self { tokens, overlap: 0 }
    }

    /// Sets how many tokens neighbouring windows share.
    #[must_use]
    pub fn with_overlap(mut self, overlap: usize) -> Self {
        self.overlap = overlap;
        self
    }
}

/// The answer of [`SentenceTransformer::encode_late`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LateChunks {
    /// One row a chunk, in the order of the texts and of the chunks in each.
    pub vectors: Vectors,
    /// Which part of which text each row is.
    pub chunks: Vec<LateChunk>,
    /// Tokens that the model read, special tokens included, padding not.
    pub tokens: usize,
    /// The texts that needed more than one window, in order.
    pub overlong: Vec<Overlong>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LateChunk {
    /// Position of the text in the call, from 0.
    pub text: usize,
    /// Position of the chunk in the text, from 0.
    pub chunk: usize,
    /// Its tokens among those of the text, prompt and special tokens not counted.
    pub tokens: Range<usize>,
    /// Its bytes in the text; none where a boundary lies inside of a word, which the tokenizer does not tell.
    pub bytes: Option<Range<usize>>,
}

/// A text on its way.
struct Plan {
    chunks: Vec<LateChunk>,
    /// The text's own tokens of each window.
    windows: Vec<Range<usize>>,
    /// Its first window among all.
    first: usize,
    /// Tokens before the text's own in each window: special ones and the prompt.
    before: usize,
    /// All tokens, prompt and special tokens included.
    tokens: usize,
}

impl SentenceTransformer {
    /// Encodes each text whole, up to the model's limit, and pools its chunks: one vector a chunk.
    ///
    /// The special tokens and the prompt count to the first chunk and to the last, so that a text of one chunk has its
    /// ordinary vector. Vectors are normalised, cut and quantised as those of `encode`.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for chunks of no tokens, for an overlap that leaves a window nothing new, and for a model that
    /// does not pool by the mean, whose chunks would have no meaning; else as `encode`.
    pub fn encode_late(
        &self,
        texts: &[&str],
        chunking: LateChunking,
        options: &EncodeOptions,
    ) -> Result<LateChunks, BoxError> {
        let dim = finish::truncate_dim(self.spec(), options)?;
        let options = self.calibrated(options)?;
        let options = options.as_ref();
        let place = self.place(options)?;
        let (way, route) = (self.way(place), &self.spec().routes[place]);
        check_late(route, chunking)?;
        let prompt = prompt::resolve(&self.spec().sentence, options)?;
        let limit = way.max_tokens().unwrap_or(usize::MAX);
        let windows = Windows::new(way.tokenizer(), prompt, limit, chunking.overlap)?;
        let mut plans = Vec::with_capacity(texts.len());
        let mut pieces = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let fail = |source| Error::Tokenize { index, source };
            let ids = way.tokenizer().tokenize(&[prompt, text].concat(), None).map_err(fail)?.ids;
            let (before, own) = windows.own(&ids);
            let chunks =
                Chunks { windows: &windows, own, text }.cut(way.tokenizer(), index, chunking.tokens)?;
            let first = pieces.len();
            pieces.extend(windows.split(&ids).into_iter().map(|(piece, _)| piece));
            let spans = spans(own.len(), windows.room(before), chunking.overlap);
            plans.push(Plan { chunks, windows: spans, first, before, tokens: ids.len() });
        }
        let tokens = pieces.iter().map(|piece| piece.ids.len()).sum();
        let prepared = Prepared::new(crate::long_text::Pieces::truncated(pieces), 0);
        let hidden = way.token_rows(route, &prepared, options.into())?;
        let excluded = match &route.pooling {
            Some(pooling) if !pooling.include_prompt && !prompt.is_empty() => usize::MAX,
            _ => 0,
        };
        let mut rows = Vec::new();
        for plan in &plans {
            plan.pool(&prepared, &hidden, excluded, &mut rows)?;
        }
        let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
        let mut rows = if views.is_empty() {
            Array2::zeros((0, self.spec().dim()))
        } else {
            concatenate(Axis(0), &views)?
        };
        if route.normalizes() {
            st_pooling::normalize_in_place(rows.view_mut());
        }
        let vectors = finish::vectors(rows, dim, options)?;
        let overlong = plans.iter().enumerate().filter(|(_, plan)| plan.windows.len() > 1);
        let overlong = overlong.map(|(text, plan)| Overlong {
            text,
            tokens: plan.tokens,
            lost: 0,
            windows: plan.windows.len(),
        });
        let overlong = overlong.collect();
        let chunks = plans.into_iter().flat_map(|plan| plan.chunks).collect();
        Ok(LateChunks { vectors, chunks, tokens, overlong })
    }
}

/// That the mean of a part of the tokens is what the model would make of it.
fn check_late(route: &RouteSpec, chunking: LateChunking) -> Result<(), Error> {
    if chunking.tokens == 0 {
        return Err(Error::option("late_chunking", 0, "a chunk has at least one token"));
    }
    let refuse = |reason: String| {
        let value = chunking.tokens.to_string();
        Err(Error::Option { option: "late_chunking", value, reason })
    };
    if let Some(module) = route.module_beyond_pooling() {
        let module = module.name();
        return refuse(format!(
            "it takes the mean of a chunk's tokens, and the model has a {module} behind that"
        ));
    }
    match route.pooling_modes() {
        [PoolingMode::Mean] => Ok(()),
        modes => {
            let modes: Vec<_> = modes.iter().map(|mode| mode.name()).collect();
            refuse(format!(
                "it takes the mean of a chunk's tokens, and the model pools by {}",
                modes.join(", ")
            ))
        }
    }
}

impl Plan {
    /// Adds the mean of each chunk, `[1, hidden]`.
    fn pool(
        &self,
        prepared: &Prepared,
        hidden: &[Array2<f32>],
        excluded: usize,
        rows: &mut Vec<Array2<f32>>,
    ) -> Result<(), BoxError> {
        let window =
            |index: usize| -> ArrayView2<'_, f32> { hidden[prepared.places[self.first + index]].view() };
        let part = |view: ArrayView2<'_, f32>, range: Range<usize>| {
            view.slice_axis(Axis(0), Slice::from(range.start..range.end)).to_owned()
        };
        for (index, chunk) in self.chunks.iter().enumerate() {
            let mut parts = Vec::new();
            if index == 0 {
                let from = excluded.min(self.before);
                parts.push(part(window(0), from..self.before));
            }
            let mut next = chunk.tokens.start;
            for (place, span) in self.windows.iter().enumerate() {
                // The first window that has a token is the one that counts.
                let taken = next.max(span.start)..chunk.tokens.end.min(span.end);
                if taken.start < taken.end {
                    let start = taken.start + self.before - span.start;
                    parts.push(part(window(place), start..start + taken.len()));
                    next = taken.end;
                }
            }
            if index + 1 == self.chunks.len() {
                let last = self.windows.len() - 1;
                let view = window(last);
                let own = self.windows.last().map_or(0, ExactSizeIterator::len);
                parts.push(part(view, self.before + own..view.nrows()));
            }
            let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
            let tokens = concatenate(Axis(0), &views)?;
            let mask = Array2::ones((1, tokens.nrows()));
            let tokens = tokens.insert_axis(Axis(0));
            let view = TokenView::new(tokens.view(), mask.view())?;
            rows.push(st_pooling::pool(view, &[PoolingMode::Mean], &[0]));
        }
        Ok(())
    }
}

/// How many tokens a word has, and its bytes in the text.
type Word = (usize, Range<usize>);

/// Tokens of a chunk, and its bytes if they are known.
type Span = (Range<usize>, Option<Range<usize>>);

/// A text that is cut.
struct Chunks<'a> {
    windows: &'a Windows,
    own: &'a [u32],
    text: &'a str,
}

impl Chunks<'_> {
    /// Chunks of at most `most` tokens, between words where the tokenizer keeps these apart.
    fn cut(&self, tokenizer: &dyn Tokenizer, index: usize, most: usize) -> Result<Vec<LateChunk>, Error> {
        let words = self.words(tokenizer, index)?;
        let spans = match &words {
            Some(words) => between_words(words, most),
            None => spans(self.own.len(), most, 0).into_iter().map(|tokens| (tokens, None)).collect(),
        };
        let chunk = |(chunk, (tokens, bytes))| LateChunk { text: index, chunk, tokens, bytes };
        Ok(spans.into_iter().enumerate().map(chunk).collect())
    }

    /// Tokens and bytes of each word with the blanks before it; none if the words alone have other tokens than together.
    fn words(&self, tokenizer: &dyn Tokenizer, index: usize) -> Result<Option<Vec<Word>>, Error> {
        let mut ids = Vec::with_capacity(self.own.len());
        let mut words = Vec::new();
        for bytes in words_of(self.text) {
            let word = self.text.get(bytes.clone()).unwrap_or_default();
            let tokens = tokenizer.tokenize(word, None);
            let tokens = tokens.map_err(|source| Error::Tokenize { index, source })?.ids;
            let own = self.windows.inside(&tokens);
            ids.extend_from_slice(own);
            words.push((own.len(), bytes));
        }
        Ok((ids == self.own).then_some(words))
    }
}

/// Bytes of each word with the blanks before it; those at the end belong to the last one.
fn words_of(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut blank = true;
    for (place, character) in text.char_indices() {
        let is_blank = character.is_whitespace();
        if is_blank && !blank {
            starts.push(place);
        }
        blank = is_blank;
    }
    if blank && starts.len() > 1 {
        starts.pop();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// Packs whole words into chunks of at most `most` tokens; a word that is longer is cut between its tokens.
fn between_words(words: &[Word], most: usize) -> Vec<Span> {
    let mut chunks: Vec<Span> = Vec::new();
    let mut open: Option<(Range<usize>, Range<usize>)> = None;
    let mut at = 0;
    for (tokens, bytes) in words {
        let span = at..at + tokens;
        at = span.end;
        match &mut open {
            Some((taken, text)) if taken.len() + tokens <= most => {
                (taken.end, text.end) = (span.end, bytes.end);
                continue;
            }
            _ => {}
        }
        chunks.extend(open.take().map(|(tokens, bytes)| (tokens, Some(bytes))));
        if *tokens <= most {
            open = Some((span, bytes.clone()));
        } else {
            let parts = spans(span.len(), most, 0).into_iter();
            chunks.extend(parts.map(|part| (span.start + part.start..span.start + part.end, None)));
        }
    }
    chunks.extend(open.map(|(tokens, bytes)| (tokens, Some(bytes))));
    chunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<&str> {
        words_of(text).into_iter().map(|bytes| &text[bytes]).collect()
    }

    #[test]
    fn words_keep_the_blanks_before_them() {
        assert_eq!(words("one two  three"), ["one", " two", "  three"]);
        assert_eq!(words("  one\n"), ["  one\n"]);
        assert_eq!(words(" \t"), [" \t"]);
        assert_eq!(words(""), [""]);
    }

    #[test]
    fn chunks_hold_whole_words() {
        let words = [(2, 0..3), (1, 3..5), (2, 5..9), (7, 9..20), (1, 20..22)];
        let chunks = between_words(&words, 3);
        let expected = [
            (0..3, Some(0..5)),
            (3..5, Some(5..9)),
            (5..8, None),
            (8..11, None),
            (11..12, None),
            (12..13, Some(20..22)),
        ];
        assert_eq!(chunks, expected);
        assert_eq!(between_words(&[(0, 0..0)], 3), [(0..0, Some(0..0))]);
    }

    proptest! {
        #[test]
        fn chunks_cover_the_text(text in "[ab \\n]{0,40}", most in 1..9_usize) {
            let words: Vec<_> =
                words_of(&text).into_iter().map(|bytes| (text[bytes.clone()].trim().len(), bytes)).collect();
            let chunks = between_words(&words, most);
            let mut next = 0;
            for (tokens, bytes) in &chunks {
                prop_assert_eq!(tokens.start, next);
                prop_assert!(tokens.len() <= most);
                if let Some(bytes) = bytes {
                    let letters = text[bytes.clone()].chars().filter(|letter| !letter.is_whitespace()).count();
                    prop_assert_eq!(letters, tokens.len());
                }
                next = tokens.end;
            }
            prop_assert_eq!(next, words.iter().map(|(tokens, _)| tokens).sum::<usize>());
        }
    }
}
