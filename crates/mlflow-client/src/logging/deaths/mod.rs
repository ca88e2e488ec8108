//! A process dies at every step that the spool takes, and whoever comes later recovers all that was accepted.
//!
//! The victim is a process of its own, which logs to a database that outlives it, or replays what another victim left.
//! Where it dies is counted: at its first step, its second, and so on until it comes to its end.

mod place;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mlflow_types::inputs::{Dataset, DatasetInput, ModelOutput};
use mlflow_types::metrics::Metric;
use mlflow_types::runs::{CreateRun, LogBatch, RunStatus};
use mlflow_types::tags::{Param, Tag};
use mlflow_types::{ExperimentId, ModelId, RunId};

use self::place::{Place, accepted_file, template};
use super::spool_file::WHOLE;
use super::step::tests::die_at;
use super::{Backoff, Durability, Entry, Header, LoggingOptions, Spool, SpoolFile, SpoolOptions, now};
use crate::{ActiveRun, EmbeddedStore, MemoryStore, RunOptions, TrackingStore};

/// Says that the next arguments are a folder, what to do there, and the step to die at.
const VICTIM: &str = "folder-to-die-in";
/// The address that the spool files name.
const ADDRESS: &str = "sqlite:deaths";
/// When all was measured.
const TIME: i64 = 1_700_000_000_000;
/// As long as it takes: what a victim waits for arrives, or the test hangs, which nobody overlooks.
const FOREVER: Duration = Duration::from_hours(1);

fn metric(key: &str, step: i64) -> Entry {
    // No binary fraction, so that a value that reads back otherwise would show.
    let value = 0.1 + f64::from(i32::try_from(step).unwrap()) / 3.0;
    Entry::Metric(Metric::new(key, value, TIME + step, step))
}

fn param(key: &str, value: &str) -> Entry {
    Entry::Param(Param::new(key, value))
}

fn tag(value: &str) -> Entry {
    Entry::Tag(Tag::new("stage", value))
}

fn end() -> Entry {
    Entry::End { status: RunStatus::Finished, end_time: TIME }
}

/// A dataset whose record alone makes the file worth emptying.
fn large_dataset() -> Entry {
    let dataset = Dataset {
        name: "sts".into(),
        digest: "0a1b2c".into(),
        source_type: "code".into(),
        source: "{}".into(),
        schema: None,
        profile: Some("x".repeat(1_100_000)),
    };
    Entry::Inputs { datasets: vec![DatasetInput { tags: Vec::new(), dataset }], models: Vec::new() }
}

/// What a run logs, call by call; its end is the last.
fn calls() -> Vec<Vec<Entry>> {
    let outputs = vec![ModelOutput { model_id: ModelId::try_new("m-1").unwrap(), step: 2 }];
    let before = vec![
        vec![param("rate", "0.1"), param("epochs", "3")],
        vec![metric("loss", 0)],
        vec![metric("loss", 1), metric("accuracy", 0), metric("loss", 2)],
        vec![tag("warm")],
        // Of several at once the store refuses one.
        vec![metric("loss", 3), param("rate", "0.2"), metric("accuracy", 1), tag("hot")],
        vec![param("rate", "0.3")],
        vec![Entry::DeleteTag("stage".into())],
        // There is no such tag.
        vec![Entry::DeleteTag("absent".into())],
        vec![large_dataset()],
    ];
    let after = vec![
        // The same refusal as before, and counted from 0 again.
        vec![param("rate", "0.2")],
        vec![Entry::Outputs(outputs)],
        vec![tag("cold"), metric("loss", 4)],
        vec![end()],
    ];
    before.into_iter().chain(after).collect()
}

/// One byte for each call that was accepted: a write of one byte is there or not.
fn tell_accepted(folder: &Path) {
    let file = OpenOptions::new().append(true).create(true).open(accepted_file(folder));
    file.unwrap().write_all(b".").unwrap();
}

/// What the process does that dies; a test only by name.
#[tokio::test]
#[ignore = "is the process that dies in the tests below"]
async fn victim() {
    let mut arguments = std::env::args().skip_while(|argument| argument != VICTIM).skip(1);
    let (Some(folder), Some(work), Some(step)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return;
    };
    let folder = PathBuf::from(folder);
    let store = Arc::new(EmbeddedStore::open_default(&folder).unwrap());
    die_at(step.parse().unwrap());
    let options = SpoolOptions::new(folder.join("spool"), ADDRESS);
    match work.as_str() {
        "replay" => {
            let store: Arc<dyn TrackingStore> = store;
            assert!(Spool::new(folder.join("spool")).replay(ADDRESS, &store).await.unwrap().is_complete());
        }
        "log" => log(&folder, store, options, true).await,
        "log to disk" => log(&folder, store, options.with_durability(Durability::Machine), true).await,
        _ => log(&folder, store, options, false).await,
    }
}

