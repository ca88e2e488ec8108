//! Running other programs, with errors that name the command line.

use std::io::{BufRead as _, BufReader, Read, Write, stderr, stdout};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::{environment, places};

/// Cargo, the same one that runs this task, in the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(environment::variable("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(places::workspace());
    command
}

/// The command line as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let mut words = vec![name];
    words.extend(command.get_args().map(|word| quoted(&word.to_string_lossy())));
    words.join(" ")
}

/// Runs to the end with our own stdout and stderr; a failure is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("`{}` did not start", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// What the command wrote to stdout; its stderr is shown only when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{}` did not start", shown(command)))?;
    if !done.status.success() {
        let reason = String::from_utf8_lossy(&done.stderr);
        bail!("`{}` failed ({}): {}", shown(command), done.status, reason.trim());
    }
    String::from_utf8(done.stdout)
        .with_context(|| format!("`{}` wrote something else than UTF-8", shown(command)))
}

/// What a command wrote to stdout and stderr, which a person saw as well.
#[derive(Debug)]
pub(crate) struct Witnessed {
    pub(crate) success: bool,
    /// Without colours.
    pub(crate) text: String,
}

/// Runs to the end, showing stdout and stderr as they come and keeping both.
pub(crate) fn witness(command: &mut Command) -> Result<Witnessed> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("`{}` did not start", shown(command)))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = thread::scope(|scope| {
        let err = scope.spawn(|| err.map_or_else(String::new, |from| relay(from, stderr())));
        let out = out.map_or_else(String::new, |from| relay(from, stdout()));
        (out, err.join().unwrap_or_default())
    });
    let status = child.wait()?;
    Ok(Witnessed { success: status.success(), text: without_colours(&format!("{out}{err}")) })
}

/// Copies line by line; what cannot be shown (a closed pipe) is still kept.
fn relay(from: impl Read, mut to: impl Write) -> String {
    let mut kept = String::new();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let _ = to.write_all(&line).and_then(|()| to.flush());
        kept.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    kept
}

/// Removes escape sequences of the form that terminals use for colours.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |kept, piece| kept + piece.split_once('m').map_or("", |(_, after)| after))
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_shown_as_typed() {
        let mut command = Command::new("/usr/bin/st");
        command.args(["encode", "-m", "all-MiniLM-L6-v2", "How many points?"]);
        assert_eq!(shown(&command), "st encode -m all-MiniLM-L6-v2 'How many points?'");
    }

    #[test]
    fn both_streams_are_kept_without_colours() {
        let script = "printf '\\033[1;32m3 passed\\033[0m\\n'; echo lost >&2; exit 1";
        let seen = witness(Command::new("sh").args(["-c", script])).unwrap();
        assert!(!seen.success);
        assert_eq!(seen.text, "3 passed\nlost\n");
    }

    #[test]
    fn a_failure_names_the_command_and_its_last_words() {
        let error = output(Command::new("sh").args(["-c", "echo lost >&2; exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c 'echo lost >&2; exit 3'` failed (exit status: 3): lost");
    }
}
