//! `cargo xtask ci`: everything that may fail, in the order in which it is cheap to find out.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::args::{InteropArguments, TestArguments};
use crate::totals::Totals;
use crate::{fixtures, interop, process, style, test, tidy};

/// One step; `rerun` is what a person types to repeat only it.
struct Step {
    name: &'static str,
    rerun: &'static str,
    run: fn(&mut Totals) -> Result<()>,
}

const STEPS: [Step; 8] = [
    Step { name: "format", rerun: "cargo fmt --all", run: format },
    Step { name: "tidy", rerun: "cargo xtask tidy", run: |_| tidy::run() },
    Step { name: "fixtures", rerun: "cargo xtask fixtures --check", run: |_| fixtures::check() },
    Step { name: "clippy", rerun: "cargo clippy --workspace --all-targets -- -D warnings", run: clippy },
    Step {
        name: "docs",
        rerun: "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items",
        run: docs,
    },
    Step {
        name: "test",
        rerun: "cargo xtask test",
        run: |totals| test::all(&TestArguments::default(), totals),
    },
    Step {
        name: "interop",
        rerun: "cargo xtask interop",
        run: |totals| interop::all(&InteropArguments::default(), totals),
    },
    Step { name: "benches", rerun: "cargo test --package benches --benches", run: benches },
];

/// The command; its last line is the totals.
pub(crate) fn run() -> Result<()> {
    let mut totals = Totals::default();
    let mut done = Vec::new();
    let outcome = all(&mut totals, &mut done);
    println!();
    for (name, elapsed) in &done {
        println!("{name:10} {:>12}", style::time(*elapsed));
    }
    let whole = done.iter().map(|(_, elapsed)| *elapsed).sum();
    println!("{:10} {:>12}", "together", style::time(whole));
    totals.conclude(outcome)
}

fn all(totals: &mut Totals, done: &mut Vec<(&'static str, Duration)>) -> Result<()> {
    for step in &STEPS {
        eprintln!("ci: {}", step.name);
        let begin = Instant::now();
        let outcome = (step.run)(totals);
        done.push((step.name, begin.elapsed()));
        outcome.with_context(|| format!("{} failed; run it again alone with: {}", step.name, step.rerun))?;
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = process::cargo();
    command.args(arguments);
    command
}

fn format(_: &mut Totals) -> Result<()> {
    process::run(&mut cargo(&["fmt", "--all", "--", "--check"]))
}

/// The workspace, in which `st` has every feature of the client, and the client as others get it unasked.
fn clippy(_: &mut Totals) -> Result<()> {
    process::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    let client = ["clippy", "--package", "mlflow-client", "--all-targets"];
    process::run(cargo(&client).args(["--", "-D", "warnings"]))
}

fn docs(_: &mut Totals) -> Result<()> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    process::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Every bench runs once and measures nothing.
fn benches(_: &mut Totals) -> Result<()> {
    process::run(&mut cargo(&["test", "--package", "benches", "--benches"]))
}
