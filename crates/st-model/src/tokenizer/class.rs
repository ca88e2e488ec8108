//! Which class the reference makes of a folder's tokenizer.

use super::folder::Folder;

/// The class that transformers 5 registers for a `model_type`, where that is not "take the file as it is".
///
/// Types that are not here have none registered or are taken as they are.
const REGISTERED: [(&str, &[&str]); 16] = [
    ("AlbertTokenizer", &["albert", "yoso"]),
    (
        "BertTokenizer",
        &[
            "align",
            "bert",
            "blip",
            "bros",
            "chinese_clip",
            "convbert",
            "distilbert",
            "electra",
            "ernie",
            "flava",
            "layoutlm",
            "lxmert",
            "megatron-bert",
            "mobilebert",
            "nezha",
            "nomic_bert",
            "qdqbert",
            "realm",
            "retribert",
            "squeezebert",
            "visual_bert",
        ],
    ),
    ("CamembertTokenizer", &["camembert"]),
    ("CLIPTokenizer", &["clip", "clipseg", "groupvit", "owlvit", "owlv2", "xclip"]),
    ("DebertaTokenizer", &["deberta"]),
    ("DebertaV2Tokenizer", &["deberta-v2"]),
    (
        "GemmaTokenizer",
        &[
            "gemma",
            "gemma2",
            "gemma3",
            "gemma3_text",
            "gemma3n",
            "gemma3n_text",
            "recurrent_gemma",
            "t5gemma",
        ],
    ),
    ("GPT2Tokenizer", &["codegen", "dbrx", "gpt2", "gpt_neo", "gptj", "opt", "phi", "starcoder2"]),
    ("GPTNeoXTokenizer", &["falcon_mamba", "gpt_neox", "mamba", "mamba2", "mpt", "olmo", "olmoe", "rwkv"]),
    ("MPNetTokenizer", &["mpnet"]),
    (
        "Qwen2Tokenizer",
        &[
            "qwen2",
            "qwen2_5_vl",
            "qwen2_audio",
            "qwen2_moe",
            "qwen2_vl",
            "qwen3",
            "qwen3_moe",
            "qwen3_next",
            "qwen3_vl",
        ],
    ),
    (
        "RobertaTokenizer",
        &[
            "bart",
            "data2vec-text",
            "ibert",
            "lilt",
            "led",
            "longformer",
            "mega",
            "mra",
            "roberta",
            "roberta-prelayernorm",
        ],
    ),
    ("T5Tokenizer", &["mt5", "switch_transformers", "t5"]),
    ("XLMRobertaTokenizer", &["gte", "jina_embeddings_v3", "xlm-roberta", "xmod"]),
    (
        OTHER,
        &[
            "big_bird", "cohere", "cohere2", "fnet", "funnel", "herbert", "luke", "mbart", "mbart50", "nllb",
            "nllb-moe", "pegasus", "rembert", "roformer", "splinter", "xglm", "xlnet",
        ],
    ),
    (
        AS_IT_IS,
        &[
            "aria",
            "bigbird_pegasus",
            "flex_olmo",
            "glm",
            "glm4",
            "gpt_bigcode",
            "granite",
            "granitemoe",
            "ministral",
            "ministral3",
            "mistral",
            "mistral3",
            "mixtral",
            "modernbert",
            "modernbert-decoder",
            "nystromformer",
            "olmo2",
            "olmo3",
            "pegasus_x",
            "persimmon",
            "phi3",
            "phimoe",
            "pixtral",
            "stablelm",
            "umt5",
            "xlm-roberta-xl",
        ],
    ),
];

/// Types whose folders name a wrong class, so that the registered one is taken.
const MISNAMED: [&str; 4] = ["modernbert", "modernbert-decoder", "qwen2", "siglip2"];

/// `tokenizer.json` as it is, with what the configuration adds.
pub(super) const AS_IT_IS: &str = "TokenizersBackend";

/// A class that has rules of its own, which are not here.
const OTHER: &str = "";

/// Classes that are another class by a second name.
const ALIASES: [(&str, &str); 18] = [
    ("BartTokenizer", "RobertaTokenizer"),
    ("BloomTokenizer", AS_IT_IS),
    ("DPRContextEncoderTokenizer", "BertTokenizer"),
    ("DPRQuestionEncoderTokenizer", "BertTokenizer"),
    ("DPRReaderTokenizer", "BertTokenizer"),
    ("ElectraTokenizer", "BertTokenizer"),
    ("LEDTokenizer", "RobertaTokenizer"),
    ("LayoutLMTokenizer", "BertTokenizer"),
    ("LongformerTokenizer", "RobertaTokenizer"),
    ("LxmertTokenizer", "BertTokenizer"),
    ("MobileBertTokenizer", "BertTokenizer"),
    ("MvpTokenizer", "RobertaTokenizer"),
    ("Phi3Tokenizer", "LlamaTokenizer"),
    ("PreTrainedTokenizer", AS_IT_IS),
    ("PreTrainedTokenizerFast", AS_IT_IS),
    ("PythonBackend", AS_IT_IS),
    ("SqueezeBertTokenizer", "BertTokenizer"),
    ("TokenizersBackend", AS_IT_IS),
];

