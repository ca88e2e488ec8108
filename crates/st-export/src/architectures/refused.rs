//! Transformers that people have and that are not written, and why.

/// Transformers that are refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedFamily {
    /// Values of `model_type` that mean it.
    pub model_types: &'static [&'static str],
    /// Beginnings of classes that mean it, whatever the `model_type`.
    pub classes: &'static [&'static str],
    /// Why it is not written.
    pub reason: &'static str,
}

/// All of them; what is neither here nor among the families is refused as unknown.
pub(super) const REFUSED: &[RefusedFamily] = &[
    RefusedFamily {
        model_types: &["longformer", "big_bird", "led"],
        classes: &["Longformer", "BigBird"],
        reason: "its attention leaves out most pairs of tokens by a pattern of its own",
    },
    RefusedFamily {
        model_types: &["xlnet", "funnel", "fnet", "convbert", "roformer", "squeezebert"],
        classes: &["XLNet", "Funnel", "FNet", "ConvBert", "RoFormer", "SqueezeBert"],
        reason: "its layers are of a kind that few embedding models have",
    },
    RefusedFamily {
        model_types: &["deberta"],
        classes: &["DebertaModel", "DebertaFor"],
        reason: "the first DeBERTa attends differently from the second and third, which are written",
    },
    RefusedFamily {
        model_types: &["jina_embeddings_v3"],
        classes: &["XLMRobertaLoRA", "JinaEmbeddingsV3"],
        reason: "each call chooses among adapters inside of its layers",
    },
    RefusedFamily {
        model_types: &[
            "gemma", "gemma2", "gpt2", "gpt_neo", "gpt_neox", "gptj", "opt", "bloom", "phi", "phi3", "mpt",
        ],
        classes: &["GemmaModel", "GemmaFor", "Gemma2", "GPT", "OPT", "Bloom", "Phi"],
        reason: "this decoder is not written yet; Qwen2, Qwen3, Llama, Mistral and Gemma 3 are",
    },
    RefusedFamily {
        model_types: &["clip", "siglip", "chinese_clip", "blip", "colpali", "colqwen2", "qwen2_vl"],
        classes: &["CLIP", "Siglip", "Blip", "ColPali", "ColQwen2", "Qwen2VL"],
        reason: "it reads pictures, and this release reads text only",
    },
];
