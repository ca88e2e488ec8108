//! What stands behind a table, which has no graph: linear layers and normalisation of finished vectors.

use std::path::Path;

use ndarray::{Array1, Array2, Axis};
use st_export::{Dense, DenseActivation, Feature, Stage};

use crate::Error;
use crate::table::Tensors;

/// What a LayerNorm adds to the variance.
const EPSILON: f32 = 1e-5;

/// The modules behind a table, in order.
#[derive(Debug)]
pub(crate) struct Tail(Vec<Step>);

#[derive(Debug)]
enum Step {
    Normalize,
    Linear(Linear),
    LayerNorm { scale: Array1<f32>, shift: Array1<f32> },
}

#[derive(Debug)]
struct Linear {
    /// `[to, from]`.
    weight: Array2<f32>,
    bias: Option<Array1<f32>>,
    function: fn(f32) -> f32,
    residual: Residual,
}

#[derive(Debug)]
enum Residual {
    None,
    Itself,
    /// `[to, from]`.
    Projected(Array2<f32>),
}

impl Tail {
    /// Reads the weights of `stages` behind rows of `width` numbers; `folder` is that of the table, for the error about a
    /// stage that cannot follow it.
    pub(crate) fn load(folder: &Path, stages: &[Stage], mut width: usize) -> Result<Self, Error> {
        let step = |stage: &Stage| {
            let step =
                Step::load(stage, width)?.ok_or_else(|| Error::TableModules { folder: folder.to_owned() })?;
            if let Stage::Dense(dense) = stage {
                width = dense.to;
            }
            Ok(step)
        };
        stages.iter().map(step).collect::<Result<_, _>>().map(Self)
    }

    /// Rows `[texts, width]` as the last module answers them.
    pub(crate) fn apply(&self, rows: Array2<f32>) -> Array2<f32> {
        self.0.iter().fold(rows, |rows, step| step.apply(rows))
    }
}

impl Step {
    /// None for what changes no finished vectors, or in a way that is not known here.
    fn load(stage: &Stage, width: usize) -> Result<Option<Self>, Error> {
        Ok(match stage {
            Stage::Normalize(Feature::Sentence) => Some(Self::Normalize),
            Stage::Dense(dense) => match function(dense.activation) {
                Some(function) => Some(Self::Linear(Linear::load(dense, function)?)),
                None => None,
            },
            Stage::LayerNorm { weights } => {
                let tensors = Tensors::read(&weights.folder)?;
                let [scale, shift] = ["norm.weight", "norm.bias"].map(|name| tensors.vector(name, width));
                Some(Self::LayerNorm { scale: scale?, shift: shift? })
            }
            _ => None,
        })
    }

    fn apply(&self, mut rows: Array2<f32>) -> Array2<f32> {
        match self {
            Self::Normalize => st_pooling::normalize_in_place(rows.view_mut()),
            Self::Linear(linear) => return linear.apply(&rows),
            Self::LayerNorm { scale, shift } => {
                for mut row in rows.axis_iter_mut(Axis(0)) {
                    let mean = row.mean().unwrap_or_default();
                    row -= mean;
                    let variance = row.pow2().mean().unwrap_or_default();
                    row /= (variance + EPSILON).sqrt();
                    row *= scale;
                    row += shift;
                }
            }
        }
        rows
    }
}

impl Linear {
    fn load(dense: &Dense, function: fn(f32) -> f32) -> Result<Self, Error> {
        let tensors = Tensors::read(&dense.weights.folder)?;
        let shape = (dense.to, dense.from);
        Ok(Self {
            weight: tensors.matrix("linear.weight", shape)?,
            bias: dense.bias.then(|| tensors.vector("linear.bias", dense.to)).transpose()?,
            function,
            residual: match (dense.residual, dense.from == dense.to) {
                (false, _) => Residual::None,
                (true, true) => Residual::Itself,
                (true, false) => Residual::Projected(tensors.matrix("residual.weight", shape)?),
            },
        })
    }

    fn apply(&self, rows: &Array2<f32>) -> Array2<f32> {
        let mut answer = rows.dot(&self.weight.t());
        if let Some(bias) = &self.bias {
            answer += bias;
        }
        answer.mapv_inplace(self.function);
        match &self.residual {
            Residual::None => answer,
            Residual::Itself => answer + rows,
            Residual::Projected(weight) => answer + rows.dot(&weight.t()),
        }
    }
}

fn function(activation: DenseActivation) -> Option<fn(f32) -> f32> {
    match activation {
        DenseActivation::Identity => Some(|value| value),
        DenseActivation::Tanh => Some(f32::tanh),
        DenseActivation::Relu => Some(|value| value.max(0.0)),
        DenseActivation::Gelu => Some(gelu),
        DenseActivation::Sigmoid => Some(sigmoid),
        DenseActivation::Silu => Some(|value| value * sigmoid(value)),
        _ => None,
    }
}

fn gelu(value: f32) -> f32 {
    value * 0.5 * (1.0 + libm::erff(value * std::f32::consts::FRAC_1_SQRT_2))
}

fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}
