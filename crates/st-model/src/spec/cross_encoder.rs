//! What a cross-encoder says of itself: its labels, and what is done to the numbers of its head.

use std::path::{Path, PathBuf};

use serde_json::Value;
use st_core::Activation;
use st_export::Task;

use super::input::InputSpec;
use super::json::{Object, read_text};
use super::modules::ModuleEntry;
use super::route::RouteSpec;
use crate::Error;

/// The labels and the activation of a cross-encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrossEncoderSpec {
    /// Names of the labels, as many as the head has numbers; `LABEL_0` and so on where the folder names none.
    pub labels: Vec<String>,
    /// What is done to the numbers unless the caller says otherwise.
    pub activation: Activation,
    /// What said so.
    pub activation_from: ActivationSource,
}

/// What decided the activation of a cross-encoder, in the order in which the places are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivationSource {
    /// `activation_fn` of `config_sentence_transformers.json`: release 5.4 and later.
    Model(PathBuf),
    /// `sentence_transformers.activation_fn` of `config.json`: release 4.
    Section(PathBuf),
    /// `sbert_ce_default_activation_function` of `config.json`: release 3 and earlier.
    Legacy(PathBuf),
    /// Nothing: the logistic function for one label, none for several.
    Labels,
}

impl ActivationSource {
    /// The file and the key, for people.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Model(_) => "activation_fn of config_sentence_transformers.json",
            Self::Section(_) => "sentence_transformers.activation_fn of config.json",
            Self::Legacy(_) => "sbert_ce_default_activation_function of config.json",
            Self::Labels => "the number of labels, for the model says nothing",
        }
    }
}

impl CrossEncoderSpec {
    /// Reads what a model of these routes says, and gives its transformer the head; `list` is only named in errors.
    pub(super) fn of_routes(root: &Path, list: &Path, routes: &mut [RouteSpec]) -> Result<Self, Error> {
        let found = names(routes.iter().flat_map(|route| &route.modules));
        let order = |problem| Error::ModuleOrder { path: list.to_owned(), found, problem };
        let [RouteSpec { input: InputSpec::Transformer(transformer, task), stages, dim, .. }] = routes else {
            return Err(order("a cross-encoder is one transformer"));
        };
        if !stages.is_empty() {
            return Err(order("a cross-encoder is a transformer with its own head alone"));
        }
        let spec = Self::read(root, &transformer.folder)?;
        (*task, *dim) = (Task::Classification { labels: spec.labels.len() }, spec.labels.len());
        Ok(spec)
    }

    fn read(root: &Path, transformer: &Path) -> Result<Self, Error> {
        let path = transformer.join("config.json");
        let config = Object::parse(&path, &read_text(&path)?)?;
        refuse_other_heads(transformer, &config)?;
        let labels = labels(&config)?;
        let (activation, activation_from) = match activation_of_model(root)? {
            Some(found) => found,
            None => activation_of_config(&path, &config)?
                .unwrap_or_else(|| (default_activation(labels.len()), ActivationSource::Labels)),
        };
        Ok(Self { labels, activation, activation_from })
    }
}

fn names<'a>(modules: impl Iterator<Item = &'a ModuleEntry>) -> String {
    modules.map(|module| module.kind.name()).collect::<Vec<_>>().join(", ")
}

/// Of a model without a head the reference makes one of random numbers, with a warning.
fn refuse_other_heads(folder: &Path, config: &Object<'_>) -> Result<(), Error> {
    let classes: Vec<&str> = config
        .get("architectures")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    if classes.is_empty() || classes.iter().any(|class| class.ends_with("ForSequenceClassification")) {
        return Ok(());
    }
    let (folder, found) = (folder.to_owned(), classes.join(", "));
    Err(match classes.first() {
        Some(class) if class.ends_with("ForCausalLM") => Error::GenerativeReranker { folder, found },
        _ => Error::NoClassifier { folder, found },
    })
}

