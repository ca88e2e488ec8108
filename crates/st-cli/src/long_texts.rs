//! Which texts were too long, for whoever wants to know.

use serde_json::{Value, json};
use st_core::Overlong;

use crate::report;

/// Texts that a report names; the others are counted.
const NAMED: usize = 100;

/// Texts that a note names.
const NOTED: usize = 3;

/// The texts of a whole input that were too long.
#[derive(Debug, Default)]
pub(crate) struct LongTexts {
    /// The first of them, with their rows in the input, from 0.
    first: Vec<Overlong>,
    count: usize,
    cut: usize,
    lost: usize,
    windows: usize,
}

impl LongTexts {
    /// Adds those of a part of the input that begins after `before` rows.
    pub(crate) fn add(&mut self, before: usize, found: &[Overlong]) {
        for text in found {
            self.count += 1;
            self.cut += usize::from(text.lost > 0);
            self.lost += text.lost;
            self.windows += text.windows;
            if self.first.len() < NAMED {
                self.first.push(Overlong { text: before + text.text, ..*text });
            }
        }
    }

    /// How many texts lost tokens.
    pub(crate) fn cut(&self) -> usize {
        self.cut
    }

    /// Says it on standard error; nothing if every text fitted.
    pub(crate) fn note(&self, texts: usize, max_tokens: Option<usize>) {
        if self.count == 0 {
            return;
        }
        let limit = max_tokens.map_or_else(|| "the limit".to_owned(), |limit| format!("{limit} tokens"));
        let long = format!("{} of {texts} texts were longer than {limit} and", self.count);
        let text = if self.cut > 0 {
            format!("{long} lost their end ({})", self.losses())
        } else {
            format!("{long} were read in {} windows", self.windows)
        };
        report::note("note", &text);
    }

    fn losses(&self) -> String {
        let one = |text: &Overlong| format!("row {}: {} of {} tokens", text.text + 1, text.lost, text.tokens);
        let mut losses: Vec<_> = self.first.iter().take(NOTED).map(one).collect();
        if self.count > NOTED {
            losses.push(format!("{} others", self.count - NOTED));
        }
        losses.join("; ")
    }

    /// The same for programs: the rows, from 1, and what became of each.
    pub(crate) fn rows(&self) -> Value {
        let row = |text: &Overlong| json!({"row": text.text + 1, "tokens": text.tokens, "lost": text.lost, "windows": text.windows});
        if self.first.is_empty() { Value::Null } else { self.first.iter().map(row).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_named_and_the_others_counted() {
        let mut found = LongTexts::default();
        let long = |text| Overlong { text, tokens: 40, lost: 8, windows: 1 };
        found.add(0, &[long(1)]);
        assert_eq!(found.losses(), "row 2: 8 of 40 tokens");
        found.add(10, &[long(0), long(3), long(4), long(5)]);
        assert_eq!(
            found.losses(),
            "row 2: 8 of 40 tokens; row 11: 8 of 40 tokens; row 14: 8 of 40 tokens; 2 others"
        );
        assert_eq!(found.rows()[1], json!({"row": 11, "tokens": 40, "lost": 8, "windows": 1}));
    }
}
