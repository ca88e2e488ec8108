//! Vectors to a file or to standard output, a chunk at a time.

mod csv;
pub(crate) mod jsonl;
pub(crate) mod npy;
pub(crate) mod parquet;
mod pending;
pub(crate) mod side;
mod stream;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use st_core::{TokenEmbeddings, Vectors};
use st_model::Provenance;

use crate::error::Error;
use crate::input::{Chunk, extension};
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
    /// A column `embedding` of fixed-size lists.
    Parquet,
}

impl Format {
    const KNOWN: &str = ".npy, .jsonl, .csv, .parquet and `-`";

    fn of(path: &Path) -> Result<Self, Error> {
        match extension(path).as_str() {
            "npy" => Ok(Self::Npy),
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
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
pub(crate) struct Labels {
    /// The text itself.
    pub(crate) text: bool,
    /// Its id.
    pub(crate) id: bool,
    /// Where it lies in its text, `start` and `end` in bytes.
    pub(crate) span: bool,
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
        if self.header && format != Format::Jsonl {
            let problem = "`--header` is a first line of JSON lines; other files say where their vectors come from anyway";
            return Err(Error::Usage { problem: problem.to_owned() });
        }
        let stream = match format {
            Format::Npy | Format::Csv => Stream::open_with_side(self.path.as_deref(), self.force)?,
            Format::Jsonl | Format::Parquet => Stream::open(self.path.as_deref(), self.force)?,
        };
        Ok(match format {
            Format::Npy => Box::new(npy::NpySink::new(stream)?),
            Format::Jsonl => Box::new(jsonl::JsonlSink::new(stream, self.labels, self.header)),
            Format::Csv => Box::new(csv::CsvSink::new(stream, self.labels)),
            Format::Parquet => Box::new(parquet::ParquetSink::new(stream, self.labels, self.name())),
        })
    }

    /// Opens the output for embeddings of tokens, which only JSON lines can hold.
    pub(crate) fn open_tokens(&self) -> Result<TokenSink, Error> {
        if self.format()? != Format::Jsonl {
            let problem = "token embeddings have a width and a length: only .jsonl and `-` can hold them";
            return Err(Error::Usage { problem: problem.to_owned() });
        }
        let stream = Stream::open(self.path.as_deref(), self.force)?;
        Ok(TokenSink(jsonl::JsonlSink::new(stream, self.labels, self.header)))
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
pub(crate) struct TokenSink(jsonl::JsonlSink);

impl TokenSink {
    /// As [`Sink::describe`].
    pub(crate) fn describe(&mut self, provenance: &Provenance) -> Result<(), Error> {
        self.0.describe(provenance)
    }

    /// Appends the token embeddings of a chunk.
    pub(crate) fn write(&mut self, chunk: &Chunk, tokens: &TokenEmbeddings) -> Result<(), Error> {
        self.0.write_tokens(chunk, tokens)
    }

    /// As [`Sink::finish`].
    pub(crate) fn finish(self) -> Result<(), Error> {
        Box::new(self.0).finish()
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
