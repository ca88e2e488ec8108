//! Numbers that were kept, with the machine they belong to, and their comparison.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::machine::{self, Machine};
use super::{Measure, Measures, Unit};
use crate::places;

/// A file in `benches/baselines`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Baseline {
    pub(super) name: String,
    /// `2026-11-23`, in UTC.
    pub(super) date: String,
    pub(super) machine: Machine,
    pub(super) measures: Measures,
}

impl Baseline {
    /// What was measured now, here.
    pub(super) fn of(name: &str, measures: Measures) -> Result<Self> {
        Ok(Self { name: name.to_owned(), date: machine::today(), machine: Machine::this()?, measures })
    }

    /// The baseline of this name.
    pub(super) fn read(name: &str) -> Result<Self> {
        let path = path(name)?;
        let text = fs::read_to_string(&path)
            .with_context(|| format!("no baseline {name}: cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Writes the file; what an earlier one of the same name says about other ids stays.
    pub(super) fn write(mut self) -> Result<PathBuf> {
        let path = path(&self.name)?;
        if let Ok(earlier) = Self::read(&self.name)
            && earlier.machine == self.machine
        {
            for (id, measure) in earlier.measures {
                self.measures.entry(id).or_insert(measure);
            }
        }
        let text = serde_json::to_string_pretty(&self)? + "\n";
        fs::create_dir_all(path.parent().unwrap_or(&path))
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

fn path(name: &str) -> Result<PathBuf> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        bail!("{name:?} is no name for a baseline: letters, digits, dots, dashes");
    }
    Ok(places::workspace().join("benches/baselines").join(format!("{name}.json")))
}

/// One line a measure; with a baseline, its number and the ratio (below 1: smaller now).
pub(super) fn table(measures: &Measures, before: Option<&Baseline>) -> Vec<String> {
    let width = measures.keys().map(|id| id.chars().count()).max().unwrap_or(0);
    let heading = before.map(|before| {
        format!(
            "{:width$} {:>14} {:>14} {:>7}",
            format!("against {} of {}", before.name, before.date),
            "now",
            "then",
            "ratio"
        )
    });
    let lines = measures.iter().map(|(id, now)| {
        let then = before.and_then(|before| before.measures.get(id)).filter(|then| then.unit == now.unit);
        let compared = then.map(|then| format!(" {:>14} {:>7.3}", shown(*then), now.median / then.median));
        format!("{id:width$} {:>14}{}", shown(*now), compared.unwrap_or_default())
    });
    heading.into_iter().chain(lines).collect()
}

fn shown(Measure { median, unit }: Measure) -> String {
    match unit {
        Unit::Nanoseconds if median < 1e3 => format!("{median:.1} ns"),
        Unit::Nanoseconds if median < 1e6 => format!("{:.2} µs", median / 1e3),
        Unit::Nanoseconds => format!("{:.2} ms", median / 1e6),
        Unit::Seconds => format!("{median:.3} s"),
        Unit::Megabytes => format!("{median:.1} MB"),
        Unit::Rate => format!("{median:.0} /s"),
        Unit::Times => format!("{median:.2} times"),
        Unit::Correlation => format!("{median:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measures(rows: &[(&str, f64, Unit)]) -> Measures {
        rows.iter()
            .map(|(id, median, unit)| ((*id).to_owned(), Measure { median: *median, unit: *unit }))
            .collect()
    }

    #[test]
    fn the_table_compares_what_both_have() {
        let now = measures(&[("pool/mean", 1500.0, Unit::Nanoseconds), ("save", 0.25, Unit::Seconds)]);
        let before = Baseline {
            name: "first".into(),
            date: "2026-11-23".into(),
            machine: Machine::this().unwrap(),
            measures: measures(&[("pool/mean", 3000.0, Unit::Nanoseconds), ("save", 9.0, Unit::Megabytes)]),
        };
        assert_eq!(table(&now, None), ["pool/mean        1.50 µs", "save             0.250 s"]);
        let compared = table(&now, Some(&before));
        assert_eq!(compared[1], "pool/mean        1.50 µs        3.00 µs   0.500");
        assert_eq!(compared[2], "save             0.250 s");
    }

    #[test]
    fn a_baseline_survives_its_file_format() {
        let baseline = Baseline::of("first", measures(&[("a/b", 1.5, Unit::Times)])).unwrap();
        let text = serde_json::to_string(&baseline).unwrap();
        assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), baseline);
    }

    #[test]
    fn names_are_plain_file_names() {
        assert!(path("before-fusion_2.1").is_ok());
        assert_eq!(
            path("../x").unwrap_err().to_string(),
            "\"../x\" is no name for a baseline: letters, digits, dots, dashes"
        );
    }
}
