//! The modes that an agent has: some ask before everything, some before nothing.

use serde_json::{Value, json};

use crate::{
    agent::talk::{Failure, title},
    model::AgentFailure,
};

/// So many modes of an agent are looked at.
const MOST: usize = 100;

/// The modes of a conversation, as the agent told.
#[derive(Debug, Default)]
pub(super) struct Modes {
    /// By their ids and their names.
    all: Vec<(String, String)>,
    current: Option<String>,
    /// The option that has them, where an agent knows of modes only as one of its options.
    option: Option<String>,
}

impl Modes {
    /// What an agent tells of them when a conversation begins or goes on.
    pub(super) fn of(result: &Value) -> Self {
        let modes = &result["modes"];
        if let Some(all) = modes["availableModes"].as_array() {
            let all = all.iter().take(MOST).filter_map(|mode| named(mode, "id")).collect();
            return Self { all, current: text(&modes["currentModeId"]), option: None };
        }
        let Some(option) = option(result) else { return Self::default() };
        let choices = option["options"].as_array().into_iter().flatten();
        // Choices may stand in groups.
        let choices = choices.flat_map(|choice| match choice["options"].as_array() {
            Some(group) => group.iter().collect(),
            None => vec![choice],
        });
        Self {
            all: choices.take(MOST).filter_map(|choice| named(choice, "value")).collect(),
            current: text(&option["currentValue"]),
            option: text(&option["id"]),
        }
    }

    /// How the agent is asked to take a mode: the method and what is said; `None` when it is in it. An agent that has no such
    /// mode fails: in another one it might ask nobody.
    pub(super) fn ask(&self, session: &str, mode: &str) -> Result<Option<(&'static str, Value)>, Failure> {
        if self.current.as_deref() == Some(mode) {
            return Ok(None);
        }
        if !self.all.iter().any(|(id, _)| id == mode) {
            return Err(self.missing(mode));
        }
        Ok(Some(match &self.option {
            None => ("session/set_mode", json!({"sessionId": session, "modeId": mode})),
            Some(option) => {
                ("session/set_config_option", json!({"sessionId": session, "configId": option, "value": mode}))
            }
        }))
    }

    fn missing(&self, wanted: &str) -> Failure {
        let known: Vec<String> = self.all.iter().map(|(id, _)| format!("{id:?}")).collect();
        let known = if known.is_empty() {
            "it has none: leave `mode` out of its table, or use another version of it".to_owned()
        } else {
            format!("it has {}: name one of them as `mode` in its table", known.join(", "))
        };
        Failure::new(AgentFailure::Mode, format!("the agent has no mode {wanted:?}; {known}"))
    }

    /// It took the mode.
    pub(super) fn taken(&mut self, id: &str) -> Option<String> {
        self.changed(Some(title(id)))
    }

    /// The agent tells of its mode: what is to be noted, if it is another one.
    pub(super) fn updated(&mut self, update: &Value) -> Option<String> {
        match update["sessionUpdate"].as_str() {
            Some("current_mode_update") => self.changed(text(&update["currentModeId"])),
            Some(_) | None => self.changed(option(update).and_then(|option| text(&option["currentValue"]))),
        }
    }

    fn changed(&mut self, current: Option<String>) -> Option<String> {
        if current.is_none() || current == self.current {
            return None;
        }
        self.current = current;
        self.note()
    }

    /// In which mode it is, for people; `None` when it did not say.
    pub(super) fn note(&self) -> Option<String> {
        let current = self.current.as_ref()?;
        let name = self.all.iter().find(|(id, _)| id == current).map(|(_, name)| name.as_str());
        Some(match name.filter(|name| name.to_lowercase() != current.to_lowercase()) {
            Some(name) => format!("The agent is in the mode {current} ({name})."),
            None => format!("The agent is in the mode {current}."),
        })
    }
}

/// The option of an agent that is its mode.
fn option(told: &Value) -> Option<&Value> {
    let options = told["configOptions"].as_array()?;
    options.iter().find(|option| option["category"] == "mode" && option["type"] == "select")
}

fn named(value: &Value, id: &str) -> Option<(String, String)> {
    let id = text(&value[id])?;
    let name = text(&value["name"]).unwrap_or_else(|| id.clone());
    Some((id, name))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(title).filter(|text| !text.is_empty())
}
