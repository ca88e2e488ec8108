//! Bytes on their way to a file or to standard output, and what is said beside them.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use st_model::Provenance;

use super::pending::PendingFile;
use super::side::{Content, Side};
use crate::error::Error;

/// Bytes on their way.
pub(crate) struct Stream {
    inner: Inner,
    side: Option<Box<Side>>,
}

enum Inner {
    Pending(PendingFile),
    Stdout(BufWriter<io::Stdout>),
}

impl Stream {
    /// A file, or standard output without a path.
    pub(crate) fn open(path: Option<&Path>, force: bool) -> Result<Self, Error> {
        let inner = match path {
            Some(path) => PendingFile::create(path, force).map(Inner::Pending)?,
            None => Inner::Stdout(BufWriter::new(io::stdout())),
        };
        Ok(Self { inner, side: None })
    }

    /// The same, with a second file for what the first cannot hold; a device and standard output have none.
    pub(super) fn open_with_side(path: Option<&Path>, force: bool) -> Result<Self, Error> {
        let mut stream = Self::open(path, force)?;
        if let (Some(path), Inner::Pending(file)) = (path, &stream.inner)
            && !file.is_device()
        {
            stream.side = Some(Box::new(Side::begin(path, force)?));
        }
        Ok(stream)
    }

    /// What the second file will say.
    pub(super) fn describe(&mut self, provenance: &Provenance) {
        if let Some(side) = &mut self.side {
            side.describe(provenance);
        }
    }

    /// From now on nothing counts as content: a header is written that was left out before.
    pub(super) fn seal(&mut self) {
        if let Some(side) = &mut self.side {
            side.seal();
        }
    }

    /// From now on all that is written counts as content.
    pub(super) fn unseal(&mut self) {
        if let Some(side) = &mut self.side {
            side.unseal(Content::default());
        }
    }

    /// Completes it and gives a file its name. The second file comes first: whoever sees the vectors finds it.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let file = match self.inner {
            Inner::Pending(file) => file,
            Inner::Stdout(mut stdout) => return stdout.flush().map_err(|source| Error::Stdout { source }),
        };
        match self.side {
            Some(side) => side.publish_with(file),
            None => file.commit(),
        }
    }

    /// Says where a failure happened.
    pub(crate) fn fail(&self, source: io::Error) -> Error {
        match &self.inner {
            Inner::Pending(file) => Error::Write { file: file.name(), source },
            Inner::Stdout(_) => Error::Stdout { source },
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.inner {
            Inner::Pending(file) => file.writer().write(bytes),
            Inner::Stdout(stdout) => stdout.write(bytes),
        }?;
        if let (Some(side), Some(bytes)) = (&mut self.side, bytes.get(..written)) {
            side.pass(bytes);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.inner {
            Inner::Pending(file) => file.writer().flush(),
            Inner::Stdout(stdout) => stdout.flush(),
        }
    }
}

impl Seek for Stream {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        match &mut self.inner {
            Inner::Pending(file) => file.writer().seek(position),
            Inner::Stdout(_) => Err(io::Error::from(io::ErrorKind::NotSeekable)),
        }
    }
}
