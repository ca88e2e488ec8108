//! Where and when numbers were measured.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::process;

/// What numbers depend on besides the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) toolchain: String,
}

impl Machine {
    /// The one this runs on.
    pub(super) fn this() -> Result<Self> {
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Ok(Self {
            processor: processor(&information).unwrap_or("unknown").to_owned(),
            cores: available_parallelism().map_or(1, usize::from),
            toolchain: process::output(Command::new("rustc").arg("--version"))?.trim().to_owned(),
        })
    }
}

fn processor(information: &str) -> Option<&str> {
    let line = information.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim())
}

/// The date in UTC.
pub(super) fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs() / 86_400)
}

/// Days since 1970 as year, month and day.
fn date(days: u64) -> String {
    let (mut year, mut rest) = (1970, days);
    while rest >= year_length(year) {
        rest -= year_length(year);
        year += 1;
    }
    let february = if year_length(year) == 366 { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", rest + 1)
}

fn year_length(year: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(20_780), "2026-11-23");
        assert_eq!(date(20_453), "2025-12-31");
    }

    #[test]
    fn the_processor_has_a_name() {
        let information = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t: avx2\n";
        assert_eq!(processor(information), Some("Some CPU @ 2.00GHz"));
    }
}
