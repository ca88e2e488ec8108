//! Calibration that is kept with a model, so that eight-bit vectors of different calls are comparable.
//!
//! `st_calibration.json` lies in the model folder. Python reads no such file and passes over it; it is copied wherever
//! the folder is. Each entry names the model, the mode and the kind of vectors that its ranges are for.

use std::fs;
use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use st_core::{EncodeOptions, Mode, Precision, Ranges};

use crate::provenance::{Calibrated, named, short};
use crate::spec::read_text;
use crate::{Error, RangesFrom, SentenceTransformer};

/// The newest version of the format that is read, and the one that is written.
const FORMAT_VERSION: u32 = 1;

/// Calibration ranges for one kind of vectors of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredCalibration {
    /// [`SentenceTransformer::digest`] of the model.
    pub model_digest: String,
    /// In which numbers it computed; none for a graph that was given.
    #[serde(with = "named::option")]
    pub mode: Option<Mode>,
    /// Dimensions of a vector.
    pub dimension: usize,
    /// Whether each vector has length one.
    pub normalized: bool,
    /// How many texts were looked at.
    pub texts: u64,
    /// Smallest value of each dimension.
    pub minima: Vec<f32>,
    /// Largest value of each dimension.
    pub maxima: Vec<f32>,
}

/// All calibrations that a model folder keeps: the content of [`FILE`](Self::FILE).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredCalibrations {
    /// Version of this format.
    pub format_version: u32,
    /// At most one for each mode, dimension and normalisation.
    pub calibrations: Vec<StoredCalibration>,
}

impl Default for StoredCalibrations {
    fn default() -> Self {
        Self { format_version: FORMAT_VERSION, calibrations: Vec::new() }
    }
}

impl StoredCalibration {
    /// The ranges `[2, dimension]`.
    ///
    /// # Errors
    ///
    /// What is wrong, if they are not `dimension` finite minima and as many maxima.
    pub fn ranges(&self) -> Result<Ranges, String> {
        let values = [self.minima.as_slice(), self.maxima.as_slice()].concat();
        // Whether the parser itself takes 1e300 for an f32 depends on features that others switch on.
        if !values.iter().all(|value| value.is_finite()) {
            return Err("has a value that is too large".to_owned());
        }
        let counts = (self.minima.len(), self.maxima.len());
        let fits = counts == (self.dimension, self.dimension);
        let ranges = fits.then(|| Array2::from_shape_vec((2, self.dimension), values).ok()).flatten();
        ranges.map(Ranges).ok_or_else(|| {
            format!("has {} minima and {} maxima for {} dimensions", counts.0, counts.1, self.dimension)
        })
    }

    /// What it is for, in words.
    pub fn shown(&self) -> String {
        let mode = self.mode.map_or("given graph", Mode::name);
        let length = if self.normalized { ", normalised" } else { "" };
        format!("{mode}, {} dimensions{length}", self.dimension)
    }

    fn is_for(&self, other: &Self) -> bool {
        let kind = |side: &Self| (side.mode, side.dimension, side.normalized);
        kind(self) == kind(other)
    }
}

impl StoredCalibrations {
    /// Name of the file in a model folder.
    pub const FILE: &'static str = "st_calibration.json";

    /// Parses the text of the file; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] and [`Error::Config`] for anything else, and for a format that is not known here.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let wrong = |problem: String| Error::Config { path: path.to_owned(), problem };
        let stored: Self =
            serde_json::from_str(text).map_err(|source| Error::Json { path: path.to_owned(), source })?;
        if stored.format_version > FORMAT_VERSION {
            return Err(wrong(format!(
                "`format_version` is {}, and {FORMAT_VERSION} is the newest known",
                stored.format_version
            )));
        }
        for (index, entry) in stored.calibrations.iter().enumerate() {
            entry.ranges().map_err(|problem| wrong(format!("calibration {index} {problem}")))?;
        }
        Ok(stored)
    }

    /// Reads the file of a model folder; none if it has none.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and [`Error::Read`].
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(Self::FILE);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        Self::parse(&path, &read_text(&path)?).map(Some)
    }

    /// The content of the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Adds a calibration and returns the one for the same kind of vectors that it replaces.
    pub fn insert(&mut self, new: StoredCalibration) -> Option<StoredCalibration> {
        let place = self.calibrations.iter().position(|entry| entry.is_for(&new));
        let old = place.map(|place| self.calibrations.remove(place));
        self.calibrations.push(new);
        old
    }
}

impl SentenceTransformer {
    /// Calibration ranges as they are kept for the vectors of a call with these options.
    ///
    /// # Errors
    ///
    /// Options that the model cannot follow, and files of its folder that cannot be read.
    pub fn new_calibration(
        &self,
        options: &EncodeOptions,
        Ranges(ranges): &Ranges,
        texts: u64,
    ) -> Result<StoredCalibration, Error> {
        let (dimension, normalized) = self.vector_kind(options)?;
        let row = |row: usize| ranges.outer_iter().nth(row).map(|row| row.to_vec()).unwrap_or_default();
        Ok(StoredCalibration {
            model_digest: self.digest()?.to_owned(),
            mode: self.mode(),
            dimension,
            normalized,
            texts,
            minima: row(0),
            maxima: row(1),
        })
    }

