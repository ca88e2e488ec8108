//! Moments, as people read them.

/// Milliseconds since the Unix epoch as `2026-11-24 00:19:31`, UTC; empty if there are none.
pub(crate) fn shown(milliseconds: Option<i64>) -> String {
    milliseconds
        .filter(|&milliseconds| milliseconds > 0)
        .and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok())
        .map_or_else(String::new, |moment| moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc() {
        assert_eq!(shown(Some(1_700_000_000_123)), "2023-11-14 22:13:20");
        assert_eq!(shown(Some(0)), "");
        assert_eq!(shown(None), "");
    }
}
