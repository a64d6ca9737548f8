//! What a request for a component's work opens: the session that began it, or new ones (DESIGN 2, Reactivation).

use camino::Utf8Path;

use crate::{
    engine::{EngineError, clock, desk::Desk, requests::in_a_circle},
    git::{GitError, Repo},
    model::{Generation, Origin, Session, SessionId, SessionKind, Status},
    store::{Change, Transition},
    workflow::{Continuation, Past, Wanted, continue_or_new, first_step, has_work},
};

/// A component's work that is to be taken up again: whose, by whom, and with what in mind.
pub(super) struct Renewal<'a> {
    /// The session that stands for the work: its component and workflow are wanted.
    pub(super) session: &'a Session,
    /// What the agent should know.
    pub(super) context: &'a str,
    /// The session that waits for what is opened.
    pub(super) waits: Option<SessionId>,
    /// What is recorded as the reason of the new generation.
    pub(super) origin: Origin,
}

/// The changes that open sessions, and which session the work goes on in, with its generation; or why it cannot.
type Opened = Result<(Transition, (SessionId, u32)), String>;

impl Desk {
    /// Opens what the work goes on in, and has the session wait for it that does.
    pub(super) fn opening(&self, renewal: &Renewal<'_>, decided: Continuation) -> Result<Opened, EngineError> {
        if renewal.context.trim().is_empty() {
            return Ok(Err("say what its agent should know: the context is empty".into()));
        }
        let (mut changes, made, generation) = match decided {
            Continuation::Continue(id) => {
                let session = self.store.session(id)?;
                if let Some(chain) = renewal.waits.map(|waits| self.store.wait_chain(id, waits)).transpose()?.flatten()
                {
                    return Ok(Err(in_a_circle(&chain)));
                }
                match self.reopening(&session, renewal.context, renewal.origin.clone())? {
                    Ok(change) => (vec![change], vec![id], session.generation + 1),
                    Err(why) => return Ok(Err(why)),
                }
            }
            Continuation::New { design_first } => {
                let kind = renewal.session.kind;
                if kind.is_for_context() {
                    return Ok(Err("a context's design is its components': reactivate a component's session".into()));
                }
                let at_work = |other: &Session| {
                    !other.status.is_terminal() && (other.kind == kind || other.kind == SessionKind::ComponentDesign)
                };
                if let Some(other) = self.store.sessions_of(&renewal.session.component)?.into_iter().find(at_work) {
                    return Ok(Err(format!(
                        "{} is being worked on already, by its {} session {}; wait for that, or cancel it first",
                        other.component,
                        other.kind,
                        other.id.short()
                    )));
                }
                let (changes, made) = self.anew(renewal, design_first)?;
                (changes, made, 1)
            }
        };
        if let Some(waits) = renewal.waits {
            let seq = self.store.last_seq(waits)?;
            changes.extend(made.iter().map(|id| Change::AwaitAlso { session: waits, seq, awaited: *id }));
        }
        let last = made.last().copied().unwrap_or(renewal.session.id);
        Ok(Ok((changes, (last, generation))))
    }

    /// Whether the work goes on in the session that began it.
    pub(super) fn continuation(&self, session: &Session, redesign: bool) -> Result<Continuation, EngineError> {
        let sessions = self.store.sessions_of(&session.component)?;
        let design = self.design_path(&session.component);
        let repo = Repo::open(Utf8Path::new(&self.scope.project)).ok();
        let changed = |past: &Session| match (&design, &repo) {
            // A context is not designed anew: its design is its components'.
            (Some(path), Some(repo)) if !past.kind.is_for_context() => {
                has_another_design(repo, path, past, &sessions).unwrap_or(false)
            }
            (Some(_) | None, _) => false,
        };
        let past: Vec<Past> = sessions
            .iter()
            .map(|past| Past {
                id: past.id,
                kind: past.kind,
                has_work: has_work(past),
                design_changed: past.kind == session.kind && changed(past),
            })
            .collect();
        Ok(continue_or_new(&past, Wanted { kind: session.kind, redesign }))
    }

    /// New sessions for the work: with `design_first`, one that designs it, and one that waits for that and begins on its
    /// branch. Answers the changes and the sessions.
    fn anew(&self, renewal: &Renewal<'_>, design_first: bool) -> Result<(Transition, Vec<SessionId>), EngineError> {
        let base = match renewal.waits {
            Some(requester) => self.store.session(requester)?.branch,
            None => None,
        };
        let mut changes = Vec::new();
        let mut made = Vec::new();
        let kinds = [design_first.then_some(SessionKind::ComponentDesign), Some(renewal.session.kind)];
        for kind in kinds.into_iter().flatten() {
            let id = SessionId::generate();
            changes.extend(begin(renewal, id, kind, base.clone()));
            if let Some(first) = made.last() {
                changes.push(Change::AwaitAlso { session: id, seq: 0, awaited: *first });
                let next = Some("waiting".into());
                changes.push(Change::Outlook { session: id, next, halt: None, at: clock::now() });
            }
            made.push(id);
        }
        Ok((changes, made))
    }

    /// The design session that a session waits for before it begins, if there is one.
    pub(super) fn design_before(&self, session: &Session) -> Result<Option<Session>, EngineError> {
        for other in self.store.waits_for(session.id)? {
            let other = self.store.session(other.id)?;
            if other.kind == SessionKind::ComponentDesign && other.component == session.component {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }
}

fn begin(renewal: &Renewal<'_>, id: SessionId, kind: SessionKind, base: Option<String>) -> Transition {
    let at = clock::now();
    let old = renewal.session;
    let session = Session { id, agent: old.agent.clone(), base, ..Session::new(kind, &old.component, old.mode, at) };
    let generation = Generation {
        number: 1,
        start: first_step(kind),
        context: renewal.context.to_owned(),
        origin: renewal.origin.clone(),
        opened_at: at,
    };
    vec![
        Change::NewSession(Box::new(session), generation),
        Change::Outlook { session: id, next: Some(first_step(kind).to_string()), halt: None, at },
    ]
}

/// Whether the component's design is another one than a session worked from: the checkout has changed it since they parted, or
/// a design session that ended after it has.
fn has_another_design(repo: &Repo, path: &str, past: &Session, sessions: &[Session]) -> Result<bool, GitError> {
    let Some(own) = past.commit.as_ref().or(past.base_commit.as_ref()) else { return Ok(false) };
    let designed = sessions
        .iter()
        .filter(|other| other.kind == SessionKind::ComponentDesign && other.status == Status::Complete)
        .filter(|other| other.updated_at > past.updated_at)
        .filter_map(|other| other.commit.clone())
        .next_back();
    for theirs in [Some(repo.head()?.commit), designed].into_iter().flatten() {
        if repo.changed_by(path, own, &theirs)? {
            return Ok(true);
        }
    }
    Ok(false)
}
