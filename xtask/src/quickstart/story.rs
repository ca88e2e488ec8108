//! Telling people what is being done, what came out and how long it took.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::{places, process, style};

/// Lines of a command's answer are cut to this many characters.
const WIDTH: usize = 110;

/// The report, printed as it happens.
#[derive(Debug)]
pub(super) struct Story {
    begin: Instant,
    steps: Vec<(String, Duration)>,
}

impl Story {
    /// Prints the title.
    pub(super) fn begin(title: &str) -> Self {
        println!("{title}");
        Self { begin: Instant::now(), steps: Vec::new() }
    }

    /// Prints a heading, does the work, prints the time.
    pub(super) fn step<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        println!("\n{}. {name}", self.steps.len() + 1);
        let begin = Instant::now();
        let outcome = work(self).with_context(|| format!("step {} ({name}) failed", self.steps.len() + 1))?;
        let elapsed = begin.elapsed();
        println!("   {}", style::time(elapsed));
        self.steps.push((name.to_owned(), elapsed));
        Ok(outcome)
    }

    /// One line inside a step.
    #[expect(clippy::unused_self, reason = "only who tells the story may add to it")]
    pub(super) fn say(&self, line: &str) {
        println!("   {}", shortened(line, WIDTH));
    }

    /// The command line, as somebody would type it.
    pub(super) fn show_command(&self, command: &Command) {
        self.say(&format!("$ {}", short_paths(&process::shown(command))));
    }

    /// Shows the command and what it answers.
    pub(super) fn tell(&self, command: &mut Command) -> Result<()> {
        self.show_command(command);
        for line in process::output(command)?.lines() {
            self.say(line);
        }
        Ok(())
    }

    /// Prints the summary.
    pub(super) fn end(&self, folder: &Path) {
        println!("\nDone in {}:", style::time(self.begin.elapsed()));
        for (number, (name, elapsed)) in self.steps.iter().enumerate() {
            println!("   {}. {name:56} {:>12}", number + 1, style::time(*elapsed));
        }
        println!("\nMLflow's embedded store is in {}: mlflow.db and mlruns.", folder.display());
        println!("Look at it with Python's own interface:");
        println!("   cd {} && pip install mlflow && mlflow ui", folder.display());
        println!(
            "Python loads the model there with mlflow.pyfunc.load_model(\"models:/quickstart-encoder@champion\")."
        );
    }
}

/// Paths in the cache and in the workspace are shown from there.
fn short_paths(line: &str) -> String {
    let cache = places::cache().unwrap_or_default().display().to_string();
    let workspace = places::workspace().display().to_string();
    line.replace(&format!("{cache}/"), "…/").replace(&format!("{workspace}/"), "")
}

fn shortened(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let kept: String = line.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_by_characters() {
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("ééé ééé", 5), "ééé…");
    }
}
