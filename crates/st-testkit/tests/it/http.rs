//! A client and a server of few lines.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;

/// What the server answers to `/length` and `/chunked`.
pub(crate) static BODY: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect());

/// Answers every request and counts them.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, requests) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&requests);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let counter = Arc::clone(&counter);
                // A client that breaks off is what these tests are about.
                thread::spawn(move || answer(client, &counter).ok());
            }
        });
        Self { address, requests }
    }

    /// How many requests arrived whole.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn answer(client: TcpStream, counter: &AtomicUsize) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let (start, length) = head(&mut client)?;
    let received = io::copy(&mut (&mut client).take(length), &mut io::sink())?;
    if received < length {
        return Ok(());
    }
    counter.fetch_add(1, Ordering::SeqCst);
    let mut out = client.get_ref();
    if start.contains("/chunked") {
        out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        for piece in BODY.chunks(70_000) {
            write!(out, "{:x}\r\n", piece.len())?;
            out.write_all(piece)?;
            out.write_all(b"\r\n")?;
        }
        return out.write_all(b"0\r\n\r\n");
    }
    if start.contains("/length") {
        write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", BODY.len())?;
        return out.write_all(&BODY);
    }
    let body = received.to_string();
    write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-Server: 1\r\n\r\n{body}", body.len())?;
    // To close before a body is read that has no length would reset the connection, and may take the answer along.
    out.shutdown(Shutdown::Write)?;
    io::copy(&mut client, &mut io::sink()).map(drop)
}

fn head(from: &mut impl io::BufRead) -> io::Result<(String, u64)> {
    let mut start = String::new();
    from.read_line(&mut start)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            return Ok((start.trim_end().to_owned(), length));
        }
    }
}

/// A connection that is used for one request after the other.
pub(crate) struct Client(BufReader<TcpStream>);

/// Status line, headers, and as much of the body as came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).unwrap()))
    }

    pub(crate) fn send(&mut self, head: &str, body: &[u8]) -> io::Result<Answer> {
        let mut out = self.0.get_ref();
        write!(out, "{head}\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len())?;
        out.write_all(body)?;
        self.read()
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_ref().write_all(bytes)
    }

    pub(crate) fn read(&mut self) -> io::Result<Answer> {
        let (mut status, mut headers, mut length) = (String::new(), String::new(), None);
        if self.0.read_line(&mut status)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line)?;
            if line.trim_end().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                length = value.trim_end().parse().ok();
            }
            headers.push_str(&line);
        }
        let mut body = Vec::new();
        match length {
            Some(length) => (&mut self.0).take(length).read_to_end(&mut body)?,
            None => self.read_chunks(&mut body)?,
        };
        Ok(Answer { status: status.trim_end().to_owned(), headers, body })
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            let mut size = String::new();
            if self.0.read_line(&mut size)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let size = u64::from_str_radix(size.trim_end(), 16).unwrap();
            (&mut self.0).take(size).read_to_end(body)?;
            self.0.read_line(&mut String::new())?;
            if size == 0 {
                return Ok(body.len());
            }
        }
    }
}
