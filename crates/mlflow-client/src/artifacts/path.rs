//! The path of an artifact below its root, safe by construction.

use std::borrow::Borrow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What may stand in a route as it is; `.` may, because a part is never `.` or `..`.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The longest path, in bytes; file systems take no more.
const LONGEST: usize = 4096;

/// A relative path of one or more plain parts, joined by `/`.
///
/// Whatever a server names, this type can hold only what stays below the folder that it is joined to: no part is empty,
/// `.` or `..`, begins like a drive (`C:`), or holds a backslash, `#`, a control character or a percent escape. Text that
/// is percent-encoded is decoded once, by [`ArtifactPath::decode`]; an escape that is left after that is refused, because
/// MLflow's server decodes until nothing changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(String);

/// A text that is no safe relative path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("artifact path {text:?} {problem}")]
pub struct InvalidArtifactPath {
    /// What was given, cut to 120 characters.
    pub text: String,
    /// What is wrong with it, as the end of a sentence.
    pub problem: &'static str,
}

impl ArtifactPath {
    /// Checks a path that is not percent-encoded.
    ///
    /// # Errors
    /// [`InvalidArtifactPath`] says which rule it breaks.
    pub fn try_new(text: impl Into<String>) -> Result<Self, InvalidArtifactPath> {
        let text = text.into();
        match problem(&text) {
            None => Ok(Self(text)),
            Some(problem) => Err(invalid(&text, problem)),
        }
    }

    /// Decodes a percent-encoded path once, and checks it.
    ///
    /// # Errors
    /// [`InvalidArtifactPath`] says which rule it breaks.
    pub fn decode(text: &str) -> Result<Self, InvalidArtifactPath> {
        match percent_decode_str(text).decode_utf8() {
            Ok(decoded) => {
                Self::try_new(decoded).map_err(|error| InvalidArtifactPath { text: cut(text), ..error })
            }
            Err(_) => Err(invalid(text, "is not UTF-8")),
        }
    }

    /// Checks a relative path of this machine.
    ///
    /// # Errors
    /// [`InvalidArtifactPath`] if it is not relative, not UTF-8, or no safe path anywhere.
    pub fn from_local(path: &Path) -> Result<Self, InvalidArtifactPath> {
        let mut parts = Vec::new();
        for component in path.components() {
            match component {
                std::path::Component::Normal(part) => {
                    parts
                        .push(part.to_str().ok_or_else(|| invalid(&path.to_string_lossy(), "is not UTF-8"))?);
                }
                _ => return Err(invalid(&path.to_string_lossy(), "is not a plain relative path")),
            }
        }
        Self::try_new(parts.join("/"))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts; there is at least one.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// All but the last part.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The path of `other` below this one.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self(format!("{}/{}", self.0, other.0))
    }

    /// The path below `directory`, or itself if there is none.
    #[must_use]
    pub fn below(&self, directory: Option<&Self>) -> Self {
        directory.map_or_else(|| self.clone(), |directory| directory.join(self))
    }

    /// Where it is below a folder of this machine.
    pub fn under(&self, folder: &Path) -> PathBuf {
        self.parts().fold(folder.to_owned(), |path, part| path.join(part))
    }

    /// Each part percent-encoded, for a route.
    pub fn encoded(&self) -> String {
        self.parts().map(|part| utf8_percent_encode(part, PART).to_string()).collect::<Vec<_>>().join("/")
    }
}

fn problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("is empty");
    }
    if text.len() > LONGEST {
        return Some("is longer than 4096 bytes");
    }
    if text.starts_with('/') {
        return Some("is absolute");
    }
    let forbidden = |character: char| match character {
        '\\' => Some("holds a backslash"),
        '#' => Some("holds `#`, which MLflow refuses"),
        character if character.is_control() => Some("holds a control character"),
        _ => None,
    };
    text.chars()
        .find_map(forbidden)
        .or_else(|| escape(text).then_some("holds a percent escape after decoding"))
        .or_else(|| text.split('/').find_map(part_problem))
}

fn part_problem(part: &str) -> Option<&'static str> {
    match part.as_bytes() {
        [] => Some("has an empty part"),
        b"." => Some("has the part `.`"),
        b".." => Some("has the part `..`"),
        [letter, b':', ..] if letter.is_ascii_alphabetic() => Some("has a part that begins like a drive"),
        _ => None,
    }
}

/// Whether a percent escape such as `%2e` is in the text.
fn escape(text: &str) -> bool {
    text.as_bytes().windows(3).any(
        |window| matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()),
    )
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

