//! What each class of transformers 5 makes of a vocabulary: a table of classes, and a few lines for each kind.

use serde_json::{Value, json};

use super::added::Named;
use super::folder::Folder;
use super::parts::{self, Parts};
use super::rebuild::Names;
use super::recipe::{Part, Wrapping};
use super::source::{Algorithm, Source};

/// How a class turns a vocabulary into a tokenizer.
#[expect(clippy::struct_excessive_bools, reason = "columns of a table, which are independent")]
pub(super) struct Rule {
    pub(super) class: &'static str,
    pub(super) algorithm: Algorithm,
    /// The vocabulary's files where there is no `tokenizer.json`.
    pub(super) files: &'static [&'static str],
    /// Its special tokens unless the folder says otherwise, in the order of `SLOTS`.
    pub(super) names: [Option<&'static str>; 7],
    /// Whether the mask takes the space before it along.
    pub(super) mask_strips: bool,
    /// Whether models of this class are told which text a token belongs to.
    pub(super) typed: bool,
    /// Whether it keeps only the vocabulary of `tokenizer.json`.
    pub(super) rebuilds: bool,
    /// Whether it adds its special tokens once more, which then strip no spaces, whatever the folder says.
    pub(super) renews_special: bool,
    pub(super) ends: Ends,
    pub(super) build: fn(Source, &Names, &Folder) -> Result<Parts, String>,
    /// Special tokens without a name, from what is known so far, where the folder lists none.
    pub(super) extra: fn(Vec<Named>, &Folder) -> Vec<Named>,
}

/// What stands around texts; the numbers are places in `SLOTS`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    /// What `tokenizer.json` says, else first and last token where the folder asks for them.
    Stored,
    /// What `tokenizer.json` says, else as `Typed`.
    StoredElse(usize, usize),
    /// `first A last` and `first A last B last`, the second text of type 1.
    Typed(usize, usize),
    /// `first A last` and `first A last last B last`, all of type 0.
    Doubled(usize, usize),
    /// `A last` and `A last B last`.
    Last,
    Nothing,
}

const BERT: Rule = Rule {
    class: "BertTokenizer",
    algorithm: Algorithm::WordPiece,
    files: &["vocab.txt"],
    names: [None, None, Some("[UNK]"), Some("[SEP]"), Some("[PAD]"), Some("[CLS]"), Some("[MASK]")],
    mask_strips: false,
    typed: true,
    rebuilds: true,
    renews_special: false,
    ends: Ends::Typed(5, 3),
    build: parts::word_piece,
    extra: |known, _| known,
};

/// The names that most models after BERT gave their special tokens.
const ROBERTA_NAMES: [Option<&str>; 7] =
    [Some("<s>"), Some("</s>"), Some("<unk>"), Some("</s>"), Some("<pad>"), Some("<s>"), Some("<mask>")];

const ROBERTA: Rule = Rule {
    class: "RobertaTokenizer",
    algorithm: Algorithm::Bpe,
    files: &["vocab.json", "merges.txt"],
    names: ROBERTA_NAMES,
    typed: false,
    ends: Ends::Doubled(5, 3),
    build: |source, _, folder| Ok(parts::byte_level(source, folder, Value::Null)),
    ..BERT
};

const XLM_ROBERTA: Rule = Rule {
    class: "XLMRobertaTokenizer",
    algorithm: Algorithm::Unigram,
    files: &["sentencepiece.bpe.model"],
    names: ROBERTA_NAMES,
    typed: false,
    ends: Ends::Doubled(0, 1),
    build: |source, _, folder| Ok(parts::unigram(source, 3, parts::prefix(folder))),
    ..BERT
};

const END_OF_TEXT: Option<&str> = Some("<|endoftext|>");

const ALBERT_NAMES: [Option<&str>; 7] = [
    Some("[CLS]"),
    Some("[SEP]"),
    Some("<unk>"),
    Some("[SEP]"),
    Some("<pad>"),
    Some("[CLS]"),
    Some("[MASK]"),
];

