//! Reader of NumPy's `.npy` files: little-endian, C order, one or two dimensions.

use std::path::{Path, PathBuf};
use std::{fs, io};

use ndarray::{Array1, Array2};

/// Why an array could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file does not begin as NumPy files do.
    #[error("{}: not a .npy file: {what}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with its header.
        what: &'static str,
    },
    /// The numbers are of another type than asked for.
    #[error("{}: holds numbers of type `{found}`, wanted `{wanted}`", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The type in the file, as NumPy spells it.
        found: String,
        /// The type that was asked for.
        wanted: &'static str,
    },
    /// The array has another number of dimensions than asked for.
    #[error("{}: shape is {found:?}, wanted {wanted} dimensions", path.display())]
    Dimensions {
        /// The file.
        path: PathBuf,
        /// The shape in the file.
        found: Vec<usize>,
        /// How many dimensions were asked for.
        wanted: usize,
    },
    /// The file is shorter or longer than its shape says.
    #[error("{}: {found} bytes of numbers, but the shape {shape:?} needs {wanted}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// The shape in the file.
        shape: Vec<usize>,
        /// Bytes after the header.
        found: usize,
        /// Bytes that the shape needs.
        wanted: usize,
    },
}

/// A number that `.npy` files hold.
pub trait Number: Copy {
    /// NumPy's spelling of the type, little-endian.
    const TYPE: &'static str;
    /// Bytes of one number.
    const SIZE: usize;
    /// The number in the [`SIZE`](Self::SIZE) bytes; `None` for any other count.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// Implements [`Number`] for a primitive.
macro_rules! numbers {
    ($($number:ty = $text:literal),+) => {$(
        impl Number for $number {
            const TYPE: &'static str = $text;
            const SIZE: usize = size_of::<$number>();
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }
        }
    )+};
}

numbers!(f32 = "<f4", f64 = "<f8", i64 = "<i8", i8 = "|i1", u8 = "|u1");

/// Reads an array of one dimension.
///
/// # Errors
///
/// [`Error`], naming the file: not there, not `.npy`, other numbers, other dimensions, cut short.
pub fn read_1d<N: Number>(path: &Path) -> Result<Array1<N>, Error> {
    let (shape, numbers) = read(path)?;
    if shape.len() == 1 {
        Ok(Array1::from_vec(numbers))
    } else {
        Err(Error::Dimensions { path: path.to_owned(), found: shape, wanted: 1 })
    }
}

/// Reads an array of two dimensions.
///
/// # Errors
///
/// As [`read_1d`].
pub fn read_2d<N: Number>(path: &Path) -> Result<Array2<N>, Error> {
    let (shape, numbers) = read(path)?;
    let wrong = || Error::Dimensions { path: path.to_owned(), found: shape.clone(), wanted: 2 };
    let [rows, columns] = *shape.as_slice() else { return Err(wrong()) };
    Array2::from_shape_vec((rows, columns), numbers).map_err(|_| wrong())
}

/// Shape and numbers in C order.
fn read<N: Number>(path: &Path) -> Result<(Vec<usize>, Vec<N>), Error> {
    let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let (header, body) =
        split(&bytes).ok_or_else(|| not_npy(path, "the magic number or the length is wrong"))?;
    let found = field(header, "'descr': '")
        .and_then(|rest| rest.split('\'').next())
        .ok_or_else(|| not_npy(path, "no type in the header"))?;
    if found != N::TYPE {
        return Err(Error::Type { path: path.to_owned(), found: found.to_owned(), wanted: N::TYPE });
    }
    if field(header, "'fortran_order': ").is_none_or(|rest| !rest.starts_with("False")) {
        return Err(not_npy(path, "only C order is read"));
    }
    let shape = shape(header).ok_or_else(|| not_npy(path, "no shape in the header"))?;
    let wanted = shape.iter().product::<usize>() * N::SIZE;
    if body.len() != wanted {
        return Err(Error::Length { path: path.to_owned(), shape, found: body.len(), wanted });
    }
    Ok((shape, body.chunks_exact(N::SIZE).filter_map(N::from_bytes).collect()))
}

/// Header text and the bytes of the numbers; versions 1 to 3 differ in the width of the header's length.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (version, rest) = bytes.strip_prefix(b"\x93NUMPY")?.split_at_checked(2)?;
    let (length, rest) = match version.first()? {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
        }
        _ => return None,
    };
    let (header, body) = rest.split_at_checked(length)?;
    Some((str::from_utf8(header).ok()?, body))
}

/// What follows `name` in the header, which is a Python dictionary.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split_once(name).map(|(_, rest)| rest)
}

/// The tuple behind `shape`.
fn shape(header: &str) -> Option<Vec<usize>> {
    let (inside, _) = field(header, "'shape': (")?.split_once(')')?;
    inside.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect()
}

fn not_npy(path: &Path, what: &'static str) -> Error {
    Error::Header { path: path.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// A version 1 file as NumPy writes it, but without padding.
    fn npy(header: &str, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(header.len()).unwrap();
        [b"\x93NUMPY\x01\x00", length.to_le_bytes().as_slice(), header.as_bytes(), body].concat()
    }

    #[track_caller]
    fn check_2d<N: Number + PartialEq + std::fmt::Debug>(bytes: &[u8], wanted: Result<Array2<N>, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        fs::write(&path, bytes).unwrap();
        let got = read_2d::<N>(&path)
            .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""));
        assert_eq!(got, wanted.map_err(str::to_owned));
    }

    const IDS: &str = "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 1), }\n";

    #[test]
    fn two_dimensions() {
        let body = [7_i64.to_le_bytes(), (-2_i64).to_le_bytes()].concat();
        check_2d(&npy(IDS, &body), Ok(array![[7_i64], [-2]]));
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3), }";
        check_2d(&npy(header, &[1, 2, 255]), Ok(array![[1_u8, 2, 255]]));
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 384), }";
        check_2d(&npy(header, &[]), Ok(Array2::<f32>::zeros((0, 384))));
    }

    #[test]
    fn damage_is_named() {
        let cut = "a.npy: 15 bytes of numbers, but the shape [2, 1] needs 16";
        check_2d::<i64>(&npy(IDS, &[0; 15]), Err(cut));
        check_2d::<f32>(&npy(IDS, &[0; 16]), Err("a.npy: holds numbers of type `<i8`, wanted `<f4`"));
        let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }";
        check_2d::<f32>(&npy(header, &[0; 4]), Err("a.npy: not a .npy file: only C order is read"));
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
        check_2d::<f32>(&npy(header, &[0; 12]), Err("a.npy: shape is [3], wanted 2 dimensions"));
        let magic = "a.npy: not a .npy file: the magic number or the length is wrong";
        check_2d::<f32>(b"\x93NUMPY\x01\x00\xff\xff{", Err(magic));
        check_2d::<f32>(b"", Err(magic));
    }

    #[test]
    fn one_dimension_and_a_missing_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
        let body = [0.5_f64.to_le_bytes(), (-1.0_f64).to_le_bytes()].concat();
        fs::write(&path, npy(header, &body)).unwrap();
        assert_eq!(read_1d::<f64>(&path).unwrap(), array![0.5, -1.0]);

        let error = read_1d::<f64>(Path::new("no/such.npy")).unwrap_err();
        assert_eq!(error.to_string(), "no/such.npy: cannot be read");
        assert!(std::error::Error::source(&error).is_some());
    }
}
