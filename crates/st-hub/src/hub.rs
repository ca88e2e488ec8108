//! From a name to a folder.

use std::path::{Path, PathBuf};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::OnceCell;

use crate::digest::Digest;
use crate::download::{Fetcher, KnownFile};
use crate::error::Error;
use crate::files::{self, Wanted};
use crate::http::{Ask, Http, NoReply, Reply};
use crate::listing::{Listing, RemoteFile};
use crate::name::{ModelName, is_commit};
use crate::progress::{HubEvent, Observer};
use crate::refusal::{is_passing, refusal};
use crate::repository::Repository;
use crate::retry::Retry;
use crate::settings::{self, HubSettings};
use crate::whole::{self, State};

/// Files that are fetched at a time.
const AT_A_TIME: usize = 4;
/// Largest file of weights that is fetched, in bytes: what the hub gives over HTTP.
const LARGEST_WEIGHTS: u64 = 50_000_000_000;
/// Largest other file that is fetched, in bytes. The largest vocabularies have some 20 MB.
const LARGEST_OTHER: u64 = 512 << 20;

/// The hub of models and the cache of this machine.
#[derive(Debug)]
pub struct Hub {
    settings: HubSettings,
    cache: PathBuf,
    wanted: Wanted,
    observer: Observer,
    /// Opened when the network is needed, and then only.
    http: OnceCell<Http>,
}

/// A model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The sentence-transformers folder.
    pub folder: PathBuf,
    /// The model and the revision that was asked for.
    pub name: ModelName,
    /// The commit that the files are from: 40 hexadecimal digits.
    pub commit: String,
    /// Whether the hub was asked.
    pub fetched: bool,
}

/// What the cache has of a model.
enum Found {
    Nothing,
    /// A snapshot without the file; one that is only not known to be whole may be used where there is no network.
    Part {
        snapshot: Snapshot,
        missing: String,
        usable: bool,
    },
    Whole(Snapshot),
}

impl Hub {
    /// Opens nothing, and asks nobody.
    ///
    /// # Errors
    /// [`Error::NoCache`] where nobody says where models are kept, [`Error::Variable`] for an endpoint that is no address.
    pub fn new(settings: HubSettings) -> Result<Self, Error> {
        settings::endpoint(&settings.endpoint)?;
        let cache = settings.cache.clone().ok_or(Error::NoCache)?;
        Ok(Self {
            settings,
            cache,
            wanted: Wanted::default(),
            observer: Observer::default(),
            http: OnceCell::new(),
        })
    }

    /// Tells `observer` what happens; it is called often and should return at once.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(HubEvent) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    /// Fetches what `wanted` says, too.
    #[must_use]
    pub fn with_wanted(mut self, wanted: Wanted) -> Self {
        self.wanted = wanted;
        self
    }

    /// The folder that holds the models.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The model, if the cache has the whole of it at the commit that the revision stood for when it was fetched. Asks nobody.
    ///
    /// # Errors
    /// [`Error::Escape`] and [`Error::LfsPointer`] for a cache that somebody tampered with or that git filled, [`Error::File`]
    /// for one that cannot be read.
    pub fn cached(&self, name: &ModelName) -> Result<Option<Snapshot>, Error> {
        Ok(match self.look(name)? {
            Found::Whole(snapshot) | Found::Part { snapshot, usable: true, .. } => Some(snapshot),
            Found::Part { .. } | Found::Nothing => None,
        })
    }

