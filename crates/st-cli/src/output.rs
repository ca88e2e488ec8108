//! Vectors to a file or to standard output, a chunk at a time.

mod csv;
pub(crate) mod jsonl;
pub(crate) mod npy;
mod npz;
pub(crate) mod parquet;
mod pending;
pub(crate) mod side;
mod sparse;
mod stream;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use st_core::{TokenEmbeddings, Vectors};
use st_model::Provenance;

use crate::error::Error;
use crate::input::{Chunk, extension};
pub(crate) use sparse::SparseSink;
pub(crate) use stream::Stream;

/// How an output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A `NumPy` array `[texts, dim]`.
    Npy,
    /// One object a line, with the key `embedding`.
    Jsonl,
    /// A header `dim_0,dim_1,…`, one row a text.
    Csv,
    /// A column `embedding` of fixed-size lists; of sparse vectors columns `indices` and `values`.
    Parquet,
    /// Sparse vectors in compressed rows, as `SciPy` keeps them.
    Npz,
}

impl Format {
    const KNOWN: &str = ".npy, .jsonl, .csv, .parquet, .npz and `-`";

    fn of(path: &Path) -> Result<Self, Error> {
        match extension(path).as_str() {
            "npy" => Ok(Self::Npy),
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "npz" => Ok(Self::Npz),
            _ => Err(Error::UnknownFormat { file: path.display().to_string(), known: Self::KNOWN }),
        }
    }
}

/// Where vectors go, and what goes with them.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// A file, or standard output.
    pub(crate) path: Option<PathBuf>,
    /// Instead of what the extension says.
    pub(crate) format: Option<Format>,
    /// Replace a file that is there.
    pub(crate) force: bool,
    /// What stands beside each vector.
    pub(crate) labels: Labels,
    /// Say in the first line where the vectors come from, in a format that has no other place for it.
    pub(crate) header: bool,
}

/// What stands beside each vector.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "columns that are there or not, each by itself")]
pub(crate) struct Labels {
    /// The text itself.
    pub(crate) text: bool,
    /// Its id.
    pub(crate) id: bool,
    /// Where it lies in its text, `start` and `end` in bytes.
    pub(crate) span: bool,
    /// The tokens of a sparse vector.
    pub(crate) tokens: bool,
}

