//! How many tests passed and failed, read from what the test runners print.

use std::fmt;
use std::iter::Sum;

/// Counts of one or more test runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Tests marked `#[ignore]`: processes that other tests start, and what needs Azurite where there is no Node.js.
    pub(crate) ignored: u64,
}

impl Totals {
    /// Prints the plain last line; what stops before any test fails must not read as a success.
    pub(crate) fn conclude(mut self, outcome: anyhow::Result<()>) -> anyhow::Result<()> {
        if outcome.is_err() && self.failed == 0 {
            self.failed = 1;
        }
        println!("{self}");
        outcome
    }

    /// From the summary of `cargo nextest run`.
    pub(crate) fn of_nextest(text: &str) -> Self {
        let summary = text.lines().rev().find(|line| line.contains("Summary [") && line.contains(" run: "));
        summary.map_or_else(Self::default, |line| {
            let failed = ["failed", "timed out", "exec failed"].map(|word| count(line, word)).iter().sum();
            Self { passed: count(line, "passed"), failed, ignored: count(line, "skipped") }
        })
    }

    /// From every `test result:` line of `cargo test`.
    pub(crate) fn of_libtest(text: &str) -> Self {
        let line = |line: &str| Self {
            passed: count(line, "passed"),
            failed: count(line, "failed"),
            ignored: count(line, "ignored"),
        };
        text.lines().filter(|line| line.starts_with("test result: ")).map(line).sum()
    }

    /// From every line `N passed, N failed` of a script.
    pub(crate) fn of_script(text: &str) -> Self {
        let line =
            |line: &str| Self { passed: count(line, "passed"), failed: count(line, "failed"), ignored: 0 };
        text.lines().filter(|line| line.contains(" passed, ") && line.ends_with(" failed")).map(line).sum()
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            passed: sum.passed + one.passed,
            failed: sum.failed + one.failed,
            ignored: sum.ignored + one.ignored,
        })
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 { write!(out, ", {} ignored", self.ignored) } else { Ok(()) }
    }
}

/// The number before a word, 0 if it is not there.
fn count(line: &str, word: &str) -> u64 {
    let end = line.match_indices(word).find_map(|(position, _)| line.get(..position)?.strip_suffix(' '));
    end.and_then(|before| before.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(passed: u64, failed: u64, ignored: u64) -> Totals {
        Totals { passed, failed, ignored }
    }

    #[test]
    fn nextest_prints_one_summary() {
        let text = "  PASS [   0.012s] a\n     Summary [   1.5s] 14 tests run: 11 passed (2 slow), 2 failed, 1 timed out, \
                    3 skipped\n        FAIL [ 1s] b\n";
        assert_eq!(Totals::of_nextest(text), totals(11, 3, 3));
        assert_eq!(Totals::of_nextest("error: could not compile"), Totals::default());
    }

    #[test]
    fn libtest_prints_one_line_for_each_binary() {
        let text = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
                    test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(Totals::of_libtest(text), totals(7, 1, 1));
    }

    #[test]
    fn scripts_print_a_plain_line() {
        assert_eq!(Totals::of_script("ok a\n12 passed, 1 failed\n3 passed, 0 failed\n"), totals(15, 1, 0));
    }

    #[test]
    fn what_was_not_run_is_counted_in_the_last_line() {
        assert_eq!(totals(15, 1, 4).to_string(), "15 passed, 1 failed, 4 ignored");
        assert_eq!(totals(15, 0, 0).to_string(), "15 passed, 0 failed");
    }
}
