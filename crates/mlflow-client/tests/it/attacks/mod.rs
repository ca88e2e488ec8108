//! Servers that mean harm, or are broken enough to do it.

mod answers;
mod multipart;
mod names;
mod places;
mod secrets;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use mlflow_client::{Client, Settings};

/// A server that answers every request as its test says, and closes the connection.
pub(crate) struct Hostile {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    /// `answer` gets the head of a request and writes what it likes.
    pub(crate) fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, requests) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
                std::thread::spawn(move || {
                    let mut stream = stream;
                    let head = request(&mut stream);
                    requests.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
                    answer(&head, &mut stream);
                });
            }
        });
        Self { address, seen }
    }

    /// Answers always the same.
    pub(crate) fn saying(status: &'static str, headers: &'static str, body: impl Into<String>) -> Self {
        let body = body.into();
        Self::start(move |_, stream| reply(stream, status, headers, &body))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A client that tries once.
    fn client(&self) -> Client {
        once(&Settings::for_tracking_uri(self.url()))
    }
}

fn once(settings: &Settings) -> Client {
    let mut settings = settings.clone();
    settings.http.retry.max_retries = 0;
    Client::connect(&settings).unwrap()
}

/// Reads a request; its head. What is no HTTP is read as far as it comes.
fn request(stream: &mut TcpStream) -> String {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return head.to_owned();
            }
        } else if !bytes.is_empty() && !bytes.iter().take(3).all(u8::is_ascii_alphabetic) {
            return String::new();
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// What a client does that has heard enough is its own affair.
pub(crate) fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n{body}"
    );
}

/// An error and all its causes, as a program would show them.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut shown = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(shown, ": {cause}");
        source = cause.source();
    }
    shown
}
