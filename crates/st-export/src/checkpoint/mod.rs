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

use crate::blocks::Tied;
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
    /// Nothing is lost if no graph asks for it.
    spare: bool,
    /// What else the files call by that name, which is an error once a graph asks for it.
    again: Option<String>,
}

/// The tensors of a model under the names that its graph uses: those of the transformer as they are, those of
/// another module after the name of its folder.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    files: Vec<PathBuf>,
    /// For each folder the beginning of its names, and what to name when a tensor is nowhere.
    listings: Vec<(String, PathBuf)>,
    architecture: &'static str,
    tensors: BTreeMap<String, Location>,
}

impl Checkpoint {
    /// Reads the headers of all weight files of a transformer.
    pub(crate) fn open(
        files: &WeightFiles,
        architecture: &'static str,
        naming: &Naming,
    ) -> Result<Self, Error> {
        let mut checkpoint =
            Self { files: Vec::new(), listings: Vec::new(), architecture, tensors: BTreeMap::new() };
        checkpoint.add(files, "", naming)?;
        Ok(checkpoint)
    }

    /// Reads the headers of the weight files of one more module, whose names go on after `scope`.
    pub(crate) fn add(&mut self, files: &WeightFiles, scope: &str, naming: &Naming) -> Result<(), Error> {
        // The longest beginning that fits is looked for, and the transformer's is empty.
        self.listings.insert(0, (scope.to_owned(), files.listing.clone()));
        for path in &files.paths {
            let header = read_header(path)?;
            files.check_promises(path, &header)?;
            self.files.push(path.clone());
            for (spelled, entry) in header.tensors {
                self.insert(naming, scope, spelled, entry)?;
            }
        }
        for (copy, original) in naming.ties {
            if let Some(location) = self.tensors.remove(&format!("{scope}{copy}")) {
                // The module reads the copy; mostly it is the same.
                self.tensors.insert(format!("{scope}{original}"), location);
            }
        }
        Ok(())
    }

    fn insert(
        &mut self,
        naming: &Naming,
        scope: &str,
        spelled: String,
        entry: TensorEntry,
    ) -> Result<(), Error> {
        let name = naming.canonical(&spelled);
        let spare = naming.is_unused(&name);
        let name = format!("{scope}{name}");
        let file = self.files.len() - 1;
        match self.tensors.get_mut(&name) {
            Some(other) if spare => other.again = Some(spelled),
            Some(other) => {
                let first = other.spelled.clone();
                return Err(Error::TensorTwice {
                    path: self.path(file),
                    tensor: name,
                    first,
                    second: spelled,
                });
            }
            None => {
                self.tensors.insert(name, Location { file, spelled, entry, spare, again: None });
            }
        }
        Ok(())
    }

    /// Checks that the weights which an architecture needs are here, in the shapes that it needs, and no
    /// others.
    pub(crate) fn check<'a>(
        &self,
        needed: impl IntoIterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<(), Error> {
        let mut unused = self.tensors.clone();
        unused.retain(|_, location| !location.spare);
        for (name, dims) in needed {
            let location = self.location(name)?;
            self.format(location)?;
            if let Some(second) = &location.again {
                return Err(Error::TensorTwice {
                    path: self.path(location.file),
                    tensor: name.to_owned(),
                    first: location.spelled.clone(),
                    second: second.clone(),
                });
            }
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

    /// Files keep one copy of a tied tensor, mostly under the shared name; where it is the other, it goes by both.
    pub(crate) fn restore(&mut self, Tied { own, shared }: Tied) {
        if !self.tensors.contains_key(shared)
            && let Some(location) = self.tensors.remove(own)
        {
            self.tensors.insert(shared.to_owned(), location);
        }
    }

    /// The name under which the numbers of a tied tensor are: its own only if they are others than the shared ones,
    /// as the reference ties what is equal whatever the configuration says.
    pub(crate) fn choose(&self, tied: Tied) -> Result<&'static str, Error> {
        let Tied { own, shared } = tied;
        if own == shared || !self.tensors.contains_key(own) {
            return Ok(shared);
        }
        let equal = self.tensors.contains_key(shared) && self.digest(own)? == self.digest(shared)?;
        Ok(if equal { shared } else { own })
    }

    /// A digest of the numbers and the shape of a tensor, whatever their format.
    fn digest(&self, name: &str) -> Result<blake3::Hash, Error> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{:?}", self.location(name)?.entry.shape).as_bytes());
        self.read(name, &mut |numbers| {
            hasher.update(numbers);
            Ok(())
        })?;
        Ok(hasher.finalize())
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
        self.tensors.get(name).ok_or_else(|| {
            let listing = self.listings.iter().find(|(scope, _)| name.starts_with(scope.as_str()));
            let path = listing.map(|(_, path)| path.clone()).unwrap_or_default();
            Error::TensorMissing { path, tensor: name.to_owned() }
        })
    }

    fn format(&self, location: &Location) -> Result<FloatFormat, Error> {
        FloatFormat::from_name(&location.entry.dtype).ok_or_else(|| Error::TensorType {
            path: self.path(location.file),
            tensor: location.spelled.clone(),
            found: location.entry.dtype.clone(),
        })
    }

    fn path(&self, file: usize) -> PathBuf {
        self.files.get(file).cloned().unwrap_or_default()
    }
}

/// The one file with the weights of a module.
///
/// # Errors
///
/// What [`export()`](crate::export()) says where there are no weights that can be read, and [`Error::WeightsMissing`]
/// where they are in several files.
pub fn single_file(folder: &Path) -> Result<PathBuf, Error> {
    match <[PathBuf; 1]>::try_from(WeightFiles::find(folder)?.paths) {
        Ok([path]) => Ok(path),
        Err(_) => Err(Error::WeightsMissing { folder: folder.to_owned() }),
    }
}

/// The shape of one tensor of the weight files in `folder`, from their headers alone.
///
/// # Errors
///
/// What [`export()`](crate::export()) says where there are no weights that can be read, and
/// [`Error::TensorMissing`].
pub fn tensor_shape(folder: &Path, name: &str) -> Result<Vec<usize>, Error> {
    let files = WeightFiles::find(folder)?;
    for path in &files.paths {
        if let Some(entry) = read_header(path)?.tensors.remove(name) {
            return Ok(entry.shape);
        }
    }
    Err(Error::TensorMissing { path: files.listing, tensor: name.to_owned() })
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
