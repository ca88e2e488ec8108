//! The main job: log, register, alias, load by alias; on the embedded store and on a real server.

use serde_json::Value;
use st_testkit::{Environment, MlflowServer, PythonScript};

use crate::support::Place;

/// A place to log to.
struct Store {
    place: Place,
    /// Arguments that name it; none for the embedded store.
    uri: Option<String>,
    /// What names on a shared server begin with.
    prefix: String,
}

impl Store {
    fn embedded() -> Self {
        Self { place: Place::new(), uri: None, prefix: "e".to_owned() }
    }

    fn server(test: &str) -> Self {
        Self {
            place: Place::new(),
            uri: Some(MlflowServer::shared().url()),
            prefix: format!("{test}-{}", std::process::id()),
        }
    }

    fn with_uri<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let uri = self.uri.iter().flat_map(|uri| ["--tracking-uri", uri.as_str()]);
        args.iter().copied().chain(uri).collect()
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        self.place.ok(&self.with_uri(args))
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }
}

/// Log, register, alias, load by every kind of URI: the vectors are those of the folder.
fn the_main_job(store: &Store) {
    let name = store.name("encoder");
    let logged = store.json(&[
        "log",
        "-m",
        "TINY",
        "--name",
        "tiny",
        "--register",
        &name,
        "--alias",
        "champion",
        "--tag",
        "team=search",
        "--param",
        "lr=0.1",
        "--task",
        "llm/v1/embeddings",
    ]);
    assert_eq!(logged["registered"], format!("models:/{name}/1"));
    assert_eq!(logged["aliases"], serde_json::json!(["champion"]));
    let model_uri = logged["logged"].as_str().unwrap();
    let of_folder = store.place.ok(&["encode", "-m", "TINY", "one", "two"]);
    let champion = format!("models:/{name}@champion");
    for uri in [model_uri, &champion, &format!("models:/{name}/1"), &format!("models:/{name}/latest")] {
        assert_eq!(store.ok(&["encode", "-m", uri, "one", "two"]), of_folder, "{uri}");
    }
    let listed = store.json(&["models", "list", "--filter", &format!("name = '{name}'")]);
    assert_eq!(listed[0]["aliases"], serde_json::json!([{"alias": "champion", "version": "1"}]));
    let shown = store.json(&["models", "show", &name]);
    assert_eq!(shown["model_versions"][0]["source"], model_uri);
    let tags = shown["model_versions"][0]["tags"].as_array().unwrap();
    for tag in [("team", "search"), ("st.dimension", "24")] {
        assert!(tags.contains(&serde_json::json!({"key": tag.0, "value": tag.1})), "{tags:?}");
    }
    let place = store.json(&["models", "show", &champion]);
    assert_eq!(format!("models:/{}", place["model_id"].as_str().unwrap()), model_uri);
}

/// An alias moves, and who loads by it gets the other model.
fn an_alias_moves(store: &Store) {
    let name = store.name("moving");
    store.ok(&["log", "-m", "TINY", "--register", &name, "--alias", "champion"]);
    let other = st_testkit::tiny_model_dir("cls");
    let other = other.to_str().unwrap();
    store.ok(&["log", "-m", other, "--register", &name]);
    let champion = format!("models:/{name}@champion");
    let first = store.ok(&["encode", "-m", &champion, "one"]);
    store.ok(&["models", "alias", &name, "champion", "2"]);
    let second = store.ok(&["encode", "-m", &champion, "one"]);
    assert_ne!(first, second);
    assert_eq!(second, store.place.ok(&["encode", "-m", other, "one"]));
    let diff = store.place.run(&store.with_uri(&["models", "diff", &format!("models:/{name}/1"), &champion]));
    assert_eq!(diff.code, 1, "{}", diff.stderr);
    assert!(diff.stdout.contains("model.sentence_transformer/model.safetensors"), "{}", diff.stdout);
    store.ok(&["models", "alias", &name, "champion", "--delete"]);
    let gone = store.place.run(&store.with_uri(&["encode", "-m", &champion, "one"]));
    assert_eq!(gone.code, 2);
    assert!(gone.stderr.contains("Registered model alias champion not found."), "{}", gone.stderr);
}

/// A downloaded model is the logged one, byte for byte, and nothing is overwritten.
fn a_download_is_what_was_logged(store: &Store) {
    let name = store.name("copied");
    store.ok(&["log", "-m", "TINY", "--register", &name]);
    let uri = format!("models:/{name}/1");
    let downloaded = store.json(&["models", "download", &uri, "-o", "copy"]);
    assert_eq!(downloaded["downloaded"], "copy");
    assert_eq!(store.json(&["models", "diff", "copy", &uri])["same"], true);
    let again = store.place.run(&store.with_uri(&["models", "download", &uri, "-o", "copy"]));
    assert_eq!(again.code, 2, "{}", again.stdout);
}

