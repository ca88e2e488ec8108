//! Answers that took seconds are kept for the next run of the same program on the same file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::Scene;
use super::story::Story;
use crate::setup::digest;
use crate::{process, style};

/// What the command writes to stdout, from an earlier run if nothing it depends on changed.
pub(super) fn answer(scene: &Scene, story: &Story, command: &mut Command, input: &Path) -> Result<String> {
    story.show_command(command);
    let path = path(scene, command, input)?;
    if let Ok(text) = fs::read_to_string(&path) {
        story.say("(kept from an earlier run; neither `st` nor its input changed since)");
        return Ok(text);
    }
    let begin = Instant::now();
    let text = process::output(command)?;
    story.say(&format!("({})", style::time(begin.elapsed())));
    // Renamed when whole: an interrupted run must not leave half an answer.
    let part = path.with_extension("part");
    fs::write(&part, &text)
        .and_then(|()| fs::rename(&part, &path))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(text)
}

fn path(scene: &Scene, command: &Command, input: &Path) -> Result<PathBuf> {
    let parts = [digest::of_file(&scene.st)?, digest::of_file(input)?, process::shown(command)];
    let digest = digest::of_text(&parts.join("\n"));
    Ok(scene.folder.join(format!("answer-{}.txt", digest.get(..16).unwrap_or(&digest))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_until_the_input_changes() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("input");
        let scene = Scene { st: "/bin/sh".into(), model: PathBuf::new(), folder: folder.path().into() };
        let ask = || {
            let script = "cat \"$1\"; echo run >> \"$1.runs\"";
            let mut command = Command::new("/bin/sh");
            answer(&scene, &Story::begin("test"), command.args(["-c", script, "sh"]).arg(&input), &input)
                .unwrap()
        };
        fs::write(&input, "first").unwrap();
        assert_eq!((ask(), ask()), ("first".into(), "first".into()));
        fs::write(&input, "second").unwrap();
        assert_eq!(ask(), "second");
        assert_eq!(fs::read_to_string(folder.path().join("input.runs")).unwrap(), "run\nrun\n");
    }
}
