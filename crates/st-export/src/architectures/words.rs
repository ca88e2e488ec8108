//! Word embeddings of before transformers, such as `GloVe`: a table, and nothing that joins its rows.

use std::path::Path;

use super::settings::{ROWS, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{Sequence, lookup};
use crate::checkpoint::{Naming, tensor_shape};
use crate::ir::{GraphBuilder, ValueId};

/// A module's own configuration, since there is no `config.json`.
const CONFIG: &str = "wordembedding_config.json";
const TABLE: &str = "emb_layer.weight";

/// Not in the list of families, since no `config.json` names it.
pub(super) static WORDS: Family = Family {
    name: "WordEmbeddings",
    model_types: &[],
    classes: &[],
    examples: "average_word_embeddings_glove.6B.300d",
    naming: Naming { roots: &["emb_layer."], prefixes: &[], unused: &[], ties: &[] },
};

#[derive(Debug)]
pub(super) struct Words {
    vocabulary: usize,
    hidden: usize,
}

/// Whether the folder is that of a module `WordEmbeddings`.
pub(super) fn is_there(folder: &Path) -> bool {
    folder.join(CONFIG).is_file()
}

/// Its only sizes are those of its table.
pub(super) fn read(folder: &Path) -> Result<Words, Error> {
    let shape = tensor_shape(folder, TABLE)?;
    match shape.as_slice() {
        &[vocabulary, hidden] if ROWS.contains(&vocabulary) && WIDTHS.contains(&hidden) => {
            Ok(Words { vocabulary, hidden })
        }
        _ => Err(Error::TableShape { folder: folder.to_owned(), tensor: TABLE, found: shape }),
    }
}

impl Transformer for Words {
    fn hidden(&self) -> usize {
        self.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let rows = lookup(builder, "emb_layer", sequence.input_ids, [self.vocabulary, self.hidden]);
        vec![Sequence::flatten(builder, rows, self.hidden)]
    }
}