const RULES: [Rule; 17] = [
    BERT,
    // These classes add nothing to the one that they extend but what the model is told.
    Rule { class: "DistilBertTokenizer", typed: false, ..BERT },
    Rule { class: "ConvBertTokenizer", rebuilds: false, ..BERT },
    Rule {
        class: "MPNetTokenizer",
        names: [
            Some("<s>"),
            Some("</s>"),
            Some("[UNK]"),
            Some("</s>"),
            Some("<pad>"),
            Some("<s>"),
            Some("<mask>"),
        ],
        mask_strips: true,
        typed: false,
        ends: Ends::Doubled(5, 3),
        ..BERT
    },
    ROBERTA,
    Rule {
        class: "DebertaTokenizer",
        names: [
            Some("[CLS]"),
            Some("[SEP]"),
            Some("[UNK]"),
            Some("[SEP]"),
            Some("[PAD]"),
            Some("[CLS]"),
            Some("[MASK]"),
        ],
        typed: true,
        ..ROBERTA
    },
    Rule {
        class: "GPT2Tokenizer",
        names: [END_OF_TEXT, END_OF_TEXT, END_OF_TEXT, None, None, None, None],
        ends: Ends::Stored,
        ..ROBERTA
    },
    Rule {
        class: "GPTNeoXTokenizer",
        names: [END_OF_TEXT, END_OF_TEXT, END_OF_TEXT, None, Some("<|padding|>"), None, None],
        ends: Ends::Nothing,
        build: |source, _, folder| Ok(parts::byte_level(source, folder, json!({"type": "NFC"}))),
        ..ROBERTA
    },
    Rule {
        class: "Qwen2Tokenizer",
        names: [None, END_OF_TEXT, END_OF_TEXT, None, END_OF_TEXT, None, None],
        renews_special: true,
        ends: Ends::Stored,
        build: |source, _, folder| Ok(parts::qwen(source, folder)),
        ..ROBERTA
    },
    Rule {
        class: "CLIPTokenizer",
        names: [Some("<|startoftext|>"), END_OF_TEXT, END_OF_TEXT, None, END_OF_TEXT, None, None],
        ends: Ends::Doubled(0, 1),
        build: |source, names, _| Ok(parts::clip(source, names)),
        ..ROBERTA
    },
    Rule {
        class: "LlamaTokenizer",
        files: &["tokenizer.model"],
        names: [Some("<s>"), Some("</s>"), Some("<unk>"), None, None, None, None],
        ends: Ends::Stored,
        build: |source, _, folder| Ok(parts::llama(source, folder)),
        ..ROBERTA
    },
    Rule {
        class: "GemmaTokenizer",
        files: &["tokenizer.model"],
        names: [Some("<bos>"), Some("<eos>"), Some("<unk>"), None, Some("<pad>"), None, Some("<mask>")],
        ends: Ends::Stored,
        build: |source, names, _| Ok(parts::gemma(source, names)),
        ..ROBERTA
    },
    XLM_ROBERTA,
    Rule {
        class: "CamembertTokenizer",
        mask_strips: true,
        build: |source, names, folder| {
            let unknown = parts::position(&source.vocab, names[2].as_ref(), None).unwrap_or(0);
            Ok(parts::unigram(source, unknown, parts::prefix(folder)))
        },
        extra: |known, _| {
            let own = ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"].map(|text| Named::Text(text.to_owned()));
            if known.is_empty() { own.to_vec() } else { known }
        },
        ..XLM_ROBERTA
    },
    Rule {
        class: "T5Tokenizer",
        files: &["spiece.model"],
        names: [None, Some("</s>"), Some("<unk>"), None, Some("<pad>"), None, None],
        ends: Ends::Last,
        build: |source, _, _| Ok(parts::unigram(source, 2, "always")),
        extra: |known, folder| {
            let own = (0..sentinels(folder)).map(|id| Named::Text(format!("<extra_id_{id}>")));
            known.into_iter().chain(own).collect()
        },
        ..XLM_ROBERTA
    },
    Rule {
        class: "AlbertTokenizer",
        files: &["spiece.model"],
        names: ALBERT_NAMES,
        ends: Ends::StoredElse(5, 3),
        build: |source, _, folder| Ok(parts::albert(source, folder)),
        ..XLM_ROBERTA
    },
    Rule {
        class: "DebertaV2Tokenizer",
        files: &["spm.model"],
        names: [
            Some("[CLS]"),
            Some("[SEP]"),
            Some("[UNK]"),
            Some("[SEP]"),
            Some("[PAD]"),
            Some("[CLS]"),
            Some("[MASK]"),
        ],
        typed: true,
        ends: Ends::Typed(5, 3),
        build: parts::deberta,
        ..XLM_ROBERTA
    },
];

/// The rule of a class, if it has one here.
pub(super) fn find(class: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.class == class)
}

/// Puts the special tokens of a class where its models expect them, which SentencePiece files do not.
pub(super) fn arrange(rule: &Rule, source: &mut Source, names: &Names, folder: &Folder) {
    let (true, Value::Array(pieces)) = (source.pieces.is_some(), &mut source.vocab) else { return };
    let piece = |text: &str, score: f64| Value::from(vec![Value::from(text), Value::from(score)]);
    let name = |slot: usize| names[slot].as_ref().map_or("None", Named::content);
    match rule.class {
        "XLMRobertaTokenizer" => {
            let first = [0, 4, 1, 2].map(|slot| piece(name(slot), 0.0));
            pieces.splice(..pieces.len().min(3), first);
            pieces.push(piece(name(6), 0.0));
        }
        "CamembertTokenizer" => {
            let unused = [
                ("<s>NOTUSED", 0.0),
                (name(4), 0.0),
                ("</s>NOTUSED", 0.0),
                (name(2), 0.0),
                ("<unk>NOTUSED", -100.0),
            ];
            pieces.splice(..pieces.len().min(1), unused.map(|(text, score)| piece(text, score)));
            pieces.push(piece(name(6), 0.0));
        }
        "T5Tokenizer" => {
            pieces.extend((0..sentinels(folder)).rev().map(|id| piece(&format!("<extra_id_{id}>"), 0.0)));
        }
        _ => {}
    }
}

/// First and last token, where the folder asks for them.
pub(super) fn ends(names: &Names, folder: &Folder) -> Wrapping {
    let end = |slot: usize, key: &str| {
        let token = names[slot].as_ref().filter(|_| folder.flag(key) == Some(true));
        move |kind| token.map(|token| Part::Token(token.content().to_owned(), kind))
    };
    let (first, last) = (end(0, "add_bos_token"), end(1, "add_eos_token"));
    let text = |part: Part, kind| first(kind).into_iter().chain([part]).chain(last(kind)).collect::<Vec<_>>();
    let (single, second) = (text(Part::First(0), 0), text(Part::Second(1), 1));
    Wrapping::Made { pair: [single.clone(), second].concat(), single }
}

/// How many sentinel tokens a T5 has.
fn sentinels(folder: &Folder) -> u64 {
    folder.setting("extra_ids").and_then(Value::as_u64).unwrap_or(100).min(1000)
}
