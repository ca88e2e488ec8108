//! Models that need no graph: what they answer for a token stands in a table.

use ndarray::{Array2, Axis};

use crate::bag::Bag;
use crate::spec::{InputSpec, RouteSpec};
use crate::tail::Tail;
use crate::tokenizer::{self, Tokenized, Tokenizer};
use crate::{Error, LoadOptions, table};

/// Texts that run together: a bag has a number for each word of its vocabulary, which modules behind it make less of.
const TEXTS: usize = 256;

/// A table, and what stands behind it.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) tokenizer: Box<dyn Tokenizer>,
    /// Longest text in tokens.
    pub(crate) max_tokens: Option<usize>,
    table: Table,
    tail: Tail,
    dim: usize,
}

#[derive(Debug)]
enum Table {
    /// The mean of the rows of a text's tokens.
    Mean(Array2<f32>),
    /// How often words come.
    Bag(Bag),
}

impl Lookup {
    pub(crate) fn load(route: &RouteSpec, options: &LoadOptions) -> Result<Self, Error> {
        let folder = route.input.folder();
        let (table, width) = match &route.input {
            InputSpec::Bag { folder } => {
                let bag = Bag::read(folder)?;
                let width = bag.words.len();
                (Table::Bag(bag), width)
            }
            _ => {
                let rows = table::read_vectors(folder)?;
                let width = rows.ncols();
                (Table::Mean(rows), width)
            }
        };
        let tail = Tail::load(folder, &route.stages, width)?;
        let tokenizer = tokenizer::load(&route.input)?;
        let max_tokens = options.max_tokens(tokenizer.stored_limit(), ("text", 0))?;
        Ok(Self { tokenizer, max_tokens, table, tail, dim: route.dim })
    }

    /// `[texts, dim]`.
    pub(crate) fn rows(&self, texts: &[Tokenized]) -> Result<Array2<f32>, Error> {
        let mut rows = Array2::zeros((texts.len(), self.dim));
        for (part, texts) in rows.axis_chunks_iter_mut(Axis(0), TEXTS).zip(texts.chunks(TEXTS)) {
            let looked_up = match &self.table {
                Table::Mean(table) => means(table, texts)?,
                Table::Bag(bag) => bag.rows(texts),
            };
            self.tail.apply(looked_up).assign_to(part);
        }
        Ok(rows)
    }
}

/// Zeros for a text without tokens, as the reference has it.
fn means(table: &Array2<f32>, texts: &[Tokenized]) -> Result<Array2<f32>, Error> {
    let mut means = Array2::zeros((texts.len(), table.ncols()));
    for (mut mean, text) in means.axis_iter_mut(Axis(0)).zip(texts) {
        for &id in &text.ids {
            let row = usize::try_from(id).ok().filter(|row| *row < table.nrows());
            let row = row.ok_or(Error::TokenOutsideTable { id, rows: table.nrows() })?;
            mean += &table.row(row);
        }
        #[expect(clippy::cast_precision_loss, reason = "no text has 2^24 tokens")]
        if !text.ids.is_empty() {
            mean /= text.ids.len() as f32;
        }
    }
    Ok(means)
}
