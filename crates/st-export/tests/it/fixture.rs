//! A tiny BERT on disk, and ways to break it.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use st_core::PoolingMode;
use st_export::{Error, Head};

/// Width of a token embedding.
pub(crate) const HIDDEN: usize = 8;
const LAYERS: usize = 2;
const INTERMEDIATE: usize = 12;

/// One tensor as a file holds it.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// A checkpoint in memory, to be edited and written.
#[derive(Clone, Debug)]
pub(crate) struct Tiny {
    pub(crate) config: Value,
    pub(crate) tensors: BTreeMap<String, Tensor>,
}

impl Tiny {
    /// Two layers, two heads, random weights that are the same in every run.
    pub(crate) fn new() -> Self {
        let config = json!({
            "model_type": "bert", "architectures": ["BertModel"], "hidden_size": HIDDEN,
            "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": INTERMEDIATE,
            "vocab_size": 11, "max_position_embeddings": 16, "type_vocab_size": 2, "hidden_act": "gelu",
            "layer_norm_eps": 1e-12, "position_embedding_type": "absolute",
        });
        let mut random = Random(7);
        let tensors = shapes().into_iter().map(|(name, shape)| (name, random.tensor(shape))).collect();
        Self { config, tensors }
    }

    /// Gives every tensor another name.
    pub(crate) fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        self.tensors = self.tensors.iter().map(|(old, tensor)| (name(old), tensor.clone())).collect();
        self
    }

    /// Adds a tensor of that shape.
    pub(crate) fn with_tensor(mut self, name: &str, shape: &[usize]) -> Self {
        self.tensors.insert(name.to_owned(), Random(9).tensor(shape.to_vec()));
        self
    }

    /// Sets a key of `config.json`.
    pub(crate) fn with_setting(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config[key] = value.into();
        self
    }

    /// Edits the one tensor of that name.
    pub(crate) fn edited(mut self, name: &str, edit: impl FnOnce(&mut Tensor)) -> Self {
        edit(self.tensors.get_mut(name).expect("the tensor is there"));
        self
    }

    /// Writes `config.json` and `model.safetensors`.
    pub(crate) fn write(&self, folder: &Path) {
        self.write_config(folder);
        write_tensors(&self.tensors, &folder.join("model.safetensors"));
    }

    /// Writes `config.json`, two shards and their index.
    pub(crate) fn write_shards(&self, folder: &Path) {
        self.write_config(folder);
        let mut shards = [BTreeMap::new(), BTreeMap::new()];
        let mut map = BTreeMap::new();
        for (place, (name, tensor)) in self.tensors.iter().enumerate() {
            shards[place % 2].insert(name.clone(), tensor.clone());
            map.insert(name.clone(), shard_name(place % 2));
        }
        for (place, shard) in shards.iter().enumerate() {
            write_tensors(shard, &folder.join(shard_name(place)));
        }
        let index = json!({"metadata": {"total_size": 0}, "weight_map": map});
        fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
    }

    pub(crate) fn write_config(&self, folder: &Path) {
        fs::write(folder.join("config.json"), self.config.to_string()).unwrap();
    }

    /// The numbers of a tensor as they should stand in a graph.
    pub(crate) fn float32(&self, name: &str) -> Vec<u8> {
        let tensor = &self.tensors[name];
        let pairs = || tensor.bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
        match tensor.dtype {
            Dtype::F32 => tensor.bytes.clone(),
            Dtype::F16 => pairs().flat_map(|pair| f16::from_le_bytes(pair).to_f32().to_le_bytes()).collect(),
            _ => pairs().flat_map(|pair| bf16::from_le_bytes(pair).to_f32().to_le_bytes()).collect(),
        }
    }
}

pub(crate) fn shard_name(place: usize) -> String {
    format!("model-{:05}-of-00002.safetensors", place + 1)
}

/// Name and shape of every weight of the tiny BERT.
pub(crate) fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![11, HIDDEN]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![16, HIDDEN]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, HIDDEN]),
    ];
    let mut linear = |name: String, from: usize, to: usize| {
        shapes.push((format!("{name}.weight"), vec![to, from]));
        shapes.push((format!("{name}.bias"), vec![to]));
    };
    for layer in (0..LAYERS).map(|layer| format!("encoder.layer.{layer}")) {
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            linear(format!("{layer}.attention.{part}"), HIDDEN, HIDDEN);
        }
        linear(format!("{layer}.intermediate.dense"), HIDDEN, INTERMEDIATE);
        linear(format!("{layer}.output.dense"), INTERMEDIATE, HIDDEN);
    }
    let norms = ["embeddings".to_owned()].into_iter().chain((0..LAYERS).flat_map(|layer| {
        ["attention.output", "output"].map(|part| format!("encoder.layer.{layer}.{part}"))
    }));
    let norms = norms
        .flat_map(|name| ["weight", "bias"].map(|end| (format!("{name}.LayerNorm.{end}"), vec![HIDDEN])));
    shapes.extend(norms.collect::<Vec<_>>());
    shapes
}

fn write_tensors(tensors: &BTreeMap<String, Tensor>, path: &Path) {
    let views = tensors.iter().map(|(name, tensor)| {
        (name, TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).unwrap())
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// Numbers between −0.5 and 0.5, the same in every run.
struct Random(u64);

impl Random {
    fn tensor(&mut self, shape: Vec<usize>) -> Tensor {
        let elements = shape.iter().product();
        let bytes = (0..elements).flat_map(|_| self.number().to_le_bytes()).collect();
        Tensor { dtype: Dtype::F32, shape, bytes }
    }

    fn number(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f32::from(u16::try_from(self.0 >> 48).unwrap()) / 65536.0 - 0.5
    }
}

/// Mean pooling with normalisation.
pub(crate) fn mean() -> Head {
    Head::new([PoolingMode::Mean]).with_normalize(true)
}

/// An error with its causes, and the temporary folder as `FOLDER`.
pub(crate) fn words(error: &Error, folder: &Path) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words.replace(folder.to_str().unwrap(), "FOLDER")
}
