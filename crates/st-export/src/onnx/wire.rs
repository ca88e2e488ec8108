//! Protobuf's wire format, field by field, over bytes that nobody trusts.

use std::io;

use super::OnnxProblem;
use super::bytes::Bytes;

/// Longest name that is read.
const TEXT_LIMIT: u64 = 64 << 10;

/// Why reading stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The operating system failed.
    Io(io::Error),
    /// The bytes are at fault.
    Problem(OnnxProblem),
}

impl From<OnnxProblem> for Stop {
    fn from(problem: OnnxProblem) -> Self {
        Self::Problem(problem)
    }
}

/// A stretch of bytes that holds one message, text or tensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Span {
    pub(super) fn bytes(self) -> u64 {
        self.end - self.start
    }
}

/// The content of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Number(u64),
    Span(Span),
    /// Four or eight bytes whose value nothing here needs.
    Fixed,
}

/// Reads messages from bytes.
pub(super) struct Wire<B> {
    bytes: B,
}

impl<B: Bytes> Wire<B> {
    pub(super) fn new(bytes: B) -> Self {
        Self { bytes }
    }

    /// All bytes.
    pub(super) fn whole(&self) -> Span {
        Span { start: 0, end: self.bytes.len() }
    }

    /// Takes the next field off the front of `message`; `None` at its end.
    pub(super) fn next(
        &mut self,
        message: &mut Span,
        within: &'static str,
    ) -> Result<Option<(u64, Content)>, Stop> {
        if message.start >= message.end {
            return Ok(None);
        }
        let offset = message.start;
        let malformed = Stop::Problem(OnnxProblem::Malformed { offset, within });
        let key = self.number(message, within)?;
        let content = match key & 7 {
            0 => Content::Number(self.number(message, within)?),
            1 => skip(message, 8, within).map(|_| Content::Fixed)?,
            2 => {
                let length = self.number(message, within)?;
                Content::Span(skip(message, length, within)?)
            }
            5 => skip(message, 4, within).map(|_| Content::Fixed)?,
            _ => return Err(malformed),
        };
        // Field numbers are 29 bits and never zero.
        let field = key >> 3;
        if field == 0 || field >= 1 << 29 { Err(malformed) } else { Ok(Some((field, content))) }
    }

    /// Takes a variable-length number off the front of `span`.
    pub(super) fn number(&mut self, span: &mut Span, within: &'static str) -> Result<u64, Stop> {
        let offset = span.start;
        let malformed = || Stop::Problem(OnnxProblem::Malformed { offset, within });
        // Reading the longest number at once costs one look into the window instead of ten.
        let mut raw = [0; 10];
        let available = usize::try_from(span.bytes()).unwrap_or(raw.len()).min(raw.len());
        let raw = raw.get_mut(..available).unwrap_or_default();
        if !self.bytes.read_at(span.start, raw).map_err(Stop::Io)? {
            return Err(malformed());
        }
        let mut value = 0;
        for (byte, shift) in raw.iter().zip((0..64).step_by(7)) {
            span.start += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(malformed())
    }

    /// Reads a text; bytes that are not UTF-8 become replacement characters.
    pub(super) fn text(&mut self, span: Span, what: &'static str) -> Result<String, Stop> {
        if span.bytes() > TEXT_LIMIT {
            return Err(OnnxProblem::TooLong { what, bytes: span.bytes(), limit: TEXT_LIMIT }.into());
        }
        let mut raw = vec![0; usize::try_from(span.bytes()).unwrap_or(0)];
        if self.bytes.read_at(span.start, &mut raw).map_err(Stop::Io)? {
            Ok(String::from_utf8_lossy(&raw).into_owned())
        } else {
            Err(OnnxProblem::Malformed { offset: span.start, within: what }.into())
        }
    }
}

/// Takes `bytes` bytes off the front of a message, unread.
fn skip(message: &mut Span, bytes: u64, within: &'static str) -> Result<Span, Stop> {
    let start = message.start;
    match start.checked_add(bytes) {
        Some(end) if end <= message.end => {
            message.start = end;
            Ok(Span { start, end })
        }
        _ => Err(OnnxProblem::Malformed { offset: start, within }.into()),
    }
}