fn invalid(text: &str, problem: &'static str) -> InvalidArtifactPath {
    InvalidArtifactPath { text: cut(text), problem }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for ArtifactPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl AsRef<str> for ArtifactPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ArtifactPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArtifactPath {
    type Err = InvalidArtifactPath;

    fn from_str(text: &str) -> Result<Self, InvalidArtifactPath> {
        Self::try_new(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_refused(text: &str, problem: &str) {
        let error = ArtifactPath::try_new(text).unwrap_err();
        assert_eq!(error.to_string(), format!("artifact path {text:?} {problem}"));
    }

    #[track_caller]
    fn check_decode_refused(text: &str, problem: &str) {
        let error = ArtifactPath::decode(text).unwrap_err();
        assert_eq!(error.to_string(), format!("artifact path {text:?} {problem}"));
    }

    #[test]
    fn plain_paths_pass() {
        for text in [
            "MLmodel",
            "a/b/c.json",
            "1_Pooling/config.json",
            "a b/ü.txt",
            "...",
            "a..b",
            ".hidden",
            "100%.txt",
        ] {
            assert_eq!(ArtifactPath::try_new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn traversal_is_refused_cve_2023_30172_and_1177() {
        for text in ["..", "../x", "a/../../x", "a/.."] {
            check_refused(text, "has the part `..`");
        }
        check_refused("./x", "has the part `.`");
    }

    #[test]
    fn backslashes_are_refused_cve_2023_2780() {
        check_refused("..\\x", "holds a backslash");
        check_refused("\\\\host\\share", "holds a backslash");
    }

    #[test]
    fn absolute_paths_and_drives_are_refused_cve_2023_3765() {
        check_refused("/etc/passwd", "is absolute");
        check_refused("//host/share", "is absolute");
        check_refused("C:/windows", "has a part that begins like a drive");
        check_refused("a/c:x", "has a part that begins like a drive");
    }

    #[test]
    fn fragments_are_refused_cve_2024_3848() {
        check_refused("a#/../x", "holds `#`, which MLflow refuses");
    }

    #[test]
    fn a_second_decoding_is_refused_cve_2024_1560() {
        check_refused("%2e%2e/x", "holds a percent escape after decoding");
        check_decode_refused("%252e%252e/x", "holds a percent escape after decoding");
        check_decode_refused("%2e%2e/x", "has the part `..`");
        check_decode_refused("%2Fetc", "is absolute");
        check_decode_refused("a%5cb", "holds a backslash");
        check_decode_refused("a%00", "holds a control character");
        check_decode_refused("%ff", "is not UTF-8");
        assert_eq!(ArtifactPath::decode("a%20b/c").unwrap().as_str(), "a b/c");
    }

    #[test]
    fn control_characters_and_empty_parts_are_refused() {
        check_refused("a\0b", "holds a control character");
        check_refused("a\nb", "holds a control character");
        check_refused("", "is empty");
        check_refused("a//b", "has an empty part");
        check_refused("a/", "has an empty part");
    }

    #[test]
    fn long_paths_are_refused_and_cut_in_the_message() {
        let error = ArtifactPath::try_new("x".repeat(5000)).unwrap_err();
        assert_eq!((error.text.len(), error.problem), (120, "is longer than 4096 bytes"));
    }

    #[test]
    fn parts_and_joins() {
        let path = ArtifactPath::try_new("a/b c/d%.txt").unwrap();
        assert_eq!(path.encoded(), "a/b%20c/d%25.txt");
        assert_eq!(path.name(), "d%.txt");
        assert_eq!(path.parent().unwrap().as_str(), "a/b c");
        assert_eq!(path.under(Path::new("/root")), Path::new("/root/a/b c/d%.txt"));
        assert_eq!(ArtifactPath::from_local(Path::new("a/b c/d%.txt")).unwrap(), path);
        assert_eq!(ArtifactPath::decode(&path.encoded()).unwrap(), path);
        assert!(ArtifactPath::from_local(Path::new("/a")).is_err());
    }

    proptest! {
        #[test]
        fn no_path_leaves_its_folder(text in ".{0,40}", hostile in "[./\\\\%2eE5cC:a#-]{0,20}") {
            for text in [text, hostile] {
                for path in [ArtifactPath::try_new(&*text), ArtifactPath::decode(&text)].into_iter().flatten() {
                    let under = path.under(Path::new("/root"));
                    prop_assert!(under.starts_with("/root"));
                    let plain = under.components().all(|component| !matches!(
                        component,
                        std::path::Component::ParentDir | std::path::Component::CurDir
                    ));
                    prop_assert!(plain);
                    prop_assert_eq!(&ArtifactPath::decode(&path.encoded()).unwrap(), &path);
                }
            }
        }
    }
}
