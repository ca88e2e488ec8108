//! A corpus of saved vectors: several files in one space, and the texts that belong to them.

use std::path::PathBuf;

use ndarray::Array2;
use st_core::{EncodeOptions, Encoder};

use crate::error::Error;
use crate::input::{Chunk, Source};
use crate::model::Loaded;
use crate::vectors::Saved;

/// What messages call the side of the query.
const QUERY: &str = "the query";

/// Files with vectors that belong together.
pub(crate) struct SavedCorpus {
    files: Vec<Saved>,
    trusted: bool,
}

impl SavedCorpus {
    /// Opens the files, which must be of one space and one number format; none without files.
    pub(crate) fn open(paths: &[PathBuf], trusted: bool) -> Result<Option<Self>, Error> {
        let files = paths.iter().map(|path| Saved::open(path, trusted)).collect::<Result<Vec<_>, _>>()?;
        let Some((first, others)) = files.split_first() else { return Ok(None) };
        for other in others {
            if let (Some(one), Some(two)) = (&other.provenance, &first.provenance) {
                other.check(one.difference(two), &first.name, trusted)?;
            }
            if other.dim != first.dim {
                let problem =
                    format!("{} dimensions do not fit the {} of {}", other.dim, first.dim, first.name);
                return Err(Error::VectorFile { file: other.name.clone(), problem });
            }
        }
        Ok(Some(Self { files, trusted }))
    }

    /// Vectors in all files.
    pub(crate) fn rows(&self) -> usize {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// How queries have to be encoded so that they lie in the space of the files.
    pub(crate) fn fit(&self, mut options: EncodeOptions, loaded: &Loaded) -> anyhow::Result<EncodeOptions> {
        for file in &self.files {
            let dim = loaded.encoder.dim();
            if file.dim > dim {
                let problem = format!("vectors of {} dimensions are not of a model with {dim}", file.dim);
                return Err(Error::VectorFile { file: file.name.clone(), problem }.into());
            }
            options = options.with_truncate_dim(file.dim);
            let query = loaded.provenance(&options)?;
            let normalized = file.provenance.as_ref().is_some_and(|provenance| provenance.normalized);
            options = options.with_normalize(normalized && !query.normalized);
            if let Some(provenance) = &file.provenance {
                let difference = provenance.space_difference(&loaded.provenance(&options)?);
                file.check(difference, QUERY, self.trusted)?;
            }
        }
        Ok(options)
    }

    /// Hands over the vectors with their texts and ids: those of `corpus`, else those of the files.
    pub(crate) fn each(
        self,
        corpus: Option<Source>,
        mut take: impl FnMut(Array2<f32>, &Chunk) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut texts = corpus.map(|corpus| Texts { corpus, waiting: Chunk::default() });
        let all = self.rows();
        for mut file in self.files {
            while let Some((rows, mut labels)) = file.next_chunk()? {
                if let Some(texts) = &mut texts {
                    labels = texts.take(rows.nrows(), all)?;
                }
                // Without a text a row still has its number.
                labels.texts.resize(rows.nrows(), String::new());
                take(rows, &labels)?;
            }
        }
        match texts {
            Some(texts) => texts.end(all),
            None => Ok(()),
        }
    }
}

/// The texts of a file, as many at a time as there are vectors.
struct Texts {
    corpus: Source,
    waiting: Chunk,
}

impl Texts {
    fn take(&mut self, wanted: usize, all: usize) -> anyhow::Result<Chunk> {
        while self.waiting.texts.len() < wanted {
            let Some(chunk) = self.corpus.next_chunk()? else { return Err(self.unequal("fewer texts", all)) };
            self.waiting.texts.extend(chunk.texts);
            self.waiting.ids.extend(chunk.ids);
        }
        let rest = |column: &mut Vec<String>| column.split_off(wanted.min(column.len()));
        let rest = Chunk {
            texts: rest(&mut self.waiting.texts),
            ids: rest(&mut self.waiting.ids),
            ..Chunk::default()
        };
        Ok(std::mem::replace(&mut self.waiting, rest))
    }

    fn end(mut self, all: usize) -> anyhow::Result<()> {
        if self.waiting.texts.is_empty() && self.corpus.next_chunk()?.is_none() {
            return Ok(());
        }
        Err(self.unequal("more texts", all))
    }

    fn unequal(&self, texts: &str, vectors: usize) -> anyhow::Error {
        Error::Unequal { corpus: self.corpus.name().to_owned(), texts: texts.to_owned(), vectors }.into()
    }
}
