//! Where models are kept, and where they come from: the variables of Python's `huggingface_hub`.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::error::{Error, file};

/// The hub, unless `HF_ENDPOINT` names another.
const ENDPOINT: &str = "https://huggingface.co";
/// How long Python waits for an answer, and between two pieces of a file.
const TIMEOUT: Duration = Duration::from_secs(10);
/// As in Python: five attempts, the second after a second.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// Where models are kept, and where they come from.
///
/// A library does not read the environment by itself: the program hands in how.
///
/// ```
/// use st_hub::HubSettings;
///
/// let settings = HubSettings::from_env(|name| (name == "HF_HOME").then(|| "/data/hf".into()))?;
/// assert_eq!(settings.cache.as_deref(), Some("/data/hf/hub".as_ref()));
/// assert!(!settings.offline);
/// # Ok::<(), st_hub::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HubSettings {
    /// The folder that holds `models--org--name`; it need not exist.
    pub cache: Option<PathBuf>,
    /// The address of the hub, `http://` or `https://`.
    pub endpoint: String,
    /// Nothing is asked of a network.
    pub offline: bool,
    /// How long to wait for the hub to say what a model consists of.
    pub metadata_timeout: Duration,
    /// How long to wait for the next piece of a file.
    pub download_timeout: Duration,
    /// How often a request is sent that has no answer, or a passing refusal; of a file, attempts that bring nothing new.
    pub attempts: u32,
    /// How long to wait before the second attempt; then twice as long, and so on.
    pub pause: Duration,
    /// Snapshots have links to the blobs, as Python makes them; otherwise copies.
    pub symlinks: bool,
    /// A proxy for addresses with `http`, with `https`, and the hosts that need none.
    pub proxies: Proxies,
    /// Certificates of the authorities that are trusted: files, and folders of files as `openssl rehash` names them. Where
    /// nothing is named, the system says whom it trusts.
    pub authorities: Vec<PathBuf>,
    /// Who asks.
    pub token: TokenSource,
}

/// Proxies, as the variables of the environment name them.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Proxies {
    /// `HTTP_PROXY`.
    pub http: Option<String>,
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `NO_PROXY`.
    pub except: Option<String>,
}

// An address may hold a password.
impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, https, except } = self;
        let mut shown = formatter.debug_struct("Proxies");
        shown.field("http", &http.is_some()).field("https", &https.is_some()).field("except", except).finish()
    }
}

/// Where the token of the user is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// Nobody: only what everybody may have is asked for.
    #[default]
    None,
    /// This one.
    Given(Token),
    /// The file that `hf auth login` writes, if it exists when it is needed.
    File(PathBuf),
}

/// A token of the hub. It is in no message and has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token; spaces and line ends around it are cut off. `None` if nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The token itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl TokenSource {
    /// The token, if there is one.
    pub(crate) fn read(&self) -> Result<Option<Token>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Given(token) => Ok(Some(token.clone())),
            Self::File(path) => match fs::read_to_string(path) {
                Ok(text) => Ok(Token::new(&text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(file(path, "read the token in")(source)),
            },
        }
    }
}

