//! The only file that names the tokenizer library, a release candidate.
//!
//! Where the library would answer otherwise than its released versions, its own steps are run one by one here.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use st_core::BoxError;
use tokenizers::SplitDelimiterBehavior;
use tokenizers::normalizers::metaspace::PrependBehavior;
use tokenizers::pipeline::{
    EncodeOptions, Model, Override, PipelineModel, PipelineNormalizer, PipelinePreTokenizer, PipelineToken,
    PipelineTokenizer, PreTokenizer, PreTokenizerScratch, Segment, Span, SpecialSegmentIterator,
    Template as Wrapping, normalize_all,
};
use tokenizers::pre_tokenizers::sequence::PipelineSequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};

use super::template::Template;
use super::{punctuation, sound};

/// A tokenizer that was built, before anything is put around a text or cut.
pub(super) struct Pipeline {
    inner: PipelineTokenizer,
    options: EncodeOptions,
    stepwise: Option<Stepwise>,
}

/// What the library's steps need when they are run one by one.
struct Stepwise {
    words: PipelinePreTokenizer,
    /// How many normalizers run before added tokens are looked for in the normalised text.
    before: usize,
    /// Words of one byte, where the model reads bytes as characters: the library knows a mark at the end of
    /// words only so, and forgets it on words of one character.
    spelled: Option<Vec<Option<u32>>>,
    /// Whether words end at punctuation, on which the library's tables and those of its released versions differ.
    punctuation: bool,
    /// Whether only the beginning of a text is marked.
    firsts: bool,
    /// Whether each text needs these steps, not only one with such punctuation.
    always: bool,
    spare: Mutex<Vec<Scratch>>,
}

struct Scratch {
    model: <PipelineModel as Model>::Scratch,
    words: PreTokenizerScratch,
    spans: Vec<Span>,
}

impl Pipeline {
    /// Builds what a `tokenizer.json` describes.
    pub(super) fn new(mut value: Value, split_special: bool) -> Result<Self, BoxError> {
        tokenizers::canonicalize_value(&mut value)?;
        value.get_mut("model").map_or(Ok(()), sound::make)?;
        let spelled = spell_bytes(&mut value);
        let inner = tokenizers::from_json(&value.to_string())?;
        // Truncation and padding inside the file are not the model's: the reference overrides both.
        let options = EncodeOptions {
            padding: Override::Off,
            truncation: Override::Off,
            encode_special_tokens: split_special,
            ..EncodeOptions::no_specials()
        };
        Ok(Self { stepwise: Stepwise::of(&inner, spelled)?, inner, options })
    }

