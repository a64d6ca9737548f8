//! What the dispatcher knows of one project: its record, its configuration as it is now, its permits.

use std::{sync::Arc, time::SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    engine::permits::Permits,
    model::{Limits, Scope, Session, SessionId},
    project::{self, Project, Settings},
    store::{Change, Consent, Store, StoreError},
    workflow::{Bounds, History},
};

/// One project of the store.
pub(super) struct Desk {
    pub(super) scope: Arc<Scope>,
    pub(super) store: Store,
    loaded: Option<Loaded>,
    /// The file of the user's settings.
    pub(super) settings: Option<Utf8PathBuf>,
    permits: Arc<Permits>,
}

/// The configuration as it was read last.
struct Loaded {
    stamp: [Option<(SystemTime, u64)>; 2],
    project: Result<Arc<Project>, String>,
    /// What the project's commands come to, if it brings any.
    brought: Option<String>,
}

impl Desk {
    pub(super) fn open(store: Store) -> Self {
        let Limits { agents, tests, .. } = Limits::default();
        Self {
            scope: Arc::new(store.scope().clone()),
            store,
            loaded: None,
            settings: None,
            permits: Arc::new(Permits::new(agents, tests)),
        }
    }

    /// The project as its files and the user's settings are now; an error says what is wrong with them. The second answer is a change for the
    /// store, when the files have changed.
    pub(super) fn project(&mut self, settings: &Settings) -> (Result<Arc<Project>, String>, Option<Vec<Change>>) {
        let root = Utf8Path::new(&self.scope.project);
        self.settings.clone_from(&settings.file);
        let stamp = [stamp(&root.join(project::FILE)), settings.file.as_deref().and_then(stamp)];
        if let Some(loaded) = &self.loaded
            && loaded.stamp == stamp
        {
            return (loaded.project.clone(), None);
        }
        let settings = settings.file.as_ref().map_or_else(|| Ok(settings.clone()), |file| Settings::load(file));
        let project = settings.and_then(|settings| Project::load_with(root, &settings));
        let project = project.map(Arc::new).map_err(|error| error.to_string());
        let changes = project.as_ref().ok().map(|project| catalogue(project));
        if let Ok(project) = &project {
            self.resize(&project.limits);
        }
        let brought = project.as_ref().ok().and_then(|project| project.consent_hash());
        self.loaded = Some(Loaded { stamp, project: project.clone(), brought });
        (project, changes)
    }

    /// Permits follow the configuration. Attempts that run keep the permits that they have.
    fn resize(&mut self, limits: &Limits) {
        self.permits.agents.resize(limits.agents);
        self.permits.tests.resize(limits.tests);
    }

    pub(super) fn permits(&self) -> Arc<Permits> {
        Arc::clone(&self.permits)
    }

    /// The limits as they are now; the defaults while the configuration cannot be read.
    pub(super) fn bounds(&self) -> Bounds {
        let limits = self.project_as_read().map(|project| project.limits.clone()).unwrap_or_default();
        Bounds { iterations: limits.iterations, same_failures: limits.same_failures }
    }

    /// Whether a person agreed to have run what the project's configuration brings.
    pub(super) fn consented(&self) -> Result<bool, StoreError> {
        let hash = self.loaded.as_ref().and_then(|loaded| loaded.brought.as_ref());
        hash.map_or(Ok(true), |hash| Ok(self.store.consent(hash)? == Consent::Given))
    }

    /// A session with what decides what comes next in it; `None` when it has ended.
    pub(super) fn active(&self, id: SessionId) -> Result<Option<(Session, History)>, StoreError> {
        let _glance = self.store.glance()?;
        let session = self.store.session(id)?;
        if session.status.is_terminal() {
            return Ok(None);
        }
        let history = self.history(&session)?;
        Ok(Some((session, history)))
    }

    /// The configuration as it was read last, if it can be read.
    pub(super) fn project_as_read(&self) -> Option<&Project> {
        match &self.loaded {
            Some(Loaded { project: Ok(project), .. }) => Some(project),
            Some(_) | None => None,
        }
    }

    /// Where a component's design is, by the configuration as it was read last.
    pub(super) fn design_path(&self, component: &str) -> Option<String> {
        self.project_as_read()?.component(component).ok()?.paths.design.clone()
    }

    /// The context of a component, by the configuration as it was read last.
    pub(super) fn context_of(&self, component: &str) -> Option<String> {
        self.project_as_read()?.context_of(component).map(|context| context.name.clone())
    }

    /// What decides what comes next in a session.
    pub(super) fn history(&self, session: &Session) -> Result<History, StoreError> {
        self.store.history(session, self.bounds())
    }
}

/// What the store is told of a project.
#[must_use]
pub fn catalogue(project: &Project) -> Vec<Change> {
    vec![
        Change::Project { name: project.name.clone(), description: project.description.clone() },
        Change::Catalogue { components: project.components.clone(), stories: project.stories.clone() },
    ]
}

/// Tells one state of a configuration file from another.
fn stamp(file: &Utf8Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
