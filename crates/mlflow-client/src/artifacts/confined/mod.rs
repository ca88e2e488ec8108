//! A folder of this machine that nothing in it leads out of.
//!
//! Where the system has handles of directories, each part of a path is opened relative to the one before and without
//! following links, so that what was checked is what is opened. Elsewhere each part is looked at before it is used.

#[cfg(any(not(unix), test))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use portable::Confined;
#[cfg(unix)]
pub(super) use unix::Confined;

/// Something in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Its name, if it is UTF-8.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: Kind,
}

/// What something in a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A plain file of so many bytes.
    File(u64),
    /// A directory.
    Directory,
    /// A link, a device, a pipe, or something whose name is not UTF-8: nothing that belongs to a model.
    Other,
}

#[cfg(test)]
mod tests;