    /// The ids of a text, special tokens and limits left out.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        let mut tokens = Vec::with_capacity(text.len() / 4 + 2);
        match &self.stepwise {
            Some(steps) if steps.always || punctuation::differs(text) || text.contains('\0') => {
                self.encode_stepwise(steps, text, &mut tokens)?;
            }
            _ => self.inner.encode_into(text, &self.options, &mut tokens)?,
        }
        Ok(PipelineToken::cast_slice(&tokens).to_vec())
    }

    /// What stands around one text.
    pub(super) fn single(&self) -> Template {
        template(&self.inner.get_post_processor().single)
    }

    /// What stands around a pair.
    pub(super) fn pair(&self) -> Template {
        template(&self.inner.get_post_processor().pair)
    }

    fn encode_stepwise(
        &self,
        steps: &Stepwise,
        text: &str,
        out: &mut Vec<PipelineToken>,
    ) -> Result<(), BoxError> {
        let spare = steps.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut scratch = spare.unwrap_or_else(|| Scratch::new(self.inner.get_model()));
        let (before, marks) = self.inner.get_normalizers().split_at(steps.before);
        for (part, at) in self.parts(text, false) {
            let mut at = at;
            let part = match part {
                Ok(part) => {
                    at += usize::from(steps.firsts && loses_first(before, part)?);
                    normalize_all(before, part, at)?
                }
                Err(token) => {
                    out.push(token);
                    continue;
                }
            };
            for (part, inside) in self.parts(&part, true) {
                match part {
                    Ok(part) => {
                        let words = normalize_all(marks, part, at + inside)?;
                        self.split(steps, &words, &mut scratch, out)?;
                    }
                    Err(token) => out.push(token),
                }
            }
        }
        steps.spare.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        Ok(())
    }

    /// The text between added tokens and where it starts, and these tokens.
    fn parts<'a>(
        &'a self,
        text: &'a str,
        normalized: bool,
    ) -> impl Iterator<Item = (Result<&'a str, PipelineToken>, usize)> {
        let special = self.options.encode_special_tokens;
        let segments =
            SpecialSegmentIterator::new(text, self.inner.get_added_vocabulary(), normalized, special);
        segments.map(|segment| match segment {
            Segment::Text { text, input_offset } => (Ok(text), input_offset),
            Segment::SpecialToken(token) => (Err(PipelineToken::from(token)), 0),
        })
    }

    fn split(
        &self,
        steps: &Stepwise,
        text: &str,
        scratch: &mut Scratch,
        out: &mut Vec<PipelineToken>,
    ) -> Result<(), BoxError> {
        // A span counts its bytes in 32 bits.
        u32::try_from(text.len())?;
        scratch.spans.clear();
        let replaced = (steps.punctuation && punctuation::differs(text)).then(|| punctuation::replaced(text));
        let seen = replaced.as_deref().unwrap_or(text);
        steps.words.pre_tokenize(seen, &mut scratch.words, &mut scratch.spans)?;
        let model = self.inner.get_model();
        // The library takes a piece that ends with a zero for the same without it; no vocabulary has either of these.
        let zeros = matches!(model, PipelineModel::WordPiece(_)) && text.contains('\0');
        let text = if zeros { Cow::Owned(text.replace('\0', "\u{1}")) } else { Cow::Borrowed(text) };
        let text = text.as_ref();
        let Some(single) = &steps.spelled else {
            return model.tokenize_spans(text, &scratch.spans, &mut scratch.model, out);
        };
        for span in &scratch.spans {
            let word = &text[span.range()];
            match word.as_bytes() {
                [byte] => out.extend(single[usize::from(*byte)].map(PipelineToken::from)),
                bytes => {
                    let word: String = bytes.iter().copied().map(spell).collect();
                    model.tokenize_pipeline(&word, &mut scratch.model, out)?;
                }
            }
        }
        Ok(())
    }
}

impl Stepwise {
    /// Needed where words are split by a pattern that the library's reader leaves without an engine, and where
    /// added tokens are looked for in normalised text: the library does that after spaces became marks.
    fn of(inner: &PipelineTokenizer, spelled: Option<Vec<Option<u32>>>) -> Result<Option<Self>, BoxError> {
        let words = compiled(inner.get_pre_tokenizer())?;
        let normalizers = inner.get_normalizers();
        let added = inner.get_added_vocabulary().get_added_tokens_decoder();
        let marks = matches!(normalizers.last(), Some(PipelineNormalizer::Metaspace(_)));
        let before = normalizers.len() - usize::from(marks);
        let hidden = marks && added.values().any(|token| token.normalized);
        let firsts = matches!(normalizers, [_, .., PipelineNormalizer::Metaspace(marks)]
            if marks.prepend() == PrependBehavior::First);
        let always = words.is_some() || spelled.is_some() || hidden || firsts;
        let words = words.unwrap_or_else(|| inner.get_pre_tokenizer().clone());
        let punctuation = ends_at_punctuation(&words);
        let steps = Self { words, before, spelled, punctuation, firsts, always, spare: Mutex::default() };
        let zeros = matches!(inner.get_model(), PipelineModel::WordPiece(_));
        Ok(Some(steps).filter(|_| always || punctuation || zeros))
    }
}

