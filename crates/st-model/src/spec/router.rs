//! Routers: another way for questions than for documents.

use std::path::Path;

use serde_json::Value;
use st_core::Task;

use super::json::{Object, read_text};
use super::modules::{ModuleEntry, ModuleKind, check_path};
use crate::Error;

/// How a model chooses between its ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouterSpec {
    /// What is taken where the task decides nothing.
    pub default_route: Option<String>,
    /// Rules: for a task (or any) the name of a way. Those for anything but text are left out.
    pub mappings: Vec<(Option<String>, String)>,
}

impl RouterSpec {
    /// Reads the router in `folder`, a path below the model folder: its rules, and for each way its modules.
    #[expect(clippy::type_complexity, reason = "rules, and ways by name")]
    pub(super) fn read(root: &Path, folder: &str) -> Result<(Self, Vec<(String, Vec<ModuleEntry>)>), Error> {
        let path = ["router_config.json", "config.json"]
            .map(|name| root.join(folder).join(name))
            .into_iter()
            .find(|path| path.is_file())
            .unwrap_or_else(|| root.join(folder).join("router_config.json"));
        let object = Object::parse(&path, &read_text(&path)?)?;
        let ways = read_ways(&path, &object, folder)?;
        let parameters = object.object("parameters")?;
        let parameter = |key: &str| parameters.and_then(|all| all.get(key)).filter(|value| !value.is_null());
        let mut default_route = parameter("default_route").and_then(Value::as_str).map(str::to_owned);
        if default_route.is_none() && parameter("allow_empty_key").and_then(Value::as_bool) != Some(false) {
            default_route = ways.first().map(|(name, _)| name.clone());
        }
        let mappings = parameter("route_mappings").map(mappings).unwrap_or_default();
        Ok((Self { default_route, mappings }, ways))
    }

    /// The way for a task, in the order of the reference.
    pub(crate) fn resolve(&self, task: Option<Task>, has: impl Fn(&str) -> bool) -> Option<&str> {
        let task = task.map(task_name);
        let rule = |wanted: Option<&str>| {
            let found = self.mappings.iter().find(|(task, _)| task.as_deref() == wanted);
            found.map(|(_, route)| route.as_str())
        };
        let by_rule = task.and_then(|task| rule(Some(task))).or_else(|| rule(None));
        let by_name = || task.filter(|name| has(name));
        let by_modality = || Some("text").filter(|name| has(name));
        by_rule.or_else(by_name).or_else(by_modality).or_else(|| {
            // A task that nothing fits is an error, not a reason to guess.
            self.default_route.as_deref().filter(|_| task.is_none())
        })
    }
}

/// The reference's word for a task.
pub(crate) fn task_name(task: Task) -> &'static str {
    match task {
        Task::Query => "query",
        Task::Document => "document",
    }
}

fn read_ways(
    path: &Path,
    object: &Object<'_>,
    folder: &str,
) -> Result<Vec<(String, Vec<ModuleEntry>)>, Error> {
    let missing = |key: &str| object.error(format!("`{key}` is missing"));
    let types = object.object("types")?.ok_or_else(|| missing("types"))?;
    let structure = object.object("structure")?.ok_or_else(|| missing("structure"))?;
    let module = |index: usize, id: &Value| {
        let id = id.as_str().ok_or_else(|| object.error("`structure` must name modules by strings"))?;
        check_path(path, id)?;
        let class = types.get(id).and_then(Value::as_str);
        let class = class.ok_or_else(|| object.error(format!("`types` has no class for `{id}`")))?;
        let kind = ModuleKind::parse(path, index, class)?;
        let path = if folder.is_empty() { id.to_owned() } else { format!("{folder}/{id}") };
        Ok(ModuleEntry { kind, path })
    };
    let way = |(name, ids): (&String, &Value)| {
        let ids = ids.as_array().ok_or_else(|| object.error("`structure` must hold lists"))?;
        let modules: Result<Vec<_>, Error> =
            ids.iter().enumerate().map(|(index, id)| module(index, id)).collect();
        Ok((name.clone(), modules?))
    };
    let ways: Vec<_> = structure.iter().map(way).collect::<Result<_, Error>>()?;
    if ways.is_empty() {
        return Err(object.error("`structure` is empty"));
    }
    Ok(ways)
}

/// `{"('query', 'text')": route, "(None, 'image')": …}`: Python writes its tuples as text.
fn mappings(value: &Value) -> Vec<(Option<String>, String)> {
    let parts = |key: &str| -> Vec<String> {
        let plain = |part: &str| part.trim().trim_matches(['\'', '"']).to_owned();
        key.trim_matches(['(', ')']).split(',').map(plain).collect()
    };
    let rule = |(key, route): (&String, &Value)| {
        let parts = parts(key);
        let [task, modality] = parts.as_slice() else { return None };
        let task = (task != "None").then(|| task.clone());
        matches!(modality.as_str(), "text" | "None").then_some((task, route.as_str()?.to_owned()))
    };
    value.as_object().into_iter().flatten().filter_map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(router: &RouterSpec, task: Option<Task>, expected: Option<&str>) {
        assert_eq!(router.resolve(task, |name| ["query", "document"].contains(&name)), expected);
    }

    #[test]
    fn rules_then_names_then_the_default() {
        let plain = RouterSpec { default_route: Some("document".into()), ..RouterSpec::default() };
        check(&plain, Some(Task::Query), Some("query"));
        check(&plain, None, Some("document"));
        let value =
            serde_json::json!({"('query', 'text')": "a", "(None, None)": "b", "(None, 'image')": "c"});
        let ruled = RouterSpec { default_route: None, mappings: mappings(&value) };
        check(&ruled, Some(Task::Query), Some("a"));
        check(&ruled, Some(Task::Document), Some("b"));
        check(&ruled, None, Some("b"));
        check(&RouterSpec::default(), None, None);
    }
}
