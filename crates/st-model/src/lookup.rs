//! Models that need no graph: what they answer for a token stands in a table.

use ndarray::{Array2, Axis};

use crate::bag::Bag;
use crate::spec::{InputSpec, RouteSpec};
use crate::tail::Tail;
use crate::tokenizer::{self, Tokenized, Tokenizer};
use crate::{Error, LoadOptions, table};

/// Numbers in the rows that run together: a bag has one for each word, which modules behind it make less of.
const NUMBERS: usize = 1 << 22;

/// A table, and what stands behind it.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) tokenizer: Box<dyn Tokenizer>,
    /// Longest text in tokens.
    pub(crate) max_tokens: Option<usize>,
    table: Table,
    tail: Tail,
    /// Numbers that the table answers for a text.
    width: usize,
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
        let (table, width, tokenizer): (_, _, Box<dyn Tokenizer>) = match &route.input {
            InputSpec::Bag { folder } => {
                let bag = Bag::read(folder)?;
                let (width, tokenizer) = (bag.words.len(), Box::new(bag.tokenizer()));
                (Table::Bag(bag), width, tokenizer)
            }
            input => {
                let rows = table::read_vectors(folder)?;
                let width = rows.ncols();
                (Table::Mean(rows), width, tokenizer::load(input)?)
            }
        };
        let tail = Tail::load(route, width)?;
        let max_tokens = options.max_tokens(tokenizer.stored_limit(), ("text", 0))?;
        Ok(Self { tokenizer, max_tokens, table, tail, width, dim: route.dim })
    }

    /// `[texts, dim]`.
    pub(crate) fn rows(&self, texts: &[Tokenized]) -> Result<Array2<f32>, Error> {
        let mut rows = Array2::zeros((texts.len(), self.dim));
        let together = (NUMBERS / self.width.max(1)).max(1);
        for (part, texts) in rows.axis_chunks_iter_mut(Axis(0), together).zip(texts.chunks(together)) {
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