    /// The model: from the cache if it has the whole of it, and then no request is made; else what is missing is fetched.
    ///
    /// Python asks the hub each time whether a branch has moved. Here it has not, until [`Hub::refresh`] looks.
    ///
    /// # Errors
    /// [`Error::Offline`] and [`Error::OfflineIncomplete`] if the network is switched off, those of [`Hub::cached`], and
    /// everything that can go wrong on the way: a model that is not there, a licence to accept, a server that does not answer,
    /// other bytes than were announced.
    pub async fn snapshot(&self, name: &ModelName) -> Result<Snapshot, Error> {
        let found = self.look(name)?;
        if let Found::Whole(snapshot) = found {
            return Ok(snapshot);
        }
        if !self.settings.offline {
            return match (self.fetch(name).await, found) {
                (
                    // Where a network answers in the hub's place until one logs in, the hub does not answer.
                    Err(Error::Transport { source, .. } | Error::Insecure { source, .. }),
                    Found::Part { snapshot, missing, usable: true },
                ) => {
                    tracing::debug!(%source, "the hub does not answer");
                    self.observer.tell(HubEvent::Unsure { file: missing });
                    Ok(snapshot)
                }
                (outcome, _) => outcome,
            };
        }
        let (name, cache) = (name.to_string(), self.cache.clone());
        match found {
            Found::Part { snapshot, missing, usable: true } => {
                self.observer.tell(HubEvent::Unsure { file: missing });
                Ok(snapshot)
            }
            Found::Part { snapshot, missing, .. } => {
                Err(Error::OfflineIncomplete { name, folder: snapshot.folder, missing })
            }
            Found::Nothing | Found::Whole(_) => Err(Error::Offline { name, cache }),
        }
    }

    /// The model as the hub has it now: what its branch or tag stands for today. What the cache has is not fetched again.
    ///
    /// # Errors
    /// [`Error::NotAsked`] if the network is switched off, and those of [`Hub::snapshot`]: the cache does not stand in for a hub
    /// that does not answer.
    pub async fn refresh(&self, name: &ModelName) -> Result<Snapshot, Error> {
        if self.settings.offline {
            return Err(Error::NotAsked { name: name.to_string() });
        }
        self.fetch(name).await
    }

    fn look(&self, name: &ModelName) -> Result<Found, Error> {
        let repository = Repository::new(&self.cache, name);
        let Some(commit) = repository.commit(name.revision())? else { return Ok(Found::Nothing) };
        let folder = repository.snapshot(&commit);
        if !folder.is_dir() {
            return Ok(Found::Nothing);
        }
        let state = whole::look(&repository, &commit, self.wanted)?;
        let snapshot = Snapshot { folder, name: name.clone(), commit, fetched: false };
        Ok(match state {
            State::Whole => Found::Whole(snapshot),
            State::Unsure(missing) => Found::Part { snapshot, missing, usable: true },
            State::Missing(missing) => Found::Part { snapshot, missing, usable: false },
        })
    }

    async fn fetch(&self, name: &ModelName) -> Result<Snapshot, Error> {
        let http = self.http.get_or_try_init(|| async { self.open() }).await?;
        let asked = format!("{}@{}", name.repository(), name.revision());
        self.observer.tell(HubEvent::Asking { name: asked, endpoint: http.endpoint() });
        let listing = self.listing(http, name).await?;
        let repository = Repository::new(&self.cache, name);
        let (retry, symlinks) = (Retry::new(&self.settings), self.settings.symlinks);
        let (commit, observer) = (listing.commit.as_str(), &self.observer);
        let fetcher = Fetcher { http, name, commit, repository: &repository, observer, retry, symlinks };

        let files = self.known(&fetcher, &listing).await?;
        let missing = || files.iter().filter(|file| file.counted);
        self.observer.tell(HubEvent::Fetching {
            files: missing().count(),
            bytes: missing().map(|file| file.size).sum(),
        });
        let several = stream::iter(&files).map(|file| fetcher.fetch(file)).buffer_unordered(AT_A_TIME);
        several.try_collect::<()>().await?;

        let all: Vec<&str> = listing.files.iter().map(|file| file.path.as_str()).collect();
        whole::note_absent(&repository, commit, &all)?;
        if let State::Missing(missing) = whole::look(&repository, commit, self.wanted)? {
            let problem = format!("the model is not whole: it has no {missing}");
            return Err(Error::Protocol { url: name.to_string(), problem });
        }
        // Last, so that a branch never stands for a part of a model.
        repository.set_commit(name.revision(), commit)?;
        let folder = repository.snapshot(commit);
        Ok(Snapshot { folder, name: name.clone(), commit: listing.commit, fetched: true })
    }

    fn open(&self) -> Result<Http, Error> {
        let token = self.settings.token.read()?;
        Http::new(&self.settings, settings::endpoint(&self.settings.endpoint)?, token.as_ref())
    }

