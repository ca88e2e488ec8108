//! Runs at work: start, log, end.

mod active;
mod artifacts;
mod end;
mod git;
mod options;
mod table;

pub use active::ActiveRun;
pub use artifacts::RunArtifacts;
pub use end::{EndReport, Flushed, KillSwitch};
pub use git::GitState;
pub use options::RunOptions;
pub use table::Table;