    /// The ranges that a call with these options uses without its vectors being known: those it was given, else
    /// those that the model folder keeps. None for other precisions, and where there are none.
    ///
    /// # Errors
    ///
    /// [`Error::CalibrationModel`] if the folder keeps ranges of another model, [`Error::NoCalibration`] if it keeps
    /// some, and none for vectors of this kind; and what is wrong with the file.
    pub fn calibration(&self, options: &EncodeOptions) -> Result<Option<(Ranges, RangesFrom)>, Error> {
        if !matches!(options.precision, Precision::Int8 | Precision::Uint8) {
            return Ok(None);
        }
        if let Some(ranges) = &options.ranges {
            return Ok(Some((ranges.clone(), RangesFrom::File)));
        }
        let folder = &self.spec().root;
        let Some(stored) = StoredCalibrations::read(folder)? else { return Ok(None) };
        let path = folder.join(StoredCalibrations::FILE);
        let (dimension, normalized) = self.vector_kind(options)?;
        let mode = self.mode();
        let fits = |entry: &&StoredCalibration| {
            (entry.mode, entry.dimension, entry.normalized) == (mode, dimension, normalized)
        };
        let Some(entry) = stored.calibrations.iter().find(fits) else {
            let kept: Vec<_> = stored.calibrations.iter().map(StoredCalibration::shown).collect();
            let mode = mode.map_or("given graph", Mode::name);
            let wanted =
                format!("{mode}, {dimension} dimensions{}", if normalized { ", normalised" } else { "" });
            return Err(Error::NoCalibration { path, wanted, kept: kept.join("; ") });
        };
        let digest = self.digest()?;
        if entry.model_digest != digest {
            return Err(Error::CalibrationModel {
                path,
                found: short(&entry.model_digest),
                model: short(digest),
            });
        }
        let ranges = entry.ranges().map_err(|problem| Error::Config { path, problem })?;
        Ok(Some((ranges, RangesFrom::Model)))
    }

    /// The options with the ranges in force, for whoever quantises.
    pub(crate) fn calibrated<'a>(
        &self,
        options: &'a EncodeOptions,
    ) -> Result<std::borrow::Cow<'a, EncodeOptions>, Error> {
        match self.calibration(options)? {
            Some((ranges, RangesFrom::Model)) => {
                Ok(std::borrow::Cow::Owned(options.clone().with_ranges(ranges)))
            }
            _ => Ok(std::borrow::Cow::Borrowed(options)),
        }
    }

    pub(crate) fn note_calibration(&self, options: &EncodeOptions) -> Result<Option<Calibrated>, Error> {
        Ok(self.calibration(options)?.map(|(ranges, source)| Calibrated::new(&ranges, source)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dimension: usize, normalized: bool, texts: u64) -> StoredCalibration {
        StoredCalibration {
            model_digest: "blake3:aa".to_owned(),
            mode: Some(Mode::Exact),
            dimension,
            normalized,
            texts,
            minima: vec![-1.0; dimension],
            maxima: vec![1e-9; dimension],
        }
    }

    #[test]
    fn one_is_kept_for_each_kind_of_vectors() {
        let mut stored = StoredCalibrations::default();
        assert_eq!(stored.insert(entry(2, true, 100)), None);
        assert_eq!(stored.insert(entry(2, false, 200)), None);
        assert_eq!(stored.insert(entry(2, true, 300)).map(|old| old.texts), Some(100));
        assert_eq!(StoredCalibrations::parse(Path::new("c.json"), &stored.to_json()).unwrap(), stored);
        let shown: Vec<_> = stored.calibrations.iter().map(StoredCalibration::shown).collect();
        assert_eq!(shown, ["exact, 2 dimensions", "exact, 2 dimensions, normalised"]);
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = StoredCalibrations::parse(Path::new("c.json"), text).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_is_no_calibration_is_refused() {
        let mut stored = StoredCalibrations::default();
        stored.insert(StoredCalibration { minima: vec![0.0], ..entry(2, true, 1) });
        refused(&stored.to_json(), "c.json: calibration 0 has 1 minima and 2 maxima for 2 dimensions");
        let mut stored = StoredCalibrations::default();
        stored.insert(entry(1, true, 1));
        let large = stored.to_json().replace("-1.0", "1e300");
        assert!(StoredCalibrations::parse(Path::new("c.json"), &large).is_err());
        let newer = StoredCalibrations { format_version: 2, ..StoredCalibrations::default() };
        refused(&newer.to_json(), "c.json: `format_version` is 2, and 1 is the newest known");
        refused("[]", "c.json is not valid JSON");
    }
}
