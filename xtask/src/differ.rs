//! `cargo xtask differ`: configurations changed at random, on which Python and `st` have to agree, or one to refuse.

use std::process::Command;

use anyhow::{Result, bail};

use crate::args::DifferArguments;
use crate::{binary, interop, places, process, setup};

/// The command.
pub(crate) fn run(arguments: &DifferArguments) -> Result<()> {
    setup::ensure(&[])?;
    let st = binary::st(binary::Profile::Dev)?;
    let mut command = Command::new(interop::python()?);
    command
        .arg(places::workspace().join("fixtures/differ/differ.py"))
        .arg("--seconds")
        .arg(arguments.seconds.to_string())
        .arg("--seed")
        .arg(arguments.seed.to_string())
        .args(&arguments.kinds)
        .current_dir(places::workspace());
    if !process::witness(interop::environment(&mut command, &st)?)?.success {
        bail!("Python and `st` disagree, see above");
    }
    Ok(())
}
