//! What a user sets for every project: `$XDG_CONFIG_HOME/callboard/config.toml`.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use etcetera::BaseStrategy as _;

use crate::model::{AgentConfig, Rule};

use super::{
    agents,
    document::{Document, Table},
    error::ConfigError,
    file, limits,
    limits::StatedLimits,
    read::default_agent,
    rules, value,
};

const KEYS: &[&str] = &["account", "agent", "agents", "limits", "permission"];

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
    /// What agents may do without being asked about, each with the project that it is for; `None`: for all.
    pub rules: Vec<(Option<String>, Rule)>,
    /// The file, whether or not it is there; `None`: there is none to be.
    pub file: Option<Utf8PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: "local".to_owned(),
            agent: None,
            agents: BTreeMap::new(),
            limits: StatedLimits::default(),
            rules: Vec::new(),
            file: None,
        }
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
            None => Ok(Self { file: Some(path.to_owned()), ..Self::default() }),
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
            rules: rules::read_users(&top),
            file: Some(path.to_owned()),
        };
        doc.finish(Some(settings))
    }

    /// Adds a rule for a project to the settings in `path`, unless they have it. `comment` says where it comes from. The rest of
    /// the file stays as it is.
    ///
    /// # Errors
    /// When the file cannot be read as settings, or not be written.
    pub fn add_rule(path: &Utf8Path, project: &str, rule: &Rule, comment: &str) -> Result<(), ConfigError> {
        let failed = |error: std::io::Error| {
            ConfigError::whole(path, format!("cannot be written: {error}"), "see whether you may write it")
        };
        // Another engine may be writing a rule just now.
        let _alone = file::alone(path).map_err(failed)?;
        let before = file::text(path, path)?.unwrap_or_default();
        let has = |(own, one): &(Option<String>, Rule)| one == rule && own.as_deref().is_none_or(|own| own == project);
        if Self::parse(path, &before)?.rules.iter().any(has) {
            return Ok(());
        }
        let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        let text = format!("{before}{end}{}", rules::written(project, rule, comment));
        if text.len() as u64 > file::MAX_BYTES {
            return Err(ConfigError::whole(path, "has no room for another rule (1 MiB)", "remove what is not needed"));
        }
        Self::parse(path, &text)?;
        file::replace(path, &text).map_err(failed)
    }
}