/// With a flush after each call the steps of both threads follow each other in one order.
async fn log(folder: &Path, store: Arc<EmbeddedStore>, options: SpoolOptions, flush: bool) {
    let mut logging = LoggingOptions::default().with_spool(options);
    logging.backoff = Backoff { first: Duration::ZERO, longest: Duration::ZERO };
    logging.end_patience = FOREVER;
    let options = RunOptions::new(ExperimentId::try_new("0").unwrap()).with_logging(logging);
    let run = ActiveRun::start(store, options).await.unwrap();
    let mut calls = calls();
    calls.pop();
    for call in calls {
        run.log(call).unwrap();
        tell_accepted(folder);
        if flush {
            run.flush().await.unwrap();
        }
    }
    assert_eq!(run.end(RunStatus::Finished).await.unwrap().waiting, 0);
    tell_accepted(folder);
}

/// Lets victims do some work, each of which dies one step later; the first replay after it dies as well if `twice`.
async fn die_at_every_step(work: &str, twice: bool, least: usize) {
    let template = template();
    let (mut deaths, mut deaths_in_replay) = (0, 0);
    for step in 1.. {
        let place = Place::new(template.path());
        let ended = place.victim(work, step);
        let died = now();
        let began = !place.spool.pending().unwrap().is_empty();
        let what = format!("{work}, step {step}");
        if twice {
            // No two deaths of the run are followed by the same one of the replay for a long time.
            deaths_in_replay += usize::from(!place.victim("replay", step % 37 + 1));
        } else {
            // Even if the clocks of files are coarse, a replay is later than the death.
            thread::sleep(Duration::from_millis(5));
        }
        place.replay().await;
        place.check(&what, began).await;
        let info = place.run().await.info;
        if info.status == RunStatus::Failed && !twice {
            assert!(info.end_time.is_some_and(|time| time <= died), "{what}: {:?}, {died}", info.end_time);
        }
        if ended {
            assert_eq!(place.accepted(), calls().len());
            break;
        }
        deaths += 1;
    }
    assert!(deaths >= least, "{work} has only {deaths} steps");
    assert!(!twice || deaths_in_replay >= least / 2, "only {deaths_in_replay} replays died");
}

#[tokio::test]
async fn a_run_may_die_at_every_step() {
    die_at_every_step("log", false, 200).await;
}

#[tokio::test]
async fn a_run_may_die_at_every_step_of_a_machine_that_may_fail() {
    die_at_every_step("log to disk", false, 240).await;
}

/// Here the writer sends several calls at once, or one while the next is written.
#[tokio::test]
async fn a_run_that_does_not_wait_may_die_and_its_replay_after_it() {
    die_at_every_step("log at once", true, 150).await;
}

async fn create_run(place: &Place) -> RunId {
    let experiment_id = ExperimentId::try_new("0").unwrap();
    let (user_id, run_name, start_time, tags) = (String::new(), None, TIME, Vec::new());
    let call = CreateRun { experiment_id, user_id, run_name, start_time, tags };
    place.store.create_run(&call).await.unwrap().info.run_id
}

fn spool_file(place: &Place, run_id: &RunId) -> SpoolFile {
    let options = SpoolOptions::new(place.folder.path().join("spool"), ADDRESS);
    let header = Header { format: 1, run_id: run_id.clone(), address: ADDRESS.into() };
    SpoolFile::create(&options, header).unwrap()
}

/// What a process leaves that died in the middle of a call: the first calls arrived, which nobody noted.
async fn left_behind(template: &Path) -> Place {
    let place = Place::new(template);
    let run_id = create_run(&place).await;
    let mut file = spool_file(&place, &run_id);
    let calls = calls();
    for call in &calls[..calls.len() - 1] {
        file.append(call).unwrap();
        tell_accepted(place.folder.path());
    }
    let arrived = calls[..3].concat();
    file.sending(u64::try_from(arrived.len()).unwrap()).unwrap();
    let mut batch = LogBatch { run_id, metrics: Vec::new(), params: Vec::new(), tags: Vec::new() };
    for entry in arrived {
        match entry {
            Entry::Metric(metric) => batch.metrics.push(metric),
            Entry::Param(param) => batch.params.push(param),
            other => panic!("{other:?}"),
        }
    }
    place.store.log_batch(&batch).await.unwrap();
    drop(file);
    let path = place.spool_files().remove(0);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"0123456789abcdef {\"entry").unwrap();
    place
}

