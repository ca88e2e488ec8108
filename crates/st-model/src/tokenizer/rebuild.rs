//! A folder becomes a recipe: either `tokenizer.json` as it is, or what the folder's class makes of a vocabulary.

use serde_json::{Map, Value};

use super::added::{self, Added, Named, SLOTS};
use super::class;
use super::folder::{self, Folder};
use super::parts;
use super::recipe::{Part, Recipe, Wrapping};
use super::rules::{self, Ends, Rule};
use super::sentencepiece::Model;
use super::source::Source;
use super::template::Side;
use crate::Error;

/// The tokenizer of a folder, as `AutoTokenizer` of transformers 5 makes it.
pub(super) fn read(folder: &std::path::Path) -> Result<Recipe, Error> {
    let folder = Folder::read(folder)?;
    let class = class::choose(&folder).to_owned();
    match rules::find(&class) {
        Some(rule) if rule.rebuilds || folder.file.is_none() => rebuilt(folder, rule),
        rule => {
            if class::lacks_rules(&class) {
                tracing::warn!(
                    "{}: tokenizer.json is taken as it is, where the reference would rebuild it as {}",
                    folder.path.display(),
                    folder.class.as_deref().or(folder.model_type.as_deref()).unwrap_or("another class")
                );
            }
            as_it_is(folder, rule)
        }
    }
}

/// Special tokens by their slots.
pub(super) type Names = [Option<Named>; 7];

/// `tokenizer.json` as it is, and the tokens that the configuration adds.
fn as_it_is(mut folder: Folder, rule: Option<&Rule>) -> Result<Recipe, Error> {
    let Some(mut file) = folder.file.take() else { return of_sentencepiece(folder) };
    let stored = file.remove("post_processor").unwrap_or_default();
    let names = rule.map_or_else(|| names(&folder, &[None; 7]), |rule| rule.names(&folder));
    let present = added::of_file(&file).into_iter().map(|(_, token)| token).collect();
    let added = tokens(&folder, present, &names, folder.extra().unwrap_or_default());
    file.insert("added_tokens".to_owned(), added);
    let wrapping = match rule {
        Some(rule) => rule.wrapping(&names, stored, &folder),
        None => Wrapping::Stored(stored),
    };
    Ok(recipe(&folder, file, &names, wrapping, rule.is_some_and(|rule| rule.typed)))
}

/// What `rule` makes of the vocabulary of a folder.
fn rebuilt(mut folder: Folder, rule: &Rule) -> Result<Recipe, Error> {
    let mut source = Source::find(&mut folder, rule.algorithm, rule.files)?;
    let names = rule.names(&folder);
    rules::arrange(rule, &mut source, &names, &folder);
    let extra = rule.extra(&folder, source.pieces.take());
    let stored = std::mem::take(&mut source.post_processor);
    let parts = (rule.build)(source, &names, &folder)
        .map_err(|text| folder::problem(&folder.path.join("tokenizer_config.json"), text))?;
    let mut json = Map::new();
    if rule.renews_special {
        renew_special(&mut folder, &names, &extra);
    }
    json.insert("added_tokens".to_owned(), tokens(&folder, Vec::new(), &names, extra));
    json.insert("normalizer".to_owned(), parts.normalizer);
    json.insert("pre_tokenizer".to_owned(), parts.pre_tokenizer);
    json.insert("model".to_owned(), parts.model);
    let wrapping = rule.wrapping(&names, stored, &folder);
    Ok(recipe(&folder, json, &names, wrapping, rule.typed))
}

/// A SentencePiece model without a class that knows it.
fn of_sentencepiece(folder: Folder) -> Result<Recipe, Error> {
    let Some(path) = folder.find("tokenizer.model") else {
        return Err(folder.missing("tokenizer.model"));
    };
    let fail = |source| Error::Tokenizer { path: path.clone(), source };
    let model = Model::parse(&folder::bytes(&path)?).map_err(fail)?;
    let defaults = [
        model.first.as_deref(),
        model.last.as_deref(),
        Some(model.unknown_piece.as_str()),
        None,
        None,
        None,
        None,
    ];
    let names = names(&folder, &defaults);
    let extra = folder.extra().unwrap_or_else(|| model.added().into_iter().map(Named::Token).collect());
    let mut json = Map::new();
    json.insert("added_tokens".to_owned(), tokens(&folder, Vec::new(), &names, extra));
    json.insert("normalizer".to_owned(), parts::spaces_marked(model.charsmap()));
    json.insert("model".to_owned(), parts::plain_model(&model));
    let wrapping = rules::ends(&names, &folder);
    Ok(recipe(&folder, json, &names, wrapping, false))
}

