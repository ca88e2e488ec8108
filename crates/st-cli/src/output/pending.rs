//! A file that gets its name only when it is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::error::Error;
use crate::interrupt::Unfinished;

/// Written beside its target and renamed at the end; removed if that never comes.
#[derive(Debug)]
pub(crate) struct PendingFile {
    path: PathBuf,
    force: bool,
    writer: BufWriter<File>,
    /// None for a device, which is written in place.
    temporary: Option<(NamedTempFile, Unfinished)>,
}

impl PendingFile {
    /// Begins a file; one that exists is refused now and not after an hour of work.
    pub(crate) fn create(path: &Path, force: bool) -> Result<Self, Error> {
        let fail = |source| Error::Write { file: path.display().to_string(), source };
        let there = fs::symlink_metadata(path).ok();
        if fs::metadata(path).is_ok_and(|target| is_device(&target)) {
            let file = File::options().write(true).open(path).map_err(fail)?;
            return Ok(Self { path: path.to_owned(), force, writer: BufWriter::new(file), temporary: None });
        }
        if there.is_some() && !force {
            return Err(Error::OutputExists { file: path.display().to_string() });
        }
        let (temporary, unfinished) = Unfinished::begin(|| temporary_beside(path)).map_err(fail)?;
        let writer = BufWriter::with_capacity(1 << 16, temporary.reopen().map_err(fail)?);
        Ok(Self { path: path.to_owned(), force, writer, temporary: Some((temporary, unfinished)) })
    }

    pub(crate) fn writer(&mut self) -> &mut BufWriter<File> {
        &mut self.writer
    }

    /// Whether there is no file in the end, but a pipe or the like.
    pub(crate) fn is_device(&self) -> bool {
        self.temporary.is_none()
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Makes sure of the content, then gives it its name.
    pub(crate) fn commit(self) -> Result<(), Error> {
        let Self { path, force, mut writer, temporary } = self;
        let fail = |source| Error::Write { file: path.display().to_string(), source };
        writer.flush().map_err(fail)?;
        let Some((temporary, unfinished)) = temporary else { return Ok(()) };
        writer.get_ref().sync_all().map_err(fail)?;
        let renamed = if force { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
        drop(unfinished);
        renamed.map_err(|error| match error.error.kind() {
            // Somebody else was quicker.
            io::ErrorKind::AlreadyExists => Error::OutputExists { file: path.display().to_string() },
            _ => fail(error.error),
        })?;
        sync_folder(&path).map_err(fail)
    }
}

fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let prefix = format!(".{}.", name.to_string_lossy());
    builder.prefix(&prefix).suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What any new file gets: the umask takes away what the user does not want.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder_of(path))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A rename is safe from a power cut once its folder is on the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

/// Neither a file nor a folder: `/dev/null`, a pipe.
fn is_device(target: &fs::Metadata) -> bool {
    !target.is_file() && !target.is_dir()
}
