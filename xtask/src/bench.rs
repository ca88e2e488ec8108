//! `cargo xtask bench`: criterion's medians and whole commands, kept as baselines and compared with them.

mod baseline;
mod commands;
mod criterion;
mod machine;
mod memory;
mod mlflow;
mod python;
mod server;
mod sts;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use self::baseline::Baseline;
use crate::args::BenchArguments;
use crate::setup;

/// In what something is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    Nanoseconds,
    Seconds,
    Megabytes,
    /// Sentences in a second.
    Rate,
    /// How many times faster.
    Times,
    /// A correlation with what people say, at most 1.
    Correlation,
}

/// One measured number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measure {
    pub(crate) median: f64,
    pub(crate) unit: Unit,
}

/// Measures by their stable ids.
pub(crate) type Measures = BTreeMap<String, Measure>;

/// The command.
pub(crate) fn run(arguments: &BenchArguments) -> Result<()> {
    // A wrong name must not cost the minutes that measuring takes.
    let before = arguments.against.as_deref().map(Baseline::read).transpose()?;
    setup::ensure(&[])?;
    let mut measures = Measures::new();
    if !arguments.commands {
        measures.extend(criterion::measure(arguments.filter.as_deref())?);
    }
    if !arguments.kernels {
        measures.extend(commands::measure(arguments.filter.as_deref())?);
    }
    println!();
    for line in baseline::table(&measures, before.as_ref()) {
        println!("{line}");
    }
    if let Some(name) = &arguments.save {
        let path = Baseline::of(name, measures)?.write()?;
        println!("kept in {}", path.display());
    }
    Ok(())
}

/// The middle of some values; of an even number, the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values.get(middle - 1).map(|lower| f64::midpoint(*lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 9.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0, 9.0, 2.0]), Some(3.0));
        assert_eq!(median(vec![]), None);
    }
}
