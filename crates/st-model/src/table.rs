//! Models that are a table: a row of numbers for each token, and no transformer.

use std::fs;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use ndarray::{Array, Array1, Array2, Axis, Dimension, IntoDimension};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::Error;

/// A larger table is taken for a mistake: the largest known ones have a million rows of 1,024 numbers.
const MAX_BYTES: u64 = 16 << 30;

/// Where the weights of a module are.
fn file(folder: &Path) -> Result<PathBuf, Error> {
    st_export::checkpoint::single_file(folder)
        .map_err(|source| Error::Weights { folder: folder.to_owned(), source: Box::new(source) })
}

/// Width of the rows: of a table of vectors their dimensions, of one of numbers how many tokens it has.
pub(crate) fn width(folder: &Path) -> Result<usize, Error> {
    let path = file(folder)?;
    let fail = |problem: &str| Error::Table { path: path.clone(), problem: problem.to_owned() };
    let read_failed = |source| Error::Read { path: path.clone(), source };
    let size = fs::metadata(&path).map_err(read_failed)?.len();
    let mut start = Vec::new();
    let file = fs::File::open(&path).map_err(read_failed)?;
    // The header is all that is needed, and it comes first.
    std::io::Read::read_to_end(&mut std::io::Read::take(file, 1 << 20), &mut start).map_err(read_failed)?;
    let header = st_export::checkpoint::read_safetensors_header(&start, size)
        .map_err(|problem| fail(&problem.to_string()))?;
    let shape = |name: &str| header.tensors.get(name).map(|tensor| tensor.shape.as_slice());
    match (shape("embedding.weight").or_else(|| shape("embeddings")), shape("weight")) {
        (Some([_, width]), _) | (_, Some([width])) => Ok(*width),
        _ => Err(fail("it has neither `embedding.weight`, `embeddings` nor `weight` of a usable shape")),
    }
}

/// Reads the vectors of a `StaticEmbedding`, `[tokens, dim]`, in either of its layouts.
///
/// model2vec's own may have a row for several tokens (`mapping`) and a factor for each token (`weights`).
pub(crate) fn read_vectors(folder: &Path) -> Result<Array2<f32>, Error> {
    let path = file(folder)?;
    let fail = |problem: String| Error::Table { path: path.clone(), problem };
    let bytes = read(&path)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| fail(error.to_string()))?;
    let plain = tensors.tensor("embedding.weight");
    let rows = plain.or_else(|_| tensors.tensor("embeddings"));
    let rows = rows.map_err(|_| fail("it has neither `embedding.weight` nor `embeddings`".to_owned()))?;
    let mut rows = matrix(&rows).map_err(&fail)?;
    if let Ok(mapping) = tensors.tensor("mapping") {
        let places = indices(&mapping, rows.nrows()).map_err(&fail)?;
        rows = rows.select(Axis(0), &places);
    }
    if let Ok(weights) = tensors.tensor("weights") {
        let weights = numbers(&weights).map_err(&fail)?;
        if weights.len() != rows.nrows() {
            return Err(fail(format!("{} weights for {} tokens", weights.len(), rows.nrows())));
        }
        for (mut row, weight) in rows.axis_iter_mut(Axis(0)).zip(weights) {
            row *= weight;
        }
    }
    Ok(rows)
}

/// Reads the numbers of a `SparseStaticEmbedding`, one for each token.
pub(crate) fn read_numbers(folder: &Path) -> Result<Array1<f32>, Error> {
    let path = file(folder)?;
    let fail = |problem: String| Error::Table { path: path.clone(), problem };
    let bytes = read(&path)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| fail(error.to_string()))?;
    let weight = tensors.tensor("weight").map_err(|error| fail(error.to_string()))?;
    Ok(numbers(&weight).map_err(&fail)?.into())
}

/// The weights of a module, read as a whole.
pub(crate) struct Tensors {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Tensors {
    /// Reads those of the module in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = file(folder)?;
        let bytes = read(&path)?;
        Ok(Self { path, bytes })
    }

    /// A tensor of one axis.
    pub(crate) fn vector(&self, name: &str, width: usize) -> Result<Array1<f32>, Error> {
        self.array(name, width)
    }

    /// A tensor of two axes.
    pub(crate) fn matrix(&self, name: &str, shape: (usize, usize)) -> Result<Array2<f32>, Error> {
        self.array(name, shape)
    }

    fn array<D: Dimension>(
        &self,
        name: &str,
        shape: impl IntoDimension<Dim = D>,
    ) -> Result<Array<f32, D>, Error> {
        let fail = |problem: String| Error::Table { path: self.path.clone(), problem };
        let shape = shape.into_dimension();
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|error| fail(error.to_string()))?;
        let tensor = tensors.tensor(name).map_err(|error| fail(error.to_string()))?;
        if tensor.shape() != shape.slice() {
            return Err(fail(format!("`{name}` is {:?} instead of {:?}", tensor.shape(), shape.slice())));
        }
        let numbers = numbers(&tensor).map_err(&fail)?;
        Array::from_shape_vec(shape, numbers).map_err(|error| fail(error.to_string()))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let fail = |source| Error::Read { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(fail)?.len();
    if size > MAX_BYTES {
        return Err(Error::Table { path: path.to_owned(), problem: format!("{size} bytes are too many") });
    }
    fs::read(path).map_err(fail)
}

fn matrix(tensor: &TensorView<'_>) -> Result<Array2<f32>, String> {
    let &[rows, width] = tensor.shape() else {
        return Err(format!("a table must have two axes, not the shape {:?}", tensor.shape()));
    };
    Array2::from_shape_vec((rows, width), numbers(tensor)?).map_err(|error| error.to_string())
}

/// The numbers of a tensor of any usual format.
#[expect(clippy::cast_possible_truncation, reason = "models compute in single precision")]
fn numbers(tensor: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let data = tensor.data();
    let numbers: Vec<f32> = match tensor.dtype() {
        Dtype::F32 => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        Dtype::F64 => data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect(),
        Dtype::I8 => data.iter().map(|byte| f32::from(i8::from_le_bytes([*byte]))).collect(),
        Dtype::U8 => data.iter().map(|byte| f32::from(*byte)).collect(),
        other => return Err(format!("numbers of the format {other:?} are not read")),
    };
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(place) => Err(format!("number {place} is {}", numbers[place])),
        None => Ok(numbers),
    }
}

fn indices(tensor: &TensorView<'_>, rows: usize) -> Result<Vec<usize>, String> {
    let data = tensor.data();
    let places: Vec<i64> = match tensor.dtype() {
        Dtype::I64 => data.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect(),
        Dtype::I32 => data.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes).into()).collect(),
        other => return Err(format!("a mapping of the format {other:?} is not read")),
    };
    places
        .into_iter()
        .map(|place| usize::try_from(place).ok().filter(|place| *place < rows))
        .map(|place| place.ok_or_else(|| format!("the mapping leaves the table of {rows} rows")))
        .collect()
}