/// Classes of the reference that rebuild a tokenizer by rules that are not here.
const WITHOUT_RULES: [&str; 26] = [
    OTHER,
    "BarthezTokenizer",
    "BigBirdTokenizer",
    "BlenderbotTokenizer",
    "CodeGenTokenizer",
    "CodeLlamaTokenizer",
    "CohereTokenizer",
    "CpmTokenizer",
    "FNetTokenizer",
    "FunnelTokenizer",
    "HerbertTokenizer",
    "LayoutLMv2Tokenizer",
    "LayoutLMv3Tokenizer",
    "LayoutXLMTokenizer",
    "LukeTokenizer",
    "MBart50Tokenizer",
    "MBartTokenizer",
    "NllbTokenizer",
    "PegasusTokenizer",
    "ReformerTokenizer",
    "RemBertTokenizer",
    "RoFormerTokenizer",
    "SplinterTokenizer",
    "UdopTokenizer",
    "XGLMTokenizer",
    "XLNetTokenizer",
];

/// Whether the reference would rebuild the tokenizer of this class, and we do not.
pub(super) fn lacks_rules(class: &str) -> bool {
    WITHOUT_RULES.contains(&class)
}

/// The class, its second names resolved.
pub(super) fn choose(folder: &Folder) -> &str {
    let named = folder.class.as_deref();
    let registered = folder.model_type.as_deref().filter(|_| !folder.has_code).and_then(registered);
    match (named, registered) {
        // A byte-level file under this name is not one that the class could rebuild.
        (Some("LlamaTokenizer"), _) if !folder.has_code && is_byte_level(folder) => AS_IT_IS,
        (Some(named), Some(class)) if class == AS_IT_IS && named != AS_IT_IS => AS_IT_IS,
        (Some(named), Some(class)) if class != named && is_misnamed(folder) => resolve(class),
        (Some(named), _) => resolve(named),
        (None, class) => class.unwrap_or(AS_IT_IS),
    }
}

fn registered(model_type: &str) -> Option<&'static str> {
    REGISTERED.iter().find(|(_, types)| types.contains(&model_type)).map(|(class, _)| *class)
}

fn resolve(class: &str) -> &str {
    ALIASES.iter().find(|(name, _)| *name == class).map_or(class, |(_, known)| *known)
}

fn is_misnamed(folder: &Folder) -> bool {
    folder.model_type.as_deref().is_some_and(|model_type| MISNAMED.contains(&model_type))
}

/// Whether the file says `ByteLevel` where a component names its type.
fn is_byte_level(folder: &Folder) -> bool {
    fn says(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::String(text) => text == "ByteLevel",
            serde_json::Value::Array(items) => items.iter().any(says),
            serde_json::Value::Object(items) => items.values().any(says),
            _ => false,
        }
    }
    let parts = ["normalizer", "pre_tokenizer", "post_processor", "decoder"];
    folder.file.as_ref().is_some_and(|file| parts.iter().filter_map(|part| file.get(*part)).any(says))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn class(model_type: &str, named: Option<&str>, decoder: &str) -> String {
        let folder = tempfile::TempDir::new().unwrap();
        let write = |name: &str, value: serde_json::Value| {
            fs::write(folder.path().join(name), value.to_string()).unwrap();
        };
        write("config.json", json!({"model_type": model_type}));
        write("tokenizer_config.json", json!({"tokenizer_class": named}));
        write("tokenizer.json", json!({"decoder": {"type": decoder}}));
        choose(&Folder::read(folder.path()).unwrap()).to_owned()
    }

    #[test]
    fn the_folder_names_a_class_and_the_type_may_overrule_it() {
        let plain = |model_type, named| class(model_type, named, "WordPiece");
        assert_eq!(plain("bert", None), "BertTokenizer");
        assert_eq!(plain("new", None), AS_IT_IS);
        assert_eq!(plain("bert", Some("XLMRobertaTokenizerFast")), "XLMRobertaTokenizer");
        assert_eq!(plain("bert", Some("PreTrainedTokenizerFast")), AS_IT_IS);
        assert_eq!(plain("electra", Some("ElectraTokenizer")), "BertTokenizer");
        assert_eq!(plain("modernbert", Some("BertTokenizer")), AS_IT_IS);
        assert_eq!(plain("qwen2", Some("PreTrainedTokenizerFast")), "Qwen2Tokenizer");
        assert_eq!(plain("mistral", Some("LlamaTokenizer")), AS_IT_IS);
        assert_eq!(plain("llama", Some("LlamaTokenizer")), "LlamaTokenizer");
        assert_eq!(class("llama", Some("LlamaTokenizerFast"), "ByteLevel"), AS_IT_IS);
        assert!(lacks_rules(&plain("xlnet", Some("XLNetTokenizer"))) && lacks_rules(&plain("xlnet", None)));
        assert!(!lacks_rules(&plain("bert", Some("SomeTokenizer"))));
    }

    #[test]
    fn every_class_has_rules_or_is_said_to_have_none() {
        let known = |class: &str| {
            class == AS_IT_IS || lacks_rules(class) || super::super::rules::find(class).is_some()
        };
        let unknown: Vec<_> = REGISTERED.iter().filter(|(class, _)| !known(class)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(ALIASES.iter().all(|(_, class)| known(class)));
    }
}
