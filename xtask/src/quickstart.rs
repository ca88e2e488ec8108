//! `cargo xtask quickstart`: from nothing to a searched corpus, on a real model.
//!
//! Everything goes through the program `st`, as a user would type it; only the Spearman correlation at the end is
//! computed here, from the vectors that `st encode` wrote.

mod kept;
pub(crate) mod spearman;
mod story;
pub(crate) mod sts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use self::story::Story;
use crate::binary::{self, Profile};
use crate::{places, process, setup};

const SENTENCES: [&str; 3] =
    ["A man is playing a guitar on stage.", "Someone performs on a guitar.", "The tax report is due."];
const QUESTION: &str = "How many career sacks did Jared Allen have?";

/// What the model is called in the registry, and which version is meant.
const CHAMPION: &str = "models:/quickstart-encoder@champion";

/// Where things lie while the story is told.
struct Scene {
    st: PathBuf,
    model: PathBuf,
    folder: PathBuf,
}

/// The command.
pub(crate) fn run() -> Result<()> {
    let mut story = Story::begin("MLflow and sentence-transformers, without Python at run time");
    story.step("Fetch ONNX Runtime and all-MiniLM-L6-v2 into the cache", |_| {
        setup::ensure(&["runtime", "all-MiniLM-L6-v2"])
    })?;
    let st = story.step("Compile `st`", |_| binary::st(Profile::Release))?;
    let folder = places::target().join("quickstart");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let model = places::model("all-MiniLM-L6-v2")?;
    let scene = Scene { st, model, folder };
    story.step("Log the model to MLflow, register it, call it champion", |story| log(&scene, story))?;
    story.step("Encode three sentences with the champion", |story| encode(&scene, story))?;
    story.step("Compare them, pair by pair", |story| similarity(&scene, story))?;
    story.step("Ask 240 paragraphs of Wikipedia a question", |story| search(&scene, story))?;
    story.step("Compare with human judgement: 879 pairs of STS", |story| sts::correlate(&scene, story))?;
    story.end(&scene.folder);
    Ok(())
}

impl Scene {
    /// `st` in the folder of the story, told where the runtime and the store are, so that no variable of the user decides.
    fn st(&self, command: &str) -> Result<Command> {
        let mut st = Command::new(&self.st);
        st.arg(command).current_dir(&self.folder).env("ORT_DYLIB_PATH", places::runtime()?);
        for variable in
            ["MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"]
        {
            st.env_remove(variable);
        }
        Ok(st)
    }

    fn st_with_model(&self, command: &str) -> Result<Command> {
        let mut st = self.st(command)?;
        st.args(["-m", CHAMPION]);
        Ok(st)
    }
}

/// The embedded store begins anew, so that the story reads the same each time.
fn log(scene: &Scene, story: &mut Story) -> Result<()> {
    let (database, artifacts) = (scene.folder.join("mlflow.db"), scene.folder.join("mlruns"));
    if database.exists() {
        fs::remove_file(&database).with_context(|| format!("cannot remove {}", database.display()))?;
    }
    if artifacts.exists() {
        fs::remove_dir_all(&artifacts).with_context(|| format!("cannot remove {}", artifacts.display()))?;
    }
    let mut st = scene.st("log")?;
    st.arg("-m").arg(&scene.model).args(["--name", "minilm", "--task", "llm/v1/embeddings"]);
    st.args(["--register", "quickstart-encoder", "--alias", "champion"]);
    story.tell(&mut st)
}

/// One line of `st encode`'s answer.
#[derive(Debug, Deserialize)]
struct Line {
    embedding: Vec<f32>,
}

fn encode(scene: &Scene, story: &mut Story) -> Result<()> {
    let mut st = scene.st_with_model("encode")?;
    st.args(SENTENCES);
    story.show_command(&st);
    for (line, sentence) in process::output(&mut st)?.lines().zip(SENTENCES) {
        let Line { embedding } = serde_json::from_str(line).context("st encode wrote another format")?;
        let begin: Vec<String> = embedding.iter().take(4).map(|x| format!("{x:.4}")).collect();
        story.say(&format!("[{}, …] {} numbers: {sentence}", begin.join(", "), embedding.len()));
    }
    Ok(())
}

fn similarity(scene: &Scene, story: &mut Story) -> Result<()> {
    let mut st = scene.st_with_model("similarity")?;
    story.tell(st.args(SENTENCES))
}

fn search(scene: &Scene, story: &mut Story) -> Result<()> {
    let mut st = scene.st_with_model("search")?;
    let corpus = fixture("xquad-en/corpus.jsonl")?;
    st.arg("--corpus").arg(&corpus).args([
        "--column",
        "text",
        "--id-column",
        "_id",
        "-k",
        "3",
        "-q",
        QUESTION,
    ]);
    for line in kept::answer(scene, story, &mut st, &corpus)?.lines() {
        story.say(line);
    }
    Ok(())
}

fn fixture(name: &str) -> Result<PathBuf> {
    let path = Path::new(&places::workspace()).join("fixtures").join(name);
    if !path.is_file() {
        bail!("{} is missing from the checkout", path.display());
    }
    Ok(path)
}
