//! What stands behind a table, which has no graph: linear layers and normalisation of finished vectors.

use ndarray::{Array1, Array2, Axis};
use st_export::{Dense, DenseActivation, Feature, Stage};

use crate::Error;
use crate::spec::{ModuleKind, RouteSpec};
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
    /// Reads the weights of the stages of a route behind rows of `width` numbers.
    pub(crate) fn load(route: &RouteSpec, mut width: usize) -> Result<Self, Error> {
        let refused = || Error::TableModules {
            folder: route.input.folder().to_owned(),
            module: route.module_beyond_pooling().map_or("module", ModuleKind::name),
        };
        let step = |stage: &Stage| {
            let step = Step::load(stage, width)?.ok_or_else(refused)?;
            if let Stage::Dense(dense) = stage {
                width = dense.to;
            }
            Ok(step)
        };
        route.stages.iter().map(step).collect::<Result<_, _>>().map(Self)
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

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;

    /// The logistic function and the error function of the same value, in double precision.
    fn oracle(activation: DenseActivation, value: f64) -> f64 {
        let sigmoid = 1.0 / (1.0 + (-value).exp());
        match activation {
            DenseActivation::Tanh => value.tanh(),
            DenseActivation::Relu => value.max(0.0),
            DenseActivation::Gelu => value * 0.5 * (1.0 + libm::erf(value / 2.0_f64.sqrt())),
            DenseActivation::Sigmoid => sigmoid,
            DenseActivation::Silu => value * sigmoid,
            _ => value,
        }
    }

    const ALL: [DenseActivation; 6] = [
        DenseActivation::Identity,
        DenseActivation::Tanh,
        DenseActivation::Relu,
        DenseActivation::Gelu,
        DenseActivation::Sigmoid,
        DenseActivation::Silu,
    ];

    fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Array2<f32>> {
        prop::collection::vec(-3.0_f32..3.0, rows * columns)
            .prop_map(move |numbers| Array2::from_shape_vec((rows, columns), numbers).unwrap())
    }

    #[test]
    fn far_numbers_stay_numbers() {
        for activation in ALL {
            let function = function(activation).unwrap();
            for value in [-1e4_f32, -90.0, 0.0, 90.0, 1e4] {
                assert!(function(value).is_finite(), "{activation:?} of {value}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_linear_layer_is_that_of_the_oracle(
            rows in matrix(3, 4),
            weight in matrix(5, 4),
            kept in matrix(5, 4),
            which in 0_usize..6,
            residual in any::<bool>(),
        ) {
            let linear = Linear {
                weight: weight.clone(),
                bias: Some(Array1::from_elem(5, 0.25)),
                function: function(ALL[which]).unwrap(),
                residual: if residual { Residual::Projected(kept.clone()) } else { Residual::None },
            };
            let answer = linear.apply(&rows);
            for ((row, column), &got) in answer.indexed_iter() {
                let product = |weights: &Array2<f32>| -> f64 {
                    let pairs = rows.row(row).into_iter().zip(weights.row(column));
                    pairs.map(|(&one, &two)| f64::from(one) * f64::from(two)).sum()
                };
                let added = if residual { product(&kept) } else { 0.0 };
                let want = oracle(ALL[which], product(&weight) + 0.25) + added;
                prop_assert!((f64::from(got) - want).abs() < 2e-5, "{got} is not {want}");
            }
        }

        #[test]
        fn a_norm_has_mean_and_variance_of_the_oracle(rows in matrix(2, 7)) {
            let step = Step::LayerNorm { scale: Array1::from_elem(7, 1.5), shift: Array1::from_elem(7, -0.5) };
            let answer = step.apply(rows.clone());
            for (got, row) in answer.outer_iter().zip(rows.outer_iter()) {
                let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / 7.0;
                let variance = row.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / 7.0;
                for (&got, &value) in got.iter().zip(row) {
                    let want = (f64::from(value) - mean) / (variance + 1e-5).sqrt() * 1.5 - 0.5;
                    prop_assert!((f64::from(got) - want).abs() < 2e-5, "{got} is not {want}");
                }
            }
        }
    }
}
