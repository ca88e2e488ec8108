//! What can be compared, and in which search.

/// What a search looks through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Searched {
    /// Experiments.
    Experiments,
    /// Runs.
    Runs,
    /// Logged models.
    LoggedModels,
    /// Registered models.
    RegisteredModels,
    /// Model versions.
    ModelVersions,
}

/// A field that a filter compares or an order follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// What the thing itself is.
    Attribute(Attribute),
    /// A metric, by its key.
    Metric(String),
    /// A param, by its key.
    Param(String),
    /// A tag, by its key.
    Tag(String),
    /// The datasets that a run read.
    Dataset(DatasetAttribute),
}

macro_rules! attributes {
    ($(#[$enum_doc:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$doc])* $variant,)*
        }

        impl $type {
            /// The word of the language.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

attributes! {
    /// An attribute of something that is searched.
    Attribute {
        /// The URI below which a logged model's files lie.
        ArtifactLocation = "artifact_location",
        /// The URI below which a run's artifacts lie.
        ArtifactUri = "artifact_uri",
        /// When an experiment was created, in milliseconds since the Unix epoch.
        CreationTime = "creation_time",
        /// When a model or version was created, in milliseconds since the Unix epoch.
        CreationTimestamp = "creation_timestamp",
        /// When a run ended, in milliseconds since the Unix epoch.
        EndTime = "end_time",
        /// The identifier of an experiment.
        ExperimentId = "experiment_id",
        /// When an experiment was changed, in milliseconds since the Unix epoch.
        LastUpdateTime = "last_update_time",
        /// When a model or version was changed, in milliseconds since the Unix epoch.
        LastUpdatedTimestamp = "last_updated_timestamp",
        /// Whether it was deleted.
        LifecycleStage = "lifecycle_stage",
        /// The identifier of a logged model.
        ModelId = "model_id",
        /// A free word for what a logged model is.
        ModelType = "model_type",
        /// The name of an experiment or model.
        Name = "name",
        /// The identifier of a run.
        RunId = "run_id",
        /// The name of a run.
        RunName = "run_name",
        /// What a version was made from.
        SourcePath = "source_path",
        /// The run that made a logged model.
        SourceRunId = "source_run_id",
        /// When a run started, in milliseconds since the Unix epoch.
        StartTime = "start_time",
        /// How far a run is, in capital letters; of a logged model, its number (1 to 3).
        Status = "status",
        /// Why a logged model failed.
        StatusMessage = "status_message",
        /// Who started a run.
        UserId = "user_id",
        /// The number of a version.
        VersionNumber = "version_number",
    }
}

attributes! {
    /// An attribute of the datasets that a run read.
    DatasetAttribute {
        /// What it was used for: the tag `mlflow.data.context` of the use.
        Context = "context",
        /// Its digest.
        Digest = "digest",
        /// Its name.
        Name = "name",
    }
}

impl Attribute {
    /// Whether it is a number; the others are texts.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::CreationTime
                | Self::CreationTimestamp
                | Self::EndTime
                | Self::LastUpdateTime
                | Self::LastUpdatedTimestamp
                | Self::StartTime
                | Self::VersionNumber
        )
    }
}

impl DatasetAttribute {
    pub(super) const ALL: [Self; 3] = [Self::Name, Self::Digest, Self::Context];
}

impl Searched {
    /// The attributes that a filter of this search may compare.
    pub fn attributes(self) -> &'static [Attribute] {
        use Attribute as A;
        match self {
            Self::Experiments => &[A::Name, A::ExperimentId, A::CreationTime, A::LastUpdateTime],
            Self::Runs => {
                &[A::ArtifactUri, A::EndTime, A::RunId, A::RunName, A::StartTime, A::Status, A::UserId]
            }
            Self::LoggedModels => &[
                A::ArtifactLocation,
                A::CreationTimestamp,
                A::ExperimentId,
                A::LastUpdatedTimestamp,
                A::LifecycleStage,
                A::ModelId,
                A::ModelType,
                A::Name,
                A::SourceRunId,
                A::Status,
                A::StatusMessage,
            ],
            Self::RegisteredModels => &[A::Name],
            Self::ModelVersions => &[A::Name, A::RunId, A::SourcePath, A::VersionNumber],
        }
    }

    /// The attributes that the results of this search may be ordered by.
    pub fn order_attributes(self) -> &'static [Attribute] {
        use Attribute as A;
        match self {
            Self::Experiments | Self::Runs | Self::LoggedModels => self.attributes(),
            Self::RegisteredModels => &[A::Name, A::LastUpdatedTimestamp],
            Self::ModelVersions => {
                &[A::Name, A::VersionNumber, A::CreationTimestamp, A::LastUpdatedTimestamp]
            }
        }
    }

    /// The attribute that results may be ordered by, by its name or an older one.
    pub fn order_attribute(self, word: &str) -> Option<Attribute> {
        Attribute::of_order(self, word)
    }

    /// The attributes that this search compares with lists.
    pub(super) fn takes_list(self, attribute: Attribute) -> bool {
        match self {
            Self::Experiments => attribute == Attribute::ExperimentId,
            Self::Runs => attribute == Attribute::RunId,
            Self::LoggedModels => !attribute.is_number(),
            Self::RegisteredModels => attribute == Attribute::Name,
            Self::ModelVersions => matches!(attribute, Attribute::Name | Attribute::RunId),
        }
    }

    /// The attribute that a word stands for, by its own name or an older one.
    pub(super) fn attribute_of(self, word: &str) -> Option<Attribute> {
        let word = match (self, word) {
            (Self::Runs, "created" | "Created") => "start_time",
            (Self::Runs, "run name" | "Run name" | "Run Name") => "run_name",
            (Self::LoggedModels, "creation_time" | "creation_timestamp_ms") => "creation_timestamp",
            (Self::LoggedModels, "last_updated_timestamp_ms") => "last_updated_timestamp",
            (_, word) => word,
        };
        self.attributes().iter().chain(self.order_attributes()).copied().find(|known| known.as_str() == word)
    }

    /// The kind of field that stands before the dot.
    pub(super) fn kind_of(self, prefix: &str) -> Option<Kind> {
        let runs = self == Self::Runs;
        let logged_models = self == Self::LoggedModels;
        let (kind, known) = match prefix {
            "attribute" => (Kind::Attribute, !logged_models),
            "attributes" => (Kind::Attribute, runs || logged_models),
            "attr" | "run" => (Kind::Attribute, runs),
            "tag" => (Kind::Tag, !logged_models),
            "tags" => (Kind::Tag, true),
            "metric" => (Kind::Metric, runs),
            "metrics" => (Kind::Metric, runs || logged_models),
            "param" | "parameter" | "parameters" => (Kind::Param, runs),
            "params" => (Kind::Param, runs || logged_models),
            "dataset" | "datasets" => (Kind::Dataset, runs),
            _ => return None,
        };
        known.then_some(kind)
    }
}

/// What stands before the dot of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Attribute,
    Metric,
    Param,
    Tag,
    Dataset,
}