fn names(folder: &Folder, defaults: &[Option<&str>; 7]) -> Names {
    let mut defaults = defaults.iter();
    let mut names = SLOTS.map(|slot| folder.named(slot, defaults.next().copied().flatten()));
    if names[4].is_none() {
        names[4].clone_from(&folder.padding);
    }
    names
}

/// Takes the flags from special tokens that the folder gives them.
fn renew_special(folder: &mut Folder, names: &Names, extra: &[Named]) {
    let own = folder.own_names();
    let special = || names.iter().flatten().chain(&own).chain(extra);
    for (_, token) in &mut folder.decoder {
        if special().any(|name| name.content() == token.content) {
            *token = Added::special(&token.content);
        }
    }
}

fn tokens(folder: &Folder, present: Vec<Added>, names: &Names, extra: Vec<Named>) -> Value {
    let special: Vec<Named> = names.iter().flatten().cloned().chain(folder.own_names()).collect();
    added::collect(present, &folder.decoder, &special, &extra)
}

fn recipe(
    folder: &Folder,
    json: Map<String, Value>,
    names: &Names,
    wrapping: Wrapping,
    typed: bool,
) -> Recipe {
    let content = |slot: usize| names[slot].as_ref().map(|token| token.content().to_owned());
    let inputs = folder.setting("model_input_names").and_then(Value::as_array);
    Recipe {
        json,
        wrapping,
        pad: content(4),
        mask: content(6),
        unknown: content(2),
        typed: inputs.map_or(typed, |inputs| inputs.contains(&Value::from("token_type_ids"))),
        side: if folder.truncates_left { Side::Left } else { Side::Right },
        split_special: folder.flag("split_special_tokens").unwrap_or(false),
    }
}

impl Rule {
    fn names(&self, folder: &Folder) -> Names {
        let mut names = names(folder, &self.names);
        if self.mask_strips
            && let Some(Named::Text(mask)) = &names[6]
        {
            names[6] = Some(Named::Token(Added { lstrip: true, ..Added::special(mask) }));
        }
        names
    }

    fn wrapping(&self, names: &Names, stored: Value, folder: &Folder) -> Wrapping {
        let token = |slot: usize| names[slot].as_ref().map_or("None", Named::content).to_owned();
        let (first, last) = match self.ends {
            Ends::Nothing => return Wrapping::default(),
            Ends::Stored if stored.is_null() => return rules::ends(names, folder),
            Ends::Stored => return Wrapping::Stored(stored),
            Ends::StoredElse(..) if !stored.is_null() => return Wrapping::Stored(stored),
            Ends::StoredElse(first, last) | Ends::Doubled(first, last) | Ends::Typed(first, last) => {
                (token(first), token(last))
            }
            Ends::Last => {
                let last = Part::Token(token(1), 0);
                let single = vec![Part::First(0), last.clone()];
                return Wrapping::Made {
                    pair: [single.clone(), vec![Part::Second(0), last]].concat(),
                    single,
                };
            }
        };
        let doubled = matches!(self.ends, Ends::Doubled(..));
        let kind = u8::from(!doubled);
        let single = vec![Part::Token(first, 0), Part::First(0), Part::Token(last.clone(), 0)];
        let again = doubled.then(|| Part::Token(last.clone(), 0));
        let second = [Part::Second(kind), Part::Token(last, kind)];
        let pair = single.iter().cloned().chain(again).chain(second).collect();
        Wrapping::Made { single, pair }
    }

    /// Special tokens without a name.
    fn extra(&self, folder: &Folder, pieces: Option<Vec<Added>>) -> Vec<Named> {
        let pieces = pieces.unwrap_or_default().into_iter().map(Named::Token).collect();
        folder.extra().unwrap_or_else(|| (self.extra)(pieces, folder))
    }
}