/// Prompts that Python registered: `MLmodel`, the run and the logged model name them as Python's own log does.
fn prompts_go_with_a_model(store: &Store) {
    let name = store.name("instruction");
    let uri = store.uri.clone().unwrap_or_else(|| "sqlite:///mlflow.db".to_owned());
    let python = |script: &str, argument: &str| -> Value {
        let script = format!("import json, sys, mlflow; mlflow.set_tracking_uri({uri:?}); {script}");
        let script = PythonScript::new(Environment::Mlflow, &script);
        script.folder(store.place.path(".")).argument(argument).run()
    };
    let register = "p = mlflow.genai.register_prompt(sys.argv[1], 'query: {{text}}'); \
                    mlflow.genai.set_prompt_alias(sys.argv[1], 'live', p.version); print(p.version)";
    assert_eq!(python(register, &name), 1);
    let (by_version, by_alias) = (format!("prompts:/{name}/1"), format!("prompts:/{name}@live"));
    let log = ["log", "-m", "TINY", "--run-name", "r", "--no-certificate", "--link-prompt"];
    let logged = store.json(&[&log[..], &[&by_version, "--link-prompt", &by_alias]].concat());
    let read = "c = mlflow.MlflowClient(); u = sys.argv[1]; m = c.get_logged_model(u[len('models:/'):]); \
                print(json.dumps([m.tags['mlflow.linkedPrompts'], mlflow.models.get_model_info(u).prompts, \
                c.get_run(m.source_run_id).data.tags['mlflow.linkedPrompts']]))";
    let linked = format!(r#"[{{"name": "{name}", "version": "1"}}]"#);
    let expected = serde_json::json!([linked, [by_version, by_alias], linked]);
    assert_eq!(python(read, logged["logged"].as_str().unwrap()), expected);
    let model = store.name("no-prompt");
    store.ok(&["log", "-m", "TINY", "--no-certificate", "--register", &model]);
    let wrong = format!("prompts:/{model}/1");
    let refused = store.place.run(&store.with_uri(&[&log[..], &[&wrong]].concat()));
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains(&format!("{wrong} is no prompt of the registry")), "{}", refused.stderr);
}

macro_rules! on_both {
    ($($test:ident),*) => {
        mod embedded {
            $(#[test]
            fn $test() {
                super::$test(&super::Store::embedded());
            })*
        }

        mod server {
            $(#[test]
            fn $test() {
                super::$test(&super::Store::server(stringify!($test)));
            })*
        }
    };
}

on_both!(the_main_job, an_alias_moves, a_download_is_what_was_logged, prompts_go_with_a_model);

#[test]
fn what_cannot_be_saved_leaves_nothing_in_the_store() {
    let store = Store::embedded();
    let failed = store.place.run(&["log", "-m", "./no-such", "--name", "x"]);
    assert_eq!(
        failed.stderr,
        "error: model folder ./no-such does not exist\nhint: `-m` takes a folder, an MLflow URI, or the name of a model \
         on the hub: ORG/NAME\n"
    );
    assert_eq!(store.place.names(), [""; 0]);
    let task = store.place.run(&["log", "-m", "TINY", "--task", "llm/v1/chat"]);
    assert_eq!(task.code, 2);
    assert!(!store.place.path("mlruns").exists(), "{}", task.stderr);
}

/// A URI that says itself where the files are is opened without a store, and makes none.
#[test]
fn files_need_no_store() {
    let place = Place::new();
    place.ok(&["save", "-m", "TINY", "-o", "a model"]);
    let of_folder = place.ok(&["encode", "-m", "TINY", "one"]);
    let saved = place.path("a%20model");
    for uri in [format!("file://{}", saved.display()), format!("file:{}", saved.display())] {
        assert_eq!(place.ok(&["encode", "-m", &uri, "one"]), of_folder, "{uri}");
        let elsewhere = ["encode", "-m", &uri, "one", "--tracking-uri", "sqlite:///no/such/folder/mlflow.db"];
        assert_eq!(place.ok(&elsewhere), of_folder, "{uri}");
    }
    assert_eq!(place.names(), ["a model"]);
    let missing = format!("file://{}", place.path("nothing").display());
    let failed = place.run(&["encode", "-m", &missing, "one"]);
    let first = format!("error: cannot fetch {missing}");
    assert_eq!((failed.code, failed.stderr.lines().next()), (2, Some(first.as_str())), "{}", failed.stderr);
    let unknown = place.run(&["encode", "-m", "models:/encoder/1", "one"]);
    assert!(unknown.stderr.starts_with("error: there is no MLflow store here"), "{}", unknown.stderr);
}

/// A model of another workspace is not taken from the store at hand, where the same name is another model.
#[test]
fn a_workspace_of_databricks_is_not_the_store_at_hand() {
    let store = Store::embedded();
    store.ok(&["log", "-m", "TINY", "--register", "encoder", "--no-certificate"]);
    let failed = store.place.run(&["encode", "-m", "models://prod@databricks/encoder/1", "one"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (2, ""));
    assert!(failed.stderr.contains("name `databricks://prod` as the registry URI"), "{}", failed.stderr);
}
