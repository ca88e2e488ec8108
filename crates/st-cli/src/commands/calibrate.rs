//! `st calibrate`: where the values of the eight-bit precisions lie, kept with the model.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use ndarray::Array2;
use serde_json::json;
use st_core::{EncodeOptions, Ranges, Vectors};
use st_model::{StoredCalibration, StoredCalibrations};
use st_pooling::Calibration;

use super::Outcome;
use crate::args::CalibrateArgs;
use crate::encoding::{self, Counts};
use crate::error::Error;
use crate::input::{Chunk, Source};
use crate::model::{self, Loaded};
use crate::output::{Labels, Stream, Target};
use crate::report::{self, Report};
use crate::settings::{self, Settings};

pub(crate) fn run(args: &CalibrateArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let columns = settings::columns(args.input.column.as_ref(), args.input.id_column.as_ref());
    let source = Source::open(&settings::texts_or_file(&[], &args.input), &columns)?;
    let located = model::locate_for(&args.model, settings)?;
    if args.output.is_none() && located.is_sealed() {
        return Err(Error::Sealed { model: located.shown }.into());
    }
    let loaded = model::load_located(&located, &args.model, settings)?;
    let mut options = settings::encode_options(&args.prompt).with_normalize(args.normalize);
    options.truncate_dim = args.truncate_dim;
    options.long_text = settings::long_text(args.long_text.long_text, args.long_text.overlap)?;
    // Refused now and not after an hour of work.
    match &args.output {
        Some(path) if path.exists() && !args.force => {
            return Err(Error::OutputExists { file: path.display().to_string() }.into());
        }
        None if !args.force => {
            let nothing = Ranges(Array2::zeros((2, 0)));
            let draft = loaded.encoder.new_calibration(&options, &nothing, 0)?;
            insert(draft, &located.folder, false)?;
        }
        _ => {}
    }
    let started = Instant::now();
    let (ranges, counts) = measure(source, &loaded, &options, settings)?;
    counts.long_texts.note(counts.texts, st_core::Encoder::max_tokens(&loaded.encoder));
    let kept = loaded.encoder.new_calibration(&options, &ranges, counts.texts as u64)?;
    let mut report = Report::from_iter([
        ("calibrated".to_owned(), json!(kept.shown())),
        ("texts".to_owned(), json!(counts.texts)),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
    ]);
    let output = match &args.output {
        Some(path) => {
            write_array(path, args.force, &ranges)?;
            path.display().to_string()
        }
        None => keep(kept, &located.folder, args.force)?,
    };
    report.insert("output".to_owned(), json!(output));
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}

/// Encodes everything and looks at the vectors.
fn measure(
    source: Source,
    loaded: &Loaded,
    options: &EncodeOptions,
    settings: &Settings,
) -> anyhow::Result<(Ranges, Counts)> {
    let mut calibration: Option<Calibration> = None;
    let counts = encoding::each_chunk(source, loaded, options, settings, |_, vectors| {
        if let Vectors::Float32(rows) = vectors {
            refuse_infinite(&rows)?;
            calibration.get_or_insert_with(|| Calibration::new(rows.ncols())).extend(rows.view())?;
        }
        Ok(())
    })?;
    encoding::check_calibration("calibration", counts.texts)?;
    let ranges = calibration.as_ref().and_then(Calibration::ranges);
    Ok((ranges.context("there are no vectors")?, counts))
}

fn refuse_infinite(rows: &Array2<f32>) -> Result<(), Error> {
    match rows.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((_, dim), value)) => Err(Error::NoRange { dim, value: *value }),
        None => Ok(()),
    }
}

/// Adds the ranges to those of the model folder and says where.
fn keep(new: StoredCalibration, folder: &Path, force: bool) -> anyhow::Result<String> {
    let path = folder.join(StoredCalibrations::FILE);
    let stored = insert(new, folder, force)?;
    let mut stream = Stream::open(Some(&path), true)?;
    stream.write_all(stored.to_json().as_bytes()).map_err(|source| stream.fail(source))?;
    stream.finish()?;
    Ok(path.display().to_string())
}

/// What the folder keeps with the new ranges among them; those of another model are of no use any more.
fn insert(new: StoredCalibration, folder: &Path, force: bool) -> anyhow::Result<StoredCalibrations> {
    let mut stored = match StoredCalibrations::read(folder) {
        Ok(stored) => stored.unwrap_or_default(),
        Err(_) if force => StoredCalibrations::default(),
        // It may be of a newer version.
        Err(error) => return Err(error.into()),
    };
    stored.calibrations.retain(|entry| entry.model_digest == new.model_digest);
    let kind = new.shown();
    match stored.insert(new) {
        Some(old) if !force => {
            let file = folder.join(StoredCalibrations::FILE).display().to_string();
            Err(Error::CalibrationExists { file, kind, texts: old.texts }.into())
        }
        _ => Ok(stored),
    }
}

/// An array `[2, dim]`, which `--ranges` and Python read.
fn write_array(path: &Path, force: bool, Ranges(ranges): &Ranges) -> Result<(), Error> {
    let target =
        Target { path: Some(path.to_owned()), format: None, force, labels: Labels::default(), header: false };
    let mut sink = target.open()?;
    sink.write(&Chunk::default(), &Vectors::Float32(ranges.clone()))?;
    sink.finish()
}
