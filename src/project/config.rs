//! A project as its `callboard.toml` describes it.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{
    AgentConfig, Component, Criterion, Limits, Policy, Rule, RuleOf, Runner, Sandbox, SessionKind, Story,
    WorktreeConfig,
};

use super::{
    FILE, consent,
    error::{ConfigError, UnknownComponent, UnknownCriterion},
    file,
    limits::StatedLimits,
    near::near,
    read::{self, StoryFiles},
    settings::Settings,
};

/// A project as its `callboard.toml` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder of `callboard.toml`.
    pub root: Utf8PathBuf,
    /// Its name.
    pub name: String,
    /// What it is for; empty when the file does not say.
    pub description: String,
    /// How its tests are run.
    pub runner: Runner,
    /// The default agent: always one of `agents`.
    pub agent: Option<String>,
    /// The remote that finished work is pushed to; `None`: nothing is pushed.
    pub remote: Option<String>,
    /// What holds processes and loops back.
    pub limits: Limits,
    /// Who can be given sessions.
    pub agents: BTreeMap<String, AgentConfig>,
    /// What a new worktree gets.
    pub worktree: WorktreeConfig,
    /// What becomes of agents' requests to wake or make sessions; `None`: accepted of agentic sessions, a person is asked about
    /// others'.
    pub reactivation: Option<Policy>,
    /// Where what runs in worktrees may write.
    pub sandbox: Sandbox,
    /// What agents may do without being asked about: the project's rules, then the user's.
    pub rules: Vec<Rule>,
    /// Variables of callboard's own environment that agents and tests see.
    pub env_pass: Vec<String>,
    /// Contexts and their components, in the order of the file.
    pub components: Vec<Component>,
    /// What must hold.
    pub stories: Vec<Story>,
    pub(super) stated: Stated,
}

/// What the file itself says, where that is more than what holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) agents: BTreeSet<String>,
    pub(super) limits: StatedLimits,
    pub(super) commands: Vec<consent::Brought>,
}

/// Whether a path leads to this folder, which has no links in its own path.
fn is_folder(path: &str, folder: &Utf8Path) -> bool {
    Utf8Path::new(path) == folder || Utf8Path::new(path).canonicalize_utf8().is_ok_and(|path| path == folder)
}

impl Project {
    /// Reads `root`'s `callboard.toml` and the story files that it names, for a user without settings.
    pub fn load(root: &Utf8Path) -> Result<Self, ConfigError> {
        Self::load_with(root, &Settings::default())
    }

    /// Reads `root`'s `callboard.toml` and the story files that it names, over the user's settings: the project's own agents
    /// and limits win, and its default agent may be one of the user's.
    pub fn load_with(root: &Utf8Path, settings: &Settings) -> Result<Self, ConfigError> {
        let text = file::text(&root.join(FILE), Utf8Path::new(FILE))?;
        let text = text.ok_or_else(|| {
            ConfigError::whole(FILE, format!("there is none in {root}"), "`callboard init` writes one")
        })?;
        read::project(root, &text, settings, StoryFiles::Read)
    }

    /// Reads a text as `root`'s `callboard.toml`, without touching a file: stories in files of their own are left out.
    pub fn parse(root: &Utf8Path, text: &str) -> Result<Self, ConfigError> {
        read::project(root, text, &Settings::default(), StoryFiles::LeaveOut)
    }

    /// The project with what the user's settings add: agents that it does not have itself, limits that it does not state, and a
    /// default agent when it names none.
    #[must_use]
    pub fn with_settings(mut self, settings: &Settings) -> Self {
        for (name, agent) in &settings.agents {
            if !self.stated.agents.contains(name) {
                self.agents.insert(name.clone(), agent.clone());
            }
        }
        self.limits = self.stated.limits.over(&settings.limits.over(&Limits::default()));
        self.rules.retain(|rule| rule.of == RuleOf::Project);
        let own = |(root, _): &&(Option<String>, Rule)| root.as_deref().is_none_or(|root| is_folder(root, &self.root));
        self.rules.extend(settings.rules.iter().filter(own).map(|(_, rule)| rule.clone()));
        if self.agent.is_none() {
            self.agent.clone_from(&settings.agent);
        }
        if let Some(agent) = self
            .agent
            .as_ref()
            .filter(|name| !self.agents.contains_key(*name))
            .and_then(|name| AgentConfig::known(name))
        {
            self.agents.insert(agent.name.clone(), agent);
        }
        self
    }

