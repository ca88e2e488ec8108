//! The state of a program's sources, read from the files of its repository: no other program is run.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

/// The state of a program's sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GitState {
    /// The commit.
    pub commit: String,
    /// The branch; absent where a commit is checked out without one.
    pub branch: Option<String>,
    /// The address of `origin`, without user and password.
    pub repository_url: Option<String>,
}

impl GitState {
    /// The state of the repository that a file or folder lies in; nothing if it lies in none, or if that cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        let folder = path.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
        let folder = real_folder(folder)?;
        // A worktree keeps its own HEAD and shares the rest.
        let shared = match fs::read_to_string(folder.join("commondir")) {
            Ok(common) => folder.join(common.trim()),
            Err(_) => folder.clone(),
        };
        let head = fs::read_to_string(folder.join("HEAD")).ok()?;
        let repository_url = fs::read_to_string(shared.join("config")).ok().and_then(|text| origin(&text));
        let (commit, branch) = match head.trim().strip_prefix("ref: ") {
            None => (head.trim().to_owned(), None),
            Some(name) => (commit_of(&shared, name)?, name.strip_prefix("refs/heads/").map(str::to_owned)),
        };
        is_commit(&commit).then_some(Self { commit, branch, repository_url })
    }
}

/// In worktrees and submodules `.git` is a file that names the folder.
fn real_folder(git: PathBuf) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    Some(git.parent()?.join(text.trim().strip_prefix("gitdir: ")?))
}

fn commit_of(folder: &Path, name: &str) -> Option<String> {
    if name.split('/').any(|part| part == "..") {
        return None;
    }
    if let Ok(commit) = fs::read_to_string(folder.join(name)) {
        return Some(commit.trim().to_owned());
    }
    let packed = fs::read_to_string(folder.join("packed-refs")).ok()?;
    let line = packed.lines().find(|line| line.split_once(' ').is_some_and(|(_, found)| found == name))?;
    line.split_once(' ').map(|(commit, _)| commit.to_owned())
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn origin(config: &str) -> Option<String> {
    let mut lines = config.lines().map(str::trim).skip_while(|line| *line != "[remote \"origin\"]").skip(1);
    let line = lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "url").then(|| value.trim().to_owned())
    })?;
    match Url::parse(&line) {
        Ok(mut url) if url.has_host() => {
            // Only a URL that cannot have them refuses.
            let _ = url.set_password(None);
            if url.scheme().starts_with("http") {
                let _ = url.set_username("");
            }
            Some(url.into())
        }
        // `git@host:path` and local paths hold no secret.
        _ => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: Option<(&str, Option<&str>, Option<&str>)>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let expected = expected.map(|(commit, branch, url)| GitState {
            commit: commit.to_owned(),
            branch: branch.map(str::to_owned),
            repository_url: url.map(str::to_owned),
        });
        assert_eq!(GitState::of(&folder.path().join("src/main.rs")), expected);
    }

    #[test]
    fn the_state_is_read_from_the_files_of_the_repository() {
        let config =
            "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://ann:s3cret@host.test/x.git\n";
        let head = (".git/HEAD", "ref: refs/heads/main\n");
        let url = Some("https://host.test/x.git");
        check(
            &[head, (".git/refs/heads/main", COMMIT), (".git/config", config)],
            Some((COMMIT, Some("main"), url)),
        );
        let packed = format!("# pack-refs\n{COMMIT} refs/heads/main\n");
        check(&[head, (".git/packed-refs", &packed)], Some((COMMIT, Some("main"), None)));
        check(&[(".git/HEAD", COMMIT)], Some((COMMIT, None, None)));
        check(
            &[
                (".git", "gitdir: real"),
                ("real/HEAD", "ref: refs/heads/a/b"),
                ("real/refs/heads/a/b", COMMIT),
            ],
            Some((COMMIT, Some("a/b"), None)),
        );
    }

    #[test]
    fn what_is_no_repository_has_no_state() {
        check(&[(".git/HEAD", "ref: refs/heads/unborn")], None);
        check(&[(".git/HEAD", "ref: ../../secret")], None);
        check(&[(".git/HEAD", "no commit")], None);
    }
}
