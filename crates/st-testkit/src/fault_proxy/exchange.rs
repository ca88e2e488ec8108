//! One request through the proxy, with what it is to suffer.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::thread;

use super::message::{Body, Framing, Head, write_end, write_piece};
use super::record::Entry;
use super::rule::{Fault, Moment};

/// Bodies go through in pieces of at most this many bytes, whatever their length.
const PIECE: usize = 64 * 1024;

/// What becomes of the connection to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Keep,
    Close,
    Reset,
}

/// Go on, or end the exchange.
type Flow = ControlFlow<After>;

/// One request and where it is written down.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) client: &'a mut BufReader<TcpStream>,
    pub(super) request: Head,
    pub(super) fault: Option<Fault>,
    pub(super) entry: Entry,
}

impl Exchange<'_> {
    /// Carries it out; an error means that one of the two connections broke.
    pub(super) fn run(mut self, server: SocketAddr) -> io::Result<After> {
        if let Flow::Break(after) = self.meet(Moment::BeforeRequest) {
            return Ok(after);
        }
        if self.request.header("expect").is_some() {
            self.client.get_ref().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            self.request.remove("expect");
        }
        if let Some(Fault::Answer { status, headers, body }) = self.fault.clone() {
            return self.answer(status, headers, &body);
        }
        let Ok(server) = TcpStream::connect(server) else {
            return self.answer(502, Vec::new(), b"fault proxy: no server behind");
        };
        self.entry.note(|seen| seen.reached_server = true);
        let mut server = BufReader::new(server);
        if let Flow::Break(after) = self.send(server.get_ref())? {
            return Ok(after);
        }
        let head = answer_head(&mut server)?;
        self.entry.note(|seen| seen.status = head.word(1).parse().ok());
        match self.meet(Moment::BeforeAnswer) {
            Flow::Break(after) => Ok(after),
            Flow::Continue(()) => self.relay(head, &mut server),
        }
    }

    /// A moment has come: the fault may have waited for it.
    fn meet(&self, moment: Moment) -> Flow {
        meet(self.fault.as_ref(), moment)
    }

    /// What the server did not say; the request's body is read first, so that the connection can be used again.
    fn answer(&mut self, status: u16, headers: Vec<(String, String)>, body: &[u8]) -> io::Result<After> {
        let framing = self.request.framing().unwrap_or(Framing::Length(0));
        let entry = &self.entry;
        let mut from = Body::new(&mut *self.client, framing);
        let _flow = pump(&mut from, None, |step| {
            entry.received(&step);
            Ok(Flow::Continue(()))
        })?;
        self.entry.note(|seen| seen.status = Some(status));
        let mut head = Head { start: format!("HTTP/1.1 {status} Fault"), headers };
        head.set("Content-Length", &body.len().to_string());
        head.write(self.client.get_ref())?;
        let body = if self.request.word(0) == "HEAD" { &[] } else { body };
        self.client.get_ref().write_all(body)?;
        Ok(after(&self.request))
    }

    /// Head and body to the server. That it answers early and listens no longer is not an error yet.
    fn send(&mut self, server: &TcpStream) -> io::Result<Flow> {
        let framing = self.request.framing().unwrap_or(Framing::Length(0));
        let mut head = self.request.clone();
        head.set("Connection", "close");
        head.write(server)?;
        let stop = match self.fault {
            Some(Fault::Reset(Moment::InRequest(at)) | Fault::Call(Moment::InRequest(at), _)) => Some(at),
            _ => None,
        };
        let (entry, fault) = (&self.entry, self.fault.as_ref());
        let mut listens = true;
        let mut from = Body::new(&mut *self.client, framing);
        let flow = pump(&mut from, stop, |step| {
            entry.received(&step);
            match step {
                Step::Stop(at) => return Ok(meet(fault, Moment::InRequest(at))),
                Step::Piece { bytes, .. } => listens = listens && write_piece(server, framing, bytes).is_ok(),
            }
            Ok(Flow::Continue(()))
        })?;
        if listens && flow.is_continue() {
            write_end(server, framing)?;
        }
        Ok(flow)
    }

    /// The server's answer to the client.
    fn relay(&mut self, mut head: Head, server: &mut impl BufRead) -> io::Result<After> {
        let empty = self.request.word(0) == "HEAD" || matches!(head.word(1), "204" | "304");
        let framing = head.framing().unwrap_or(Framing::UntilClose);
        let (mut outward, mut after) = (framing, after(&self.request));
        head.remove("connection");
        if let Some(Fault::ClaimLength(length)) = self.fault {
            head.remove("transfer-encoding");
            head.set("Content-Length", &length.to_string());
            (outward, after) = (Framing::Length(length), After::Close);
        }
        if !empty && outward == Framing::UntilClose {
            after = After::Close;
        }
        if after == After::Close {
            head.set("Connection", "close");
        }
        head.write(self.client.get_ref())?;
        if empty {
            return Ok(after);
        }
        let flow = self.relay_body(&mut Body::new(server, framing), outward)?;
        if let Flow::Break(after) = flow {
            return Ok(after);
        }
        write_end(self.client.get_ref(), outward)?;
        Ok(after)
    }

    fn relay_body<R: BufRead>(&self, from: &mut Body<'_, R>, outward: Framing) -> io::Result<Flow> {
        let fault = self.fault.as_ref();
        let stop = match fault {
            Some(
                Fault::Reset(Moment::InAnswer(at))
                | Fault::Call(Moment::InAnswer(at), _)
                | Fault::Truncate(at),
            ) => Some(*at),
            _ => None,
        };
        let client = self.client.get_ref();
        pump(from, stop, |step| {
            match step {
                Step::Stop(_) if matches!(fault, Some(Fault::Truncate(_))) => {
                    return Ok(Flow::Break(After::Close));
                }
                Step::Stop(at) => return Ok(meet(fault, Moment::InAnswer(at))),
                Step::Piece { bytes, offset } => {
                    flip(fault, bytes, offset);
                    drip(fault, client, outward, bytes)?;
                }
            }
            Ok(Flow::Continue(()))
        })
    }
}