impl HubSettings {
    /// A cache, and the public hub; nobody in particular asks.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self { cache: Some(cache.into()), ..Self::default() }
    }

    /// What the environment says, in the words and with the precedence of Python.
    ///
    /// - The cache: `SENTENCE_TRANSFORMERS_HOME`, `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, then `hub` below `HF_HOME`, below
    ///   `XDG_CACHE_HOME/huggingface`, below `~/.cache/huggingface`.
    /// - The hub: `HF_ENDPOINT`; no network: `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE`.
    /// - The token: `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, the file `HF_TOKEN_PATH`, the file `token` below `HF_HOME`; none
    ///   with `HF_HUB_DISABLE_IMPLICIT_TOKEN`.
    /// - Whole seconds to wait: `HF_HUB_ETAG_TIMEOUT`, `HF_HUB_DOWNLOAD_TIMEOUT`. Copies instead of links:
    ///   `HF_HUB_DISABLE_SYMLINKS`. Proxies: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    /// - Who is trusted instead of the system's authorities: `SSL_CERT_FILE`, `SSL_CERT_DIR`, and what older versions looked
    ///   at, `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE`.
    ///
    /// `lookup` is mostly `|name| std::env::var_os(name)`. An empty variable is as none.
    ///
    /// # Errors
    /// [`Error::Variable`] for an address or a number that is none.
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let environment = Environment { lookup };
        let home = environment.home();
        let cache = environment
            .path("SENTENCE_TRANSFORMERS_HOME")
            .or_else(|| environment.path("HF_HUB_CACHE"))
            .or_else(|| environment.path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| home.as_ref().map(|home| home.join("hub")));
        Ok(Self {
            cache,
            endpoint: environment.endpoint()?,
            offline: environment.is_offline(),
            metadata_timeout: environment.seconds("HF_HUB_ETAG_TIMEOUT")?,
            download_timeout: environment.seconds("HF_HUB_DOWNLOAD_TIMEOUT")?,
            attempts: ATTEMPTS,
            pause: PAUSE,
            symlinks: !environment.is_true("HF_HUB_DISABLE_SYMLINKS"),
            proxies: environment.proxies(),
            authorities: environment.authorities(),
            token: environment.token(home.as_deref()),
        })
    }
}

impl Default for HubSettings {
    fn default() -> Self {
        Self {
            cache: None,
            endpoint: ENDPOINT.to_owned(),
            offline: false,
            metadata_timeout: TIMEOUT,
            download_timeout: TIMEOUT,
            attempts: ATTEMPTS,
            pause: PAUSE,
            symlinks: true,
            proxies: Proxies::default(),
            authorities: Vec::new(),
            token: TokenSource::None,
        }
    }
}

/// The address of a hub, understood.
pub(crate) fn endpoint(text: &str) -> Result<Url, Error> {
    let wrong = |problem: String| Error::Variable { variable: "HF_ENDPOINT", problem };
    let url = Url::parse(text.trim_end_matches('/')).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
        return Err(wrong("not an address that begins with http:// or https://".to_owned()));
    }
    Ok(url)
}

/// The variables, as Python reads them.
struct Environment<Lookup> {
    lookup: Lookup,
}

