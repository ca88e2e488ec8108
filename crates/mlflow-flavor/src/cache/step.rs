//! Moments at which a process may die; the tests see to it that one does at each.

/// The process may die here.
#[cfg(not(test))]
pub(super) fn step() {}

#[cfg(test)]
pub(super) use tests::step;

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How many steps are left to live; 0 is forever.
    static LEFT: AtomicUsize = AtomicUsize::new(0);

    /// Dies at the nth step from now on.
    pub(in crate::cache) fn die_at(nth: usize) {
        LEFT.store(nth, Ordering::Relaxed);
    }

    /// No destructor runs, nothing is flushed: as with `kill -9`.
    pub(in crate::cache) fn step() {
        if LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) == Ok(1) {
            std::process::abort();
        }
    }
}
