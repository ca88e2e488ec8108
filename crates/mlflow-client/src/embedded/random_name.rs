//! Names for runs and logged models that were given none: `gentle-otter-417`.

use uuid::Uuid;

const ADJECTIVES: [&str; 64] = [
    "able", "airy", "amber", "ample", "apt", "bold", "brave", "breezy", "brisk", "calm", "candid", "clear",
    "clever", "cosy", "crisp", "deft", "eager", "early", "fair", "fleet", "fond", "frank", "fresh", "gentle",
    "glad", "golden", "grand", "handy", "happy", "hardy", "humble", "jolly", "keen", "kind", "light",
    "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mild", "neat", "nimble", "noble", "plain",
    "polite", "proud", "quick", "quiet", "ready", "royal", "serene", "sharp", "silent", "smart", "solid",
    "spry", "steady", "sunny", "swift", "tidy", "warm", "witty",
];

const NOUNS: [&str; 64] = [
    "acorn", "alder", "aspen", "badger", "beaver", "birch", "bison", "brook", "canary", "cedar", "cliff",
    "clover", "comet", "condor", "coral", "crane", "delta", "dove", "egret", "elm", "ember", "falcon",
    "fern", "finch", "fjord", "fox", "glade", "grove", "harbor", "hare", "hawk", "hazel", "heron", "ibis",
    "island", "ivy", "juniper", "lark", "lichen", "lynx", "maple", "marten", "meadow", "moss", "otter",
    "owl", "pebble", "pine", "plover", "puffin", "quail", "raven", "reef", "river", "robin", "rowan",
    "sparrow", "spruce", "stoat", "swan", "thrush", "tulip", "willow", "wren",
];

/// An adjective, a noun and a number up to 999, at most 20 characters.
pub(super) fn random_name() -> String {
    let bits = Uuid::new_v4().as_u128();
    let word = |words: [&'static str; 64], shift: u32| {
        usize::try_from((bits >> shift) % 64)
            .ok()
            .and_then(|index| words.get(index).copied())
            .unwrap_or("plain")
    };
    format!("{}-{}-{}", word(ADJECTIVES, 0), word(NOUNS, 16), (bits >> 88) % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_differ() {
        let names: std::collections::BTreeSet<String> = (0..200).map(|_| random_name()).collect();
        assert!(names.len() > 190, "{} names of 200 differ", names.len());
        for name in names {
            assert_eq!(name.split('-').count(), 3, "{name}");
            assert!(name.len() <= 20, "{name}");
        }
    }
}