/// What the client asked for.
fn after(request: &Head) -> After {
    let closes = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    if closes { After::Close } else { After::Keep }
}

fn meet(fault: Option<&Fault>, moment: Moment) -> Flow {
    match fault {
        Some(Fault::Reset(at)) if *at == moment => Flow::Break(After::Reset),
        Some(Fault::Call(at, hook)) if *at == moment => {
            hook.call();
            Flow::Continue(())
        }
        _ => Flow::Continue(()),
    }
}

fn flip(fault: Option<&Fault>, bytes: &mut [u8], offset: u64) {
    let Some(Fault::FlipByte(at)) = fault else { return };
    let place = at.checked_sub(offset).and_then(|place| usize::try_from(place).ok());
    if let Some(byte) = place.and_then(|place| bytes.get_mut(place)) {
        *byte ^= 0x55;
    }
}

fn drip(fault: Option<&Fault>, client: &TcpStream, framing: Framing, bytes: &[u8]) -> io::Result<()> {
    let Some(Fault::Drip { bytes: size, pause }) = fault else {
        return write_piece(client, framing, bytes);
    };
    bytes.chunks((*size).max(1)).try_for_each(|drop| {
        thread::sleep(*pause);
        write_piece(client, framing, drop)
    })
}

/// The final answer: what comes before it (`100 Continue`) is the proxy's business.
fn answer_head(server: &mut impl BufRead) -> io::Result<Head> {
    loop {
        let head = Head::read(server)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if !head.word(1).starts_with('1') {
            return Ok(head);
        }
    }
}

/// What happens while a body goes through.
#[derive(Debug)]
pub(super) enum Step<'b> {
    Piece {
        bytes: &'b mut [u8],
        /// Of the first byte, in the body.
        offset: u64,
    },
    /// So many bytes went through, or all there were.
    Stop(u64),
}

/// Hands a body on piece by piece, and says when it came to `stop`.
fn pump<R: BufRead>(
    from: &mut Body<'_, R>,
    stop: Option<u64>,
    mut each: impl FnMut(Step<'_>) -> io::Result<Flow>,
) -> io::Result<Flow> {
    let (mut offset, mut pending) = (0, stop);
    let mut buffer = vec![0; PIECE];
    loop {
        if let Some(at) = pending.take_if(|at| offset >= *at)
            && let Flow::Break(after) = each(Step::Stop(at))?
        {
            return Ok(Flow::Break(after));
        }
        let room = pending.map_or(PIECE as u64, |at| (at - offset).min(PIECE as u64));
        let room = usize::try_from(room).unwrap_or(PIECE);
        let read = from.next(buffer.get_mut(..room).unwrap_or_default())?;
        let Some(bytes) = buffer.get_mut(..read).filter(|bytes| !bytes.is_empty()) else { break };
        if let Flow::Break(after) = each(Step::Piece { bytes, offset })? {
            return Ok(Flow::Break(after));
        }
        offset += read as u64;
    }
    pending.map_or(Ok(Flow::Continue(())), |at| each(Step::Stop(at)))
}
