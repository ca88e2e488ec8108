//! Where the database is: what stands behind `sqlite:`.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The file of `sqlite:///relative.db`, of `sqlite:////absolute.db`, or of a plain path; absolute.
///
/// # Errors
/// [`Error::Uri`] when there is no file behind it, or another driver or options are asked for.
pub(super) fn file(uri_or_path: &str) -> Result<PathBuf> {
    let refused = |problem: &str| Error::Uri { uri: uri_or_path.to_owned(), problem: problem.to_owned() };
    let path = match uri_or_path.split_once(':') {
        Some((scheme, rest)) if scheme == "sqlite" || scheme.starts_with("sqlite+") => {
            if !matches!(scheme, "sqlite" | "sqlite+pysqlite") {
                return Err(refused("only SQLAlchemy's default driver for SQLite has a counterpart here"));
            }
            let path = rest.strip_prefix("///").or((rest == "//").then_some(""));
            let path =
                path.ok_or_else(|| refused("a path follows `sqlite:///`, an absolute one `sqlite:////`"))?;
            if path.contains('?') {
                return Err(refused("options behind a question mark are not understood"));
            }
            path
        }
        _ => uri_or_path,
    };
    if path.is_empty() || path == ":memory:" {
        return Err(refused(
            "a database in memory is gone with its connection; name a file, such as `sqlite:///mlflow.db`",
        ));
    }
    absolute(Path::new(path))
}

/// A root of artifacts, or an experiment's location, as MLflow writes it into the database: local paths absolute and
/// without a scheme, everything else as it is.
pub(super) fn location(location: &str) -> Result<String> {
    if has_scheme(location) {
        return Ok(location.trim_end_matches('/').to_owned());
    }
    let path = absolute(Path::new(location))?;
    Ok(path.to_string_lossy().trim_end_matches('/').to_owned())
}

/// A location with parts appended; the query of a URI stays behind its path.
pub(super) fn below(location: &str, parts: &[&str]) -> String {
    let end = if has_scheme(location) {
        location.find(['?', '#']).unwrap_or(location.len())
    } else {
        location.len()
    };
    let (path, query) = location.split_at(end);
    let mut joined = path.trim_end_matches('/').to_owned();
    for part in parts {
        joined.push('/');
        joined.push_str(part);
    }
    joined + query
}

/// Whether something like `s3:` stands in front; a single letter is a drive of Windows.
fn has_scheme(location: &str) -> bool {
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'))
    })
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|source| Error::File {
        path: path.to_owned(),
        action: "resolve",
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: &str) {
        let expected = if expected.starts_with('/') {
            PathBuf::from(expected)
        } else {
            std::env::current_dir().unwrap().join(expected)
        };
        assert_eq!(file(uri).unwrap(), expected);
    }

    #[track_caller]
    fn check_refused(uri: &str, expected: &str) {
        assert_eq!(file(uri).unwrap_err().to_string(), format!("{uri}: {expected}"));
    }

    #[test]
    fn files_of_uris() {
        check("sqlite:///mlflow.db", "mlflow.db");
        check("sqlite:////var/lib/mlflow.db", "/var/lib/mlflow.db");
        check("sqlite+pysqlite:////a b/ö.db", "/a b/ö.db");
        check("some/where.db", "some/where.db");
        check("/some/where.db", "/some/where.db");
    }

    #[test]
    fn refused_uris() {
        let memory =
            "a database in memory is gone with its connection; name a file, such as `sqlite:///mlflow.db`";
        for uri in ["sqlite://", "sqlite:///", "sqlite:///:memory:", ":memory:", ""] {
            check_refused(uri, memory);
        }
        check_refused("sqlite:mlflow.db", "a path follows `sqlite:///`, an absolute one `sqlite:////`");
        check_refused(
            "sqlite://host/mlflow.db",
            "a path follows `sqlite:///`, an absolute one `sqlite:////`",
        );
        check_refused("sqlite:///a.db?mode=ro", "options behind a question mark are not understood");
        check_refused(
            "sqlite+aiosqlite:///a.db",
            "only SQLAlchemy's default driver for SQLite has a counterpart here",
        );
    }

    #[test]
    fn locations() {
        assert_eq!(location("/data/mlruns/").unwrap(), "/data/mlruns");
        assert_eq!(location("s3://bucket/root").unwrap(), "s3://bucket/root");
        assert_eq!(below("/data/mlruns", &["0", "artifacts"]), "/data/mlruns/0/artifacts");
        assert_eq!(below("s3://bucket/root?a=b", &["0"]), "s3://bucket/root/0?a=b");
        assert_eq!(below("/odd?name", &["0"]), "/odd?name/0");
    }
}
