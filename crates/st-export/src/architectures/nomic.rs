//! NomicBERT: rotary positions, one matrix for queries, keys and values, a gated feed-forward block.

use serde_json::Value;

use super::rope::Rope;
use super::settings::{LAYERS, ROWS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Attention, LayerNorm, Reach, Rotary, Sequence, gated, lookup, project, split, stack,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "nomic_bert",
    model_types: &["nomic_bert"],
    classes: &["NomicBert"],
    examples: "nomic-embed-text-v1, nomic-embed-text-v1.5",
    naming: Naming {
        roots: &["embeddings.", "emb_ln.", "encoder.layers."],
        prefixes: &["bert.", "nomic_bert.", "0.", "auto_model.", "base_model.", "model.", "module."],
        unused: &["cls.", "pooler.", "classifier."],
        ties: &[],
    },
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct NomicBert {
    hidden: usize,
    layers: usize,
    heads: usize,
    intermediate: usize,
    vocabulary: usize,
    token_types: usize,
    norm: LayerNorm,
    activation: Activation,
    rope: Rope,
}

/// Switches of the original code that would change the graph; the models have them off.
const OFF: [&str; 8] = [
    "prenorm",
    "parallel_block",
    "use_rms_norm",
    "qkv_proj_bias",
    "mlp_fc1_bias",
    "mlp_fc2_bias",
    "rotary_emb_interleaved",
    "causal",
];

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    settings.looks_both_ways()?;
    for key in OFF {
        settings.only(key, false)?;
    }
    settings.only("rotary_emb_fraction", 1.0)?;
    settings.only("rotary_emb_scale_base", Value::Null)?;
    settings.only("rotary_scaling_factor", Value::Null)?;
    settings.only("num_experts", 0)?;
    // The original has GPT-2's names, a file saved by transformers 5 those of BERT.
    let either = |old: &'static str, new: &'static str| if settings.get(old).is_some() { old } else { new };
    let hidden = settings.size(either("n_embd", "hidden_size"), 768, WIDTHS)?;
    let heads = settings.heads(either("n_head", "num_attention_heads"), 12, hidden)?;
    let activation = match settings.text(either("activation_function", "hidden_act"), "silu")? {
        "swiglu" => Activation::Silu,
        "geglu" => Activation::Gelu,
        name => Activation::from_name(name)
            .filter(|_| settings.get("activation_function").is_none())
            .ok_or_else(|| settings.wrong("activation_function", name, "swiglu or geglu"))?,
    };
    let epsilon = settings.number(either("layer_norm_epsilon", "layer_norm_eps"), 1e-12)?;
    Ok(Box::new(NomicBert {
        hidden,
        layers: settings.size(either("n_layer", "num_hidden_layers"), 12, LAYERS)?,
        heads,
        intermediate: settings.size(either("n_inner", "intermediate_size"), 4 * hidden, WIDTHS)?,
        vocabulary: settings.size("vocab_size", 30528, ROWS)?,
        token_types: settings.size("type_vocab_size", 2, ROWS)?,
        norm: LayerNorm::new(hidden, epsilon),
        activation,
        rope: Rope::read(settings, None, "rotary_emb_base", 1000.0, hidden / heads)?,
    }))
}

impl NomicBert {
    fn layer(&self, builder: &mut GraphBuilder, attention: Attention, hidden: ValueId) -> ValueId {
        let width = self.hidden;
        let attended = builder.within("attn", |builder| {
            let fused = project(builder, "Wqkv", hidden, (width, 3 * width));
            let parts = split(builder, fused, width);
            let context = attention.apply(builder, parts);
            project(builder, "out_proj", context, (width, width))
        });
        let sum = builder.add(attended, hidden);
        let hidden = self.norm.apply(builder, "norm1", sum);
        let changed = builder.within("mlp", |builder| {
            let widths = (width, self.intermediate);
            // The second of the two is the gate.
            let up = project(builder, "fc11", hidden, widths);
            let gate = project(builder, "fc12", hidden, widths);
            let value = gated(builder, self.activation, gate, up);
            project(builder, "fc2", value, (self.intermediate, width))
        });
        let sum = builder.add(changed, hidden);
        self.norm.apply(builder, "norm2", sum)
    }
}

impl Transformer for NomicBert {
    fn hidden(&self) -> usize {
        self.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.hidden;
        let token_types = Sequence::declare_token_types(builder);
        let sum = builder.within("embeddings", |builder| {
            let words = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            let types = lookup(builder, "token_type_embeddings", token_types, [self.token_types, width]);
            builder.add(words, types)
        });
        let normal = self.norm.apply(builder, "emb_ln", sum);
        let embedded = Sequence::flatten(builder, normal, width);
        let mask = Reach::FULL.mask(builder, sequence);
        let rotary = Some(Rotary::new(builder, sequence, "rotary", self.rope.frequencies.clone()));
        let attention =
            Attention { rotary, ..Attention::new(sequence, self.heads, width / self.heads, mask) };
        stack(builder, "encoder.layers", self.layers, embedded, |builder, _, hidden| {
            self.layer(builder, attention, hidden)
        })
    }
}
