//! The parity certificate: what a model answered when it was saved.

mod check;
mod file;
mod probes;

use st_core::{BoxError, EncodeOptions, Encoder, Prompt};

pub use check::{CertificateReport, Comparison};

use crate::Error;

/// The vectors of a fixed set of texts, stored with a model and compared whenever it is loaded.
///
/// Another version of the runtime, other weights under the same name, a tokenizer that was exchanged: all change
/// vectors without a word. A model that carries a certificate says so, with the text that is off by most.
///
/// The texts are encoded as they are, without the model's prompts; vectors are kept bit by bit. They lie in
/// `parity_certificate.json`, beside `MLmodel`; Python ignores that file.
///
/// ```no_run
/// # fn example(encoder: &dyn st_core::Encoder) -> Result<(), mlflow_flavor::Error> {
/// use mlflow_flavor::{Certificate, MadeBy, SaveOptions, load_model, save_model};
/// use st_core::Mode;
///
/// let mut options = SaveOptions::default();
/// options.certificate = Some(Certificate::make(encoder, MadeBy::new("st-model 0.1.0"))?);
/// save_model("all-MiniLM-L6-v2".as_ref(), "model".as_ref(), &options)?;
///
/// if let Some(certificate) = load_model("model".as_ref())?.certificate()? {
///     let report = certificate.check(encoder, Some(Mode::Exact))?;
///     assert_eq!(report.skipped, 0);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Certificate {
    /// The number of the list of texts.
    pub probe_set: u32,
    /// Largest difference of one element that an exact encoder may show, plus the same part of the element.
    pub tolerance: f32,
    /// Longest text in tokens that the encoder read.
    pub max_tokens: Option<usize>,
    /// What computed the vectors.
    pub made_by: MadeBy,
    /// Texts and their vectors, all of one width.
    pub references: Vec<Reference>,
}

/// What computed the vectors of a [`Certificate`]; for people who look into a mismatch.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct MadeBy {
    /// The encoder, with its version.
    pub encoder: String,
    /// What made its graph, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exporter: Option<String>,
    /// What ran its graph, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
}

impl MadeBy {
    /// Names the encoder only.
    pub fn new(encoder: impl Into<String>) -> Self {
        Self { encoder: encoder.into(), ..Self::default() }
    }

    /// Names what made the graph.
    #[must_use]
    pub fn with_exporter(mut self, exporter: impl Into<String>) -> Self {
        self.exporter = Some(exporter.into());
        self
    }

    /// Names what ran the graph.
    #[must_use]
    pub fn with_runtime(mut self, runtime: impl Into<String>) -> Self {
        self.runtime = Some(runtime.into());
        self
    }
}

/// One text of a [`Certificate`].
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The text.
    pub text: String,
    /// Its vector.
    pub vector: Vec<f32>,
}

/// The promise of the project for vectors of length one.
const TOLERANCE: f32 = 1e-5;

impl Certificate {
    /// Asks an encoder, which should compute exactly: [`Mode::Exact`](st_core::Mode::Exact).
    ///
    /// # Errors
    ///
    /// [`Error::Encode`] if the encoder fails.
    pub fn make(encoder: &dyn Encoder, made_by: MadeBy) -> Result<Self, Error> {
        let vectors = encode(encoder, &probes::PROBES)?;
        let references = probes::PROBES.iter().zip(vectors);
        Ok(Self {
            probe_set: probes::PROBE_SET,
            tolerance: TOLERANCE,
            max_tokens: encoder.max_tokens(),
            made_by,
            references: references
                .map(|(text, vector)| Reference { text: (*text).to_owned(), vector })
                .collect(),
        })
    }

    /// Width of the vectors.
    pub fn dimension(&self) -> usize {
        self.references.first().map_or(0, |reference| reference.vector.len())
    }
}

/// The vectors of texts without any prompt, as they leave the model.
///
/// One text at a time: together they would be padded to the longest, which makes three times the work of so few.
fn encode(encoder: &dyn Encoder, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
    let options = EncodeOptions::default().with_prompt(Prompt::Text(String::new()));
    let failed = |source: BoxError| Error::Encode { source };
    let vector = |text: &&str| {
        let vectors = encoder.encode(&[*text], &options).map_err(failed)?.vectors;
        let rows =
            vectors.into_float32().ok_or_else(|| failed("float32 was asked for, and not given".into()))?;
        if rows.nrows() != 1 {
            return Err(failed(format!("one text was asked, {} answered", rows.nrows()).into()));
        }
        Ok(rows.into_raw_vec_and_offset().0)
    };
    texts.iter().map(vector).collect()
}
