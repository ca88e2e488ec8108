//! The one file that reads the environment.
#![expect(clippy::disallowed_methods, reason = "the task runner's settings come from the environment")]

use std::ffi::OsString;
use std::path::PathBuf;

/// A variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable that holds an absolute path; the XDG specification asks to ignore a relative one.
pub(crate) fn absolute_path(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