    /// The agent of this name: one of the project's or the user's, or one that callboard knows.
    #[must_use]
    pub fn agent_named(&self, name: &str) -> Option<AgentConfig> {
        self.agents.get(name).cloned().or_else(|| AgentConfig::known(name))
    }

    /// Whether the agent runs what the project's file brings, which a person must have agreed to.
    #[must_use]
    pub fn brings(&self, agent: &AgentConfig) -> bool {
        self.stated.agents.contains(&agent.name) && consent::brings(agent)
    }

    /// The component or context of this name.
    pub fn component(&self, name: &str) -> Result<&Component, UnknownComponent> {
        self.components.iter().find(|component| component.name == name).ok_or_else(|| {
            let near = near(name, self.components.iter().map(|component| component.name.as_str()));
            UnknownComponent { name: name.to_owned(), near: near.into_iter().map(str::to_owned).collect() }
        })
    }

    /// The acceptance criterion with this id, and its story.
    pub fn criterion(&self, id: &str) -> Result<(&Story, &Criterion), UnknownCriterion> {
        let all = || self.stories.iter().flat_map(|story| story.criteria.iter().map(move |one| (story, one)));
        all().find(|(_, criterion)| criterion.id == id).ok_or_else(|| {
            let near = near(id, all().map(|(_, criterion)| criterion.id.as_str()));
            UnknownCriterion { id: id.to_owned(), near: near.into_iter().map(str::to_owned).collect() }
        })
    }

    /// Whether a session of this kind can be made for what has this name.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub fn takes(&self, kind: SessionKind, name: &str) -> Result<&Component, String> {
        let component = self.component(name).map_err(|error| error.to_string())?;
        if kind.is_for_context() != component.kind.is_context() {
            let (is, wants) =
                if component.kind.is_context() { ("a context", "a component") } else { ("a component", "a context") };
            return Err(format!("{} is {is}, but {kind} is for {wants}", component.name));
        }
        if kind.is_for_context() && self.children_of(&component.name).is_empty() {
            return Err(format!("{} has no components: add [[context.component]] entries to it", component.name));
        }
        match kind {
            SessionKind::ComponentTest | SessionKind::ComponentCoding if component.paths.test.is_none() => {
                Err(format!(
                    "{} has no test path: give it `test = \"…\"` in callboard.toml, or set [paths] test",
                    component.name
                ))
            }
            SessionKind::Integration if component.paths.test.is_none() => {
                Err(format!("{} has no integration test path: set [paths] integration_test", component.name))
            }
            SessionKind::ComponentDesign if component.paths.design.is_none() => {
                Err(format!("{} has no design path: set [paths] design", component.name))
            }
            SessionKind::ComponentTest
            | SessionKind::ComponentCoding
            | SessionKind::Integration
            | SessionKind::ComponentDesign
            | SessionKind::ContextDesign
            | SessionKind::ContextTesting
            | SessionKind::ContextCoding => Ok(component),
        }
    }

    /// The components of a context: the highest priority first, then by name.
    #[must_use]
    pub fn children_of(&self, context: &str) -> Vec<&Component> {
        let mut children: Vec<&Component> =
            self.components.iter().filter(|component| component.parent.as_deref() == Some(context)).collect();
        children.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        children
    }

    /// The context that a component belongs to; `None` for a context, and for what is not there.
    #[must_use]
    pub fn context_of(&self, component: &str) -> Option<&Component> {
        let parent = self.component(component).ok()?.parent.as_deref()?;
        self.component(parent).ok()
    }

    /// The stories of a component and those of its context, in the order of the file.
    #[must_use]
    pub fn stories_of(&self, component: &str) -> Vec<&Story> {
        let context = self.context_of(component).map(|context| context.name.as_str());
        let is_about = |story: &&Story| story.component == component || Some(story.component.as_str()) == context;
        self.stories.iter().filter(is_about).collect()
    }

    /// Every command that the project's file brings, as it is shown to the person who is asked to agree to them: one line
    /// each, with nothing on it that a terminal would act on. The user's own agents are not among them.
    #[must_use]
    pub fn foreign_commands(&self) -> Vec<String> {
        self.stated.commands.iter().map(ToString::to_string).collect()
    }

    /// SHA-256 of those commands, in hexadecimal; `None` when the file brings none. It changes with any of their words,
    /// and with nothing else.
    #[must_use]
    pub fn consent_hash(&self) -> Option<String> {
        consent::hash(&self.stated.commands)
    }
}
