//! What a model takes on this machine.

use std::time::Instant;

use mlflow_flavor::Profile;
use st_core::{EncodeOptions, Encoder};

use crate::model::{self, Loaded};

/// Sentences of one round.
const SENTENCES: usize = 256;
/// Rounds; the median counts.
const ROUNDS: usize = 3;
/// Words of a sentence.
const LENGTH: usize = 12;
const WORDS: [&str; 24] = [
    "market", "river", "engine", "morning", "music", "history", "winter", "doctor", "garden", "signal",
    "paper", "light", "opens", "carries", "follows", "changes", "reaches", "measures", "quiet", "early",
    "public", "modern", "under", "with",
];

/// Encodes made-up sentences, all different, and looks at the clock and at the memory.
pub(crate) fn measure(loaded: &Loaded, threads: usize) -> anyhow::Result<Profile> {
    let options = EncodeOptions::default();
    let mut seconds = Vec::with_capacity(ROUNDS);
    // The first round warms up.
    for round in 0..=ROUNDS {
        let sentences = sentences(round);
        let texts: Vec<&str> = sentences.iter().map(String::as_str).collect();
        let started = Instant::now();
        loaded.encoder.encode(&texts, &options).map_err(model::encoding)?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(ROUNDS / 2).copied().unwrap_or(f64::NAN);
    let mut profile = Profile::default();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let speed = SENTENCES as f64 / median;
    profile.sentences_per_second = (speed * 10.0).round() / 10.0;
    profile.load_seconds = (loaded.took.as_secs_f64() * 1000.0).round() / 1000.0;
    profile.memory_bytes = resident_bytes();
    profile.threads = threads as u64;
    std::env::consts::ARCH.clone_into(&mut profile.machine);
    Ok(profile)
}

/// Sentences that no other round has.
fn sentences(round: usize) -> Vec<String> {
    let word = |number: usize| WORDS.get(number % WORDS.len()).copied().unwrap_or_default();
    let sentence = |number: usize| {
        let words =
            (0..LENGTH).map(|place| word((number + round * SENTENCES) * (place * 7 + 3) + place * place));
        format!("{} {}", words.collect::<Vec<_>>().join(" "), number + round * SENTENCES)
    };
    (0..SENTENCES).map(sentence).collect()
}

/// Memory of this process; known on Linux only.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_sentence_comes_twice() {
        let all: BTreeSet<String> = (0..=ROUNDS).flat_map(sentences).collect();
        assert_eq!(all.len(), SENTENCES * (ROUNDS + 1));
    }
}
