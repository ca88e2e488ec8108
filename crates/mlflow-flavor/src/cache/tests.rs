use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const KEY: &str = "0a1b";
/// Says that the next arguments are a folder, what to do there, and the step to die at.
const VICTIM: &str = "folder-to-die-in";

fn cache() -> (TempDir, ModelCache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = ModelCache::new(folder.path().join("mlflow"));
    (folder, cache)
}

/// A download of two files.
async fn download(folder: &Path) -> io::Result<()> {
    step();
    fs::create_dir(folder)?;
    for name in ["MLmodel", "weights"] {
        fs::write(folder.join(name), name)?;
        step();
    }
    Ok(())
}

async fn get(cache: &ModelCache, key: &str) -> Lease {
    cache.get(key, download).await.unwrap()
}

fn names(cache: &ModelCache) -> Vec<String> {
    let mut names = cache.names().unwrap();
    names.sort();
    names
}

#[track_caller]
fn check_whole(lease: &Lease) {
    for name in ["MLmodel", "weights"] {
        assert_eq!(fs::read_to_string(lease.folder().join(name)).unwrap(), name);
    }
}

#[tokio::test]
async fn what_was_downloaded_once_is_kept() {
    let (_folder, cache) = cache();
    check_whole(&get(&cache, KEY).await);
    let again = cache.get(KEY, async |_: &Path| Err(io::Error::other("a second download"))).await.unwrap();
    check_whole(&again);
    assert_eq!(names(&cache), [KEY.to_owned(), format!("{KEY}.lock")]);
    let models = cache.models().unwrap();
    assert_eq!((models.len(), models[0].bytes), (1, 14));
}

#[tokio::test]
async fn a_download_that_fails_leaves_nothing() {
    let (_folder, cache) = cache();
    let failed = async |folder: &Path| {
        fs::create_dir(folder)?;
        Err(io::Error::other("broken"))
    };
    assert_eq!(cache.get(KEY, failed).await.unwrap_err().to_string(), "broken");
    assert_eq!(names(&cache), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_it_one_downloads() {
    let (_folder, cache) = cache();
    let downloads = AtomicUsize::new(0);
    let one = async || {
        let slow = async |folder: &Path| {
            downloads.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
            download(folder).await
        };
        check_whole(&cache.get(KEY, slow).await.unwrap());
    };
    futures::future::join_all((0..8).map(|_| one())).await;
    assert_eq!(downloads.into_inner(), 1);
}

#[tokio::test]
async fn the_longest_unused_goes_when_there_is_no_room() {
    let (_folder, cache) = cache();
    let cache = cache.with_limit(30);
    let held = get(&cache, "a").await;
    drop(get(&cache, "b").await);
    for (key, age) in [("a", 300), ("b", 200)] {
        let file = fs::File::options().write(true).open(cache.lock_file(key)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    // `a` is older, and in use; `c` is what was asked for.
    check_whole(&get(&cache, "c").await);
    assert_eq!(names(&cache), ["a", "a.lock", "c", "c.lock"]);
    check_whole(&held);
    assert!(!cache.remove("a").unwrap());
    drop(held);
    assert!(cache.remove("a").unwrap());
    assert_eq!(names(&cache), ["c", "c.lock"]);
}

#[tokio::test]
async fn what_is_larger_than_the_limit_is_there_while_it_is_used() {
    let (_folder, cache) = cache();
    let cache = cache.with_limit(1);
    check_whole(&get(&cache, "a").await);
    check_whole(&get(&cache, "b").await);
    assert_eq!(names(&cache), ["b", "b.lock"]);
}

#[tokio::test]
async fn what_is_not_kept_goes_with_its_user() {
    let (_folder, cache) = cache();
    let lease = cache.get_once(download).await.unwrap();
    check_whole(&lease);
    assert_eq!(cache.clean().unwrap(), 0);
    check_whole(&lease);
    drop(lease);
    assert_eq!(names(&cache), [""; 0]);
}

#[tokio::test]
async fn an_entry_has_names_as_long_as_it_is_there() {
    let (_folder, cache) = cache();
    let [one, other, torn] = ["a", "b", "c"].map(|digit| digit.repeat(64));
    for key in [&one, &other] {
        drop(get(&cache, key).await);
    }
    for (name, key) in [("1", &one), ("2", &one), ("3", &other), ("4", &torn)] {
        cache.name(name, key);
    }
    for (name, key) in [("1", &one), ("2", &one), ("3", &other)] {
        let lease = cache.by_name(name).await.unwrap().unwrap();
        assert_eq!(lease.folder(), cache.folder.join(key));
        check_whole(&lease);
    }
    assert!(cache.remove(&one).unwrap());
    // Without an entry, unknown, written in part, and no key at all.
    fs::write(cache.folder.join("6.key"), &other[..63]).unwrap();
    fs::write(cache.folder.join("7.key"), "../".repeat(22)).unwrap();
    for name in ["1", "2", "4", "5", "6", "7"] {
        assert!(cache.by_name(name).await.unwrap().is_none(), "{name}");
    }
    assert_eq!(cache.models().unwrap().len(), 1);
    cache.clean().unwrap();
    assert_eq!(names(&cache), ["3.key".to_owned(), other.clone(), format!("{other}.lock")]);
    assert!(cache.remove(&other).unwrap());
    cache.clean().unwrap();
    assert_eq!(names(&cache), [""; 0]);
}

/// What the process does that dies; a test only by name.
#[tokio::test]
#[ignore = "is the process that dies in the test below"]
async fn victim() {
    let mut arguments = std::env::args().skip_while(|argument| argument != VICTIM).skip(1);
    let (Some(folder), Some(work), Some(step)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return;
    };
    let cache = ModelCache::new(folder);
    step::tests::die_at(step.parse().unwrap());
    match work.as_str() {
        "get" => drop(get(&cache, KEY).await),
        "once" => drop(cache.get_once(download).await.unwrap()),
        _ => assert!(cache.remove(KEY).unwrap()),
    }
}

/// Whether it came to its end.
fn victim_of(cache: &ModelCache, work: &str, step: usize) -> bool {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["--exact", "cache::tests::victim", "--ignored", VICTIM]).arg(&cache.folder);
    let victim = victim.arg(work).arg(step.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    victim.status().unwrap().success()
}

#[tokio::test]
async fn a_process_may_die_at_every_step() {
    for (work, least) in [("get", 7), ("remove", 3), ("once", 5)] {
        let mut deaths = 0;
        for step in 1.. {
            let (_folder, cache) = cache();
            if work == "remove" {
                check_whole(&get(&cache, KEY).await);
            }
            let ended = victim_of(&cache, work, step);
            // What is there under its name is whole, at once.
            let folder = cache.folder.join(KEY);
            if folder.is_dir() {
                check_whole(&Lease::elsewhere(folder));
            }
            check_whole(&get(&cache, KEY).await);
            cache.clean().unwrap();
            assert_eq!(names(&cache), [KEY.to_owned(), format!("{KEY}.lock")], "{work}, step {step}");
            if ended {
                break;
            }
            deaths += 1;
        }
        assert!(deaths >= least, "{work} has only {deaths} steps");
    }
}
