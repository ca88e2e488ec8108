//! Datasets in local files: what a run says that it read.
//!
//! A dataset is a name, a digest, a source, and for tables a schema and a profile, written as Python's `mlflow.data` writes
//! them for the same file. Two things differ, on purpose. The digest is of the file's bytes, where Python hashes the
//! first 10,000 rows of what pandas made of them: ours changes with every change of the file. And values of JSON lines
//! keep their types, where pandas takes the text `"12"` for a number and a column called `date` for dates.

mod column;
mod csv;
mod jsonl;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use mlflow_types::inputs::Dataset;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::python_json;
use crate::{Error, Result};
use column::Column;

/// What a table is like, as far as MLflow keeps it.
#[derive(Debug, Default)]
struct Table {
    columns: Vec<Column>,
    rows: u64,
}

/// A dataset in a file: `.csv`, `.tsv`, `.jsonl` and `.txt` (a text a line) with schema and profile, others without.
///
/// The file is read once, to its end, in constant memory. Its name is the file's, without the extension, unless given; its
/// digest is the first 8 hexadecimal digits of the SHA-256 of its bytes. The source is the path as it was given.
///
/// # Errors
/// [`Error::File`] if it cannot be read; [`Error::Damaged`], which names the line, if it is no such table.
pub fn from_file(path: &Path, name: Option<&str>) -> Result<Dataset> {
    let failure = |source| Error::File { path: path.to_owned(), action: "read", source };
    let mut file = Hashing { file: File::open(path).map_err(failure)?, digest: Sha256::new() };
    let table = read(path, &mut file)?;
    io::copy(&mut file, &mut io::sink()).map_err(failure)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let digest = file.digest.finalize();
    Ok(Dataset {
        name: name.unwrap_or(&stem).to_owned(),
        digest: format!(
            "{:08x}",
            digest.iter().take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
        ),
        source_type: "local".to_owned(),
        source: python_json::json(&json!({ "uri": path.to_string_lossy() })),
        schema: table.as_ref().and_then(Table::schema),
        profile: table.as_ref().map(Table::profile),
    })
}

fn read(path: &Path, file: &mut Hashing) -> Result<Option<Table>> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut reader = BufReader::new(file);
    skip_mark(&mut reader).map_err(|source| Error::File { path: path.to_owned(), action: "read", source })?;
    let table = match extension.as_str() {
        "csv" => csv::read(&mut reader, b','),
        "tsv" => csv::read(&mut reader, b'\t'),
        "jsonl" | "ndjson" => jsonl::read(&mut reader),
        "txt" => lines(&mut reader),
        _ => return Ok(None),
    };
    let table = table.map_err(|problem| match problem {
        Problem::Read(source) => Error::File { path: path.to_owned(), action: "read", source },
        Problem::Line { line, problem } => {
            Error::Damaged { artifact: path.display().to_string(), problem: format!("line {line} {problem}") }
        }
    })?;
    Ok(Some(table))
}

/// Why a file is no table.
#[derive(Debug)]
enum Problem {
    Read(io::Error),
    /// From 1, and the end of a sentence.
    Line {
        line: u64,
        problem: String,
    },
}

fn lines(reader: &mut impl BufRead) -> Result<Table, Problem> {
    let mut column = Column::new("text".to_owned());
    let (mut rows, mut line) = (0, Vec::new());
    while read_line(reader, &mut line)? {
        column.add(&Value::from(""));
        rows += 1;
    }
    Ok(Table { columns: vec![column], rows })
}

/// Reads a line without its end; answers whether there was one.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Problem> {
    line.clear();
    let length = reader.read_until(b'\n', line).map_err(Problem::Read)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(length > 0)
}

/// Spreadsheets begin a file with a byte order mark.
fn skip_mark(reader: &mut impl BufRead) -> io::Result<()> {
    if reader.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        reader.consume(3);
    }
    Ok(())
}

impl Table {
    /// The columns; nothing if one has values of kinds that MLflow has no common type for, as in Python.
    fn schema(&self) -> Option<String> {
        let columns: Option<Vec<Value>> = self.columns.iter().map(Column::spec).collect();
        Some(python_json::json(&json!({ "mlflow_colspec": columns? })))
    }

    fn profile(&self) -> String {
        let columns = u64::try_from(self.columns.len()).unwrap_or(u64::MAX);
        let elements = self.rows.saturating_mul(columns);
        python_json::json(&json!({ "num_rows": self.rows, "num_elements": elements }))
    }
}

/// A file that is hashed as it is read.
struct Hashing {
    file: File,
    digest: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.digest.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
