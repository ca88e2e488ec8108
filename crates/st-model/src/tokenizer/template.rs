//! What stands around one text and around a pair, and what a pair loses when it is too long.

use std::cmp;

use super::Tokenized;

/// Tokens in the places where a template may have special ones, each with its type id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) prefix: Vec<(u32, u8)>,
    /// Between the texts of a pair.
    pub(super) infix: Vec<(u32, u8)>,
    pub(super) suffix: Vec<(u32, u8)>,
    pub(super) first_type: u8,
    pub(super) second_type: u8,
}

/// From which end tokens are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    #[default]
    Right,
}

impl Template {
    /// How many special tokens there are.
    pub(super) fn special_tokens(&self) -> usize {
        self.prefix.len() + self.infix.len() + self.suffix.len()
    }

    /// The template without type ids, for models whose reference is never told them.
    pub(super) fn untyped(mut self) -> Self {
        let runs = [&mut self.prefix, &mut self.infix, &mut self.suffix];
        runs.into_iter().flatten().for_each(|(_, kind)| *kind = 0);
        self.first_type = 0;
        self.second_type = 0;
        self
    }

    /// Puts the template around `first` and `second`, both cut to `max_tokens` together, template included.
    pub(super) fn apply(
        &self,
        first: &[u32],
        second: &[u32],
        max_tokens: Option<usize>,
        side: Side,
    ) -> Tokenized {
        let full_length = first.len() + second.len() + self.special_tokens();
        let room = max_tokens.map_or(usize::MAX, |max| max.saturating_sub(self.special_tokens()));
        let (left, right) = longest_first(first.len(), second.len(), room);
        let (first, second) = (side.keep(first, left), side.keep(second, right));
        let mut ids = Vec::with_capacity(first.len() + second.len() + self.special_tokens());
        let special = |run: &[(u32, u8)], ids: &mut Vec<u32>| ids.extend(run.iter().map(|(id, _)| *id));
        special(&self.prefix, &mut ids);
        ids.extend_from_slice(first);
        special(&self.infix, &mut ids);
        ids.extend_from_slice(second);
        special(&self.suffix, &mut ids);
        let types = if self.is_typed() { self.types(first.len(), second.len()) } else { Vec::new() };
        Tokenized { ids, types, full_length, unattended: 0 }
    }

    fn is_typed(&self) -> bool {
        let runs = [&self.prefix, &self.infix, &self.suffix];
        self.first_type != 0
            || self.second_type != 0
            || runs.into_iter().flatten().any(|(_, kind)| *kind != 0)
    }

    fn types(&self, first: usize, second: usize) -> Vec<u8> {
        let mut types = Vec::with_capacity(first + second + self.special_tokens());
        let special =
            |run: &[(u32, u8)], types: &mut Vec<u8>| types.extend(run.iter().map(|(_, kind)| *kind));
        special(&self.prefix, &mut types);
        types.resize(types.len() + first, self.first_type);
        special(&self.infix, &mut types);
        types.resize(types.len() + second, self.second_type);
        special(&self.suffix, &mut types);
        types
    }
}

impl Side {
    fn keep(self, tokens: &[u32], count: usize) -> &[u32] {
        match self {
            Self::Left => &tokens[tokens.len() - count..],
            Self::Right => &tokens[..count],
        }
    }
}

/// How many tokens of each text stay when both together may have `room`.
///
/// The reference's `longest_first`: the longer text is cut until both are even, then both in turn; where the
/// room is odd, the text that was longer keeps the odd token, and the second one if neither was.
fn longest_first(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let short = cmp::min(first, second);
    let rest = room.saturating_sub(short);
    let (short, long) = if rest >= short { (short, rest) } else { (room / 2, room / 2 + room % 2) };
    if first > second { (long, short) } else { (short, long) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longer_text_is_cut_first() {
        assert_eq!(longest_first(3, 9, 12), (3, 9));
        assert_eq!(longest_first(3, 9, 10), (3, 7));
        assert_eq!(longest_first(9, 3, 10), (7, 3));
        assert_eq!(longest_first(9, 3, 5), (3, 2));
        assert_eq!(longest_first(3, 9, 5), (2, 3));
        assert_eq!(longest_first(4, 4, 5), (2, 3));
        assert_eq!(longest_first(9, 0, 4), (4, 0));
        assert_eq!(longest_first(9, 9, 0), (0, 0));
    }

    #[test]
    fn a_pair_has_types_where_the_template_says_so() {
        let template = Template {
            prefix: vec![(1, 0)],
            infix: vec![(2, 0)],
            suffix: vec![(2, 1)],
            first_type: 0,
            second_type: 1,
        };
        let pair = template.apply(&[7, 8, 9], &[5], Some(6), Side::Left);
        assert_eq!(pair.ids, [1, 8, 9, 2, 5, 2]);
        assert_eq!(pair.types, [0, 0, 0, 0, 1, 1]);
        assert_eq!(pair.full_length, 7);
        let untyped = template.untyped().apply(&[7], &[5], None, Side::Right);
        assert_eq!((untyped.ids.len(), untyped.types.len()), (5, 0));
    }

    proptest! {
        #[test]
        fn no_token_is_lost_that_has_room(first in 0_usize..60, second in 0_usize..60, room in 0_usize..130) {
            let (left, right) = longest_first(first, second, room);
            prop_assert!(left <= first && right <= second);
            prop_assert_eq!(left + right, room.min(first + second));
        }
    }
}
