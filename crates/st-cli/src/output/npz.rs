//! Sparse vectors in compressed rows, in the file that `scipy.sparse.load_npz` reads.
//!
//! It is a ZIP archive of arrays: `indices`, `indptr`, `format`, `shape` and `data`. `SciPy` does not look at other
//! members, so where the vectors come from travels inside.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use st_core::SparseVectors;
use st_model::Provenance;
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

use super::Stream;
use super::npy::header;
use crate::error::Error;

/// What messages call such a file.
pub(super) const ARCHIVE: &str = "an archive of arrays";

/// The member that says where the vectors come from.
const PROVENANCE_MEMBER: &str = "st.provenance.json";

/// Vectors of which indices and values wait on disk, because the archive holds one behind the other.
pub(crate) struct NpzSink {
    stream: Stream,
    name: String,
    indices: BufWriter<File>,
    values: BufWriter<File>,
    /// Where each row ends: eight bytes a text.
    ends: Vec<u64>,
    dim: usize,
    provenance: Option<String>,
}

impl NpzSink {
    pub(super) fn new(stream: Stream, name: String) -> Result<Self, Error> {
        let waiting = || tempfile::tempfile().map(BufWriter::new).map_err(|source| stream.fail(source));
        let (indices, values) = (waiting()?, waiting()?);
        Ok(Self { stream, name, indices, values, ends: Vec::new(), dim: 0, provenance: None })
    }

    pub(super) fn describe(&mut self, provenance: &Provenance) {
        self.provenance = Some(provenance.to_json());
    }

    pub(super) fn write(&mut self, vectors: &SparseVectors) -> Result<(), Error> {
        self.append(vectors).map_err(|source| self.stream.fail(source))
    }

    fn append(&mut self, vectors: &SparseVectors) -> io::Result<()> {
        let (ends, indices, values) = vectors.parts();
        self.dim = vectors.dim();
        let before = self.ends.last().copied().unwrap_or(0);
        self.ends.extend(ends.iter().map(|end| before + *end as u64));
        let bytes: Vec<u8> = indices.iter().flat_map(|index| index.to_le_bytes()).collect();
        self.indices.write_all(&bytes)?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.values.write_all(&bytes)
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        let Self { mut stream, name, indices, values, ends, dim, provenance } = self;
        let arrays = Arrays { indices, values, ends, dim, provenance };
        let written = arrays.write(Quiet { stream: &mut stream, failed: false });
        written.map_err(|source| Error::Write { file: name, source })?;
        stream.finish()
    }
}

/// What goes into the archive.
struct Arrays {
    indices: BufWriter<File>,
    values: BufWriter<File>,
    ends: Vec<u64>,
    dim: usize,
    provenance: Option<String>,
}

impl Arrays {
    fn write(self, target: Quiet<'_>) -> io::Result<()> {
        let count = self.ends.last().copied().unwrap_or(0);
        let (rows, entries) = (self.ends.len(), usize::try_from(count).unwrap_or(usize::MAX));
        let small = i32::try_from(count).is_ok() && i32::try_from(self.dim).is_ok();
        // `SciPy` takes both kinds of numbers, but one for both arrays.
        let kind = if small { "<i4" } else { "<i8" };
        let number = |number: u64| {
            let bytes = number.to_le_bytes();
            if small { bytes[..4].to_vec() } else { bytes.to_vec() }
        };
        let mut zip = ZipWriter::new(target);
        begin(&mut zip, "indices", header(kind, &[entries]), entries)?;
        let mut indices = rewind(self.indices)?;
        for _ in 0..count {
            let mut index = [0; 4];
            indices.read_exact(&mut index)?;
            zip.write_all(&number(u32::from_le_bytes(index).into()))?;
        }
        begin(&mut zip, "indptr", header(kind, &[rows + 1]), rows)?;
        let places: Vec<u8> = [0].iter().chain(&self.ends).flat_map(|end| number(*end)).collect();
        zip.write_all(&places)?;
        begin(&mut zip, "format", header("|S3", &[]), 0)?;
        zip.write_all(b"csr")?;
        begin(&mut zip, "shape", header("<i8", &[2]), 0)?;
        zip.write_all(&[(rows as u64).to_le_bytes(), (self.dim as u64).to_le_bytes()].concat())?;
        begin(&mut zip, "data", header("<f4", &[entries]), entries)?;
        io::copy(&mut rewind(self.values)?, &mut zip)?;
        if let Some(provenance) = self.provenance {
            zip.start_file(PROVENANCE_MEMBER, SimpleFileOptions::default()).map_err(plain)?;
            zip.write_all(provenance.as_bytes())?;
        }
        zip.finish().map(drop).map_err(plain)
    }
}

/// Begins the member of an array of so many numbers, deflated as `SciPy` does.
fn begin(zip: &mut ZipWriter<Quiet<'_>>, name: &str, header: Vec<u8>, numbers: usize) -> io::Result<()> {
    // Deflate may make it longer, but not that much.
    const LARGE: usize = (u32::MAX / 16) as usize;
    let options = SimpleFileOptions::default().large_file(numbers > LARGE);
    zip.start_file(format!("{name}.npy"), options).map_err(plain)?;
    zip.write_all(&header)
}

/// The system's own reason, where there is one.
fn plain(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(source) => source,
        other => io::Error::other(other),
    }
}

fn rewind(writer: BufWriter<File>) -> io::Result<BufReader<File>> {
    let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(BufReader::new(file))
}

/// A stream that fails once: an archive that is given up completes itself, and would print what that meets.
struct Quiet<'a> {
    stream: &'a mut Stream,
    failed: bool,
}

impl Write for Quiet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Ok(bytes.len());
        }
        self.stream.write(bytes).inspect_err(|_| self.failed = true)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed { Ok(()) } else { self.stream.flush().inspect_err(|_| self.failed = true) }
    }
}

impl Seek for Quiet<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        if self.failed {
            return Ok(0);
        }
        self.stream.seek(position).inspect_err(|_| self.failed = true)
    }
}
