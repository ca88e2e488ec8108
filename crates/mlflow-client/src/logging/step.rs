//! Moments at which a process may die; the tests see to it that one does at each.

#[cfg(not(test))]
use std::fs::File;
#[cfg(not(test))]
use std::io::{self, Write as _};

/// The process may die here.
#[cfg(not(test))]
pub(super) fn step() {}

/// Writes at a file's end. The process may die before, in the middle and after it.
#[cfg(not(test))]
pub(super) fn append(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

#[cfg(test)]
pub(super) use tests::{append, step};

#[cfg(test)]
pub(super) mod tests {
    use std::fs::File;
    use std::io::{self, Write as _};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How many steps are left to live; 0 is forever.
    static LEFT: AtomicUsize = AtomicUsize::new(0);

    /// Dies at the nth step from now on.
    #[cfg(feature = "embedded")]
    pub(in crate::logging) fn die_at(nth: usize) {
        LEFT.store(nth, Ordering::Relaxed);
    }

    /// No destructor runs, nothing is flushed: as with `kill -9`.
    pub(in crate::logging) fn step() {
        if LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) == Ok(1) {
            std::process::abort();
        }
    }

    /// What a signal leaves of one write is any part of it: here half, all but the last byte, and all.
    pub(in crate::logging) fn append(mut file: &File, bytes: &[u8]) -> io::Result<()> {
        step();
        let mut written = 0;
        for end in [bytes.len() / 2, bytes.len().saturating_sub(1), bytes.len()] {
            file.write_all(&bytes[written..end])?;
            written = end;
            step();
        }
        Ok(())
    }
}
