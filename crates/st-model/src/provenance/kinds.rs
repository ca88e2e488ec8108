//! Where the vectors of sparse encoders and of late-interaction models come from.

use st_core::{
    EncodeOptions, MultiVectorEncoder as _, Precision, Similarity, SparseEncoder as _, SparseOptions,
};

use super::{FORMAT_VERSION, LongTextUsed, MADE_BY, ModelIdentity, PromptUsed, Provenance, task_name};
use crate::sparse_encoder::named;
use crate::{Error, MultiVectorEncoder, SparseEncoder, prompt};

impl SparseEncoder {
    /// What made the vectors of a call with these options, but for the name of the model, which only the caller knows.
    ///
    /// # Errors
    ///
    /// Options that the model cannot follow, and files of its folder that cannot be read.
    pub fn provenance(&self, options: &SparseOptions) -> Result<Provenance, Error> {
        let spec = self.spec();
        let prompt_options = named(options);
        let (name, text) = prompt::named(&spec.sentence, &prompt_options)?;
        let route = &spec.routes[spec.route_for(options.task)?];
        let max_active_dims = self.most_active(options)?;
        Ok(Provenance {
            format_version: FORMAT_VERSION,
            made_by: MADE_BY.to_owned(),
            model: ModelIdentity { name: None, id: None, digest: self.digest()?.to_owned() },
            dimension: self.dim(),
            mode: self.mode(),
            pooling: route.pooling_modes().to_vec(),
            // A vector that lost entries has lost length.
            normalized: route.normalizes() && max_active_dims.is_none(),
            similarity: spec.similarity(),
            precision: Precision::Float32,
            calibration: None,
            output_value: "sparse_embedding".to_owned(),
            max_active_dims,
            prompt: PromptUsed {
                task: options.task.map(task_name),
                name: name.map(str::to_owned),
                text: text.to_owned(),
            },
            max_tokens: self.max_tokens(),
            long_text: LongTextUsed::default(),
        })
    }
}

impl MultiVectorEncoder {
    /// What made the vectors of a call with these options, but for the name of the model, which only the caller knows.
    ///
    /// # Errors
    ///
    /// Options that the model cannot follow, and files of its folder that cannot be read.
    pub fn provenance(&self, options: &EncodeOptions) -> Result<Provenance, Error> {
        let (name, text) = self.prompt_used(options)?;
        Ok(Provenance {
            format_version: FORMAT_VERSION,
            made_by: MADE_BY.to_owned(),
            model: ModelIdentity { name: None, id: None, digest: self.digest()?.to_owned() },
            dimension: self.dim(),
            mode: self.mode(),
            pooling: Vec::new(),
            normalized: self.normalizes(options),
            // Of two tokens, whatever is then made of all of them.
            similarity: Similarity::Dot,
            precision: Precision::Float32,
            calibration: None,
            output_value: "token_embeddings".to_owned(),
            max_active_dims: None,
            prompt: PromptUsed { task: options.task.map(task_name), name, text },
            max_tokens: self.limit(options.task),
            long_text: LongTextUsed::default(),
        })
    }
}
