//! How acceptance criteria stand on record, and what else is known about tests outside of sessions.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

use crate::model::{CriterionCheck, CriterionState, Micros, SessionId};

use super::{Store, StoreError, codec::from_json};

/// What stands in place of a state when a person took back what was said. It stays on record who did, when and why.
pub(super) const TAKEN_BACK: &str = "taken_back";

/// A criterion with everything that is on record about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CriterionRecord {
    /// Its id.
    pub id: String,
    /// What must hold.
    pub text: String,
    /// The story that it belongs to.
    pub story: String,
    /// The context or component that the story is about.
    pub component: String,
    /// What an integration session showed last.
    pub shown: Option<Shown>,
    /// What a person said last; wins over every test.
    pub said: Option<Said>,
}

/// The sessions that made a component's files, by kind of file (`design`, `test`, `code`).
pub type Makers = BTreeMap<String, SessionId>;

/// What an integration session showed of a criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// How it stood.
    pub state: CriterionState,
    /// The tests that carry its id.
    pub tests: Vec<String>,
    /// The session.
    pub session_id: SessionId,
    /// The commit that has the tests and what they test.
    pub commit: String,
    /// The files that they and the context are made of.
    pub files: Vec<String>,
    /// Whether one of the files has changed since.
    pub stale: bool,
    /// When.
    pub at: Micros,
}

/// What a person said of a criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// How it stands.
    pub state: CriterionState,
    /// Why.
    pub note: String,
    /// `scope.user`.
    pub user: String,
    /// When.
    pub at: Micros,
}

impl CriterionRecord {
    /// Takes in what only the repository tells: whether a commit is behind the project's, with other content in these files.
    pub fn compare(&mut self, moved_on: impl FnOnce(&str, &[String]) -> bool) {
        if let Some(shown) = self.shown.as_mut().filter(|shown| !shown.stale) {
            shown.stale = moved_on(&shown.commit, &shown.files);
        }
    }

    /// How it stands, all told, in one word: a person's word, else what tests showed, `stale` if that is old.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        match (&self.said, &self.shown) {
            (Some(said), _) => said.state.as_str(),
            (None, Some(shown)) if shown.stale => "stale",
            (None, Some(shown)) => shown.state.as_str(),
            (None, None) => CriterionState::Untested.as_str(),
        }
    }
}

impl Store {
    /// The criteria of the project in the order of its stories; of one context or component, if one is named.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn criteria(&self, component: Option<&str>) -> Result<Vec<CriterionRecord>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT c.id, c.text, t.title, t.component, k.version, k.body, k.commit_id, k.stale, k.at, s.id \
             FROM criteria c JOIN stories t ON t.project = c.project AND t.title = c.story \
             LEFT JOIN criterion_checks k ON k.project = c.project AND k.criterion = c.id \
             LEFT JOIN sessions s ON s.row = k.session \
             WHERE c.project = ?1 AND (?2 IS NULL OR t.component = ?2) ORDER BY t.position, c.position",
        )?;
        let mut rows = statement.query(params![self.project()?, component])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            let shown = match (row.get::<_, Option<String>>(5)?, row.get::<_, Option<SessionId>>(9)?) {
                (Some(body), Some(session_id)) => {
                    let (check, files): (CriterionCheck, Vec<String>) =
                        from_json("criterion_checks", row.get(4)?, &body)?;
                    Some(Shown {
                        state: check.state,
                        tests: check.tests,
                        session_id,
                        commit: row.get(6)?,
                        files,
                        stale: row.get(7)?,
                        at: row.get(8)?,
                    })
                }
                _ => None,
            };
            let said = self.said(&id)?;
            found.push(CriterionRecord {
                id,
                text: row.get(1)?,
                story: row.get(2)?,
                component: row.get(3)?,
                shown,
                said,
            });
        }
        Ok(found)
    }

    /// The criteria that a session on a component is about: those of the component's own stories, then its context's.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn criteria_around(&self, component: &str) -> Result<Vec<CriterionRecord>, StoreError> {
        let context: Option<String> = self
            .connection
            .prepare_cached("SELECT json_extract(body, '$.parent') FROM components WHERE project = ?1 AND name = ?2")?
            .query_row(params![self.project()?, component], |row| row.get(0))
            .optional()?
            .flatten();
        let mut found = self.criteria(Some(component))?;
        if let Some(context) = context {
            found.extend(self.criteria(Some(&context))?);
        }
        Ok(found)
    }

    fn said(&self, criterion: &str) -> Result<Option<Said>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT nullif(state, ?3), note, user, at FROM criterion_words WHERE project = ?1 AND criterion = ?2 \
                 ORDER BY at DESC LIMIT 1",
            )?
            .query_row(params![self.project()?, criterion, TAKEN_BACK], |row| {
                let state: Option<CriterionState> = row.get(0)?;
                let (note, user, at) = (row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(state.map(|state| Said { state, note, user, at }))
            })
            .optional()?
            .flatten())
    }

    /// Which of these tests are on record at a commit that no session works on, and whether each failed there.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn base_runs(&self, commit: &str, tests: &[String]) -> Result<Vec<(String, bool)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT failed FROM base_runs WHERE project = ?1 AND commit_id = ?2 AND test = ?3")?;
        let mut found = Vec::new();
        for test in tests {
            let failed: Option<bool> =
                statement.query_row(params![self.project()?, commit, test], |row| row.get(0)).optional()?;
            found.extend(failed.map(|failed| (test.clone(), failed)));
        }
        Ok(found)
    }

    /// Which session made each component's files.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn created_by(&self) -> Result<Vec<(String, Makers)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name, created_by FROM components WHERE project = ?1 ORDER BY name")?;
        let mut rows = statement.query(params![self.project()?])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(1)?;
            found.push((row.get(0)?, from_json("components", 0, &text)?));
        }
        Ok(found)
    }
}
