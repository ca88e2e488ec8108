//! Texts from a file, from standard input or from the command line, a chunk at a time.

mod jsonl;
mod parquet;
mod table;
mod text;

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;

use crate::error::Error;
use crate::report;

/// The column that is read if none is named, as in the data sets of the field.
const DEFAULT_COLUMN: &str = "text";

/// Texts that are encoded together; vectors of one chunk are in memory at a time.
const CHUNK_TEXTS: usize = 4096;

/// A chunk of long texts ends earlier.
const CHUNK_BYTES: usize = 1 << 20;

/// How an input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One text a line.
    Txt,
    /// One JSON value a line: a text, or an object with columns.
    Jsonl,
    /// Comma-separated with a header.
    Csv,
    /// Tab-separated with a header.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    const KNOWN: &str = ".txt, .jsonl, .csv, .tsv and .parquet";

    fn of(path: &Path) -> Result<Self, Error> {
        match extension(path).as_str() {
            "txt" | "text" => Ok(Self::Txt),
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            "csv" => Ok(Self::Csv),
            "tsv" | "tab" => Ok(Self::Tsv),
            "parquet" => Ok(Self::Parquet),
            _ => Err(Error::UnknownFormat { file: path.display().to_string(), known: Self::KNOWN }),
        }
    }
}

/// The extension in lower case; empty if there is none.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().map(|text| text.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Where texts come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A file; its extension says the format unless the second value does.
    File(PathBuf, Option<Format>),
    /// Standard input, one text a line unless a format is given.
    Stdin(Option<Format>),
    /// The command line itself.
    Inline(Vec<String>),
}

/// Which columns of a table are read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    /// The column with the texts; `text`, or the only one, by default.
    pub(crate) text: Option<String>,
    /// The column with the ids, if they are wanted.
    pub(crate) id: Option<String>,
}

impl Columns {
    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or(DEFAULT_COLUMN)
    }

    fn any(&self) -> bool {
        self.text.is_some() || self.id.is_some()
    }
}

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    text: String,
    id: Option<String>,
}

type Records = Box<dyn Iterator<Item = Result<Record, Error>>>;

/// Texts that are encoded together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The texts.
    pub(crate) texts: Vec<String>,
    /// Their ids, as many as texts, if an id column was named; else none.
    pub(crate) ids: Vec<String>,
    /// First byte and the one behind the last in the text that each is a part of; only for parts of texts.
    pub(crate) spans: Vec<Span>,
}

/// Where a part lies in its text, in bytes; none where that is not known.
pub(crate) type Span = Option<(u64, u64)>;

impl Chunk {
    /// The texts as the encoder takes them.
    pub(crate) fn as_strs(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }
}

/// How far an input has been read, for a progress bar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge {
    done: Arc<AtomicU64>,
    /// Bytes or rows in all; unknown for standard input.
    pub(crate) total: Option<u64>,
}

impl Gauge {
    /// Nothing yet of so many rows.
    pub(crate) fn of_rows(rows: usize) -> Self {
        Self { total: Some(rows as u64), ..Self::default() }
    }

    /// Bytes or rows so far.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// So much more has been read.
    pub(crate) fn add(&self, amount: u64) {
        self.done.fetch_add(amount, Ordering::Relaxed);
    }
}

/// An open input.
pub(crate) struct Source {
    name: String,
    records: Records,
    chunk_texts: usize,
    started: bool,
    /// How far it has been read.
    pub(crate) gauge: Gauge,
}

