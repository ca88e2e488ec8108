//! Answers, as Python's `json.dump` writes them.

use std::fmt::Write as _;
use std::io::{self, Write};

use ndarray::Array2;
use st_core::Vectors;

use crate::python_json::push_float;
use crate::{Error, Prediction};

/// How much text is collected before it goes to the writer, in bytes.
const CHUNK: usize = 64 << 10;

/// Writes the answer to a request: `{"predictions": …}`, or the bare value if the request was `unified`.
///
/// The text is written in pieces. Each number is the double of the 32-bit float, in the fewest digits that read
/// back; a value that is not finite becomes `NaN` or `Infinity`, as in Python, which is no JSON.
///
/// # Errors
///
/// [`Error::Answer`] if the writer fails.
pub fn write_json(prediction: &Prediction, unified: bool, out: &mut dyn Write) -> Result<(), Error> {
    let mut text = Text { out, buffer: String::with_capacity(CHUNK + 256) };
    write(prediction, unified, &mut text).map_err(|source| Error::Answer { source })
}

fn write(prediction: &Prediction, unified: bool, text: &mut Text<'_>) -> io::Result<()> {
    if !unified {
        text.put("{\"predictions\": ")?;
    }
    match prediction {
        Prediction::Empty => text.put("[]")?,
        Prediction::Matrix(vectors) => {
            text.put("[")?;
            each_row(vectors, text, |_, row, text| row.write(text))?;
            text.put("]")?;
        }
        Prediction::Vector(vectors) => each_row(vectors, text, |_, row, text| row.write(text))?,
        Prediction::Envelope { vectors, prompt_tokens } => {
            text.put("{\"object\": \"list\", \"data\": [")?;
            each_row(vectors, text, |index, row, text| {
                text.put(&format!("{{\"object\": \"embedding\", \"index\": {index}, \"embedding\": "))?;
                row.write(text)?;
                text.put("}")
            })?;
            let usage = format!("{{\"prompt_tokens\": {prompt_tokens}, \"total_tokens\": {prompt_tokens}}}");
            text.put(&format!("], \"usage\": {usage}}}"))?;
        }
        Prediction::Scores(scores) if scores.ncols() == 1 => {
            Row::Floats(&scores.iter().copied().collect::<Vec<_>>()).write(text)?;
        }
        Prediction::Scores(scores) => {
            text.put("[")?;
            float_rows(scores, text, &mut |_, row, text| row.write(text))?;
            text.put("]")?;
        }
        Prediction::Sparse(vectors) => {
            for row in 0..vectors.len() {
                let (dimensions, values) = vectors.row(row);
                text.put(if row > 0 { ", {\"indices\": [" } else { "[{\"indices\": [" })?;
                join(&mut text.buffer, dimensions, |out, value| push_number(out, *value));
                text.put("], \"values\": ")?;
                Row::Floats(values).write(text)?;
                text.put("}")?;
            }
            text.put(if vectors.is_empty() { "[]" } else { "]" })?;
        }
        Prediction::Tokens(tokens) => {
            text.put("[")?;
            for (index, rows) in tokens.texts.iter().enumerate() {
                text.put(if index > 0 { ", [" } else { "[" })?;
                float_rows(rows, text, &mut |_, row, text| row.write(text))?;
                text.put("]")?;
            }
            text.put("]")?;
        }
    }
    if !unified {
        text.put("}")?;
    }
    text.flush()
}

/// Text on its way to the writer.
struct Text<'a> {
    out: &'a mut dyn Write,
    buffer: String,
}

impl Text<'_> {
    fn put(&mut self, text: &str) -> io::Result<()> {
        self.buffer.push_str(text);
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.buffer.as_bytes())?;
        self.buffer.clear();
        Ok(())
    }
}

/// One vector.
enum Row<'a> {
    Floats(&'a [f32]),
    Signed(&'a [i8]),
    Unsigned(&'a [u8]),
}

impl Row<'_> {
    fn write(&self, text: &mut Text<'_>) -> io::Result<()> {
        text.put("[")?;
        let out = &mut text.buffer;
        match self {
            Self::Floats(values) => join(out, values, |out, value| push_float(out, f64::from(*value))),
            Self::Signed(values) => join(out, values, |out, value| push_number(out, i16::from(*value))),
            Self::Unsigned(values) => join(out, values, |out, value| push_number(out, i16::from(*value))),
        }
        text.put("]")
    }
}

fn join<T>(out: &mut String, values: &[T], push: impl Fn(&mut String, &T)) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        push(out, value);
    }
}

fn push_number(out: &mut String, number: impl std::fmt::Display) {
    // Writing to a `String` has no way to fail.
    let _ = write!(out, "{number}");
}

type WriteRow<'w> = &'w mut dyn FnMut(usize, Row<'_>, &mut Text<'_>) -> io::Result<()>;

fn each_row(
    vectors: &Vectors,
    text: &mut Text<'_>,
    mut write: impl FnMut(usize, Row<'_>, &mut Text<'_>) -> io::Result<()>,
) -> io::Result<()> {
    match vectors {
        Vectors::Float32(rows) => float_rows(rows, text, &mut write),
        Vectors::Int8(rows) | Vectors::Binary(rows) => {
            rows_of(rows, text, |row| Row::Signed(row), &mut write)
        }
        Vectors::Uint8(rows) | Vectors::Ubinary(rows) => {
            rows_of(rows, text, |row| Row::Unsigned(row), &mut write)
        }
    }
}

fn float_rows(rows: &Array2<f32>, text: &mut Text<'_>, write: WriteRow<'_>) -> io::Result<()> {
    rows_of(rows, text, |row| Row::Floats(row), write)
}

fn rows_of<T: Clone>(
    rows: &Array2<T>,
    text: &mut Text<'_>,
    row_of: fn(&[T]) -> Row<'_>,
    write: WriteRow<'_>,
) -> io::Result<()> {
    for (index, row) in rows.outer_iter().enumerate() {
        if index > 0 {
            text.put(", ")?;
        }
        match row.as_slice() {
            Some(values) => write(index, row_of(values), text)?,
            None => write(index, row_of(&row.to_vec()), text)?,
        }
    }
    Ok(())
}
