//! One JSON object a line.

use std::io::Write;

use ndarray::{Array2, ArrayView1, Axis};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use serde_json::json;
use st_core::{SparseVectors, TokenEmbeddings, Vectors};
use st_model::Provenance;

use super::{Labels, Sink, Stream, label, with_rows};
use crate::error::Error;
use crate::input::{Chunk, Span};

/// Objects with the keys `id` and `text`, where asked for, and `embedding`, `token_embeddings`, or `indices` and `values`.
pub(crate) struct JsonlSink {
    stream: Stream,
    labels: Labels,
    header: bool,
    rows: u64,
}

/// The only key of the first line, if there is one.
pub(crate) const HEADER_KEY: &str = "provenance";

impl JsonlSink {
    pub(super) fn new(stream: Stream, labels: Labels, header: bool) -> Self {
        Self { stream, labels, header, rows: 0 }
    }

    /// Appends the token embeddings of a chunk, and how many each text has.
    pub(super) fn write_tokens(
        &mut self,
        chunk: &Chunk,
        tokens: &TokenEmbeddings,
        lengths: bool,
    ) -> Result<(), Error> {
        for (row, text) in tokens.texts.iter().enumerate() {
            self.check_finite(text)?;
            let length = lengths.then(|| text.nrows());
            self.line(chunk, row, &TokenRows { rows: Rows(text), length })?;
        }
        Ok(())
    }

    /// Appends the sparse vectors of a chunk; `tokens` are those of each, where asked for.
    pub(super) fn write_sparse(
        &mut self,
        chunk: &Chunk,
        vectors: &SparseVectors,
        tokens: &[Vec<(String, f32)>],
    ) -> Result<(), Error> {
        for (row, (indices, values)) in vectors.rows().enumerate() {
            let infinite = indices.iter().zip(values).find(|(_, value)| !value.is_finite());
            if let Some((&dim, &value)) = infinite {
                return Err(Error::NotFinite { row: self.rows + 1, dim: dim as usize, value });
            }
            let tokens = tokens.get(row).map(|tokens| Tokens(tokens));
            self.line(chunk, row, &Entries { indices, values, tokens })?;
        }
        Ok(())
    }

    fn line(&mut self, chunk: &Chunk, row: usize, values: &impl Fields) -> Result<(), Error> {
        let line = Line {
            id: label(self.labels.id, &chunk.ids, row),
            text: label(self.labels.text, &chunk.texts, row),
            span: self.labels.span.then(|| chunk.spans.get(row).copied().flatten()),
            values,
        };
        self.rows += 1;
        let written = serde_json::to_writer(&mut self.stream, &line).map_err(Into::into);
        written.and_then(|()| self.stream.write_all(b"\n")).map_err(|source| self.stream.fail(source))
    }

    /// JSON would say `null` without a word.
    fn check_finite(&self, rows: &Array2<f32>) -> Result<(), Error> {
        match rows.indexed_iter().find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some(((row, dim), value)) => {
                Err(Error::NotFinite { row: self.rows + row as u64 + 1, dim, value: *value })
            }
        }
    }
}

impl Sink for JsonlSink {
    fn describe(&mut self, provenance: &Provenance) -> Result<(), Error> {
        if !self.header {
            return Ok(());
        }
        let line = json!({HEADER_KEY: provenance}).to_string() + "\n";
        self.stream.write_all(line.as_bytes()).map_err(|source| self.stream.fail(source))
    }

    fn write(&mut self, chunk: &Chunk, vectors: &Vectors) -> Result<(), Error> {
        if let Vectors::Float32(rows) = vectors {
            self.check_finite(rows)?;
        }
        with_rows!(vectors, rows => {
            for (row, values) in rows.outer_iter().enumerate() {
                self.line(chunk, row, &Embedding(Row(values)))?;
            }
        });
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        self.stream.finish()
    }
}

struct Line<'a, V> {
    id: Option<&'a str>,
    text: Option<&'a str>,
    span: Option<Span>,
    values: &'a V,
}

/// What a line holds of the model's answer.
trait Fields {
    fn add<S: SerializeStruct>(&self, line: &mut S) -> Result<(), S::Error>;
}

struct Embedding<V>(V);

impl<V: Serialize> Fields for Embedding<V> {
    fn add<S: SerializeStruct>(&self, line: &mut S) -> Result<(), S::Error> {
        line.serialize_field("embedding", &self.0)
    }
}

struct TokenRows<'a> {
    rows: Rows<'a>,
    length: Option<usize>,
}

impl Fields for TokenRows<'_> {
    fn add<S: SerializeStruct>(&self, line: &mut S) -> Result<(), S::Error> {
        if let Some(length) = self.length {
            line.serialize_field("length", &length)?;
        }
        line.serialize_field("token_embeddings", &self.rows)
    }
}

struct Entries<'a> {
    indices: &'a [u32],
    values: &'a [f32],
    tokens: Option<Tokens<'a>>,
}

impl Fields for Entries<'_> {
    fn add<S: SerializeStruct>(&self, line: &mut S) -> Result<(), S::Error> {
        line.serialize_field("indices", self.indices)?;
        line.serialize_field("values", self.values)?;
        if let Some(tokens) = &self.tokens {
            line.serialize_field("tokens", tokens)?;
        }
        Ok(())
    }
}

/// Tokens with their weights as an object, in their order.
struct Tokens<'a>(&'a [(String, f32)]);

impl Serialize for Tokens<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (token, weight) in self.0 {
            map.serialize_entry(token, weight)?;
        }
        map.end()
    }
}

impl<V: Fields> Serialize for Line<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("Line", 5)?;
        if let Some(id) = self.id {
            line.serialize_field("id", id)?;
        }
        if let Some(text) = self.text {
            line.serialize_field("text", text)?;
        }
        if let Some(span) = self.span {
            let (start, end) = span.unzip();
            line.serialize_field("start", &start)?;
            line.serialize_field("end", &end)?;
        }
        self.values.add(&mut line)?;
        line.end()
    }
}

/// A vector as a list.
pub(super) struct Row<'a, T>(pub(super) ArrayView1<'a, T>);

impl<T: Serialize> Serialize for Row<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

/// A matrix as a list of lists.
struct Rows<'a>(&'a Array2<f32>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.axis_iter(Axis(0)).map(Row))
    }
}