impl<Lookup: Fn(&str) -> Option<OsString>> Environment<Lookup> {
    fn set(&self, name: &str) -> Option<OsString> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.set(name)?.into_string().ok()
    }

    /// `HF_HOME`, or where it is by default.
    fn home(&self) -> Option<PathBuf> {
        let below_cache = || {
            let cache = self.path("XDG_CACHE_HOME").or_else(|| Some(self.user()?.join(".cache")))?;
            Some(cache.join("huggingface"))
        };
        self.path("HF_HOME").or_else(below_cache)
    }

    fn user(&self) -> Option<PathBuf> {
        self.set("HOME").or_else(|| self.set("USERPROFILE")).map(PathBuf::from)
    }

    /// A path, with `~` and `$NAME` replaced as Python does.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.set(name)?;
        let Some(text) = value.to_str() else { return Some(value.into()) };
        let text = self.with_variables(text);
        let at_home = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        Some(match (at_home, self.user()) {
            (Some(rest), Some(user)) => user.join(rest.trim_start_matches('/')),
            _ => text.into(),
        })
    }

    /// `$NAME` and `${NAME}`; what is not set stays as it is.
    fn with_variables(&self, text: &str) -> String {
        let mut rest = text;
        let mut out = String::new();
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let end = after.find(|next: char| !next.is_ascii_alphanumeric() && next != '_');
            let (name, next) = braced.unwrap_or_else(|| after.split_at(end.unwrap_or(after.len())));
            match self.text(name).filter(|_| !name.is_empty()) {
                Some(value) => (out.push_str(&value), rest = next),
                None => (out.push('$'), rest = after),
            };
        }
        out + rest
    }

    fn is_true(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|value| ["1", "ON", "YES", "TRUE"].contains(&value.to_ascii_uppercase().as_str()))
    }

    /// The second variable counts only where the first says nothing.
    fn is_offline(&self) -> bool {
        let variable =
            if self.set("HF_HUB_OFFLINE").is_some() { "HF_HUB_OFFLINE" } else { "TRANSFORMERS_OFFLINE" };
        self.is_true(variable)
    }

    fn seconds(&self, name: &'static str) -> Result<Duration, Error> {
        let Some(text) = self.text(name) else { return Ok(TIMEOUT) };
        match text.trim().parse() {
            Ok(0) => Ok(TIMEOUT),
            Ok(seconds) => Ok(Duration::from_secs(seconds)),
            Err(_) => {
                Err(Error::Variable { variable: name, problem: "not a whole number of seconds".to_owned() })
            }
        }
    }

    fn endpoint(&self) -> Result<String, Error> {
        let text = self.text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        endpoint(&text)?;
        Ok(text.trim_end_matches('/').to_owned())
    }

    fn proxies(&self) -> Proxies {
        let either = |name: &str| self.text(&name.to_ascii_lowercase()).or_else(|| self.text(name));
        let all = either("ALL_PROXY");
        Proxies {
            http: either("HTTP_PROXY").or_else(|| all.clone()),
            https: either("HTTPS_PROXY").or(all),
            except: either("NO_PROXY"),
        }
    }

    /// The first variable that is set counts, and the others are not looked at.
    fn authorities(&self) -> Vec<PathBuf> {
        let one = |name: &str| Some(vec![self.set(name)?.into()]);
        let several = |name: &str| Some(std::env::split_paths(&self.set(name)?).collect());
        let found = one("SSL_CERT_FILE")
            .or_else(|| several("SSL_CERT_DIR"))
            .or_else(|| one("REQUESTS_CA_BUNDLE"))
            .or_else(|| one("CURL_CA_BUNDLE"));
        found.unwrap_or_default()
    }

    fn token(&self, home: Option<&Path>) -> TokenSource {
        if self.is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            return TokenSource::None;
        }
        let given = self.text("HF_TOKEN").or_else(|| self.text("HUGGING_FACE_HUB_TOKEN"));
        if let Some(token) = given.as_deref().and_then(Token::new) {
            return TokenSource::Given(token);
        }
        let path = self.path("HF_TOKEN_PATH").or_else(|| home.map(|home| home.join("token")));
        path.map_or(TokenSource::None, TokenSource::File)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<HubSettings, Error> {
        HubSettings::from_env(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[track_caller]
    fn check_cache(variables: &[(&str, &str)], expected: Option<&str>) {
        assert_eq!(read(variables).unwrap().cache.as_deref(), expected.map(Path::new));
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        check_cache(&[], None);
        check_cache(&[("HOME", "/home/ada")], Some("/home/ada/.cache/huggingface/hub"));
        check_cache(&[("HOME", "/home/ada"), ("XDG_CACHE_HOME", "/c")], Some("/c/huggingface/hub"));
        check_cache(&[("XDG_CACHE_HOME", "/c"), ("HF_HOME", "/hf")], Some("/hf/hub"));
        check_cache(&[("HOME", "/home/ada"), ("HF_HOME", "~/hf")], Some("/home/ada/hf/hub"));
        check_cache(&[("HF_HOME", "$DATA/hf/${WHO}"), ("DATA", "/d"), ("WHO", "a")], Some("/d/hf/a/hub"));
        check_cache(&[("HF_HOME", "/d/$NOBODY/x$")], Some("/d/$NOBODY/x$/hub"));
        check_cache(&[("HF_HOME", "/hf"), ("HUGGINGFACE_HUB_CACHE", "/old")], Some("/old"));
        check_cache(&[("HUGGINGFACE_HUB_CACHE", "/old"), ("HF_HUB_CACHE", "/new")], Some("/new"));
        check_cache(&[("HF_HUB_CACHE", "/new"), ("SENTENCE_TRANSFORMERS_HOME", "/st")], Some("/st"));
        check_cache(&[("HF_HUB_CACHE", ""), ("HF_HOME", "/hf")], Some("/hf/hub"));
    }

    #[test]
    fn the_network_is_switched_off_as_in_python() {
        let offline = |variables: &[(&str, &str)]| read(variables).unwrap().offline;
        assert!(!offline(&[]));
        assert!(offline(&[("HF_HUB_OFFLINE", "1")]));
        assert!(offline(&[("TRANSFORMERS_OFFLINE", "yes")]));
        assert!(!offline(&[("HF_HUB_OFFLINE", "0"), ("TRANSFORMERS_OFFLINE", "1")]));
        assert!(!offline(&[("HF_HUB_OFFLINE", "2")]));
    }

    #[test]
    fn authorities_are_named_by_the_first_variable_that_is_set() {
        let check = |variables: &[(&str, &str)], expected: &[&str]| {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(read(variables).unwrap().authorities, expected, "{variables:?}");
        };
        check(&[], &[]);
        let requests = ("REQUESTS_CA_BUNDLE", "/r.pem");
        check(&[("CURL_CA_BUNDLE", "/c.pem")], &["/c.pem"]);
        check(&[("CURL_CA_BUNDLE", "/c.pem"), requests], &["/r.pem"]);
        check(&[requests, ("SSL_CERT_FILE", "")], &["/r.pem"]);
        check(&[requests, ("SSL_CERT_FILE", "/s.pem")], &["/s.pem"]);
        let folders = std::env::join_paths(["/a", "/b"]).unwrap().into_string().unwrap();
        check(&[requests, ("SSL_CERT_DIR", &folders)], &["/a", "/b"]);
    }

    #[test]
    fn the_token_is_found_and_never_shown() {
        let token = |variables: &[(&str, &str)]| read(variables).unwrap().token;
        assert_eq!(token(&[]), TokenSource::None);
        assert_eq!(token(&[("HF_HOME", "/hf")]), TokenSource::File("/hf/token".into()));
        assert_eq!(token(&[("HF_HOME", "/hf"), ("HF_TOKEN_PATH", "/t")]), TokenSource::File("/t".into()));
        let given = token(&[("HF_TOKEN", " hf_secret\n"), ("HF_HOME", "/hf")]);
        assert_eq!(given, TokenSource::Given(Token("hf_secret".to_owned())));
        assert!(!format!("{given:?}").contains("secret"));
        assert_eq!(token(&[("HF_TOKEN", "x"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), TokenSource::None);
        assert_eq!(TokenSource::File("/not/there".into()).read().unwrap(), None);
    }

    #[test]
    fn what_cannot_be_understood_is_told() {
        let problem = |name: &str, value: &str| read(&[(name, value)]).unwrap_err().to_string();
        assert!(problem("HF_ENDPOINT", "hub.example").starts_with("cannot understand HF_ENDPOINT: "));
        assert!(problem("HF_ENDPOINT", "file:///x").starts_with("cannot understand HF_ENDPOINT: "));
        let expected = "cannot understand HF_HUB_ETAG_TIMEOUT: not a whole number of seconds";
        assert_eq!(problem("HF_HUB_ETAG_TIMEOUT", "soon"), expected);
        let settings = read(&[("HF_HUB_DOWNLOAD_TIMEOUT", "3"), ("HF_ENDPOINT", "http://h:1/hf/")]).unwrap();
        assert_eq!(settings.download_timeout, Duration::from_secs(3));
        assert_eq!(settings.endpoint, "http://h:1/hf");
        let settings = read(&[("https_proxy", "http://u:secret@p:1")]).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
