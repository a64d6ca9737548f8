//! What a user sets for every project: `$XDG_CONFIG_HOME/callboard/config.toml`.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use etcetera::BaseStrategy as _;

use crate::model::AgentConfig;

use super::{
    agents,
    document::{Document, Table},
    error::ConfigError,
    file, limits,
    limits::StatedLimits,
    read::default_agent,
    value,
};

const KEYS: &[&str] = &["account", "agent", "agents", "limits"];

/// What a user sets for every project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whose sessions these are: part of the scope of everything that is stored.
    pub account: String,
    /// The default agent where the project names none.
    pub agent: Option<String>,
    /// Agents beside the project's own.
    pub agents: BTreeMap<String, AgentConfig>,
    /// Limits where the project states none.
    pub limits: StatedLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self { account: "local".to_owned(), agent: None, agents: BTreeMap::new(), limits: StatedLimits::default() }
    }
}

impl Settings {
    /// Where the settings of this user are, whether or not there are any; `None` for a user without a home.
    #[must_use]
    pub fn path() -> Option<Utf8PathBuf> {
        let base = etcetera::choose_base_strategy().ok()?;
        Utf8PathBuf::from_path_buf(base.config_dir().join("callboard/config.toml")).ok()
    }

    /// Reads the settings; a file that is not there says nothing.
    pub fn load(path: &Utf8Path) -> Result<Self, ConfigError> {
        match file::text(path, path)? {
            Some(text) => Self::parse(path, &text),
            None => Ok(Self::default()),
        }
    }

    /// Reads a text as the settings in `path`, without touching a file.
    pub fn parse(path: &Utf8Path, text: &str) -> Result<Self, ConfigError> {
        let (doc, table) = Document::parse(path, text)?;
        let top = Table::new(&doc, "the settings", 0..0, &table, KEYS);
        let agents = agents::read(&top);
        let account = top.text("account").and_then(|account| doc.check(account, value::name));
        let settings = Self {
            account: account.map_or_else(|| Self::default().account, |account| account.value),
            agent: default_agent(&top, agents.keys().map(String::as_str)),
            agents,
            limits: limits::read(&top),
        };
        doc.finish(Some(settings))
    }
}