    /// The commit that a revision stands for, and its files.
    async fn listing(&self, http: &Http, name: &ModelName) -> Result<Listing, Error> {
        let repository = name.repository();
        let parts = ["api", "models"].into_iter().chain(repository.split('/'));
        let mut url = http.address(parts.chain(["revision", name.revision()]));
        url.set_query(Some("blobs=true"));
        let retry = Retry::new(&self.settings);
        let mut attempts = 0;
        let (body, url) = loop {
            attempts += 1;
            let reply = ask(http, &url, Ask::Answer, name, retry).await?;
            let url = reply.url.clone();
            match reply.body().await {
                Ok(body) => break (body, url),
                Err(NoReply::Refused(error)) => return Err(error),
                Err(NoReply::Failed(failure)) if attempts >= retry.attempts => {
                    return Err(failure.after(attempts));
                }
                Err(NoReply::Failed(_)) => retry.pause(attempts).await,
            }
        };
        let listing = Listing::parse(&body, &url, repository)?;
        if is_commit(name.revision()) && listing.commit != name.revision() {
            let problem = format!("asked for the commit {}, the hub answers for another", name.revision());
            return Err(Error::Protocol { url, problem });
        }
        Ok(listing)
    }

    /// The files that make the model, with size and digest.
    async fn known(&self, fetcher: &Fetcher<'_>, listing: &Listing) -> Result<Vec<KnownFile>, Error> {
        let all: Vec<&str> = listing.files.iter().map(|file| file.path.as_str()).collect();
        let Some(chosen) = files::selected(&all, self.wanted) else {
            return Err(Error::NoWeights {
                repository: fetcher.name.repository().to_owned(),
                commit: listing.commit.clone(),
                others: files::other_weights(&all),
            });
        };
        let mut known = Vec::with_capacity(chosen.len());
        for file in listing.files.iter().filter(|file| chosen.contains(&file.path.as_str())) {
            known.push(self.identified(fetcher, file).await?);
        }
        Ok(known)
    }

    /// A file with size and digest; what the listing does not say, its own head does.
    async fn identified(&self, fetcher: &Fetcher<'_>, file: &RemoteFile) -> Result<KnownFile, Error> {
        let (mut size, mut digest) = (file.size, file.digest.clone());
        if size.is_none() || digest.is_none() {
            let retry = Retry::new(&self.settings);
            let url = fetcher.address(&file.path);
            let reply = ask(fetcher.http, &url, Ask::Head, fetcher.name, retry).await?;
            let told = (reply.header("x-linked-etag").or_else(|| reply.header("etag")))
                .map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
            digest = digest.or_else(|| told.and_then(Digest::parse));
            let length = reply.header("x-linked-size").or_else(|| reply.header("content-length"));
            size = size.or_else(|| length.and_then(|length| length.parse().ok()));
        }
        let (repository, path) = (fetcher.name.repository().to_owned(), file.path.clone());
        let (Some(size), Some(digest)) = (size, digest) else {
            return Err(Error::Unverifiable { repository, file: path });
        };
        let limit = if files::is_weights(&path) { LARGEST_WEIGHTS } else { LARGEST_OTHER };
        if size > limit {
            return Err(Error::TooLarge { repository, file: path, size, limit });
        }
        let counted = fetcher.repository.resolve(&fetcher.repository.blob(&digest))?.is_none();
        Ok(KnownFile { path, size, digest, counted })
    }
}

/// Asks until there is an answer that says something.
async fn ask(http: &Http, url: &url::Url, ask: Ask, name: &ModelName, retry: Retry) -> Result<Reply, Error> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match http.send(url, ask).await {
            Ok(reply) if reply.status < 300 || (ask == Ask::Head && reply.status < 400) => return Ok(reply),
            Ok(reply) if is_passing(reply.status) && attempts < retry.attempts => {}
            Ok(reply) => return Err(refusal(&reply, name, http)),
            Err(NoReply::Refused(error)) => return Err(error),
            // Where nobody listens, nobody will a second later: the user sees at once that the network is away.
            Err(NoReply::Failed(failure)) if failure.unreachable || attempts >= retry.attempts => {
                return Err(failure.after(attempts));
            }
            Err(NoReply::Failed(failure)) => tracing::debug!(?failure, "asked again"),
        }
        retry.pause(attempts).await;
    }
}
