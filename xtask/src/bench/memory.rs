//! The most memory a program held, by watching the kernel's high-water mark.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process;

/// What one run cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) seconds: f64,
    /// Peak of resident memory, in millions of bytes.
    pub(super) megabytes: f64,
}

/// Runs to the end. The mark only grows, so all that can be missed is growth in the last two milliseconds.
pub(super) fn run(command: &mut Command) -> Result<Cost> {
    let begin = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child =
        command.spawn().with_context(|| format!("`{}` did not start", process::shown(command)))?;
    let path = format!("/proc/{}/status", child.id());
    let mut megabytes = 0.0;
    let status = loop {
        if let Some(mark) = fs::read_to_string(&path).ok().as_deref().and_then(high_water_mark) {
            megabytes = mark;
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        sleep(Duration::from_millis(2));
    };
    if !status.success() {
        bail!("`{}` failed ({status})", process::shown(command));
    }
    Ok(Cost { seconds: begin.elapsed().as_secs_f64(), megabytes })
}

/// The line `VmHWM: 12345 kB`; a kB there is 1,024 bytes.
fn high_water_mark(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_in_the_status() {
        let status = "Name:\tst\nVmPeak:\t  90000 kB\nVmHWM:\t   62500 kB\nVmRSS:\t  1 kB\n";
        assert_eq!(high_water_mark(status), Some(64.0));
        assert_eq!(high_water_mark("Name:\tst\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn memory_that_is_held_is_seen() {
        let script = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 0.1; echo ${#x}";
        let cost = run(Command::new("sh").args(["-c", script])).unwrap();
        assert!(cost.megabytes > 30.0 && cost.seconds > 0.1, "{cost:?}");
    }
}
