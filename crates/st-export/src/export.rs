//! The doors of the crate: a checkpoint folder in, a graph on disk or in memory out.

use std::collections::BTreeMap;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::architectures::Architecture;
use crate::checkpoint::{Checkpoint, Naming, WeightFiles};
use crate::head::Stage;
use crate::head::Task;
use crate::ir::{Graph, ValueInfo};
use crate::onnx::{FILE_LIMIT, Plan, Sink};
use crate::passes::quantize_linears;
use crate::publish::{Draft, create_folder, remove_file, sync_folder};
use crate::{Error, Head};

/// Where the weights go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightPlacement {
    /// Inside `model.onnx` unless it would pass the two gigabyte limit of the format.
    #[default]
    Automatic,
    /// Inside `model.onnx`, an error beyond two gigabytes.
    Inside,
    /// In `model.onnx_data`, which runtimes map into memory instead of reading.
    External,
}

/// In which numbers a graph computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quantization {
    /// 32-bit floats everywhere: what the checkpoint says.
    #[default]
    None,
    /// Linear layers in 8-bit whole numbers, but for the values of attention: about twice as fast, a little
    /// different. Every token is quantised by itself, so that texts of one batch do not influence each other.
    ///
    /// On x86 processors without VNNI, ONNX Runtime adds pairs of 8-bit products in 16 bits, where they can
    /// overflow. Whoever runs the graph there sets its session option `session.x64quantprecision` to `1`; with
    /// VNNI that would only cost speed.
    Int8,
}

/// How [`export()`] writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Where the weights go.
    pub weights: WeightPlacement,
    /// Whether files of an earlier export may be replaced.
    pub overwrite: bool,
    /// In which numbers the graph computes.
    pub quantization: Quantization,
}

impl ExportOptions {
    /// Sets where the weights go.
    #[must_use]
    pub fn with_weights(mut self, weights: WeightPlacement) -> Self {
        self.weights = weights;
        self
    }

    /// Sets whether files of an earlier export may be replaced.
    #[must_use]
    pub fn with_overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Sets in which numbers the graph computes.
    #[must_use]
    pub fn with_quantization(mut self, quantization: Quantization) -> Self {
        self.quantization = quantization;
        self
    }
}

/// What an export wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exported {
    /// The graph.
    pub model: PathBuf,
    /// The weights beside it, when they are not inside.
    pub weights: Option<PathBuf>,
    /// Inputs of the graph, in order.
    pub inputs: Vec<ValueInfo>,
    /// Outputs of the graph, in order.
    pub outputs: Vec<ValueInfo>,
    /// How often each operator occurs.
    pub operators: BTreeMap<String, usize>,
    /// Numbers that were learnt.
    pub parameters: u64,
    /// Bytes of all files together.
    pub bytes: u64,
}

/// Name of the graph.
pub(crate) const MODEL: &str = "model.onnx";
/// Name of the weights beside it.
pub(crate) const WEIGHTS: &str = "model.onnx_data";

/// Writes the transformer in `folder` as `model.onnx` (and perhaps `model.onnx_data`) into `destination`.
///
/// `folder` is a checkpoint with `config.json` and safetensors. The graph takes int64 `input_ids`,
/// `attention_mask` and `token_type_ids`, each `[batch, sequence]`, and gives float32 `token_embeddings`
/// `[batch, sequence, hidden]`; with a `head` also `sentence_embedding` `[batch, dim]`.
///
/// Nothing half-written is ever seen under the final names: files are written under temporary ones in
/// `destination`, brought to the disk, and renamed. A graph that is replaced goes first, so an interruption
/// leaves no graph rather than one with the weights of another.
///
/// # Errors
///
/// [`Error::Exists`] unless overwriting is allowed, [`Error::DiskFull`], and everything that can be wrong
/// with the checkpoint: see [`Error`].
pub fn export(
    folder: &Path,
    head: Option<&Head>,
    destination: &Path,
    options: &ExportOptions,
) -> Result<Exported, Error> {
    if !options.overwrite {
        refuse_existing(destination)?;
    }
    let source = Source::open(folder, head, options.quantization)?;
    let plan = Plan::new(&source.graph);
    let outside = goes_outside(options.weights, folder, plan.bytes_inside())?;
    create_folder(destination)?;
    let (model, weights) = source.write(&plan, destination, outside, options.overwrite)?;
    let bytes = [Some(&model), weights.as_ref()]
        .into_iter()
        .flatten()
        .map(|path| size(path))
        .sum::<Result<_, _>>()?;
    let graph = &source.graph;
    Ok(Exported {
        model,
        weights,
        inputs: graph.inputs.iter().map(|port| graph.value_info(port)).collect(),
        outputs: graph.outputs.iter().map(|port| graph.value_info(port)).collect(),
        operators: graph.operators(),
        parameters: graph.parameters(),
        bytes,
    })
}

/// Writes the transformer in `folder` into memory, weights inside; see [`export()`].
///
/// # Errors
///
/// [`Error::TooLarge`] over two gigabytes, and everything that can be wrong with the checkpoint: see
/// [`Error`].
pub fn export_bytes(
    folder: &Path,
    head: Option<&Head>,
    quantization: Quantization,
) -> Result<Vec<u8>, Error> {
    let source = Source::open(folder, head, quantization)?;
    let plan = Plan::new(&source.graph);
    goes_outside(WeightPlacement::Inside, folder, plan.bytes_inside())?;
    let mut bytes = Vec::with_capacity(usize::try_from(plan.bytes_inside()).unwrap_or(0));
    plan.write_inside(&source.checkpoint, &mut Sink::new(&mut bytes, folder))?;
    Ok(bytes)
}

