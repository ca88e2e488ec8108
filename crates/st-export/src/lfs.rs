//! The small text file that Git keeps in place of a large one that was not fetched.

/// How every such pointer starts.
const START: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Whether a file that starts like this is a pointer.
pub(crate) fn is_pointer(start: &[u8]) -> bool {
    start.starts_with(START)
}
