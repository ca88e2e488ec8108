//! How times and sizes are written for people.

use std::time::Duration;

/// `0.31 s`, `12.4 s`, `3 min 05 s`.
pub(crate) fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 100.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = elapsed.as_secs();
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

/// `90.9 MB`, `612 bytes`; a megabyte is a million bytes.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 10_000 {
        return format!("{bytes} bytes");
    }
    let tenths = bytes.saturating_add(50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(milliseconds: u64, expected: &str) {
        assert_eq!(time(Duration::from_millis(milliseconds)), expected);
    }

    #[test]
    fn times_keep_three_digits() {
        check_time(314, "0.31 s");
        check_time(12_440, "12.4 s");
        check_time(185_000, "3 min 05 s");
    }

    #[test]
    fn sizes_are_in_bytes_or_megabytes() {
        assert_eq!(size(612), "612 bytes");
        assert_eq!(size(90_868_376), "90.9 MB");
    }
}
