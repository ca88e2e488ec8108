//! One name for each weight, whatever the program called it that saved the file.

/// How the files of one architecture spell its weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Naming {
    /// How every weight of the architecture starts; nothing is stripped from a name that starts so.
    pub(crate) roots: &'static [&'static str],
    /// Wrappers that a name may start with, in any order and number.
    pub(crate) prefixes: &'static [&'static str],
    /// Beginnings of weights that token embeddings do not depend on: no error where nothing asks for them.
    pub(crate) unused: &'static [&'static str],
    /// Names under which some files keep a tensor once more, or instead: the other name, and ours.
    pub(crate) ties: &'static [(&'static str, &'static str)],
}

impl Naming {
    /// How a module of sentence-transformers keeps its weights: as they are called.
    pub(crate) const MODULE: Self = Self {
        roots: &[""],
        prefixes: &[],
        // How long ago each code of a sparse autoencoder was used, and its tied decoder.
        unused: &["stats_last_nonzero"],
        ties: &[("decoder.linear.weight", "encoder.weight")],
    };
}

/// The spelling of layer normalisation before 2019, converted from TensorFlow.
const OLD_ENDINGS: [(&str, &str); 2] =
    [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")];

impl Naming {
    /// The name that the architecture uses for the weight that a file calls `spelled`.
    pub(crate) fn canonical(&self, spelled: &str) -> String {
        let mut name = spelled;
        while !self.roots.iter().any(|root| name.starts_with(root)) {
            let Some(rest) = self.prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)) else { break };
            name = rest;
        }
        for (old, new) in OLD_ENDINGS {
            if let Some(start) = name.strip_suffix(old) {
                return format!("{start}{new}");
            }
        }
        name.to_owned()
    }

    /// Whether a weight, under its canonical name, may be left out without changing a token embedding.
    pub(crate) fn is_unused(&self, name: &str) -> bool {
        // Buffers that older releases of the reference saved, and that are computed.
        const COMPUTED: [&str; 2] = [".rotary_emb.inv_freq", ".attention.self.masked_bias"];
        self.unused.iter().any(|start| name.starts_with(start))
            || COMPUTED.iter().any(|end| name.ends_with(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMING: Naming = Naming {
        roots: &["embeddings.", "encoder.layer."],
        prefixes: &["bert.", "model.", "encoder."],
        unused: &["pooler."],
        ties: &[],
    };

    #[track_caller]
    fn check(spelled: &str, expected: &str) {
        assert_eq!(NAMING.canonical(spelled), expected);
    }

    #[test]
    fn wrappers_go_and_old_endings_are_modernised() {
        check("embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight");
        check("model.bert.encoder.layer.0.output.LayerNorm.beta", "encoder.layer.0.output.LayerNorm.bias");
        check("encoder.encoder.layer.0.output.dense.bias", "encoder.layer.0.output.dense.bias");
        check("encoder.embeddings.word_embeddings.weight", "embeddings.word_embeddings.weight");
        check("bert.pooler.dense.weight", "pooler.dense.weight");
        check("classifier.weight", "classifier.weight");
    }
}
