//! Which prompt stands before each text of a call.

use st_core::{EncodeOptions, Prompt, Task};

use crate::Error;
use crate::spec::SentenceSpec;

/// Names under which models store the prompt of a document, in the order of the reference.
const DOCUMENT_NAMES: [&str; 3] = ["document", "passage", "corpus"];

/// The text to put before each input; empty for none.
pub(crate) fn resolve<'a>(spec: &'a SentenceSpec, options: &'a EncodeOptions) -> Result<&'a str, Error> {
    named(spec, options).map(|(_, text)| text)
}

/// The same, and the name under which the model keeps it.
pub(crate) fn named<'a>(
    spec: &'a SentenceSpec,
    options: &'a EncodeOptions,
) -> Result<(Option<&'a str>, &'a str), Error> {
    chosen(spec, &options.prompt, options.task)
}

/// The same for a call without a task, such as that of a cross-encoder.
pub(crate) fn without_task<'a>(spec: &'a SentenceSpec, prompt: &'a Prompt) -> Result<&'a str, Error> {
    chosen(spec, prompt, None).map(|(_, text)| text)
}

fn chosen<'a>(
    spec: &'a SentenceSpec,
    prompt: &'a Prompt,
    task: Option<Task>,
) -> Result<(Option<&'a str>, &'a str), Error> {
    let by_name = |name: &'a str| Ok((Some(name), stored(spec, name)?));
    match prompt {
        Prompt::Text(text) => Ok((None, text)),
        Prompt::Name(name) => by_name(name),
        Prompt::Default => match task.and_then(|task| task_prompt(spec, task)) {
            Some((name, prompt)) => Ok((Some(name), prompt)),
            None => spec.default_prompt_name.as_deref().map_or(Ok((None, "")), by_name),
        },
    }
}

fn stored<'a>(spec: &'a SentenceSpec, name: &str) -> Result<&'a str, Error> {
    spec.prompts.get(name).map(String::as_str).ok_or_else(|| Error::UnknownPrompt {
        name: name.to_owned(),
        known: if spec.prompts.is_empty() {
            "none".to_owned()
        } else {
            spec.prompts.keys().cloned().collect::<Vec<_>>().join(", ")
        },
    })
}

fn task_prompt(spec: &SentenceSpec, task: Task) -> Option<(&str, &str)> {
    let names: &[&str] = match task {
        Task::Query => &["query"],
        Task::Document => &DOCUMENT_NAMES,
    };
    let found = names.iter().find_map(|name| spec.prompts.get_key_value(*name));
    found.map(|(name, prompt)| (name.as_str(), prompt.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(prompts: &[(&str, &str)], default: Option<&str>) -> SentenceSpec {
        SentenceSpec {
            prompts: prompts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            default_prompt_name: default.map(str::to_owned),
            ..SentenceSpec::default()
        }
    }

    #[track_caller]
    fn check(spec: &SentenceSpec, options: &EncodeOptions, expected: &str) {
        let got = resolve(spec, options).map_or_else(|error| error.to_string(), str::to_owned);
        assert_eq!(got, expected);
    }

    #[test]
    fn explicit_wins_over_task_over_default() {
        let spec = spec(&[("query", "q: "), ("passage", "p: "), ("x", "x: ")], Some("x"));
        let options = EncodeOptions::default;
        check(&spec, &options(), "x: ");
        check(&spec, &options().with_task(Task::Query), "q: ");
        check(&spec, &options().with_task(Task::Document), "p: ");
        check(&spec, &options().with_task(Task::Query).with_prompt(Prompt::Name("x".into())), "x: ");
        check(&spec, &options().with_prompt(Prompt::Text(String::new())), "");
    }

    #[test]
    fn unknown_names_list_the_known_ones() {
        let options = EncodeOptions::default().with_prompt(Prompt::Name("title".into()));
        check(
            &spec(&[("query", ""), ("document", "")], None),
            &options,
            "the model has no prompt named `title`; it has document, query",
        );
        check(&spec(&[], None), &options, "the model has no prompt named `title`; it has none");
    }
}
