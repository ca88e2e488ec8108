//! What is planned is what is written.

use std::fs;

use mlflow_flavor::{Digests, FileSource, LoggedAs, SaveOptions, SavePlan, save_model};

use crate::folder::{files, tiny_encoder};

#[test]
fn a_plan_names_every_file_of_the_save_and_writes_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    let logged =
        LoggedAs::new("m-48639f6a059144eb8c0710bcc8aa0a2e", "mlflow-artifacts:/1/models/m/artifacts");
    let mut options =
        SaveOptions::default().with_logged(logged.with_run_id("7c3a51957c6149a88e9d1072f4c25407"));
    let plan = SavePlan::new(&folder, &options).unwrap();
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1, "only the folder of the model is there");

    let mut start = mlflow_flavor::MlModel::default();
    start.utc_time_created.clone_from(&plan.mlmodel().utc_time_created);
    options.mlflow_model = Some(start);
    let path = temporary.path().join("m");
    let saved = save_model(&folder, &path, &options).unwrap();
    assert_eq!(&saved, plan.mlmodel());
    assert_eq!(Digests::read(&path).unwrap().unwrap(), plan.digests().unwrap());

    let mut planned: Vec<String> = plan.files().iter().map(|file| file.path.clone()).collect();
    assert_eq!(planned.last().unwrap(), "MLmodel");
    planned.push(plan.digests().unwrap().to_file().path);
    planned.sort();
    assert_eq!(planned, files(&path));
    for file in plan.files() {
        let mut read = Vec::new();
        file.read(|piece| {
            read.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
        assert_eq!(read, fs::read(path.join(&file.path)).unwrap(), "{}", file.path);
    }
    let weights = plan.files().iter().find(|file| file.path.ends_with("model.safetensors")).unwrap();
    assert_eq!(weights.source, FileSource::File(folder.join("model.safetensors")));
}

#[test]
fn a_logged_model_has_one_id() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    let options = SaveOptions::default().with_logged(LoggedAs::new("m-1", "file:///store/m-1/artifacts"));
    let plan = SavePlan::new(&folder, &options).unwrap();
    let mlmodel = plan.mlmodel();
    assert_eq!(mlmodel.model_id.as_deref(), Some("m-1"));
    assert_eq!(mlmodel.model_uuid.as_deref(), Some("m-1"));
    assert_eq!(mlmodel.artifact_path.as_deref(), Some("file:///store/m-1/artifacts"));
    assert_eq!(mlmodel.run_id, None);
}

#[test]
fn a_file_that_changes_after_the_plan_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    let plan = SavePlan::new(&folder, &SaveOptions::default()).unwrap();
    let weights = folder.join("model.safetensors");
    fs::write(&weights, "shorter").unwrap();
    let expected = format!("`{}` changed while it was read: it had 18 bytes and has 7", weights.display());
    assert_eq!(plan.digests().unwrap_err().to_string(), expected);
    assert_eq!(plan.write(&temporary.path().join("m")).unwrap_err().to_string(), expected);
}

#[cfg(unix)]
#[test]
fn weights_that_only_their_owner_may_read_stay_so() {
    use std::os::unix::fs::PermissionsExt;
    let temporary = tempfile::tempdir().unwrap();
    let folder = tiny_encoder(temporary.path());
    let weights = folder.join("model.safetensors");
    fs::set_permissions(&weights, fs::Permissions::from_mode(0o400)).unwrap();
    let path = temporary.path().join("m");
    save_model(&folder, &path, &SaveOptions::default()).unwrap();
    let copy = path.join("model.sentence_transformer/model.safetensors");
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o400);
}
