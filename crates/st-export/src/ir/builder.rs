//! Builds a graph in the order in which it computes.

use std::collections::HashMap;

use super::{Dim, ElementType, GeluForm, Graph, Initializer, Node, Op, Port, TensorData, ValueId};

/// Makes a [`Graph`] whose names say where in the model each value belongs.
///
/// ```
/// use st_export::ir::{Dim, ElementType, GraphBuilder};
///
/// let mut builder = GraphBuilder::new("double");
/// let input = builder.input("input", ElementType::Float32, vec![Dim::Symbolic("batch".into())]);
/// let two = builder.float32(2.0);
/// let doubled = builder.within("middle", |builder| builder.mul(input, two));
/// builder.output("output", doubled, ElementType::Float32, vec![Dim::Symbolic("batch".into())]);
/// let graph = builder.finish();
/// assert_eq!(graph.nodes[0].name, "middle/Mul");
/// graph.validate()?;
/// # Ok::<(), st_export::ir::GraphProblem>(())
/// ```
#[derive(Debug, Default)]
pub struct GraphBuilder {
    graph: Graph,
    scope: Vec<String>,
    used: HashMap<String, usize>,
    constants: HashMap<String, ValueId>,
    weights: HashMap<String, ValueId>,
}

impl GraphBuilder {
    /// An empty graph of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { graph: Graph { name: name.into(), ..Graph::default() }, ..Self::default() }
    }

    /// The finished graph.
    pub fn finish(self) -> Graph {
        self.graph
    }

    /// Builds a part whose nodes are named after `scope`, inside the scopes that are open already.
    pub fn within<R>(&mut self, scope: &str, build: impl FnOnce(&mut Self) -> R) -> R {
        self.scope.push(scope.to_owned());
        let result = build(self);
        self.scope.pop();
        result
    }

    /// Builds a part whose names begin anew, whatever scopes are open.
    pub fn outside<R>(&mut self, build: impl FnOnce(&mut Self) -> R) -> R {
        let scope = std::mem::take(&mut self.scope);
        let result = build(self);
        self.scope = scope;
        result
    }

    /// Declares what callers feed.
    pub fn input(&mut self, name: &str, element_type: ElementType, dims: Vec<Dim>) -> ValueId {
        let value = self.graph.add_value(name);
        self.graph.inputs.push(Port { value, element_type, dims });
        value
    }

    /// Declares what callers fetch, and gives the value, which a node has to make, that name.
    pub fn output(&mut self, name: &str, value: ValueId, element_type: ElementType, dims: Vec<Dim>) {
        if let Some(old) = self.graph.names.get_mut(value.0) {
            name.clone_into(old);
        }
        self.graph.outputs.push(Port { value, element_type, dims });
    }

    /// A tensor of the checkpoint: its name there is that of the open scopes, then `name`. Asked for again, it
    /// is the same tensor: layers may share their weights.
    pub fn weight(&mut self, name: &str, dims: &[usize]) -> ValueId {
        let name = self.scope.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".");
        self.weight_named(name, dims)
    }

    /// A tensor of the checkpoint under its full name there, whatever scopes are open.
    pub fn weight_named(&mut self, name: impl Into<String>, dims: &[usize]) -> ValueId {
        let name = name.into();
        if let Some(&value) = self.weights.get(&name) {
            return value;
        }
        let value = self.initializer(name.clone(), dims.to_vec(), TensorData::Weight);
        self.weights.insert(name, value);
        value
    }

    /// A scalar constant.
    pub fn float32(&mut self, number: f32) -> ValueId {
        self.constant(format!("constant/float32 {number:?}"), Vec::new(), TensorData::Float32(vec![number]))
    }

    /// A scalar constant.
    pub fn int64(&mut self, number: i64) -> ValueId {
        self.constant(format!("constant/int64 {number}"), Vec::new(), TensorData::Int64(vec![number]))
    }

    /// A constant with one axis: a shape, or a list of axes.
    pub fn int64s(&mut self, numbers: &[i64]) -> ValueId {
        let data = TensorData::Int64(numbers.to_vec());
        self.constant(format!("constant/int64 {numbers:?}"), vec![numbers.len()], data)
    }

    /// A constant of any shape; `what` says what it is, and two of one `what` are one tensor.
    pub fn float32_tensor(&mut self, what: &str, dims: &[usize], numbers: Vec<f32>) -> ValueId {
        self.constant(format!("constant/{what}"), dims.to_vec(), TensorData::Float32(numbers))
    }

    /// A constant of any shape; `what` says what it is, and two of one `what` are one tensor.
    pub fn int64_tensor(&mut self, what: &str, dims: &[usize], numbers: Vec<i64>) -> ValueId {
        self.constant(format!("constant/{what}"), dims.to_vec(), TensorData::Int64(numbers))
    }

    /// Applies an operator that makes one value.
    pub fn apply(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let name = self.unique_name(op.name());
        let value = self.graph.add_value(name.clone());
        self.graph.nodes.push(Node { name, op, inputs: inputs.to_vec(), outputs: vec![value] });
        value
    }

    fn initializer(&mut self, name: String, dims: Vec<usize>, data: TensorData) -> ValueId {
        let value = self.graph.add_value(name);
        self.graph.initializers.push(Initializer { value, dims, data });
        value
    }

    /// Equal constants are one tensor.
    fn constant(&mut self, name: String, dims: Vec<usize>, data: TensorData) -> ValueId {
        if let Some(&value) = self.constants.get(&name) {
            return value;
        }
        let value = self.initializer(name.clone(), dims, data);
        self.constants.insert(name, value);
        value
    }

    fn unique_name(&mut self, operator: &str) -> String {
        let mut name = self.scope.join(".");
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(operator);
        let count = self.used.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            name = format!("{name} {count}");
        }
        name
    }
}

