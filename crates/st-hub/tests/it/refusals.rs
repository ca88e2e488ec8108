//! Models that are not there, not for us, or not for strangers.

use st_hub::Error;
use st_testkit::{Fault, FaultProxy, Gate, Rule};

use crate::support::{NAME, World, model, token};

#[test]
fn a_model_that_is_not_there() {
    let world = World::new();
    let error = world.get("org/other").unwrap_err();
    let expected = format!("{} has no model org/other, or does not show it", world.server.url());
    assert_eq!((error.to_string(), error.is_not_found()), (expected, true));
    assert_eq!(world.server.requests().len(), 1);
    assert!(!world.cache().join("models--org--other").exists());
}

#[test]
fn a_revision_that_is_not_there() {
    let world = World::new();
    let error = world.get(&format!("{NAME}@v9")).unwrap_err();
    assert_eq!(error.to_string(), format!("{NAME} has no revision `v9`"));
    assert!(error.is_not_found());
}

#[test]
fn a_gated_model_is_for_those_who_were_admitted() {
    let world = World::with(model().with_gate(Gate::Gated("hf_good".to_owned())));
    let error = world.get(NAME).unwrap_err();
    assert!(matches!(error, Error::Gated { with_token: false, .. }), "{error}");
    let settings = world.settings_with(|settings| settings.token = token("hf_bad"));
    let error = world.get_with(settings, NAME).unwrap_err();
    assert!(matches!(error, Error::Gated { with_token: true, .. }), "{error}");
    let settings = world.settings_with(|settings| settings.token = token("hf_good"));
    world.get_with(settings, NAME).unwrap();
}

#[test]
fn a_private_model_is_not_there_for_strangers() {
    let world = World::with(model().with_gate(Gate::Private("hf_good".to_owned())));
    let error = world.get(NAME).unwrap_err();
    assert!(matches!(error, Error::NotFound { with_token: false, .. }), "{error}");
}

#[test]
fn a_wrong_token_is_told_from_a_missing_model() {
    let world = World::new();
    let headers = [("X-Error-Message", "Invalid credentials in Authorization header")];
    let rules = vec![Rule::new("GET", "/api/*", Fault::answer(401, &headers, ""))];
    let proxy = FaultProxy::start(world.server.address(), rules);
    let settings = world.settings_with(|settings| {
        (settings.endpoint, settings.token) = (proxy.url(), token("hf_old"));
    });
    let error = world.get_with(settings, NAME).unwrap_err();
    assert!(matches!(error, Error::Refused { status: 401, with_token: true, .. }), "{error}");
    let said = "the hub said 401: Invalid credentials in Authorization header";
    assert!(error.to_string().ends_with(said), "{error}");
}

#[test]
fn the_token_goes_to_the_hub_and_nowhere_else() {
    let world = World::new();
    let settings = world.settings_with(|settings| settings.token = token("hf_secret"));
    world.get_with(settings, NAME).unwrap();
    let requests = world.server.requests();
    let (storage, hub): (Vec<_>, Vec<_>) = requests.iter().partition(|request| request.to_storage);
    assert!(
        hub.iter().all(|request| request.authorization.as_deref() == Some("Bearer hf_secret")),
        "{hub:?}"
    );
    assert_eq!(storage.len(), 1);
    assert_eq!(storage[0].authorization, None);
}

#[test]
fn a_model_that_moved_is_found_where_it_is_now() {
    let world = World::new();
    let to = format!("/api/models/{NAME}/revision/main?blobs=true");
    let moved = Fault::answer(307, &[("Location", &to)], "");
    let proxy =
        FaultProxy::start(world.server.address(), vec![Rule::new("GET", "/api/models/old/tiny/*", moved)]);
    let settings = world.settings_with(|settings| {
        (settings.endpoint, settings.token) = (proxy.url(), token("hf_secret"));
    });
    // The files are asked for under the old name, which this proxy does not forward.
    let error = world.get_with(settings, "old/tiny").unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let requests = proxy.requests_to("GET", "/api/models/org/tiny/*");
    assert_eq!(requests[0].header("authorization"), Some("Bearer hf_secret"));
}
