//! One file of a spool: the entries of one run by one process, and how far they were sent.
//!
//! The file is locked while its process lives; the operating system lifts the lock when it dies, however it dies. A new
//! record is one write at the end, so a crash leaves whole records and at most one torn one behind them, which
//! [`SpoolFile::open`] cuts off: the call that wrote it never returned. `deaths.rs` has a process die at every step.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::contents::{Contents, damaged, scan};
use super::options::{Durability, SpoolOptions};
use super::record::{Header, Record};
use super::step::{append, step};
use super::{Entry, Rejection, rejected};
use crate::{Error, Result};

/// The extension of a file.
pub(crate) const WHOLE: &str = "spool";
/// The extension of a file that has no first record yet.
pub(crate) const DRAFT: &str = "new";

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
    /// Whether the run's end is among what was written.
    ended: bool,
    /// Whether there may be something behind `end`, of a write that failed and could not be taken back.
    torn: bool,
    /// How long the file of refused entries was before one was added that did not get there whole.
    rejecting: Option<u64>,
}

/// A file that was found in the folder.
#[derive(Debug)]
pub(crate) enum Opened {
    /// Its process lives.
    Busy,
    /// Its process died before its first record was whole, so that nothing was promised. It is removed.
    Empty,
    /// Not one that was wanted.
    Other,
    /// Its process is gone.
    Left(Box<SpoolFile>, Contents),
}

impl SpoolFile {
    /// A new file in the folder.
    pub(crate) fn create(options: &SpoolOptions, header: Header) -> Result<Self> {
        step();
        fs::create_dir_all(&options.folder).map_err(|source| failure(&options.folder, "create", source))?;
        let (draft, file) = draft(&options.folder, &header)?;
        let mut spool = Self {
            path: draft.with_extension(WHOLE),
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
            ended: false,
            torn: false,
            rejecting: None,
        };
        spool.write(&[Record::Run(header)])?;
        spool.header_end = spool.end;
        spool.read_to = spool.end;
        fs::rename(&draft, &spool.path).map_err(|source| failure(&draft, "rename", source))?;
        step();
        if spool.durability == Durability::Machine {
            sync_folder(&options.folder)?;
            step();
        }
        Ok(spool)
    }

    /// A file that a process left behind, if `wanted` says so: without its torn end, and without a refusal that is not
    /// settled.
    pub(crate) fn open(path: &Path, wanted: impl Fn(&Header) -> bool) -> Result<Opened> {
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
        let Some(mut contents) = scan(path, &file)? else {
            // Under the lock: whoever made it just now waits for that, and then sees that it is gone.
            remove(path)?;
            return Ok(Opened::Empty);
        };
        if !wanted(&contents.header) {
            return Ok(Opened::Other);
        }
        // From here on the file's own time tells of us.
        let modified = modified(&file);
        let mut spool = Self {
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
            ended: contents.ended,
            torn: contents.torn > 0,
            rejecting: contents.rejecting,
        };
        spool.cut_torn()?;
        spool.undo_rejection()?;
        if let (None, Some(time)) = (contents.left, modified) {
            spool.write(&[Record::Left(time)])?;
            contents.left = modified;
        }
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
        self.ended |= entries.iter().any(|entry| matches!(entry, Entry::End { .. }));
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
        // Of an ended run it stays whole until it goes: without its end it would be that of a process that was killed, and
        // the run, if somebody resumed it elsewhere, would be ended as failed.
        if self.waiting() == 0 && self.end > WORTH_EMPTYING && !self.ended {
            return self.empty();
        }
        self.write(&[Record::Sent(self.sent)])
    }

    /// Appends to the file of refused entries beside this one. It counts when the entry is settled, too.
    pub(crate) fn reject(&mut self, rejection: &Rejection) -> Result<()> {
        self.undo_rejection()?;
        let length = rejected::length(&self.path)?;
        self.write(&[Record::Rejecting(length)])?;
        self.rejecting = Some(length);
        rejected::add(&self.path, rejection)?;
        self.rejecting = None;
        Ok(())
    }