impl Scratch {
    fn new(model: &PipelineModel) -> Self {
        Self { model: model.init_scratch(), words: PreTokenizerScratch::default(), spans: Vec::new() }
    }
}

/// Whether normalizers take the first character of a text away: what follows does not begin the text then.
fn loses_first(normalizers: &[PipelineNormalizer], text: &str) -> Result<bool, BoxError> {
    let Some(first) = text.chars().next() else { return Ok(false) };
    Ok(normalize_all(normalizers, &format!("{first}x"), 1)? == "x")
}

fn ends_at_punctuation(words: &PipelinePreTokenizer) -> bool {
    match words {
        PipelinePreTokenizer::Bert(_) | PipelinePreTokenizer::Punctuation(_) => true,
        PipelinePreTokenizer::Sequence(steps) => steps.pre_tokenizers().iter().any(ends_at_punctuation),
        _ => false,
    }
}

/// The same splits with engines for their patterns, if any lacks one.
fn compiled(words: &PipelinePreTokenizer) -> Result<Option<PipelinePreTokenizer>, BoxError> {
    match words {
        PipelinePreTokenizer::Split(split) if lacks_engine(split) => {
            let made = Split::new(split.pattern.clone(), split.behavior, split.invert)?;
            Ok(Some(PipelinePreTokenizer::Split(made)))
        }
        PipelinePreTokenizer::Sequence(steps) if !steps.is_deepseek() => {
            let steps = steps.pre_tokenizers();
            let made = steps.iter().map(compiled).collect::<Result<Vec<_>, _>>()?;
            if made.iter().all(Option::is_none) {
                return Ok(None);
            }
            let made = made.into_iter().zip(steps).map(|(made, step)| made.unwrap_or_else(|| step.clone()));
            Ok(Some(PipelinePreTokenizer::Sequence(PipelineSequence::new(made.collect()))))
        }
        _ => Ok(None),
    }
}

fn lacks_engine(split: &Split) -> bool {
    let native =
        split.grammar().is_some() && split.behavior == SplitDelimiterBehavior::Isolated && !split.invert;
    matches!(split.pattern, SplitPattern::Regex(_)) && !native
}

/// Says of a byte-level model whose words end with a mark that it is none, and returns its words of one byte.
fn spell_bytes(value: &mut Value) -> Option<Vec<Option<u32>>> {
    let model = value.get_mut("model")?.as_object_mut()?;
    let mark = model.get("end_of_word_suffix")?.as_str()?.to_owned();
    if mark.is_empty() || model.get("byte_level") != Some(&Value::from(true)) {
        return None;
    }
    model.insert("byte_level".to_owned(), Value::from(false));
    let vocab = model.get("vocab")?;
    let id = |token: &str| u32::try_from(vocab.get(token)?.as_u64()?).ok();
    let unknown = model.get("unk_token").and_then(Value::as_str).and_then(id);
    Some((0..=u8::MAX).map(|byte| id(&format!("{}{mark}", spell(byte))).or(unknown)).collect())
}

/// The character that stands for a byte in byte-level vocabularies: itself where it can be seen.
fn spell(byte: u8) -> char {
    let hidden = |below: u8| 0x100 + u32::from(below);
    let code = match byte {
        0..=0x20 => hidden(byte),
        0x7f..=0xa0 => hidden(byte - 0x7f + 0x21),
        0xad => hidden(0x43),
        seen => u32::from(seen),
    };
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn template(wrapping: &Wrapping) -> Template {
    let run =
        |tokens: &[(PipelineToken, u8)]| tokens.iter().map(|(token, kind)| (token.id(), *kind)).collect();
    Template {
        prefix: run(&wrapping.prefix),
        infix: run(&wrapping.infix),
        suffix: run(&wrapping.suffix),
        first_type: wrapping.a_type_id,
        second_type: wrapping.b_type_id.unwrap_or(0),
    }
}