impl Source {
    /// Opens an input and looks for its columns.
    pub(crate) fn open(origin: &Origin, columns: &Columns) -> Result<Self, Error> {
        let (name, (records, gauge)) = match origin {
            Origin::Inline(texts) => ("the command line".to_owned(), inline(texts.clone())),
            Origin::Stdin(format) => {
                if io::stdin().is_terminal() {
                    report::note("note", "reading texts from the terminal, one a line; Ctrl-D ends them");
                }
                let name = "standard input".to_owned();
                let format = format.unwrap_or(Format::Txt);
                let records = read(BufReader::new(io::stdin()), name.clone(), format, columns)?;
                (name, (records, Gauge::default()))
            }
            Origin::File(path, format) => {
                let format = format.map_or_else(|| Format::of(path), Ok)?;
                (path.display().to_string(), open_file(path, format, columns)?)
            }
        };
        Ok(Self { name, records, chunk_texts: CHUNK_TEXTS, started: false, gauge })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Hands out at most this many texts at a time.
    pub(crate) fn with_chunk_texts(mut self, texts: usize) -> Self {
        self.chunk_texts = texts.max(1);
        self
    }

    /// The next texts; none at the end.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk>, Error> {
        let mut chunk = Chunk::default();
        let mut bytes = 0;
        while chunk.texts.len() < self.chunk_texts && bytes < CHUNK_BYTES {
            let Some(record) = self.records.next().transpose()? else { break };
            bytes += record.text.len();
            chunk.texts.push(record.text);
            chunk.ids.extend(record.id);
        }
        match (chunk.texts.is_empty(), self.started) {
            (true, false) => Err(Error::Empty { file: self.name.clone() }),
            (true, true) => Ok(None),
            (false, _) => {
                self.started = true;
                Ok(Some(chunk))
            }
        }
    }

    /// All texts at once, for commands that compare each with each.
    pub(crate) fn read_all(mut self) -> Result<Chunk, Error> {
        let mut all = Chunk::default();
        while let Some(chunk) = self.next_chunk()? {
            all.texts.extend(chunk.texts);
            all.ids.extend(chunk.ids);
        }
        Ok(all)
    }
}

fn inline(texts: Vec<String>) -> (Records, Gauge) {
    let gauge = Gauge { total: Some(texts.len() as u64), ..Gauge::default() };
    let counter = gauge.clone();
    let records = texts.into_iter().map(move |text| {
        counter.add(1);
        Ok(Record { text, id: None })
    });
    (Box::new(records), gauge)
}

fn open_file(path: &Path, format: Format, columns: &Columns) -> Result<(Records, Gauge), Error> {
    let name = path.display().to_string();
    let fail = |source| Error::Read { file: name.clone(), source };
    let file = File::open(path).map_err(fail)?;
    if format == Format::Parquet {
        return parquet::records(file, name, columns);
    }
    let total = file.metadata().map_err(fail)?.len();
    let gauge = Gauge { total: (total > 0).then_some(total), ..Gauge::default() };
    let reader = BufReader::with_capacity(1 << 16, Counted { file, gauge: gauge.clone() });
    Ok((read(reader, name, format, columns)?, gauge))
}

fn read(
    reader: impl BufRead + 'static,
    name: String,
    format: Format,
    columns: &Columns,
) -> Result<Records, Error> {
    match format {
        Format::Txt if columns.any() => Err(Error::PlainText { file: name }),
        Format::Txt => Ok(Box::new(text::Lines::new(reader, name).map(|line| {
            let (_, text) = line?;
            Ok(Record { text, id: None })
        }))),
        Format::Jsonl => Ok(jsonl::records(reader, name, columns.clone())),
        Format::Csv => table::records(reader, name, b',', columns),
        Format::Tsv => table::records(reader, name, b'\t', columns),
        Format::Parquet => Err(Error::NeedsFile { file: "standard input", format: "a Parquet file" }),
    }
}

/// Counts the bytes that have been read.
struct Counted {
    file: File,
    gauge: Gauge,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.gauge.add(bytes as u64);
        Ok(bytes)
    }
}

/// Where a column stands in a header.
fn position(header: &[String], column: &str, file: &str) -> Result<usize, Error> {
    header.iter().position(|name| name == column).ok_or_else(|| Error::NoColumn {
        file: file.to_owned(),
        column: column.to_owned(),
        columns: list(header.iter().map(String::as_str)),
    })
}

/// Column names for an error message.
fn list<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = columns.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "no columns".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