    /// Leaves what waits to whoever replays it.
    pub(crate) fn release(&self) -> Result<()> {
        step();
        self.file.unlock().map_err(|source| failure(&self.path, "unlock", source))?;
        step();
        Ok(())
    }

    /// Removes the file, of which everything is sent.
    pub(crate) fn remove(&self) -> Result<()> {
        remove(&self.path)
    }

    fn empty(&mut self) -> Result<()> {
        step();
        self.file.set_len(self.header_end).map_err(|source| failure(&self.path, "empty", source))?;
        step();
        self.end = self.header_end;
        self.read_to = self.header_end;
        (self.written, self.sent, self.sending) = (0, 0, 0);
        Ok(())
    }

    fn undo_rejection(&mut self) -> Result<()> {
        if let Some(length) = self.rejecting {
            rejected::undo(&self.path, length)?;
        }
        self.rejecting = None;
        Ok(())
    }

    /// Takes back what was written in part, or was not accepted: it must not be sent later, nor stand before what is
    /// accepted next.
    fn cut_torn(&mut self) -> Result<()> {
        if self.torn {
            step();
            self.file
                .set_len(self.end)
                .map_err(|source| failure(&self.path, "cut the torn end of", source))?;
            self.torn = false;
            step();
        }
        Ok(())
    }

    fn write(&mut self, records: &[Record]) -> Result<()> {
        let mut lines = Vec::new();
        for record in records {
            record.write(&mut lines).map_err(|source| failure(&self.path, "write", source.into()))?;
        }
        self.cut_torn()?;
        let written = append(&self.file, &lines).and_then(|()| match self.durability {
            Durability::Process => Ok(()),
            Durability::Machine => self.file.sync_data().inspect(|()| step()),
        });
        if let Err(source) = written {
            // If the disk refuses this as well, the next write does it first.
            self.torn = true;
            self.cut_torn()?;
            return Err(failure(&self.path, "write", source));
        }
        self.end += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn read_ahead(&mut self) -> Result<()> {
        // Behind the end there may be a torn record.
        let most = (self.end - self.read_to).min(READ_AHEAD as u64);
        let read = |file: &mut File, from: u64| -> io::Result<Vec<u8>> {
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            let mut reader = BufReader::with_capacity(READ_AHEAD, file);
            reader.by_ref().take(most).read_to_end(&mut bytes)?;
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

/// Whether the process of a file lives. A shared lock: looking must not keep a replay from working, nor look like a living
/// process to one who looks too.
pub(crate) fn is_busy(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// A new file, locked, under another name until it has its first record: until then it is that of a process that died at
/// once.
fn draft(folder: &Path, header: &Header) -> Result<(PathBuf, File)> {
    loop {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let draft = folder.join(format!("{}.{unique:.8}.{DRAFT}", header.run_id));
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .open(&draft)
            .map_err(|source| failure(&draft, "create", source))?;
        step();
        file.lock().map_err(|source| failure(&draft, "lock", source))?;
        step();
        // A replay that came before the lock took it for what a dead process left, and removed it.
        if fs::exists(&draft).map_err(|source| failure(&draft, "look for", source))? {
            return Ok((draft, file));
        }
    }
}

/// Removes a file, unless somebody else did.
fn remove(path: &Path) -> Result<()> {
    step();
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failure(path, "remove", source)),
        _ => {
            step();
            Ok(())
        }
    }
}

/// When a file was last written: milliseconds since the Unix epoch.
fn modified(file: &File) -> Option<i64> {
    let modified = file.metadata().and_then(|metadata| metadata.modified()).ok()?;
    Some(jiff::Timestamp::try_from(modified).ok()?.as_millisecond())
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| failure(folder, "sync", source))
}

pub(crate) fn failure(path: &Path, action: &'static str, source: io::Error) -> Error {
    Error::File { path: path.to_owned(), action, source }
}
