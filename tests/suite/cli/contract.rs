//! The JSON contract (DESIGN 10): fields are added, never changed.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::world::World;

/// Values that differ from run to run give way to what they are; ids keep their identity.
struct Redaction<'a> {
    world: &'a World,
    ids: HashMap<String, usize>,
}

impl Redaction<'_> {
    fn value(&mut self, key: &str, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (key.clone(), self.value(key, value)));
                Value::Object(fields.collect::<Map<String, Value>>())
            }
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(key, item)).collect()),
            Value::Number(_) if key == "duration_ms" || key == "bytes" || key == "kept" || key == "pid" => {
                "[number]".into()
            }
            Value::String(text) => self.text(key, text).into(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other.clone(),
        }
    }

    fn text(&mut self, key: &str, text: &str) -> String {
        if key == "prompt" || key == "text" {
            return format!("[{key}]");
        }
        if text.parse::<jiff::Timestamp>().is_ok() {
            assert!(text.ends_with('Z') && text.len() == 27, "RFC 3339 with microseconds: {text}");
            return "[time]".into();
        }
        let text = text.replace(self.world.folder.as_str(), "[folder]");
        let text = replaced(&text, UUID, |id| {
            let next = self.ids.len() + 1;
            format!("[id {}]", self.ids.entry(id.to_owned()).or_insert(next))
        });
        let text = replaced(&text, r"\b[0-9a-f]{40}\b", |_| "[commit]".into());
        replaced(&text, r"-[0-9a-f]{8}\b|-[0-9a-f]{6}\b", |_| "-[hash]".into())
    }
}

const UUID: &str = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

fn replaced(text: &str, pattern: &str, mut by: impl FnMut(&str) -> String) -> String {
    let pattern = regex::Regex::new(pattern).unwrap();
    pattern.replace_all(text, |found: &regex::Captures<'_>| by(&found[0])).into_owned()
}

#[test]
fn what_programs_read() {
    let world = World::trusted();
    let orders = world.session(&["context_coding", "Orders"]);
    let test = world.session(&["component_test", "Pricing"]);
    assert_eq!(world.run(&["run", &orders]).code, 3, "there are no tests that could pass");
    assert_eq!(world.run(&["run", &test]).code, 0);
    let manual = world.session(&["component_test", "Total", "--mode", "manual", "--agent", "sh"]);
    let list = world.json(&["ls"]);
    let halted = list.as_array().unwrap().iter().find(|one| one["halt"].is_object()).unwrap()["id"].as_str().unwrap();
    let mut redaction = Redaction { world: &world, ids: HashMap::new() };
    let mut shown = |name: &str, value: &Value| {
        let value = redaction.value("", value);
        insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => true}, {
            insta::assert_snapshot!(name, serde_json::to_string_pretty(&value).unwrap());
        });
    };
    shown("ls_one", list.as_array().unwrap().last().unwrap());
    shown("show_complete", &world.json(&["show", &test]));
    shown("show_parent", &world.json(&["show", &orders]));
    shown("show_halted", &world.json(&["show", halted]));
    let mut inbox = world.json(&["inbox"]);
    // The children halted side by side: which came first is chance.
    inbox.as_array_mut().unwrap().sort_by_key(|item| (item["kind"].to_string(), item["component"].to_string()));
    shown("inbox", &inbox);
    shown("why_halted", &world.json(&["why", halted]));
    shown("why_manual", &world.json(&["why", &manual]));
    shown("preview_git", &world.json(&["preview", &manual]));
    let lines = world.ok(&["events", &test, "--json"]);
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        events.iter().map(|event| event["n"].as_u64().unwrap()).collect::<Vec<_>>(),
        (1..=events.len() as u64).collect::<Vec<_>>()
    );
    shown("events", &Value::Array(events));
    shown("engine_status", &serde_json::from_str(&world.run(&["engine", "status", "--json"]).out).unwrap());
    let filtered = world.json(&["ls", "--status", "complete", "--kind", "component_test"]);
    assert_eq!(filtered.as_array().unwrap().len(), 1);
    crate::store::oracle::check(&world.open());
}