#[tokio::test]
async fn a_replay_may_die_at_every_step() {
    let template = template();
    let mut deaths = 0;
    for step in 1.. {
        let place = left_behind(template.path()).await;
        let ended = place.victim("replay", step);
        place.replay().await;
        place.check(&format!("replay, step {step}"), true).await;
        if ended {
            break;
        }
        deaths += 1;
    }
    assert!(deaths >= 120, "a replay has only {deaths} steps");
}

/// Each replay dies one step later than the one before, on what that one left, until one comes to its end.
#[tokio::test]
async fn one_replay_after_the_other_may_die() {
    let template = template();
    let place = left_behind(template.path()).await;
    let deaths = (1..1000).take_while(|&step| !place.victim("replay", step)).count();
    place.check("replays", true).await;
    assert!(deaths >= 15, "only {deaths} replays died");
}

/// The end of a killed run is when its process wrote last, not when a replay first found no server.
#[tokio::test]
async fn a_replay_that_gets_nowhere_does_not_make_a_run_longer() {
    let template = template();
    let place = left_behind(template.path()).await;
    let file = File::options().append(true).open(place.spool_files().remove(0)).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_hours(5)).unwrap();
    let killed = now() - 5 * 3_600_000;
    // To this store it is the right address, and yet there is no such run.
    let wrong: Arc<dyn TrackingStore> = Arc::new(MemoryStore::default());
    assert!(!place.spool.replay(ADDRESS, &wrong).await.unwrap().is_complete());
    place.replay().await;
    let end_time = place.run().await.info.end_time.unwrap();
    assert!((end_time - killed).abs() < 60_000, "{end_time} instead of {killed}");
}

/// A large file is not emptied once the run's end is in it: whoever died before it was removed had ended the run, and
/// somebody may have resumed it since.
#[tokio::test]
async fn a_run_that_had_ended_is_not_ended_again() {
    let template = template();
    let place = Place::new(template.path());
    let run_id = create_run(&place).await;
    let mut file = spool_file(&place, &run_id);
    file.append(&[large_dataset(), end()]).unwrap();
    assert_eq!(file.peek(2).unwrap().len(), 2);
    file.settle(2).unwrap();
    drop(file);
    place.replay().await;
    assert_eq!(place.run().await.info.status, RunStatus::Running);
    assert!(place.spool_files().is_empty());
}

/// Without this the tests above could not see what arrives twice.
#[tokio::test]
async fn what_arrives_twice_is_seen() {
    let template = template();
    let place = left_behind(template.path()).await;
    let run_id = place.run().await.info.run_id;
    let Entry::Metric(metric) = metric("loss", 0) else { unreachable!() };
    let call = LogBatch { run_id, metrics: vec![metric], params: Vec::new(), tags: Vec::new() };
    let before = place.arrived().len();
    place.store.log_batch(&call).await.unwrap();
    assert_eq!(place.arrived().len(), before + 1);
    assert_eq!(place.history(&call.run_id, "loss").await.len(), 3);
}

/// A replay that finds a draft before it is locked takes it away, and the process that made it makes another.
#[tokio::test]
async fn a_replay_disturbs_nobody_who_begins() {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new(folder.path(), ADDRESS);
    let beginner = thread::spawn(move || {
        for number in 0..3000 {
            let run_id = RunId::try_new(format!("r{number}")).unwrap();
            let header = Header { format: 1, run_id, address: ADDRESS.into() };
            let mut file = SpoolFile::create(&options, header).unwrap();
            file.append(&[end()]).unwrap();
            assert_eq!(file.path().extension().unwrap(), WHOLE);
            assert!(file.path().exists());
            file.remove().unwrap();
        }
    });
    let store: Arc<dyn TrackingStore> = Arc::new(MemoryStore::default());
    while !beginner.is_finished() {
        let report = Spool::new(folder.path()).replay(ADDRESS, &store).await.unwrap();
        assert!(report.unreadable.is_empty(), "{report:?}");
    }
    beginner.join().unwrap();
}
