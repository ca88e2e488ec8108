//! BLAKE3 of whole files, on a few threads.
//!
//! A model is hashed each time that its graph is looked for, so this is on the path of every cold start.
//! BLAKE3 is a tree: segments are hashed apart from each other and then joined, and the result is the
//! ordinary digest, which `b3sum` prints too.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};
use blake3::{Hash, Hasher};

use crate::Error;
use crate::checkpoint::WeightFiles;

/// Hexadecimal BLAKE3 of a file, the one that `b3sum` prints; large files are read on a few threads.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read.
pub fn file_digest(path: &Path) -> Result<String, Error> {
    Ok(digest_file(path)?.0.to_hex().to_string())
}

/// Hexadecimal digest of the weights of a checkpoint, whatever is made of them: one over the BLAKE3 of each file.
///
/// [`CachedGraph::weights_digest`](crate::CachedGraph::weights_digest) is the same, without reading them again.
///
/// # Errors
///
/// What [`export()`](crate::export()) says where there are no weights that can be read, and
/// [`Error::Io`].
pub fn weights_digest(folder: &Path) -> Result<String, Error> {
    let files = WeightFiles::find(folder)?.paths;
    let digests = files.iter().map(|path| Ok(digest_file(path)?.0)).collect::<Result<Vec<_>, Error>>()?;
    Ok(joined(&digests))
}

/// One digest for several files, in their order.
pub(crate) fn joined(files: &[Hash]) -> String {
    let mut hasher = Hasher::new();
    for digest in files {
        hasher.update(digest.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Bytes of a segment: a power of two, as the tree demands, and large enough that starting a thread does not
/// matter.
const SEGMENT: u64 = 4 << 20;
/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// More threads than this wait for memory, not for each other.
const THREADS: usize = 4;

/// The digest of a file and its size.
pub(crate) fn digest_file(path: &Path) -> Result<(Hash, u64), Error> {
    let metadata = path.metadata().map_err(|source| Error::io("open", path, source))?;
    let bytes = metadata.len();
    if bytes <= SEGMENT {
        let hasher = hash_segment(&mut open(path)?, path, 0, bytes)?;
        return Ok((hasher.finalize(), bytes));
    }
    let segments = hash_segments(path, bytes)?;
    let (left, right) = join_halves(&segments, bytes);
    Ok((merge_subtrees_root(&left, &right, Mode::Hash), bytes))
}

/// Hashes all segments on a few threads, in any order.
fn hash_segments(path: &Path, bytes: u64) -> Result<Vec<ChainingValue>, Error> {
    let count = bytes.div_ceil(SEGMENT);
    let next = AtomicU64::new(0);
    let work = || -> Result<Vec<(u64, ChainingValue)>, Error> {
        let mut file = open(path)?;
        let mut done = Vec::new();
        loop {
            let segment = next.fetch_add(1, Ordering::Relaxed);
            if segment >= count {
                return Ok(done);
            }
            let start = segment * SEGMENT;
            let hasher = hash_segment(&mut file, path, start, (bytes - start).min(SEGMENT))?;
            done.push((segment, hasher.finalize_non_root()));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let mut segments = thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work()?;
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok::<_, Error>(all)
    })?;
    segments.sort_unstable_by_key(|&(segment, _)| segment);
    Ok(segments.into_iter().map(|(_, value)| value).collect())
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::io("open", path, source))
}

/// Hashes `bytes` bytes from `start` on.
fn hash_segment(file: &mut File, path: &Path, start: u64, bytes: u64) -> Result<Hasher, Error> {
    let failed = |source| Error::io("read", path, source);
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    let mut hasher = Hasher::new();
    hasher.set_input_offset(start);
    let mut piece = vec![0; PIECE];
    let mut left = bytes;
    while left > 0 {
        piece.truncate(usize::try_from(left).unwrap_or(PIECE));
        file.read_exact(&mut piece).map_err(failed)?;
        hasher.update(&piece);
        left -= piece.len() as u64;
    }
    Ok(hasher)
}

/// Joins the segments of each side of a tree over `bytes` bytes, which are more than one segment.
fn join_halves(segments: &[ChainingValue], bytes: u64) -> (ChainingValue, ChainingValue) {
    let left_bytes = left_subtree_len(bytes);
    let middle = usize::try_from(left_bytes / SEGMENT).unwrap_or(usize::MAX).min(segments.len());
    let (left, right) = segments.split_at(middle);
    (join(left, left_bytes), join(right, bytes - left_bytes))
}

fn join(segments: &[ChainingValue], bytes: u64) -> ChainingValue {
    if let [only] = segments {
        return *only;
    }
    let (left, right) = join_halves(segments, bytes);
    merge_subtrees_non_root(&left, &right, Mode::Hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: u64) {
        let content: Vec<u8> = (0..bytes).map(|place| ((place * 31) >> 7).to_le_bytes()[0]).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &content).unwrap();
        assert_eq!(digest_file(file.path()).unwrap(), (blake3::hash(&content), bytes));
    }

    #[test]
    fn segments_join_to_the_ordinary_digest() {
        for bytes in [0, 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT, 5 * SEGMENT + 17] {
            check(bytes);
        }
    }
}
