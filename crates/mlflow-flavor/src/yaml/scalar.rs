//! In which style PyYAML writes a text.

use super::resolve::resolves_to_text;

/// How a scalar stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// `'…'`, a quote inside doubled.
    Single,
    /// `"…"`, with escapes.
    Double,
}

/// What PyYAML's emitter finds out about a text before it writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Analysis {
    /// More than one line.
    pub(super) multiline: bool,
    plain: bool,
    single: bool,
}

const AFTER: [char; 8] = ['\0', ' ', '\t', '\r', '\n', '\u{85}', '\u{2028}', '\u{2029}'];

fn is_break(ch: char) -> bool {
    matches!(ch, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether `ch` is an indicator of block style at `index`, between `before` and `after`.
fn is_indicator(index: usize, before: Option<char>, ch: char, after: Option<char>) -> bool {
    let space_follows = after.is_none_or(|next| AFTER.contains(&next));
    if index == 0 {
        return "#,[]{}&*!|>'\"%@`".contains(ch) || (matches!(ch, '?' | ':' | '-') && space_follows);
    }
    (ch == ':' && space_follows) || (ch == '#' && before.is_some_and(|last| AFTER.contains(&last)))
}

/// Looks at a text as PyYAML's emitter does.
pub(super) fn analyze(text: &str) -> Analysis {
    if text.is_empty() {
        return Analysis { multiline: false, plain: true, single: true };
    }
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut special, mut multiline, mut break_space, mut space_break) = (false, false, false, false);
    let mut before = None;
    let mut chars = text.chars().enumerate().peekable();
    while let Some((index, ch)) = chars.next() {
        let after = chars.peek().map(|(_, next)| *next);
        indicators |= is_indicator(index, before, ch, after);
        special |= !(ch == '\n' || (' '..='~').contains(&ch));
        multiline |= is_break(ch);
        break_space |= ch == ' ' && before.is_some_and(is_break);
        space_break |= is_break(ch) && before == Some(' ');
        before = Some(ch);
    }
    let at_the_edge = |ch: char| ch == ' ' || is_break(ch);
    let edges = text.starts_with(at_the_edge) || text.ends_with(at_the_edge);
    let double_only = space_break || special;
    Analysis {
        multiline,
        plain: !(indicators || edges || break_space || double_only || multiline),
        single: !(break_space || double_only),
    }
}

/// The style for a text; `key` is whether it is a key on one line.
pub(super) fn style(text: &str, analysis: Analysis, key: bool) -> Style {
    let awkward_key = key && (text.is_empty() || analysis.multiline);
    if resolves_to_text(text) && analysis.plain && !awkward_key {
        Style::Plain
    } else if analysis.single && !(key && analysis.multiline) {
        Style::Single
    } else {
        Style::Double
    }
}
