//! Where a command works: project, store, scope.

use std::env;

use camino::{Utf8Path, Utf8PathBuf};
use etcetera::BaseStrategy as _;

use crate::{
    git::Repo,
    model::Scope,
    project::{self, ConfigError, Project, Settings},
    store::{self, CriterionRecord, Store},
};

use super::{args::Global, error::CliError, print};

/// Where a command works.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) root: Utf8PathBuf,
    pub(super) store: Utf8PathBuf,
    pub(super) scope: Scope,
    /// The user's settings; what is wrong with them, if they cannot be read.
    settings: Result<Settings, ConfigError>,
}

impl Place {
    /// Finds the project of a command. Its configuration is not read yet.
    pub(super) fn find(global: &Global) -> Result<Self, CliError> {
        let from = folder(global)?;
        let root = project::find_root(&from).ok_or_else(|| {
            CliError::Usage(format!(
                "there is no {} in {from} or above it: go to your project, or name it with --project; \
                 `callboard init` writes one",
                project::FILE
            ))
        })?;
        Self::at(checkout_of(root), global)
    }

    /// The place of a project at `root`.
    pub(super) fn at(root: Utf8PathBuf, global: &Global) -> Result<Self, CliError> {
        let settings = read_settings();
        let account =
            settings.as_ref().map_or_else(|_| Settings::default().account, |settings| settings.account.clone());
        let user = Repo::open(&root).ok().and_then(|repo| repo.user_email()).unwrap_or_else(login);
        let scope = Scope { account, project: root.to_string(), user };
        Ok(Self { store: store_path(global)?, root, scope, settings })
    }

    /// The project's configuration.
    pub(super) fn project(&self) -> Result<Project, CliError> {
        Ok(Project::load_with(&self.root, &self.settings()?)?)
    }

    /// The user's settings.
    pub(super) fn settings(&self) -> Result<Settings, CliError> {
        Ok(self.settings.clone()?)
    }

    /// The record.
    pub(super) fn open(&self) -> Result<Store, CliError> {
        // Who looks at sessions or stops them needs no settings, and must not be kept from it by a mistake in them.
        if let Err(error) = &self.settings {
            print::note(&format!("your settings are not used, since they cannot be read: {error}"));
        }
        Ok(Store::open(&self.store, self.scope.clone())?)
    }

    /// How the criteria stand: what is on record, and whether the checkout has moved on since.
    pub(super) fn criteria(&self, store: &Store, component: Option<&str>) -> Result<Vec<CriterionRecord>, CliError> {
        let mut records = store.criteria(component)?;
        if let Ok(repo) = Repo::open(&self.root)
            && let Ok(mut progress) = repo.progress()
        {
            for record in &mut records {
                record.compare(|commit, files| progress.moved_on(commit, files).unwrap_or(false));
            }
        }
        Ok(records)
    }
}

/// The user's checkout for a session's worktree, which holds a copy of the project's files; every other root as it is.
fn checkout_of(root: Utf8PathBuf) -> Utf8PathBuf {
    // A linked worktree has a file where others have a folder.
    if !root.join(".git").is_file() {
        return root;
    }
    let checkout = Repo::open(&root).ok().and_then(|repo| repo.made_for());
    checkout.filter(|checkout| checkout.join(project::FILE).is_file()).unwrap_or(root)
}

/// The folder that a command was told, or the current one; absolute and without symbolic links.
pub(super) fn folder(global: &Global) -> Result<Utf8PathBuf, CliError> {
    let given = match &global.project {
        Some(project) => project.clone(),
        None => here()?,
    };
    given.canonicalize_utf8().map_err(|error| CliError::Usage(format!("the folder {given} cannot be entered: {error}")))
}

fn here() -> Result<Utf8PathBuf, CliError> {
    let here = env::current_dir().map_err(|error| CliError::Usage(format!("the current folder is gone: {error}")))?;
    Utf8PathBuf::from_path_buf(here)
        .map_err(|here| CliError::Usage(format!("the path {} is not UTF-8, which callboard needs", here.display())))
}

/// The user's settings.
pub(super) fn settings() -> Result<Settings, CliError> {
    Ok(read_settings()?)
}

fn read_settings() -> Result<Settings, ConfigError> {
    Settings::path().map_or_else(|| Ok(Settings::default()), |path| Settings::load(&path))
}

/// The store's file, absolute.
pub(super) fn store_path(global: &Global) -> Result<Utf8PathBuf, CliError> {
    if let Some(store) = &global.store {
        let absolute = if store.is_absolute() { store.clone() } else { here()?.join(store) };
        return Ok(resolved(absolute));
    }
    let strategy = etcetera::choose_base_strategy()
        .map_err(|error| CliError::Usage(format!("no home directory is known ({error}): name a store with --store")))?;
    let data = Utf8PathBuf::from_path_buf(strategy.data_dir()).map_err(|path| {
        CliError::Usage(format!("the path {} is not UTF-8: name a store with --store", path.display()))
    })?;
    Ok(resolved(store::default_path(&data)))
}

/// One store has one name, whatever symbolic links lead to it: its engine is found by it.
fn resolved(path: Utf8PathBuf) -> Utf8PathBuf {
    if let Ok(path) = path.canonicalize_utf8() {
        return path;
    }
    match (path.parent().map(Utf8Path::canonicalize_utf8), path.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        (Some(Ok(_) | Err(_)) | None, Some(_) | None) => path,
    }
}

fn login() -> String {
    env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_else(|_| "unknown".into())
}
