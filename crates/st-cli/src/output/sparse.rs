//! An open output for sparse vectors.

use st_core::SparseVectors;
use st_model::Provenance;

use super::Sink;
use super::jsonl::JsonlSink;
use super::npz::NpzSink;
use super::parquet::ParquetSink;
use crate::error::Error;
use crate::input::Chunk;

/// Where sparse vectors go.
pub(crate) enum SparseSink {
    /// One object a line.
    Jsonl(JsonlSink),
    /// Columns of lists.
    Parquet(Box<ParquetSink>),
    /// Compressed rows.
    Npz(NpzSink),
}

impl SparseSink {
    /// As [`Sink::describe`].
    pub(crate) fn describe(&mut self, provenance: &Provenance) -> Result<(), Error> {
        match self {
            Self::Jsonl(sink) => sink.describe(provenance),
            Self::Parquet(sink) => sink.describe(provenance),
            Self::Npz(sink) => {
                sink.describe(provenance);
                Ok(())
            }
        }
    }

    /// Appends the vectors of a chunk; `tokens` are the tokens and weights of each, where they were asked for.
    pub(crate) fn write(
        &mut self,
        chunk: &Chunk,
        vectors: &SparseVectors,
        tokens: &[Vec<(String, f32)>],
    ) -> Result<(), Error> {
        match self {
            Self::Jsonl(sink) => sink.write_sparse(chunk, vectors, tokens),
            Self::Parquet(sink) => sink.write_sparse(chunk, vectors, tokens),
            Self::Npz(sink) => sink.write(vectors),
        }
    }

    /// As [`Sink::finish`].
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self {
            Self::Jsonl(sink) => Box::new(sink).finish(),
            Self::Parquet(sink) => sink.finish(),
            Self::Npz(sink) => sink.finish(),
        }
    }
}
