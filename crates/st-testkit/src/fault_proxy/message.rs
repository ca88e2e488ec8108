//! As much of HTTP/1.1 as a proxy on loopback needs: heads, and bodies in pieces.

use std::io::{self, BufRead, ErrorKind, Read, Write};

/// The most that a line or a whole head may take, in bytes.
const HEAD_LIMIT: u64 = 256 * 1024;

/// The first line and the headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// `GET /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub(super) start: String,
    /// In their order, with the names as they were written.
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// `None` when the peer closed instead of sending another one.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut from = from.take(HEAD_LIMIT);
        let Some(start) = line(&mut from)? else { return Ok(None) };
        let mut headers = Vec::new();
        loop {
            let line = line(&mut from)?.ok_or(ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                return Ok(Some(Self { start, headers }));
            }
            let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    pub(super) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.push_str("\r\n");
        to.write_all(text.as_bytes())
    }

    /// The nth word of the first line.
    pub(super) fn word(&self, nth: usize) -> &str {
        self.start.split(' ').nth(nth).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
    }

    /// How long the body is, where the head says so.
    pub(super) fn framing(&self) -> Option<Framing> {
        let chunked = self.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        let length = || self.header("content-length").and_then(|length| length.parse().ok());
        if chunked { Some(Framing::Chunked) } else { length().map(Framing::Length) }
    }
}

/// The value of a header, whatever the case of its name.
pub(super) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = headers.iter().filter(|(existing, _)| existing.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.as_str())
}

fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if from.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let text = String::from_utf8(bytes).map_err(|_| ErrorKind::InvalidData)?;
    let text = text.strip_suffix('\n').ok_or(ErrorKind::UnexpectedEof)?;
    Ok(Some(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Reads a body without its framing.
#[derive(Debug)]
pub(super) struct Body<'a, R> {
    from: &'a mut R,
    framing: Framing,
    /// Of the whole body, or of the chunk.
    left: u64,
    ended: bool,
}

impl<'a, R: BufRead> Body<'a, R> {
    pub(super) fn new(from: &'a mut R, framing: Framing) -> Self {
        let left = if let Framing::Length(length) = framing { length } else { 0 };
        Self { from, framing, left, ended: false }
    }

    /// The next piece; 0 bytes at the end. A body that breaks off is an error.
    pub(super) fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.framing == Framing::UntilClose {
            return self.from.read(buffer);
        }
        if self.framing == Framing::Chunked && self.left == 0 && !self.ended {
            self.next_chunk()?;
        }
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.from.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        if self.framing == Framing::Chunked && self.left == 0 {
            line(self.from)?;
        }
        Ok(read)
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let size = line(self.from)?.ok_or(ErrorKind::UnexpectedEof)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        self.left = u64::from_str_radix(size, 16).map_err(|_| ErrorKind::InvalidData)?;
        self.ended = self.left == 0;
        // Trailers are read and dropped.
        while self.ended && line(self.from)?.is_some_and(|trailer| !trailer.is_empty()) {}
        Ok(())
    }
}

/// Writes one piece of a body in its framing.
pub(super) fn write_piece(mut to: impl Write, framing: Framing, piece: &[u8]) -> io::Result<()> {
    if framing == Framing::Chunked {
        let framed = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        return to.write_all(&framed);
    }
    to.write_all(piece)
}

/// Writes what says that the body ended.
pub(super) fn write_end(mut to: impl Write, framing: Framing) -> io::Result<()> {
    if framing == Framing::Chunked { to.write_all(b"0\r\n\r\n") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_body(text: &str, framing: Framing, expected: &str, rest: &str) {
        let mut from = text.as_bytes();
        let mut body = Body::new(&mut from, framing);
        let (mut found, mut buffer) = (Vec::new(), [0; 3]);
        loop {
            match body.next(&mut buffer).unwrap() {
                0 => break,
                read => found.extend_from_slice(&buffer[..read]),
            }
        }
        assert_eq!(body.next(&mut buffer).unwrap(), 0);
        assert_eq!(String::from_utf8(found).unwrap(), expected);
        assert_eq!(from, rest.as_bytes());
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        check_body("abcdeGET", Framing::Length(5), "abcde", "GET");
        check_body("GET", Framing::Length(0), "", "GET");
        check_body("4\r\nabcd\r\n1;x=y\r\ne\r\n0\r\n\r\nGET", Framing::Chunked, "abcde", "GET");
        check_body("0\r\nTrailer: 1\r\n\r\nGET", Framing::Chunked, "", "GET");
        check_body("abcde", Framing::UntilClose, "abcde", "");
    }

    #[test]
    fn a_body_that_breaks_off_is_an_error() {
        for (text, framing) in
            [("ab", Framing::Length(3)), ("3\r\nab", Framing::Chunked), ("", Framing::Chunked)]
        {
            let mut from = text.as_bytes();
            let mut body = Body::new(&mut from, framing);
            let mut buffer = [0; 8];
            let error = body.next(&mut buffer).and_then(|_| body.next(&mut buffer)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{text}");
        }
    }

    #[test]
    fn a_head_is_written_as_it_was_read() {
        let text = "POST /x?y=1 HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 12\r\n\r\n";
        let head = Head::read(&mut text.as_bytes()).unwrap().unwrap();
        assert_eq!((head.word(0), head.word(1)), ("POST", "/x?y=1"));
        assert_eq!(head.framing(), Some(Framing::Length(12)));
        let mut written = Vec::new();
        head.write(&mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), text);
        assert_eq!(Head::read(&mut [].as_slice()).unwrap(), None);
    }

    #[test]
    fn pieces_are_framed() {
        let mut written = Vec::new();
        write_piece(&mut written, Framing::Chunked, b"0123456789abcdef").unwrap();
        write_end(&mut written, Framing::Chunked).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "10\r\n0123456789abcdef\r\n0\r\n\r\n");
    }
}
