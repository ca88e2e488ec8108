//! An encoder that computes nothing of use and remembers what it was asked.

use std::sync::Mutex;

use ndarray::Array2;
use st_core::{BoxError, EncodeOptions, Encoded, Encoder, Precision, Similarity, TokenEmbeddings, Vectors};

/// Vectors of eight dimensions, filled with the length of the text; two tokens more than words.
#[derive(Debug, Default)]
pub(crate) struct FakeEncoder {
    pub(crate) calls: Mutex<Vec<(Vec<String>, EncodeOptions)>>,
}

pub(crate) const DIM: usize = 8;

impl FakeEncoder {
    pub(crate) fn last_call(&self) -> Option<(Vec<String>, EncodeOptions)> {
        self.calls.lock().unwrap().last().cloned()
    }

    fn remember(&self, texts: &[&str], options: &EncodeOptions) {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.calls.lock().unwrap().push((texts, options.clone()));
    }
}

impl Encoder for FakeEncoder {
    fn dim(&self) -> usize {
        DIM
    }

    fn max_tokens(&self) -> Option<usize> {
        Some(64)
    }

    fn similarity(&self) -> Similarity {
        Similarity::Cosine
    }

    fn encode(&self, texts: &[&str], options: &EncodeOptions) -> Result<Encoded, BoxError> {
        if texts.contains(&"fail") {
            return Err("the session broke".into());
        }
        self.remember(texts, options);
        let dim = options.truncate_dim.map_or(DIM, |kept| kept.min(DIM));
        let rows = texts.len();
        let packed = dim.div_ceil(8);
        #[expect(clippy::cast_precision_loss, reason = "texts of tests are short")]
        let floats = Array2::from_shape_fn((rows, dim), |(row, _)| texts[row].len() as f32 + 0.1);
        let vectors = match options.precision {
            Precision::Float32 => Vectors::Float32(floats),
            Precision::Int8 => Vectors::Int8(Array2::from_elem((rows, dim), -3)),
            Precision::Uint8 => Vectors::Uint8(Array2::from_elem((rows, dim), 3)),
            Precision::Binary => Vectors::Binary(Array2::from_elem((rows, packed), -3)),
            Precision::Ubinary => Vectors::Ubinary(Array2::from_elem((rows, packed), 3)),
        };
        Ok(Encoded::new(vectors, texts.iter().filter(|text| text.len() > 60).count(), 0))
    }

    fn encode_tokens(&self, texts: &[&str], options: &EncodeOptions) -> Result<TokenEmbeddings, BoxError> {
        self.remember(texts, options);
        let tokens = texts.iter().map(|text| Array2::from_elem((text.len(), DIM), 0.5));
        Ok(TokenEmbeddings::new(tokens.collect(), 0))
    }

    fn count_tokens(&self, texts: &[&str]) -> Result<Vec<usize>, BoxError> {
        Ok(texts.iter().map(|text| text.split_whitespace().count() + 2).collect())
    }
}
