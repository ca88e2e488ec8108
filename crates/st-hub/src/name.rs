//! What users write for a model: `org/name`, `name`, `org/name@revision`, `hf://org/name@revision`.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::whole_names::WHOLE;

/// What an address of the hub begins with.
const SCHEME: &str = "hf://";
/// Where a name without an organisation is looked for.
const ORGANISATION: &str = "sentence-transformers";
/// What an address may begin with to say what it is of; so nobody on the hub is called like this.
const KINDS: [&str; 5] = ["models", "datasets", "spaces", "kernels", "buckets"];
/// The branch that is meant when none is named.
const MAIN: &str = "main";
/// Longest part of a name, in characters.
const LONGEST_PART: usize = 96;
/// Longest revision, in characters. Git allows more, file systems do not.
const LONGEST_REVISION: usize = 200;

/// A model of the hub, at a revision.
///
/// The rules are those of Python: a name without an organisation is one of `sentence-transformers`, except for the models
/// that were there before organisations were, such as `bert-base-uncased`.
///
/// ```
/// use st_hub::ModelName;
///
/// let name: ModelName = "all-MiniLM-L6-v2".parse()?;
/// assert_eq!(name.to_string(), "sentence-transformers/all-MiniLM-L6-v2");
/// assert_eq!(name.revision(), "main");
/// let pinned: ModelName = "hf://BAAI/bge-m3@v1.0".parse()?;
/// assert_eq!((pinned.repository(), pinned.revision()), ("BAAI/bge-m3", "v1.0"));
/// # Ok::<(), st_hub::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelName {
    repository: String,
    revision: Option<String>,
}

impl ModelName {
    /// Whether a text is an address of the hub, and nothing else.
    pub fn is_address(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// The organisation and the name, such as `BAAI/bge-m3`; a few old models have no organisation.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The branch, tag or commit; `main` when none was named.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(MAIN)
    }

    /// The same model at another revision.
    ///
    /// # Errors
    /// [`Error::Name`] if it cannot be the name of a branch, a tag or a commit.
    pub fn with_revision(mut self, revision: &str) -> Result<Self, Error> {
        check_revision(revision).map_err(|problem| wrong(revision, problem))?;
        self.revision = Some(revision.to_owned());
        Ok(self)
    }

    /// The folder of the model in a cache.
    pub(crate) fn folder(&self) -> String {
        format!("models--{}", self.repository.replace('/', "--"))
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.repository)?;
        match &self.revision {
            Some(revision) => write!(formatter, "@{revision}"),
            None => Ok(()),
        }
    }
}

impl FromStr for ModelName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|problem| wrong(text, problem))
    }
}

fn wrong(text: &str, problem: &'static str) -> Error {
    Error::Name { name: text.to_owned(), problem }
}

fn parse(text: &str) -> Result<ModelName, &'static str> {
    let address = text.strip_prefix(SCHEME);
    let rest = match address {
        Some(rest) => rest.strip_prefix("models/").unwrap_or(rest),
        None => text,
    };
    let (repository, revision) = match rest.split_once('@') {
        Some((repository, revision)) => (repository, Some(revision)),
        None => (rest, None),
    };
    let parts: Vec<&str> = repository.split('/').collect();
    let is_kind = parts.len() > 1 && KINDS.contains(&parts[0]);
    if address.is_some() && is_kind {
        return Err("the address is not one of a model");
    }
    if parts.len() > 2 {
        return Err("a name is `org/name`, with one slash at most");
    }
    if is_kind {
        return Err("the hub has no organisation of that name");
    }
    parts.iter().try_for_each(|part| check_part(part))?;
    if let Some(revision) = revision {
        check_revision(revision)?;
    }
    // An address says everything: only a bare name is completed.
    let completed = address.is_none() && parts.len() == 1 && !is_whole(repository);
    let repository = if completed { format!("{ORGANISATION}/{repository}") } else { repository.to_owned() };
    Ok(ModelName { repository, revision: revision.map(str::to_owned) })
}

fn is_whole(name: &str) -> bool {
    WHOLE.contains(&name.to_ascii_lowercase().as_str())
}