/// Names in the order of their numbers: those of `id2label`, else as many as `num_labels` says, else two, which is the
/// reference's default and therefore not written. A head that no class stands for is made with one.
fn labels(config: &Object<'_>) -> Result<Vec<String>, Error> {
    // More than any head has, and few enough to make names for.
    const MOST: usize = 1 << 20;
    let classifies = config.get("architectures").is_some_and(|list| list.get(0).is_some());
    let written = config.object("id2label")?.filter(|all| classifies || all.len() == 1);
    let count = match written {
        Some(all) => all.len(),
        None if classifies => config.count("num_labels")?.unwrap_or(2),
        None => 1,
    };
    if !(1..=MOST).contains(&count) {
        return Err(config.error(format!("{count} is no number of labels")));
    }
    let Some(written) = written else {
        return Ok((0..count).map(|number| format!("LABEL_{number}")).collect());
    };
    let mut labels = Vec::with_capacity(count);
    for (key, name) in written {
        let number: u64 =
            key.parse().map_err(|_| config.error(format!("`id2label` has a `{key}`, which is no number")))?;
        // Some repositories have numbers for names.
        labels.push((number, name.as_str().map_or_else(|| name.to_string(), str::to_owned)));
    }
    labels.sort_by_key(|(number, _)| *number);
    Ok(labels.into_iter().map(|(_, name)| name).collect())
}

/// Of a model that its list of modules makes one of sentence-transformers; the reference does not look into the file
/// of any other.
fn activation_of_model(root: &Path) -> Result<Option<(Activation, ActivationSource)>, Error> {
    let path = root.join("config_sentence_transformers.json");
    if !root.join("modules.json").is_file() || !path.is_file() {
        return Ok(None);
    }
    let object = Object::parse(&path, &read_text(&path)?)?;
    let found = object.string("activation_fn")?;
    let known = found.map(|class| activation(&object, "activation_fn", class)).transpose()?;
    Ok(known.map(|known| (known, ActivationSource::Model(path.clone()))))
}

fn activation_of_config(
    path: &Path,
    config: &Object<'_>,
) -> Result<Option<(Activation, ActivationSource)>, Error> {
    const SECTION: &str = "sentence_transformers";
    const LEGACY: &str = "sbert_ce_default_activation_function";
    // The newer key decides even where it is null.
    if let Some(value) = config.object(SECTION)?.and_then(|section| section.get("activation_fn")) {
        let key = "sentence_transformers.activation_fn";
        return match value {
            Value::Null => Ok(None),
            Value::String(class) => {
                Ok(Some((activation(config, key, class)?, ActivationSource::Section(path.to_owned()))))
            }
            other => {
                Err(config.error(format!("`{key}` must be a string, found {}", super::json::kind(other))))
            }
        };
    }
    let Some(class) = config.string(LEGACY)? else { return Ok(None) };
    Ok(Some((activation(config, LEGACY, class)?, ActivationSource::Legacy(path.to_owned()))))
}

/// By the last part of the class, of torch only: anything else is Python code of the repository, for which the
/// reference takes its default, with a warning. The scores would be others than the model's.
fn activation(object: &Object<'_>, key: &str, class: &str) -> Result<Activation, Error> {
    let known = match class.rsplit('.').next().unwrap_or_default() {
        "Identity" => Some(Activation::Identity),
        "Sigmoid" => Some(Activation::Sigmoid),
        "Softmax" => Some(Activation::Softmax),
        "Tanh" => Some(Activation::Tanh),
        "ReLU" => Some(Activation::Relu),
        _ => None,
    };
    known.filter(|_| class.starts_with("torch.")).ok_or_else(|| {
        object.error(format!(
            "`{key}` is {class}; supported are Identity, Sigmoid, Softmax, Tanh and ReLU of torch"
        ))
    })
}

