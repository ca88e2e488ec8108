//! The transformers that can be written, one file each.
//!
//! An architecture knows how to read its `config.json`, how files spell its weights, and its graph from token
//! ids to token embeddings. Adding one is a file here and a line in [`FAMILIES`].

mod albert;
mod bert;
mod deberta;
mod decoder;
mod distilbert;
mod electra;
mod family;
mod gte;
mod jina;
mod modernbert;
mod mpnet;
mod nomic;
mod refused;
mod roberta;
mod rope;
mod settings;
mod t5;
mod words;

use std::fmt;
use std::path::Path;

use serde_json::Value;

pub use family::Family;
use family::{Kind, Maker};
pub use refused::RefusedFamily;
use settings::Settings;

use crate::blocks::{Classifier, LanguageHead, Sequence, Tied};
use crate::checkpoint::Naming;
use crate::head::Task;
use crate::ir::{Dim, ElementType, Graph, GraphBuilder, ValueId};
use crate::json::read_json;
use crate::stages::Features;
use crate::{Error, Head};

/// Every family that can be written.
const FAMILIES: &[(Family, Maker)] = &[
    (bert::FAMILY, bert::read),
    (roberta::FAMILY, roberta::read),
    (mpnet::FAMILY, mpnet::read),
    (distilbert::FAMILY, distilbert::read),
    (albert::FAMILY, albert::read),
    (electra::FAMILY, electra::read),
    (deberta::FAMILY, deberta::read),
    (modernbert::FAMILY, modernbert::read),
    (nomic::FAMILY, nomic::read),
    (gte::FAMILY, gte::read),
    (jina::FAMILY, jina::read),
    (t5::FAMILY, t5::read),
    (decoder::QWEN2, decoder::read_qwen2),
    (decoder::QWEN3, decoder::read_qwen3),
    (decoder::LLAMA, decoder::read_llama),
    (decoder::MISTRAL, decoder::read_mistral),
    (decoder::GEMMA, decoder::read_gemma),
];

/// A transformer with its settings; or what only looks words up, which has no layers.
pub(crate) trait Transformer: fmt::Debug {
    /// Width of a token embedding.
    fn hidden(&self) -> usize;

    /// Token embeddings after the embedding tables and after each layer, each `[tokens, hidden]`; the last one is
    /// what the model answers.
    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId>;

    /// Its head for labels.
    fn classifier(&self) -> Option<Classifier> {
        None
    }

    /// Its head for the vocabulary.
    fn language_head(&self) -> Option<LanguageHead> {
        None
    }
}

/// The transformer of a folder.
#[derive(Debug)]
pub(crate) struct Architecture {
    family: &'static Family,
    transformer: Box<dyn Transformer>,
    /// Whether the last layer over the vocabulary is the word embeddings, unless a file says otherwise.
    ties: bool,
}

/// All families that can be written, in the order in which they are looked for.
pub fn families() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().map(|(family, _)| family)
}

/// Families that are refused by name.
pub fn refused_families() -> impl Iterator<Item = &'static RefusedFamily> {
    refused::REFUSED.iter()
}