/// The rules of Python's `validate_repo_id`.
fn check_part(part: &str) -> Result<(), &'static str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = part.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Err("a part of the name is empty");
    };
    if part.len() > LONGEST_PART {
        return Err("a part of the name has more than 96 characters");
    }
    if !bytes.iter().all(|byte| is_word(*byte) || b"-.".contains(byte)) {
        return Err("names have letters, digits, `-`, `_` and `.` only");
    }
    if !is_word(*first) || !is_word(*last) {
        return Err("names neither begin nor end with `-` or `.`");
    }
    if part.contains("--") || part.contains("..") {
        return Err("names have no `--` and no `..`");
    }
    if part.to_ascii_lowercase().ends_with(".git") {
        return Err("names do not end with `.git`");
    }
    Ok(())
}

/// The rules of `git check-ref-format`, and a little more: the revision becomes a path below `refs`.
fn check_revision(revision: &str) -> Result<(), &'static str> {
    const PROBLEM: &str = "the revision cannot be a branch, a tag or a commit";
    let plain = |part: &str| {
        let begins = part.starts_with(['.', '-']);
        !part.is_empty()
            && !begins
            && !part.contains("..")
            && !part.ends_with(['.'])
            && part.strip_suffix(".lock").is_none()
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+=,".contains(&byte);
    let sound =
        revision.len() <= LONGEST_REVISION && revision.bytes().all(allowed) && revision.split('/').all(plain);
    if sound { Ok(()) } else { Err(PROBLEM) }
}

/// Whether a revision is the whole name of a commit.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_they_mean_in_python() {
        let check = |text: &str, repository: &str, revision: &str| {
            let name: ModelName = text.parse().unwrap();
            assert_eq!((name.repository(), name.revision()), (repository, revision), "{text}");
        };
        check("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2", "main");
        check("bert-base-uncased", "bert-base-uncased", "main");
        check("BERT-base-uncased", "BERT-base-uncased", "main");
        check("BAAI/bge-m3", "BAAI/bge-m3", "main");
        check("BAAI/bge-m3@refs/pr/3", "BAAI/bge-m3", "refs/pr/3");
        check("all-mpnet-base-v2@v1", "sentence-transformers/all-mpnet-base-v2", "v1");
        check("hf://BAAI/bge-m3@5617a9f", "BAAI/bge-m3", "5617a9f");
        check("hf://models/BAAI/bge-m3", "BAAI/bge-m3", "main");
        check("hf://gpt2", "gpt2", "main");
        check("hf://all-MiniLM-L6-v2", "all-MiniLM-L6-v2", "main");
    }

    #[test]
    fn paths_are_no_names() {
        let wrong = [
            "",
            ".",
            "..",
            "./model",
            "../model",
            "/srv/model",
            "a/b/c",
            "a b",
            "~/x",
            "models/..",
            "a;b",
            "model/",
            "a//b",
            "-a",
            "a.",
            "a--b",
            "org/name.git",
            "a\\b",
            "C:\\models",
            "hf://",
            "hf://datasets/a/b",
            "hf://models/models/a",
            "models/a",
            "datasets/a",
            "a/b@",
            "a/b@../c",
            "a/b@x y",
            "a/b@/x",
            "a/b@x.lock",
            "a/b@-x",
            "a/b@x@y",
            "a\0b",
            "modèle",
            "models:/a/1",
        ];
        for text in wrong {
            assert!(text.parse::<ModelName>().is_err(), "{text}");
        }
        assert!("a".repeat(97).parse::<ModelName>().is_err());
    }

    proptest::proptest! {
        /// Whatever is typed: a name becomes one folder of the cache, and its revision a path below `refs`.
        #[test]
        fn no_name_leaves_the_cache(text in r"(hf://)?[a-z./@\\-]{0,16}|.{0,16}") {
            if let Ok(name) = text.parse::<ModelName>() {
                proptest::prop_assert!(crate::files::is_plain(&name.folder()) && !name.folder().contains('/'), "{text:?}");
                proptest::prop_assert!(crate::files::is_plain(name.revision()), "{text:?}");
                proptest::prop_assert_eq!(format!("hf://{name}").parse::<ModelName>().unwrap(), name);
            }
        }
    }

    #[test]
    fn the_folder_is_that_of_python() {
        let folder = |text: &str| text.parse::<ModelName>().unwrap().folder();
        assert_eq!(folder("BAAI/bge-m3@x"), "models--BAAI--bge-m3");
        assert_eq!(folder("gpt2"), "models--gpt2");
    }

    #[test]
    fn a_commit_is_forty_digits() {
        assert!(is_commit("0123456789abcdef0123456789abcdef01234567"));
        assert!(!is_commit("0123456789ABCDEF0123456789abcdef01234567"));
        assert!(!is_commit("main"));
    }
}
