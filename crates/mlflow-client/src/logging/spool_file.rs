//! One file of a spool: the entries of one run by one process, and how far they were sent.
//!
//! The file is locked while its process lives; the operating system lifts the lock when it dies, however it dies. A new
//! record is one write at the end, so a crash leaves whole records and at most one torn one behind them, which
//! [`SpoolFile::open`] cuts off: the call that wrote it never returned.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::options::{Durability, SpoolOptions};
use super::record::{Header, Record};
use super::{Entry, Rejection};
use crate::{Error, Result};

/// A file that has sent everything and is larger than this is emptied.
const WORTH_EMPTYING: u64 = 1 << 20;
/// Bytes that are read ahead.
const READ_AHEAD: usize = 1 << 20;

/// A spool file that this process may write.
#[derive(Debug)]
pub(crate) struct SpoolFile {
    path: PathBuf,
    file: File,
    durability: Durability,
    max_bytes: u64,
    /// Where the first entry may stand.
    header_end: u64,
    /// Where the next record goes.
    end: u64,
    /// Where the entries begin that are not in `ahead`.
    read_to: u64,
    /// Entries from there on that were sent already.
    skip: u64,
    /// The oldest waiting entries.
    ahead: VecDeque<Entry>,
    written: u64,
    sent: u64,
    sending: u64,
}

/// A file that was found in the folder.
#[derive(Debug)]
pub(crate) enum Opened {
    /// Its process lives.
    Busy,
    /// A power failure took its first record; with it nothing that was promised.
    Empty,
    /// Its process is gone.
    Left(Box<SpoolFile>, Contents),
}

/// What a file says.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) header: Header,
    pub(crate) written: u64,
    pub(crate) sent: u64,
    pub(crate) sending: u64,
    pub(crate) ended: bool,
    header_end: u64,
    /// Where the whole records end; what follows is torn.
    pub(crate) whole: u64,
    pub(crate) torn: u64,
}

impl SpoolFile {
    /// A new file in the folder.
    pub(crate) fn create(options: &SpoolOptions, header: Header) -> Result<Self> {
        fs::create_dir_all(&options.folder).map_err(|source| failure(&options.folder, "create", source))?;
        let name = format!("{}.{:.8}", header.run_id, uuid::Uuid::new_v4().simple().to_string());
        let path = options.folder.join(format!("{name}.spool"));
        // Under another name until it is locked and has its first record: a replay in between would take it for a file
        // whose process died at once.
        let draft = options.folder.join(format!("{name}.new"));
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .open(&draft)
            .map_err(|source| failure(&draft, "create", source))?;
        file.lock().map_err(|source| failure(&draft, "lock", source))?;
        let mut spool = Self {
            path,
            file,
            durability: options.durability,
            max_bytes: options.max_bytes,
            header_end: 0,
            end: 0,
            read_to: 0,
            skip: 0,
            ahead: VecDeque::new(),
            written: 0,
            sent: 0,
            sending: 0,
        };
        spool.write(&[Record::Run(header)])?;
        spool.header_end = spool.end;
        spool.read_to = spool.end;
        fs::rename(&draft, &spool.path).map_err(|source| failure(&draft, "rename", source))?;
        if spool.durability == Durability::Machine {
            sync_folder(&options.folder)?;
        }
        Ok(spool)
    }