impl Target {
    /// The format in force.
    pub(crate) fn format(&self) -> Result<Format, Error> {
        match (self.format, &self.path) {
            (Some(format), _) => Ok(format),
            (None, Some(path)) => Format::of(path),
            (None, None) => Ok(Format::Jsonl),
        }
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "standard output".to_owned(), |path| path.display().to_string())
    }

    /// Opens the output; nothing is there under its name before [`Sink::finish`].
    pub(crate) fn open(&self) -> Result<Box<dyn Sink>, Error> {
        let format = self.format()?;
        if format == Format::Npz {
            return Err(Error::OnlySparse { file: self.name() });
        }
        if self.path.is_none() && matches!(format, Format::Npy | Format::Parquet) {
            return Err(Error::NeedsFile { file: "standard output", format: "an array or a Parquet file" });
        }
        if format == Format::Npy && (self.labels.text || self.labels.id) {
            let what = match self.labels {
                Labels { span: true, .. } => "chunks",
                Labels { text: true, .. } => "texts",
                _ => "ids",
            };
            return Err(Error::VectorsOnly { file: self.name(), format: "an array", what });
        }
        self.check_header(format)?;
        let stream = match format {
            Format::Npy | Format::Csv => Stream::open_with_side(self.path.as_deref(), self.force)?,
            _ => Stream::open(self.path.as_deref(), self.force)?,
        };
        Ok(match format {
            Format::Npy => Box::new(npy::NpySink::new(stream)?),
            Format::Csv => Box::new(csv::CsvSink::new(stream, self.labels)),
            Format::Parquet => Box::new(parquet::ParquetSink::new(stream, self.labels, self.name())),
            _ => Box::new(jsonl::JsonlSink::new(stream, self.labels, self.header)),
        })
    }

    fn check_header(&self, format: Format) -> Result<(), Error> {
        if self.header && format != Format::Jsonl {
            let problem = "`--header` is a first line of JSON lines; other files say where their vectors come from anyway";
            return Err(Error::Usage { problem: problem.to_owned() });
        }
        Ok(())
    }

    /// Opens the output for sparse vectors.
    pub(crate) fn open_sparse(&self) -> Result<SparseSink, Error> {
        let format = self.format()?;
        let dense = match format {
            Format::Npy => Some("an array"),
            Format::Csv => Some("a table"),
            Format::Jsonl | Format::Parquet | Format::Npz => None,
        };
        if let Some(format) = dense {
            return Err(Error::NotSparse { file: self.name(), format });
        }
        if self.path.is_none() && format != Format::Jsonl {
            let format = "an archive of arrays or a Parquet file";
            return Err(Error::NeedsFile { file: "standard output", format });
        }
        let what = match self.labels {
            Labels { text: true, .. } => Some("texts"),
            Labels { id: true, .. } => Some("ids"),
            Labels { tokens: true, .. } => Some("tokens"),
            _ => None,
        };
        if let Some(what) = what.filter(|_| format == Format::Npz) {
            return Err(Error::VectorsOnly { file: self.name(), format: npz::ARCHIVE, what });
        }
        self.check_header(format)?;
        let stream = Stream::open(self.path.as_deref(), self.force)?;
        Ok(match format {
            Format::Npz => SparseSink::Npz(npz::NpzSink::new(stream, self.name())?),
            Format::Parquet => {
                SparseSink::Parquet(Box::new(parquet::ParquetSink::new(stream, self.labels, self.name())))
            }
            _ => SparseSink::Jsonl(jsonl::JsonlSink::new(stream, self.labels, self.header)),
        })
    }

    /// Opens the output for embeddings of tokens, which only JSON lines can hold; `lengths` writes how many there are.
    pub(crate) fn open_tokens(&self, lengths: bool) -> Result<TokenSink, Error> {
        if self.format()? != Format::Jsonl {
            let problem = "token embeddings have a width and a length: only .jsonl and `-` can hold them";
            return Err(Error::Usage { problem: problem.to_owned() });
        }
        let stream = Stream::open(self.path.as_deref(), self.force)?;
        Ok(TokenSink { lines: jsonl::JsonlSink::new(stream, self.labels, self.header), lengths })
    }
}

/// An open output.
pub(crate) trait Sink {
    /// Notes where the vectors come from, before the first of them.
    fn describe(&mut self, provenance: &Provenance) -> Result<(), Error>;

    /// Appends the vectors of a chunk; all chunks have one width and one number format.
    fn write(&mut self, chunk: &Chunk, vectors: &Vectors) -> Result<(), Error>;

    /// Completes the file and gives it its name.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// An open output for embeddings of tokens.
pub(crate) struct TokenSink {
    lines: jsonl::JsonlSink,
    lengths: bool,
}

impl TokenSink {
    /// As [`Sink::describe`].
    pub(crate) fn describe(&mut self, provenance: &Provenance) -> Result<(), Error> {
        self.lines.describe(provenance)
    }

    /// Appends the token embeddings of a chunk.
    pub(crate) fn write(&mut self, chunk: &Chunk, tokens: &TokenEmbeddings) -> Result<(), Error> {
        self.lines.write_tokens(chunk, tokens, self.lengths)
    }

    /// As [`Sink::finish`].
    pub(crate) fn finish(self) -> Result<(), Error> {
        Box::new(self.lines).finish()
    }
}

/// A text beside its vector, where it was asked for.
fn label(wanted: bool, column: &[String], row: usize) -> Option<&str> {
    column.get(row).filter(|_| wanted).map(String::as_str)
}

/// Runs one piece of code for whichever array the vectors are.
macro_rules! with_rows {
    ($vectors:expr, $rows:ident => $body:expr) => {
        match $vectors {
            st_core::Vectors::Float32($rows) => $body,
            st_core::Vectors::Int8($rows) | st_core::Vectors::Binary($rows) => $body,
            st_core::Vectors::Uint8($rows) | st_core::Vectors::Ubinary($rows) => $body,
        }
    };
}
use with_rows;

#[cfg(test)]
mod tests;
