//! The only file that names the tokenizer library, a release candidate.

use serde_json::Value;
use st_core::BoxError;
use tokenizers::pipeline::{EncodeOptions, Override, PipelineToken, PipelineTokenizer, Template as Wrapping};

use super::template::Template;

/// A tokenizer that was built, before anything is put around a text or cut.
pub(super) struct Pipeline {
    inner: PipelineTokenizer,
    options: EncodeOptions,
}

impl Pipeline {
    /// Builds what a `tokenizer.json` describes.
    pub(super) fn new(mut value: Value, split_special: bool) -> Result<Self, BoxError> {
        tokenizers::canonicalize_value(&mut value)?;
        let inner = tokenizers::from_json(&value.to_string())?;
        // Truncation and padding inside the file are not the model's: the reference overrides both.
        let options = EncodeOptions {
            padding: Override::Off,
            truncation: Override::Off,
            encode_special_tokens: split_special,
            ..EncodeOptions::no_specials()
        };
        Ok(Self { inner, options })
    }

    /// The ids of a text, special tokens and limits left out.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        let mut tokens = Vec::with_capacity(text.len() / 4 + 2);
        self.inner.encode_into(text, &self.options, &mut tokens)?;
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