    /// A file that a process left behind, without its torn end.
    pub(crate) fn open(path: &Path) -> Result<Opened> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(path)
            .map_err(|source| failure(path, "open", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Opened::Busy),
            Err(TryLockError::Error(source)) => return Err(failure(path, "lock", source)),
        }
        let Some(contents) = scan(path, &file)? else { return Ok(Opened::Empty) };
        file.set_len(contents.whole).map_err(|source| failure(path, "cut the torn end of", source))?;
        let spool = Self {
            path: path.to_owned(),
            file,
            durability: Durability::Process,
            max_bytes: u64::MAX,
            header_end: contents.header_end,
            end: contents.whole,
            read_to: contents.header_end,
            skip: contents.sent,
            ahead: VecDeque::new(),
            written: contents.written,
            sent: contents.sent,
            sending: contents.sending,
        };
        Ok(Opened::Left(Box::new(spool), contents))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Entries that wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.written - self.sent
    }

    /// Of the waiting entries, how many of the oldest may have been sent.
    pub(crate) fn doubtful(&self) -> u64 {
        self.sending.saturating_sub(self.sent)
    }

    /// Appends entries; all or none.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<()> {
        if self.end > self.max_bytes {
            return Err(Error::Logging {
                run: self.path.display().to_string(),
                problem: format!("the spool is full at {} bytes", self.end),
                source: None,
            });
        }
        let records: Vec<Record> = entries.iter().cloned().map(Record::Entry).collect();
        self.write(&records)?;
        self.written += u64::try_from(entries.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// The oldest waiting entries, `limit` at most.
    pub(crate) fn peek(&mut self, limit: usize) -> Result<Vec<Entry>> {
        while self.ahead.len() < limit && self.read_to < self.end {
            self.read_ahead()?;
        }
        Ok(self.ahead.iter().take(limit).cloned().collect())
    }

    /// Notes that the oldest `count` are about to be sent.
    pub(crate) fn sending(&mut self, count: u64) -> Result<()> {
        self.sending = self.sent + count;
        self.write(&[Record::Sending(self.sending)])
    }

    /// Notes that the oldest `count`, all of which were peeked, are done with.
    pub(crate) fn settle(&mut self, count: u64) -> Result<()> {
        let peeked = usize::try_from(count).unwrap_or(usize::MAX).min(self.ahead.len());
        self.ahead.drain(..peeked);
        self.sent += count;
        if self.waiting() == 0 && self.end > WORTH_EMPTYING {
            return self.empty();
        }
        self.write(&[Record::Sent(self.sent)])
    }

    /// Appends to the file of refused entries beside this one.
    pub(crate) fn reject(&mut self, rejection: &Rejection) -> Result<()> {
        let path = rejected_path(&self.path);
        let mut line =
            serde_json::to_vec(rejection).map_err(|source| failure(&path, "write", source.into()))?;
        line.push(b'\n');
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&line))
            .map_err(|source| failure(&path, "write", source))
    }

    /// Leaves what waits to whoever replays it.
    pub(crate) fn release(&self) -> Result<()> {
        self.file.unlock().map_err(|source| failure(&self.path, "unlock", source))
    }

    /// Removes the file, of which everything is sent.
    pub(crate) fn remove(&self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|source| failure(&self.path, "remove", source))
    }

    fn empty(&mut self) -> Result<()> {
        self.file.set_len(self.header_end).map_err(|source| failure(&self.path, "empty", source))?;
        self.end = self.header_end;
        self.read_to = self.header_end;
        (self.written, self.sent, self.sending) = (0, 0, 0);
        Ok(())
    }

    fn write(&mut self, records: &[Record]) -> Result<()> {
        let mut lines = Vec::new();
        for record in records {
            record.write(&mut lines).map_err(|source| failure(&self.path, "write", source.into()))?;
        }
        let written = self.file.write_all(&lines).and_then(|()| match self.durability {
            Durability::Process => Ok(()),
            Durability::Machine => self.file.sync_data(),
        });
        if let Err(source) = written {
            // What was refused must not be sent later, nor stand torn before what is accepted next.
            self.file.set_len(self.end).map_err(|source| failure(&self.path, "cut", source))?;
            return Err(failure(&self.path, "write", source));
        }
        self.end += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn read_ahead(&mut self) -> Result<()> {
        let read = |file: &mut File, from: u64| -> io::Result<Vec<u8>> {
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            let mut reader = BufReader::with_capacity(READ_AHEAD, file);
            reader.by_ref().take(READ_AHEAD as u64).read_to_end(&mut bytes)?;
            // A record longer than what is read ahead, or the rest of the last one.
            if bytes.last() != Some(&b'\n') {
                reader.read_until(b'\n', &mut bytes)?;
            }
            Ok(bytes)
        };
        let bytes =
            read(&mut self.file, self.read_to).map_err(|source| failure(&self.path, "read", source))?;
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let record = line.strip_suffix(b"\n").and_then(Record::read);
            let record = record.ok_or_else(|| damaged(&self.path, self.read_to))?;
            self.read_to += u64::try_from(line.len()).unwrap_or(u64::MAX);
            match record {
                Record::Entry(_) if self.skip > 0 => self.skip -= 1,
                Record::Entry(entry) => self.ahead.push_back(entry),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where the refused entries of a spool file are kept.
pub(crate) fn rejected_path(path: &Path) -> PathBuf {
    path.with_extension("rejected")
}

/// Reads what a file says, without a lock; nothing if its process died before the first record was whole.
pub(crate) fn scan(path: &Path, file: &File) -> Result<Option<Contents>> {
    let mut reader = BufReader::new(file);
    let unreadable = |source| failure(path, "read", source);
    reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut contents: Option<Contents> = None;
    let (mut position, mut torn, mut line) = (0_u64, None, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(unreadable)?;
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        if length == 0 {
            break;
        }
        let record = line.strip_suffix(b"\n").and_then(Record::read);
        match (record, &mut contents, torn) {
            // A whole record behind a damaged one: no crash leaves that, and what stood there is lost.
            (Some(_), _, Some(from)) => return Err(damaged(path, from)),
            (Some(Record::Run(header)), contents @ None, None) => {
                *contents = Some(Contents::new(header, length));
            }
            (Some(record), Some(contents), None) => contents.add(&record, position + length),
            (Some(_), None, None) => return Err(damaged(path, position)),
            (None, ..) => torn = torn.or(Some(position)),
        }
        position += length;
    }
    Ok(contents.map(|mut contents| {
        contents.torn = position - contents.whole;
        contents
    }))
}

impl Contents {
    fn new(header: Header, end: u64) -> Self {
        let (written, sent, sending, torn) = (0, 0, 0, 0);
        Self { header, written, sent, sending, ended: false, header_end: end, whole: end, torn }
    }

    fn add(&mut self, record: &Record, end: u64) {
        match record {
            Record::Run(_) => {}
            Record::Entry(entry) => {
                self.written += 1;
                self.ended |= matches!(entry, Entry::End { .. });
            }
            Record::Sending(number) => self.sending = *number,
            Record::Sent(number) => self.sent = (*number).min(self.written),
        }
        self.whole = end;
    }
}

fn damaged(path: &Path, position: u64) -> Error {
    Error::Damaged {
        artifact: path.display().to_string(),
        problem: format!("the record at byte {position} was changed after it was written"),
    }
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| failure(folder, "sync", source))
}

pub(crate) fn failure(path: &Path, action: &'static str, source: io::Error) -> Error {
    Error::File { path: path.to_owned(), action, source }
}
