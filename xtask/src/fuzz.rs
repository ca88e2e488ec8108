//! `cargo xtask fuzz`: damaged files for every parser of foreign files, under a sanitizer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::args::FuzzArguments;
use crate::{places, process};

/// The targets of `crates/fuzz`.
const TARGETS: [&str; 13] = [
    "mlmodel",
    "modules_json",
    "safetensors_header",
    "onnx_header",
    "uris",
    "filters",
    "manifests",
    "answers",
    "sentencepiece",
    "tokenizer",
    "model_folder",
    "hub_cache",
    "hub_answers",
];

/// The command.
pub(crate) fn run(arguments: &FuzzArguments) -> Result<()> {
    let targets = select(arguments.target.as_deref())?;
    let tool = tool()?;
    let workspace = places::workspace();
    // The versions of the workspace, so that what is fuzzed is what is shipped.
    let lock = workspace.join("crates/fuzz/Cargo.lock");
    fs::copy(workspace.join("Cargo.lock"), &lock)
        .with_context(|| format!("cannot write {}", lock.display()))?;
    for target in &targets {
        fuzz(&tool, &workspace, target, arguments.seconds)?;
    }
    println!("{} passed, 0 failed", targets.len());
    Ok(())
}

fn select(target: Option<&str>) -> Result<Vec<&str>> {
    let Some(target) = target else { return Ok(TARGETS.to_vec()) };
    if !TARGETS.contains(&target) {
        bail!("no fuzz target {target}; there are {}", TARGETS.join(", "));
    }
    Ok(vec![target])
}

fn fuzz(tool: &Path, workspace: &Path, target: &str, seconds: u64) -> Result<()> {
    // What the fuzzer invents is kept in the cache; the checkout holds only chosen files.
    let inventions = places::cache()?.join("fuzz").join(target);
    fs::create_dir_all(&inventions).with_context(|| format!("cannot make {}", inventions.display()))?;
    let mut command = Command::new(tool);
    command
        .args(["run", "--fuzz-dir"])
        .arg(workspace.join("crates/fuzz"))
        .arg("--target-dir")
        .arg(places::target().join("fuzz"))
        .arg(target)
        .arg(&inventions)
        .arg(workspace.join("fixtures/fuzz").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
        .current_dir(workspace)
        // The sanitizer is a nightly feature of the compiler.
        .env("RUSTC_BOOTSTRAP", "1");
    println!("fuzz: {target} for {seconds} s");
    process::run(&mut command).with_context(|| {
        format!("{target} found something; put the file into fixtures/fuzz/{target} and mend the parser")
    })
}

/// `cargo-fuzz`, which is built into the cache when it is not there.
fn tool() -> Result<PathBuf> {
    let tools = places::cache()?.join("tools");
    let tool = tools.join("bin/cargo-fuzz");
    if !tool.is_file() {
        process::run(
            process::cargo()
                .args(["install", "cargo-fuzz", "--version", "0.13.2", "--locked", "--root"])
                .arg(&tools),
        )
        .context("cargo-fuzz could not be built")?;
    }
    Ok(tool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_or_all() {
        assert_eq!(select(None).unwrap(), TARGETS);
        assert_eq!(select(Some("mlmodel")).unwrap(), ["mlmodel"]);
        assert_eq!(
            select(Some("pickle")).unwrap_err().to_string(),
            format!("no fuzz target pickle; there are {}", TARGETS.join(", "))
        );
    }

    #[test]
    fn every_target_has_a_program_and_a_corpus() {
        for target in TARGETS {
            let workspace = places::workspace();
            assert!(workspace.join(format!("crates/fuzz/fuzz_targets/{target}.rs")).is_file(), "{target}");
            assert!(workspace.join("fixtures/fuzz").join(target).is_dir(), "{target}");
        }
    }
}