/// One method for each operator, so that a formula reads as one.
impl GraphBuilder {
    /// `left + right`.
    pub fn add(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Add, &[left, right])
    }

    /// `left - right`.
    pub fn sub(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Sub, &[left, right])
    }

    /// `left · right`, element by element.
    pub fn mul(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Mul, &[left, right])
    }

    /// `left / right`, element by element.
    pub fn div(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Div, &[left, right])
    }

    /// The larger of each pair.
    pub fn max(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Max, &[left, right])
    }

    /// The smaller of each pair.
    pub fn min(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Min, &[left, right])
    }

    /// Truth values: where the first is greater.
    pub fn greater(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Greater, &[left, right])
    }

    /// Truth values: where the first is less.
    pub fn less(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Less, &[left, right])
    }

    /// Truth values: both.
    pub fn and(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::And, &[left, right])
    }

    /// Truth values: either.
    pub fn or(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Or, &[left, right])
    }

    /// Truth values: the opposite.
    pub fn not(&mut self, value: ValueId) -> ValueId {
        self.apply(Op::Not, &[value])
    }

    /// Zero less each element.
    pub fn neg(&mut self, value: ValueId) -> ValueId {
        self.apply(Op::Neg, &[value])
    }

    /// Magnitude of each element.
    pub fn abs(&mut self, value: ValueId) -> ValueId {
        self.apply(Op::Abs, &[value])
    }

    /// Square root of each element.
    pub fn sqrt(&mut self, value: ValueId) -> ValueId {
        self.apply(Op::Sqrt, &[value])
    }

    /// Matrix product over the last two axes.
    pub fn matmul(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::MatMul, &[left, right])
    }

    /// `value · weightᵀ + bias` for `value` `[rows, in]` and `weight` `[out, in]`.
    pub fn linear(&mut self, value: ValueId, weight: ValueId, bias: ValueId) -> ValueId {
        self.apply(Op::Gemm { trans_b: true }, &[value, weight, bias])
    }

    /// `value · weightᵀ`: the linear layer without a bias.
    pub fn project(&mut self, value: ValueId, weight: ValueId) -> ValueId {
        self.apply(Op::Gemm { trans_b: true }, &[value, weight])
    }

    /// Layer normalisation over the last axis.
    pub fn layer_normalization(
        &mut self,
        value: ValueId,
        scale: ValueId,
        bias: Option<ValueId>,
        epsilon: f32,
    ) -> ValueId {
        let inputs: Vec<ValueId> = [value, scale].into_iter().chain(bias).collect();
        self.apply(Op::LayerNormalization { axis: -1, epsilon }, &inputs)
    }

    /// Gaussian error linear unit.
    pub fn gelu(&mut self, value: ValueId, form: GeluForm) -> ValueId {
        self.apply(Op::Gelu { form }, &[value])
    }

    /// Softmax over the last axis.
    pub fn softmax(&mut self, value: ValueId) -> ValueId {
        self.apply(Op::Softmax { axis: -1 }, &[value])
    }

    /// The same elements under `shape`, a tensor.
    pub fn reshape(&mut self, value: ValueId, shape: ValueId) -> ValueId {
        self.apply(Op::Reshape, &[value, shape])
    }

    /// The axes in the order `perm`.
    pub fn transpose(&mut self, value: ValueId, perm: &[i64]) -> ValueId {
        self.apply(Op::Transpose { perm: perm.to_vec() }, &[value])
    }

    /// The sizes of the axes from `start` up to, not including, `end`, as a tensor.
    pub fn shape(&mut self, value: ValueId, start: i64, end: Option<i64>) -> ValueId {
        self.apply(Op::Shape { start, end }, &[value])
    }

    /// Tensors behind each other along `axis`.
    pub fn concat(&mut self, values: &[ValueId], axis: i64) -> ValueId {
        self.apply(Op::Concat { axis }, values)
    }

    /// The rows of `table` at `indices`.
    pub fn gather(&mut self, table: ValueId, indices: ValueId) -> ValueId {
        self.apply(Op::Gather { axis: 0 }, &[table, indices])
    }

    /// The first `length` rows of `table`; `length` is a tensor of one element.
    pub fn first_rows(&mut self, table: ValueId, length: ValueId) -> ValueId {
        let zero = self.int64s(&[0]);
        self.apply(Op::Slice, &[table, zero, length, zero])
    }

    /// The part of `value` from index `start` up to, not including, `end` along `axis`.
    pub fn slice(&mut self, value: ValueId, axis: i64, start: i64, end: i64) -> ValueId {
        let [start, end, axis] = [start, end, axis].map(|index| self.int64s(&[index]));
        self.apply(Op::Slice, &[value, start, end, axis])
    }

    /// New axes of size one.
    pub fn unsqueeze(&mut self, value: ValueId, axes: &[i64]) -> ValueId {
        let axes = self.int64s(axes);
        self.apply(Op::Unsqueeze, &[value, axes])
    }

    /// Without the axes of size one that are named.
    pub fn squeeze(&mut self, value: ValueId, axes: &[i64]) -> ValueId {
        let axes = self.int64s(axes);
        self.apply(Op::Squeeze, &[value, axes])
    }

    /// The same numbers in another format.
    pub fn cast(&mut self, value: ValueId, to: ElementType) -> ValueId {
        self.apply(Op::Cast { to }, &[value])
    }

    /// Truth values: where two are equal.
    pub fn equal(&mut self, left: ValueId, right: ValueId) -> ValueId {
        self.apply(Op::Equal, &[left, right])
    }

    /// `yes` where `condition` holds, else `no`.
    pub fn select(&mut self, condition: ValueId, yes: ValueId, no: ValueId) -> ValueId {
        self.apply(Op::Where, &[condition, yes, no])
    }

    /// Sum along one axis.
    pub fn reduce_sum(&mut self, value: ValueId, axis: i64, keep_dims: bool) -> ValueId {
        let along = self.int64s(&[axis]);
        self.apply(Op::ReduceSum { keep_dims }, &[value, along])
    }

    /// Mean along one axis, which stays with size one.
    pub fn reduce_mean(&mut self, value: ValueId, axis: i64) -> ValueId {
        let along = self.int64s(&[axis]);
        self.apply(Op::ReduceMean { keep_dims: true }, &[value, along])
    }

    /// Maximum along one axis.
    pub fn reduce_max(&mut self, value: ValueId, axis: i64, keep_dims: bool) -> ValueId {
        let along = self.int64s(&[axis]);
        self.apply(Op::ReduceMax { keep_dims }, &[value, along])
    }

    /// Index of the largest value along the second axis, which stays with size one; the first or the last
    /// among equals.
    pub fn arg_max(&mut self, value: ValueId, select_last: bool) -> ValueId {
        self.apply(Op::ArgMax { axis: 1, select_last }, &[value])
    }

    /// From each text of `[batch, sequence, …]` the slice at its index in `[batch, 1]`.
    pub fn pick(&mut self, value: ValueId, indices: ValueId) -> ValueId {
        self.apply(Op::GatherNd { batch_dims: 1 }, &[value, indices])
    }

    /// Numbers from `start` up to, not including, `limit`, in steps of `delta`; all are scalars.
    pub fn range(&mut self, start: ValueId, limit: ValueId, delta: ValueId) -> ValueId {
        self.apply(Op::Range, &[start, limit, delta])
    }

    /// Euclidean length along the last axis, which stays with size one.
    pub fn length(&mut self, value: ValueId) -> ValueId {
        let axes = self.int64s(&[-1]);
        self.apply(Op::ReduceL2, &[value, axes])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_constants_are_shared_and_names_stay_unique() {
        let mut builder = GraphBuilder::new("test");
        let one = builder.float32(1.0);
        assert_eq!(builder.float32(1.0), one);
        assert_ne!(builder.int64(1), one);
        assert_ne!(builder.int64(1), builder.int64s(&[1]));
        builder.within("a", |builder| {
            builder.within("b", |builder| {
                builder.add(one, one);
                builder.add(one, one)
            })
        });
        let graph = builder.finish();
        let names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["a.b/Add", "a.b/Add 2"]);
        assert_eq!(graph.validate(), Ok(()));
    }
}