/// A checkpoint whose weights fit its graph.
struct Source {
    graph: Graph,
    checkpoint: Checkpoint,
}

impl Source {
    /// Reads configuration and headers, and checks that every weight is there.
    fn open(folder: &Path, head: Option<&Head>, quantization: Quantization) -> Result<Self, Error> {
        if let Some(head) = head
            && head.stages.iter().any(|stage| matches!(stage, Stage::Pooling(modes) if modes.is_empty()))
        {
            return Err(Error::HeadWithoutPooling);
        }
        let architecture = Architecture::read(folder)?;
        let name = architecture.name();
        let files = WeightFiles::find(folder)?;
        let mut checkpoint = Checkpoint::open(&files, name, architecture.naming())?;
        for module in head.into_iter().flat_map(Head::modules) {
            let files = WeightFiles::find(&module.folder)?;
            checkpoint.add(&files, &format!("{}.", module.name), &Naming::MODULE)?;
        }
        // Without that layer the reference does not look for the embeddings under its name.
        let decodes = head.is_some_and(|head| head.task == Task::Vocabulary);
        if let Some(tied) = architecture.tied_decoder().filter(|_| decodes) {
            checkpoint.restore(tied);
        }
        let graph = architecture.graph(head, &|tied| checkpoint.choose(tied))?;
        let sound =
            |graph: &Graph| graph.validate().map_err(|source| Error::Graph { architecture: name, source });
        sound(&graph)?;
        let weights = graph.initializers.iter().filter(|tensor| tensor.is_weight());
        checkpoint.check(weights.map(|tensor| (graph.value_name(tensor.value), tensor.dims.as_slice())))?;
        let graph = match quantization {
            Quantization::None => graph,
            Quantization::Int8 => {
                let graph = quantize_linears(graph);
                sound(&graph)?;
                graph
            }
        };
        Ok(Self { graph, checkpoint })
    }

    /// Writes the files and returns their paths.
    fn write(
        &self,
        plan: &Plan<'_>,
        destination: &Path,
        outside: bool,
        overwrite: bool,
    ) -> Result<(PathBuf, Option<PathBuf>), Error> {
        let mut model = Draft::begin(destination, MODEL)?;
        let mut weights = outside.then(|| Draft::begin(destination, WEIGHTS)).transpose()?;
        write_drafts(plan, &self.checkpoint, &mut model, weights.as_mut())?;
        if overwrite {
            remove_file(&destination.join(MODEL))?;
            remove_file(&destination.join(WEIGHTS))?;
        }
        let weights = weights.map(|draft| draft.publish(overwrite)).transpose()?;
        let model = match model.publish(overwrite) {
            Ok(model) => model,
            Err(error) => {
                // Weights without a graph would be half an export.
                weights.as_deref().map_or(Ok(()), remove_file)?;
                return Err(error);
            }
        };
        sync_folder(destination)?;
        Ok((model, weights))
    }
}

/// Whether the weights of a file that would take `bytes` bytes go into a file of their own.
fn goes_outside(placement: WeightPlacement, folder: &Path, bytes: u64) -> Result<bool, Error> {
    match placement {
        WeightPlacement::External => Ok(true),
        WeightPlacement::Automatic => Ok(bytes > FILE_LIMIT),
        WeightPlacement::Inside if bytes <= FILE_LIMIT => Ok(false),
        WeightPlacement::Inside => {
            Err(Error::TooLarge { folder: folder.to_path_buf(), bytes, limit: FILE_LIMIT })
        }
    }
}

fn write_drafts(
    plan: &Plan<'_>,
    checkpoint: &Checkpoint,
    model: &mut Draft,
    weights: Option<&mut Draft>,
) -> Result<(), Error> {
    let (file, path) = model.file_and_path();
    let mut writer = BufWriter::new(file);
    let mut sink = Sink::new(&mut writer, path);
    if let Some(weights) = weights {
        let (file, path) = weights.file_and_path();
        let mut writer = BufWriter::with_capacity(WRITE_BUFFER, file);
        plan.write_outside(checkpoint, &mut sink, &mut Sink::new(&mut writer, path), WEIGHTS)?;
        drop(writer);
        weights.sync()?;
    } else {
        plan.write_inside(checkpoint, &mut sink)?;
    }
    drop(writer);
    model.sync()
}

/// Gathers the small weights, which are most of them, into few writes.
const WRITE_BUFFER: usize = 256 << 10;

fn refuse_existing(destination: &Path) -> Result<(), Error> {
    for name in [MODEL, WEIGHTS] {
        let path = destination.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(Error::Exists { path });
        }
    }
    Ok(())
}

fn size(path: &Path) -> Result<u64, Error> {
    Ok(path.metadata().map_err(|source| Error::io("read", path, source))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_leave_the_file_where_it_would_pass_the_limit() {
        let outside = |placement, bytes| goes_outside(placement, Path::new("big"), bytes);
        assert!(!outside(WeightPlacement::Automatic, FILE_LIMIT).unwrap());
        assert!(outside(WeightPlacement::Automatic, FILE_LIMIT + 1).unwrap());
        assert!(outside(WeightPlacement::External, 1).unwrap());
        assert!(!outside(WeightPlacement::Inside, FILE_LIMIT).unwrap());
        assert_eq!(
            outside(WeightPlacement::Inside, FILE_LIMIT + 1).unwrap_err().to_string(),
            "`big` would take 2147483648 bytes in one file but ONNX ends at 2147483647"
        );
    }
}
