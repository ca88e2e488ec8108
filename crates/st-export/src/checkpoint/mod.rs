//! Weights on disk: which files, which tensors in them, and their numbers one piece at a time.
//!
//! Only safetensors are read, never a pickle. A checkpoint knows headers only; numbers pass through a
//! buffer of a megabyte, so that memory does not grow with the model.

mod convert;
mod derive;
mod files;
mod header;
mod names;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use convert::FloatFormat;
pub(crate) use files::WeightFiles;
pub use header::{HeaderProblem, SafetensorsHeader, TensorEntry, read_safetensors_header};
pub(crate) use names::Naming;

use crate::{Error, lfs};

/// Bytes that are read at once; a multiple of every element size.
const PIECE: usize = 1 << 20;

/// One tensor of a checkpoint: where its bytes are.
#[derive(Clone, Debug)]
struct Location {
    /// Position in [`Checkpoint::files`].
    file: usize,
    /// The name that the file uses.
    spelled: String,
    entry: TensorEntry,
}

/// The tensors of a model folder under the names that the architecture uses.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    files: Vec<PathBuf>,
    /// What to name when a tensor is nowhere.
    listing: PathBuf,
    architecture: &'static str,
    tensors: BTreeMap<String, Location>,
}

impl Checkpoint {
    /// Reads the headers of all weight files.
    pub(crate) fn open(
        files: &WeightFiles,
        architecture: &'static str,
        naming: &Naming,
    ) -> Result<Self, Error> {
        let mut checkpoint = Self {
            files: Vec::new(),
            listing: files.listing.clone(),
            architecture,
            tensors: BTreeMap::new(),
        };
        for path in &files.paths {
            let header = read_header(path)?;
            files.check_promises(path, &header)?;
            checkpoint.files.push(path.clone());
            for (spelled, entry) in header.tensors {
                checkpoint.insert(naming, spelled, entry)?;
            }
        }
        Ok(checkpoint)
    }

    fn insert(&mut self, naming: &Naming, spelled: String, entry: TensorEntry) -> Result<(), Error> {
        let name = naming.canonical(&spelled);
        if naming.is_unused(&name) {
            return Ok(());
        }
        let file = self.files.len() - 1;
        if let Some(other) = self.tensors.get(&name) {
            return Err(Error::TensorTwice {
                path: self.path(file),
                tensor: name,
                first: other.spelled.clone(),
                second: spelled,
            });
        }
        self.tensors.insert(name, Location { file, spelled, entry });
        Ok(())
    }

    /// Checks that the weights which an architecture needs are here, in the shapes that it needs, and no
    /// others.
    pub(crate) fn check<'a>(
        &self,
        needed: impl IntoIterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<(), Error> {
        let mut unused = self.tensors.clone();
        for (name, dims) in needed {
            let location = self.location(name)?;
            self.format(location)?;
            if location.entry.shape != dims {
                return Err(Error::TensorShape {
                    path: self.path(location.file),
                    tensor: location.spelled.clone(),
                    found: location.entry.shape.clone(),
                    expected: dims.to_vec(),
                });
            }
            unused.remove(name);
        }
        match unused.into_values().next() {
            None => Ok(()),
            Some(location) => Err(Error::TensorUnused {
                path: self.path(location.file),
                tensor: location.spelled,
                architecture: self.architecture,
            }),
        }
    }

    /// Hands the numbers of a tensor to `sink`, as little-endian 32-bit floats, a piece at a time.
    pub(crate) fn read(
        &self,
        name: &str,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let location = self.location(name)?;
        let format = self.format(location)?;
        let path = self.path(location.file);
        let read_failed = |source| Error::io("read", &path, source);
        let mut file = File::open(&path).map_err(|source| Error::io("open", &path, source))?;
        file.seek(SeekFrom::Start(location.entry.offset)).map_err(read_failed)?;
        let mut left = location.entry.bytes;
        let mut index = 0;
        let mut floats = Vec::new();
        let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
        while left > 0 {
            piece.truncate(usize::try_from(left).unwrap_or(PIECE));
            file.read_exact(&mut piece).map_err(read_failed)?;
            let values = format.to_float32(&piece, &mut floats);
            if let Some((place, value)) = convert::first_not_finite(values) {
                let tensor = location.spelled.clone();
                return Err(Error::TensorNotFinite { path, tensor, index: index + place, value });
            }
            sink(values)?;
            left -= piece.len() as u64;
            index += values.len() as u64 / 4;
        }
        Ok(())
    }

    fn location(&self, name: &str) -> Result<&Location, Error> {
        self.tensors
            .get(name)
            .ok_or_else(|| Error::TensorMissing { path: self.listing.clone(), tensor: name.to_owned() })
    }

    fn format(&self, location: &Location) -> Result<FloatFormat, Error> {
        FloatFormat::from_name(&location.entry.dtype).ok_or_else(|| Error::TensorType {
            path: self.path(location.file),
            tensor: location.spelled.clone(),
            found: location.entry.dtype.clone(),
        })
    }

    fn path(&self, file: usize) -> PathBuf {
        self.files.get(file).unwrap_or(&self.listing).clone()
    }
}

/// Reads the header of one file, and nothing after it.
fn read_header(path: &Path) -> Result<SafetensorsHeader, Error> {
    let read_failed = |source| Error::io("read", path, source);
    let broken = |source| Error::Safetensors { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let file_bytes = file.metadata().map_err(read_failed)?.len();
    let mut start = Vec::new();
    (&mut file).take(64).read_to_end(&mut start).map_err(read_failed)?;
    if lfs::is_pointer(&start) {
        return Err(Error::LfsPointer { path: path.to_path_buf() });
    }
    let needed = header::PREFIX + header::header_length(&start, file_bytes).map_err(broken)?;
    file.take(needed.saturating_sub(start.len() as u64)).read_to_end(&mut start).map_err(read_failed)?;
    read_safetensors_header(&start, file_bytes).map_err(broken)
}
