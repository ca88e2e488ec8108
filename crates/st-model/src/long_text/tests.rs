use ndarray::array;
use proptest::prelude::*;
use st_core::BoxError;

use super::*;

/// A token a letter, one special token before and one after.
#[derive(Debug)]
struct Letters;

const BEFORE: u32 = 1;
const AFTER: u32 = 2;

impl Tokenizer for Letters {
    fn tokenize(&self, text: &str, max_tokens: Option<usize>) -> Result<Tokenized, BoxError> {
        let full_length = text.chars().count() + 2;
        let room = max_tokens.unwrap_or(full_length).min(full_length) - 2;
        let letters = text.chars().take(room).map(u32::from);
        Ok(Tokenized {
            ids: [BEFORE].into_iter().chain(letters).chain([AFTER]).collect(),
            full_length,
            ..Tokenized::default()
        })
    }

    fn tokenize_pair(&self, _: &str, _: &str, _: Option<usize>) -> Result<Tokenized, BoxError> {
        Err("pairs have no windows".into())
    }

    fn tokenize_plain(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        Ok(text.chars().map(u32::from).collect())
    }

    fn pair_special_tokens(&self) -> usize {
        0
    }

    fn pad_id(&self) -> u32 {
        0
    }

    fn mask_id(&self) -> Option<u32> {
        None
    }

    fn token(&self, id: u32) -> Option<String> {
        char::from_u32(id).map(String::from)
    }

    fn id(&self, token: &str) -> Option<u32> {
        token.chars().next().map(u32::from)
    }

    fn vocab_size(&self) -> usize {
        0
    }

    fn special_tokens(&self) -> usize {
        2
    }

    fn ends_with_special(&self) -> bool {
        true
    }
}

/// The windows of `text` as words, the special tokens as `<` and `>`.
fn windows(prompt: &str, text: &str, limit: usize, overlap: usize) -> Vec<(String, usize)> {
    let windows = Windows::new(&Letters, prompt, limit, overlap).unwrap();
    let ids = Letters.tokenize(&[prompt, text].concat(), None).unwrap().ids;
    let shown = |id: &u32| match *id {
        BEFORE => '<',
        AFTER => '>',
        letter => char::from_u32(letter).unwrap(),
    };
    let shown = |(piece, weight): (Tokenized, usize)| (piece.ids.iter().map(shown).collect(), weight);
    windows.split(&ids).into_iter().map(shown).collect()
}

#[track_caller]
fn check(found: &[(String, usize)], expected: &[(&str, usize)]) {
    let found: Vec<_> = found.iter().map(|(ids, weight)| (ids.as_str(), *weight)).collect();
    assert_eq!(found, expected);
}

#[test]
fn each_window_has_the_prompt_and_special_tokens() {
    check(&windows("", "abcdefg", 5, 0), &[("<abc>", 3), ("<def>", 3), ("<g>", 1)]);
    check(&windows("", "abcdefg", 5, 1), &[("<abc>", 3), ("<cde>", 3), ("<efg>", 3)]);
    check(&windows("q:", "abcdefg", 8, 2), &[("<q:abcd>", 4), ("<q:cdef>", 4), ("<q:efg>", 3)]);
}

#[test]
fn windows_without_room_are_refused() {
    let refused = |prompt: &str, limit: usize, overlap: usize| {
        Windows::new(&Letters, prompt, limit, overlap).unwrap_err().to_string()
    };
    let no_room =
        "option `max_seq_length` cannot be 4: the prompt and 2 special tokens leave no room for text";
    assert_eq!(refused("q:", 4, 0), no_room);
    let wide = "option `overlap` cannot be 3: a window has room for 3 tokens of the text";
    assert_eq!(refused("q:", 7, 3), wide);
    assert!(Windows::new(&Letters, "q:", 7, 2).is_ok());
}

proptest! {
    #[test]
    fn spans_cover_every_token(length in 0..200_usize, room in 1..50_usize, overlap in 0..50_usize) {
        let overlap = overlap % room;
        let spans = spans(length, room, overlap);
        prop_assert_eq!(spans.len() == 1, length <= room);
        prop_assert_eq!((spans[0].start, spans[spans.len() - 1].end), (0, length));
        for pair in spans.windows(2) {
            prop_assert_eq!(pair[0].len(), room, "only the last may be shorter");
            prop_assert_eq!(pair[0].end - pair[1].start, overlap);
            prop_assert!(pair[1].end > pair[0].end, "each window reads something new");
        }
    }

    #[test]
    fn texts_that_fit_stay_as_they_are(lengths in prop::collection::vec(0..12_usize, 1..8), overlap in 0..3_usize) {
        let texts: Vec<Tokenized> =
            lengths.iter().map(|&length| Letters.tokenize(&"x".repeat(length), None).unwrap()).collect();
        let windows = Windows::new(&Letters, "", 8, overlap).unwrap();
        let (pieces, overlong, parts) = Pieces::windows(texts.clone(), &windows).into_parts();
        let parts = parts.unwrap();
        for (index, (text, part)) in texts.iter().zip(&parts.0).enumerate() {
            let found = overlong.iter().find(|found| found.text == index);
            prop_assert_eq!(found.is_some(), text.ids.len() > 8);
            prop_assert!(pieces[part.pieces.clone()].iter().all(|piece| piece.ids.len() <= 8));
            if found.is_none() {
                prop_assert_eq!(&pieces[part.pieces.clone()], std::slice::from_ref(text));
            }
            prop_assert_eq!(part.pieces.len(), part.weights.len());
        }
        // One number for each piece: a text of equal pieces keeps it, so the weights sum to one.
        let rows = Array2::from_elem((pieces.len(), 1), 0.7);
        let joined = Pieces::join(Some(&parts), rows, false);
        prop_assert!(joined.iter().all(|value| (value - 0.7_f32).abs() < 1e-6));
        prop_assert_eq!(joined.nrows(), texts.len());
    }
}

#[test]
fn windows_count_by_their_tokens() {
    let part = |pieces: Range<usize>, weights: &[usize]| Part { pieces, weights: weights.to_vec() };
    let joints = Joints(vec![part(0..1, &[1]), part(1..3, &[3, 1])]);
    let rows = array![[5.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
    assert_eq!(Pieces::join(Some(&joints), rows.clone(), false), array![[5.0, 0.0], [0.75, 0.25]]);
    let scaled = Pieces::join(Some(&joints), rows, true);
    assert_eq!(scaled.row(0), array![5.0, 0.0], "a text of one window is left as it is");
    assert!((scaled.row(1).dot(&scaled.row(1)) - 1.0).abs() < 1e-6);
}

#[test]
fn what_is_lost_is_told() {
    let texts: Vec<_> =
        ["ab", "abcdefgh"].iter().map(|text| Letters.tokenize(text, Some(6)).unwrap()).collect();
    let pieces = Pieces::truncated(texts.clone());
    assert_eq!(pieces.overlong, [Overlong { text: 1, tokens: 10, lost: 4, windows: 1 }]);
    let error = Pieces::whole(texts, Some(6)).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "text 1 has 10 tokens, and the model reads 6");
}