fn default_activation(labels: usize) -> Activation {
    if labels == 1 { Activation::Sigmoid } else { Activation::Identity }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Labels, activation and its source of a folder with these files, or the message.
    #[track_caller]
    fn check(config: &str, model: Option<&str>, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        if let Some(text) = model {
            fs::write(folder.path().join("modules.json"), "[]").unwrap();
            fs::write(folder.path().join("config_sentence_transformers.json"), text).unwrap();
        }
        let got = match CrossEncoderSpec::read(folder.path(), folder.path()) {
            Ok(spec) => {
                format!(
                    "{} | {} | {}",
                    spec.labels.join(" "),
                    spec.activation,
                    spec.activation_from.describe()
                )
            }
            Err(error) => error.to_string().replace(&folder.path().display().to_string(), "M"),
        };
        assert_eq!(got, expected);
    }

    const ONE: &str = r#""architectures":["BertForSequenceClassification"],"id2label":{"0":"LABEL_0"}"#;

    #[test]
    fn three_generations_of_activations() {
        let legacy =
            format!(r#"{{{ONE},"sbert_ce_default_activation_function":"torch.nn.modules.linear.Identity"}}"#);
        check(&legacy, None, "LABEL_0 | identity | sbert_ce_default_activation_function of config.json");
        let section = r#""sentence_transformers":{"activation_fn":"torch.nn.modules.activation.Tanh","version":"4.1.0"}"#;
        let both = format!("{},{section}}}", legacy.trim_end_matches('}'));
        check(&both, None, "LABEL_0 | tanh | sentence_transformers.activation_fn of config.json");
        let model = r#"{"activation_fn":"torch.nn.modules.activation.ReLU"}"#;
        check(&both, Some(model), "LABEL_0 | relu | activation_fn of config_sentence_transformers.json");
        check(&both, Some("{}"), "LABEL_0 | tanh | sentence_transformers.activation_fn of config.json");
        let null =
            format!(r#"{},"sentence_transformers":{{"activation_fn":null}}}}"#, legacy.trim_end_matches('}'));
        check(&null, None, "LABEL_0 | sigmoid | the number of labels, for the model says nothing");
    }

    #[test]
    fn labels_and_the_default_for_their_number() {
        let default = "the number of labels, for the model says nothing";
        check(&format!("{{{ONE}}}"), None, &format!("LABEL_0 | sigmoid | {default}"));
        let class = r#""architectures":["BertForSequenceClassification"]"#;
        check(&format!("{{{class}}}"), None, &format!("LABEL_0 LABEL_1 | identity | {default}"));
        check(
            &format!(r#"{{{class},"num_labels":3}}"#),
            None,
            &format!("LABEL_0 LABEL_1 LABEL_2 | identity | {default}"),
        );
        let named = format!(r#"{{{class},"id2label":{{"1":"neutral","0":"entails","2":7}}}}"#);
        check(&named, None, &format!("entails neutral 7 | identity | {default}"));
        check("{}", None, &format!("LABEL_0 | sigmoid | {default}"));
        let gap = format!(r#"{{{class},"id2label":{{"0":"a","2":"b"}}}}"#);
        check(&gap, None, &format!("a b | identity | {default}"));
        let word = format!(r#"{{{class},"id2label":{{"zero":"a"}}}}"#);
        check(&word, None, "M/config.json: `id2label` has a `zero`, which is no number");
        let none = "M/config.json: 0 is no number of labels";
        check(&format!(r#"{{{class},"id2label":{{}}}}"#), None, none);
        check(&format!(r#"{{{class},"num_labels":0}}"#), None, none);
    }

    #[test]
    fn code_of_others_is_refused_by_name() {
        for class in ["my.module.Sigmoid", "torch.nn.modules.activation.Hardshrink", "Sigmoid", ""] {
            let config = format!(r#"{{{ONE},"sbert_ce_default_activation_function":"{class}"}}"#);
            let expected = format!(
                "M/config.json: `sbert_ce_default_activation_function` is {class}; supported are Identity, Sigmoid, \
                 Softmax, Tanh and ReLU of torch"
            );
            check(&config, None, &expected);
        }
    }

    #[test]
    fn a_model_without_a_head_is_refused_by_name() {
        check(
            r#"{"architectures":["BertModel"]}"#,
            None,
            "M is a BertModel without a classification head, so it has no scores",
        );
        check(
            r#"{"architectures":["Qwen3ForCausalLM"]}"#,
            None,
            "M is a Qwen3ForCausalLM, a reranker that generates text, which is not supported",
        );
    }
}
