//! The manual's tables of what runs and what is refused are those of the code.
//!
//! `UPDATE_README=1 cargo test -p st-model --test it readme` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use st_model::ModelSpec;

const BEGIN: &str = "<!-- written by crates/st-model/tests/it/readme.rs: begin -->";
const END: &str = "<!-- written by crates/st-model/tests/it/readme.rs: end -->";

/// Architectures whose only reference is a description, not code that could be run.
const UNVERIFIED: [&str; 1] = ["jina_bert_v2"];

fn tables() -> String {
    let support = st_model::support();
    let mut text = String::from("\n| architecture | `model_type` | such as |\n|---|---|---|\n");
    for family in &support.families {
        let types = family.model_types.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let note = if UNVERIFIED.contains(&family.name) { " (*unverified*: see below)" } else { "" };
        writeln!(text, "| {}{note} | {types} | {} |", family.name, family.examples).unwrap();
    }
    let modules: Vec<_> = support.modules.iter().map(|kind| kind.name()).collect();
    writeln!(text, "\nModules: {}.\n", modules.join(", ")).unwrap();
    text.push_str("| refused | why | instead |\n|---|---|---|\n");
    for refused in &support.refused_families {
        let types = refused.model_types.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        writeln!(text, "| {types} | {} | export it with Python's optimum, `--graph FILE` |", refused.reason)
            .unwrap();
    }
    for refusal in &support.refused_modules {
        writeln!(text, "| module {} | {} | {} |", refusal.class, refusal.reason, refusal.way_out).unwrap();
    }
    text.push_str(
        "| `pytorch_model.bin` alone | a pickle is a program | `save_pretrained(folder, safe_serialization=True)` in Python |\n\
         | classes of the repository itself | code of a repository is never run | `--graph FILE` if it has a graph |\n\n",
    );
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that writes what it checks has to be told to")]
fn what_runs_and_what_is_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the beginning is marked");
    let (written, after) = rest.split_once(END).expect("the end is marked");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", tables())).unwrap();
        return;
    }
    assert_eq!(written, tables(), "run it with UPDATE_README=1");
}

/// Every line of the table of refusals is true: a folder of that kind is refused with those words.
#[test]
fn every_refusal_is_one() {
    let support = st_model::support();
    for refused in support.refused_families {
        for name in refused.model_types {
            let folder = tempfile::tempdir().unwrap();
            let config = format!(r#"{{"model_type": "{name}", "hidden_size": 8}}"#);
            fs::write(folder.path().join("config.json"), config).unwrap();
            let error =
                st_export::export_bytes(folder.path(), None, st_export::Quantization::None).unwrap_err();
            assert!(error.to_string().contains(refused.reason), "{name}: {error}");
        }
    }
    for refusal in support.refused_modules {
        let folder = tempfile::tempdir().unwrap();
        let class = format!("sentence_transformers.models.{}", refusal.class);
        let list = format!(r#"[{{"idx": 0, "name": "0", "path": "", "type": "{class}"}}]"#);
        fs::write(folder.path().join("modules.json"), list).unwrap();
        let error = ModelSpec::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(refusal.reason) && error.contains(refusal.way_out), "{error}");
    }
}
