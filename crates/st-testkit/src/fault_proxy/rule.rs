//! Which request is to suffer what.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Something that a test wants done in the middle of an exchange, such as to kill a process.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn() + Send + Sync>);

impl Hook {
    /// Calls `action` in the thread of the connection, which waits for it.
    pub fn new(action: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(action))
    }

    pub(super) fn call(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook")
    }
}

/// A moment of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The proxy read the request's head; the server knows nothing of it.
    BeforeRequest,
    /// The server got this many bytes of the request's body (or all, if it has fewer).
    InRequest(u64),
    /// The server has answered and done what it was asked; the client got nothing.
    BeforeAnswer,
    /// The client got this many bytes of the answer's body (or all, if it has fewer).
    InAnswer(u64),
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection to the client is reset (TCP RST).
    Reset(Moment),
    /// The client gets this answer; the server never hears of the request, whose body is read to its end.
    Answer {
        /// Such as 429.
        status: u16,
        /// Such as `Retry-After` or `Location`; `Content-Length` is added.
        headers: Vec<(String, String)>,
        /// All of it.
        body: Vec<u8>,
    },
    /// The answer's body stops after this many bytes and the connection is closed in an orderly way.
    Truncate(u64),
    /// The answer's head claims this many bytes, the body is the server's, and the connection is closed after it.
    ClaimLength(u64),
    /// The byte at this offset of the answer's body has another value.
    FlipByte(u64),
    /// The answer's body comes in pieces.
    Drip {
        /// Of a piece.
        bytes: usize,
        /// Between two pieces.
        pause: Duration,
    },
    /// Nothing goes wrong here, but the hook is called at the moment.
    Call(Moment, Hook),
}

impl Fault {
    /// An answer that the server did not give, with a text as body.
    pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::Answer { status, headers: headers.iter().map(owned).collect(), body: body.as_bytes().to_vec() }
    }
}

/// Which requests a fault is for: those that match, from the nth on, as many times as said.
#[derive(Clone, Debug)]
pub struct Rule {
    method: String,
    path: String,
    skip: usize,
    times: usize,
    fault: Fault,
    seen: usize,
}

impl Rule {
    /// The first request that matches suffers the fault.
    ///
    /// `method` is `*` or as in the request; `path` is without the query, and `*` in it stands for anything.
    pub fn new(method: &str, path: &str, fault: Fault) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), skip: 0, times: 1, fault, seen: 0 }
    }

    /// This many matching requests, one after the other, suffer it.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// The nth matching request is the first that suffers it; they are counted from 1.
    #[must_use]
    pub fn from_nth(mut self, nth: usize) -> Self {
        self.skip = nth.saturating_sub(1);
        self
    }

    /// Counts the request if it matches, and says what it is to suffer.
    pub(super) fn turn(&mut self, method: &str, path: &str) -> Option<&Fault> {
        if !is_match(&self.method, &self.path, method, path) {
            return None;
        }
        self.seen += 1;
        let turn = self.seen > self.skip && self.seen - self.skip <= self.times;
        turn.then_some(&self.fault)
    }

    /// How often it still waits for a request.
    pub(super) fn outstanding(&self) -> usize {
        self.times.saturating_sub(self.seen.saturating_sub(self.skip))
    }
}

/// Whether a request is one of those that a rule of this method and path is about.
pub(super) fn is_match(wanted_method: &str, wanted_path: &str, method: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    (wanted_method == "*" || wanted_method == method) && matches_pattern(wanted_path, path)
}

/// Whether the whole path is the pattern, where `*` stands for any text.
fn matches_pattern(pattern: &str, path: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(mut left) = path.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').map_or(("", rest), |(middle, last)| (middle, last));
    for part in middle.split('*') {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_pattern(pattern: &str, path: &str, expected: bool) {
        assert_eq!(matches_pattern(pattern, path), expected, "{pattern} and {path}");
    }

    #[test]
    fn a_star_stands_for_any_text() {
        check_pattern("/a/b", "/a/b", true);
        check_pattern("/a/b", "/a/bc", false);
        check_pattern("*", "/", true);
        check_pattern("*/create", "/api/2.0/mlflow/runs/create", true);
        check_pattern("*/create", "/api/2.0/mlflow/runs/create/x", false);
        check_pattern("/api/*/runs/*", "/api/2.0/mlflow/runs/create", true);
        check_pattern("/api/*/runs/*", "/api/2.0/mlflow/experiments/create", false);
        check_pattern("*a*b*c", "1a2b3c", true);
        check_pattern("*a*b*c", "1b2a3c", false);
        check_pattern("ab*ba", "aba", false);
    }

    #[test]
    fn a_rule_waits_for_its_turn() {
        let mut rule = Rule::new("POST", "/x", Fault::Truncate(1)).from_nth(2).times(2);
        assert!(rule.turn("GET", "/x").is_none());
        assert!(rule.turn("POST", "/y").is_none());
        assert_eq!(rule.outstanding(), 2);
        let turns: Vec<bool> = (0..4).map(|_| rule.turn("POST", "/x?page=1").is_some()).collect();
        assert_eq!(turns, [false, true, true, false]);
        assert_eq!(rule.outstanding(), 0);
    }
}
