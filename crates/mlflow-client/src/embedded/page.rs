//! Pages: how many, from where, and where the next one begins.

use sha2::{Digest, Sha256};

use super::refusal::{Outcome, invalid};

/// A page of an answer.
#[derive(Clone, Debug)]
pub(super) struct Page {
    size: Option<u32>,
    offset: i64,
    query: String,
}

impl Page {
    /// A page of `size` (all there is, if none) from where a token says. `query` is what must not change between one page
    /// and the next; an empty one may.
    pub(super) fn new(size: Option<u32>, token: Option<&str>, query: &str) -> Outcome<Self> {
        let query = if query.is_empty() { String::new() } else { digest(query) };
        let offset = match token.filter(|token| !token.is_empty()) {
            None => 0,
            Some(token) => {
                let (offset, of_query) = token.split_once('-').unwrap_or((token, ""));
                if of_query != query {
                    return Err(invalid(format!(
                        "Invalid page token, it belongs to another search: '{token}'"
                    )));
                }
                let offset = offset.parse().ok().filter(|offset: &i64| *offset >= 0);
                offset.ok_or_else(|| invalid(format!("Invalid page token: '{token}'")))?
            }
        };
        Ok(Self { size, offset, query })
    }

    /// How many rows to ask for: one more than the page holds, to know whether there are more. SQLite takes -1 for all.
    pub(super) fn limit(&self) -> i64 {
        self.size.map_or(-1, |size| i64::from(size) + 1)
    }

    /// How many rows to leave out.
    pub(super) fn offset(&self) -> i64 {
        self.offset
    }

    /// The page, and the token of the next one.
    pub(super) fn cut<T>(&self, mut rows: Vec<T>) -> (Vec<T>, Option<String>) {
        let size = self.size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        let Some(size) = size.filter(|size| rows.len() > *size) else {
            return (rows, None);
        };
        rows.truncate(size);
        let next = self.offset.saturating_add(i64::try_from(size).unwrap_or(i64::MAX));
        let token = if self.query.is_empty() { next.to_string() } else { format!("{next}-{}", self.query) };
        (rows, Some(token))
    }
}

fn digest(query: &str) -> String {
    let digest = Sha256::digest(query.as_bytes());
    let start = digest.iter().take(8).fold(0_u64, |start, byte| start << 8 | u64::from(*byte));
    format!("{start:016x}")
}

#[cfg(test)]
mod tests {
    use super::super::refusal::Refusal;
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let first = Page::new(Some(2), None, "").unwrap();
        assert_eq!((first.limit(), first.offset()), (3, 0));
        let (rows, token) = first.cut(vec![1, 2, 3]);
        assert_eq!(rows, [1, 2]);
        let second = Page::new(Some(2), token.as_deref(), "").unwrap();
        assert_eq!(second.offset(), 2);
        assert_eq!(second.cut(vec![3]), (vec![3], None));
    }

    #[test]
    fn tokens_of_another_search_are_refused() {
        let (_, token) = Page::new(Some(1), None, "a = 1").unwrap().cut(vec![1, 2]);
        assert!(Page::new(Some(1), token.as_deref(), "a = 1").is_ok());
        for (token, query) in
            [(token.as_deref(), "a = 2"), (Some("x"), ""), (Some("-1"), ""), (Some("1"), "a")]
        {
            assert!(matches!(Page::new(Some(1), token, query), Err(Refusal::Said(..))), "{token:?} {query}");
        }
    }
}