impl Architecture {
    /// Reads `config.json` of a checkpoint folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("config.json");
        // That module's folder may be the model's, where others leave a `config.json`.
        if words::is_there(folder) {
            let transformer = Box::new(words::read(folder)?);
            return Ok(Self { family: &words::WORDS, transformer, ties: true });
        }
        if !path.exists() {
            return Err(Error::ConfigMissing { folder: folder.to_path_buf() });
        }
        let json: Value = read_json(&path)?;
        let kind = Kind::read(&path, &json)?;
        let refused_class = refused_families().any(|refused| kind.has_refused_class(refused));
        match FAMILIES.iter().find(|(family, _)| !refused_class && kind.is(family)) {
            Some((family, make)) => {
                let settings = Settings::new(&path, &json);
                let ties = settings.flag("tie_word_embeddings", true)?;
                Ok(Self { family, transformer: make(settings)?, ties })
            }
            None => {
                if let Some(refused) = refused_families().find(|refused| kind.is_refused(refused)) {
                    return Err(Error::RefusedArchitecture {
                        path,
                        found: kind.describe(),
                        reason: refused.reason,
                    });
                }
                let supported = families().map(|family| family.name).collect::<Vec<_>>().join(", ");
                Err(Error::UnknownArchitecture { path, found: kind.describe(), supported })
            }
        }
    }

    /// The reference's word for it.
    pub(crate) fn name(&self) -> &'static str {
        self.family.name
    }

    /// How files spell its weights.
    pub(crate) fn naming(&self) -> &'static Naming {
        &self.family.naming
    }

    /// The settings that its graph depends on, always spelled alike.
    pub(crate) fn settings(&self) -> String {
        format!("{} {:?} {}", self.family.name, self.transformer, self.ties)
    }

    /// The last layer over the vocabulary and the word embeddings, where they are one.
    pub(crate) fn tied_decoder(&self) -> Option<Tied> {
        self.transformer.language_head().filter(|_| self.ties).map(|head| head.decoder)
    }

    /// Its graph, with `head` on top.
    ///
    /// # Errors
    ///
    /// [`Error::HeadMissing`] if the head asks for a task that the family has no head for, and what is wrong with
    /// tensors that `choose` has to compare.
    pub(crate) fn graph(
        &self,
        head: Option<&Head>,
        choose: &dyn Fn(Tied) -> Result<&'static str, Error>,
    ) -> Result<Graph, Error> {
        let mut builder = GraphBuilder::new(self.name());
        let sequence = Sequence::declare(&mut builder);
        let layers = self.transformer.layers(&mut builder, &sequence);
        let hidden = self.transformer.hidden();
        let Some(&last) = layers.last() else { unreachable!("embedding tables count as a layer") };
        let task = head.map_or(Task::Features, |head| head.task);
        let batch = Dim::Symbolic("batch".into());
        if let Task::Classification { labels } = task {
            let classifier = self.transformer.classifier().ok_or_else(|| self.no_head("labels"))?;
            let tokens = sequence.unflatten(&mut builder, last, hidden);
            let logits = classifier.apply(&mut builder, &sequence, tokens, (hidden, labels));
            let dims = vec![batch, Dim::Fixed(labels as u64)];
            builder.output("logits", logits, ElementType::Float32, dims);
            return Ok(builder.finish());
        }
        let (last, width) = match task {
            Task::Vocabulary => {
                let head = self.transformer.language_head().ok_or_else(|| self.no_head("the vocabulary"))?;
                let choose = |tied: Tied| if self.ties { choose(tied) } else { Ok(tied.own) };
                let names = (choose(head.decoder)?, head.bias.map(choose).transpose()?);
                (head.apply(&mut builder, last, hidden, names), head.vocabulary)
            }
            _ => (last, hidden),
        };
        let tokens = (sequence.unflatten(&mut builder, last, width), width);
        let unpooled = match head {
            Some(head) if head.pooling_mask => sequence.declare_pooling_mask(&mut builder),
            _ => sequence.masked,
        };
        let mut features = Features { sequence, unpooled, layers, tokens, total: None, sentence: None };
        for stage in head.into_iter().flat_map(|head| &head.stages) {
            features.apply(&mut builder, stage);
        }
        // Numbers for the vocabulary at every token are many, and nobody asks for them.
        if task == Task::Features || features.sentence.is_none() {
            let (tokens, width) = features.tokens;
            let dims = vec![batch.clone(), Dim::Symbolic("sequence".into()), Dim::Fixed(width as u64)];
            builder.output("token_embeddings", tokens, ElementType::Float32, dims);
        }
        if let Some((sentence, width)) = features.sentence {
            let dims = vec![batch, Dim::Fixed(width as u64)];
            builder.output("sentence_embedding", sentence, ElementType::Float32, dims);
        }
        Ok(builder.finish())
    }

    fn no_head(&self, what: &'static str) -> Error {
        Error::HeadMissing { architecture: self.name(), what }
    }
}

/// For each layer whether it looks only nearby: what `layer_types` says, else what `default` says of its place.
fn layer_types(
    settings: Settings<'_>,
    layers: usize,
    default: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, Error> {
    let Some(types) = settings.get("layer_types") else { return Ok((0..layers).map(default).collect()) };
    let known = |name: &Value| match name.as_str() {
        Some("full_attention") => Some(false),
        Some("sliding_attention") => Some(true),
        _ => None,
    };
    let types: Option<Vec<bool>> = types.as_array().and_then(|types| types.iter().map(known).collect());
    types.filter(|types| types.len() == layers).ok_or_else(|| {
        let expected = format!("{layers} times full_attention or sliding_attention");
        settings.wrong("layer_types", "something else", expected)
    })
}
