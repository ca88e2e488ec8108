//! `cargo xtask export`: `st export`, built first.

use std::process::Command;

use anyhow::Result;

use crate::args::ExportArguments;
use crate::{binary, places, process, setup};

/// The command.
pub(crate) fn run(arguments: &ExportArguments) -> Result<()> {
    setup::ensure(&["runtime"])?;
    let st = binary::st(binary::Profile::Release)?;
    let mut command = Command::new(st);
    command.arg("export").arg("-m").arg(&arguments.model).arg("-o").arg(&arguments.output);
    process::run(command.args(&arguments.more).env("ORT_DYLIB_PATH", places::runtime()?))
}
