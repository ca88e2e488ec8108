//! Runs at work: start, log, end.

mod active;
mod end;
mod git;
mod options;

pub use active::ActiveRun;
pub use end::{EndReport, Flushed, KillSwitch};
pub use git::GitState;
pub use options::RunOptions;
