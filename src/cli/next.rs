//! `next`: the most useful thing to do now, in a sentence with the command to type.

use serde_json::json;

use crate::{
    engine,
    model::{Component, HaltReason, ResultStatus, Session, SessionId, SessionKind, Status, Step},
    project::Project,
    store::{BoardRow, CriterionRecord, InboxItem, Need, SessionFilter},
    tui, workflow,
};

use super::{
    args::{Global, Json},
    error::CliError,
    place::Place,
    print::{self, count, shell},
};

/// In which order a context comes to be.
const STAGES: [SessionKind; 3] = [SessionKind::ContextTesting, SessionKind::ContextCoding, SessionKind::Integration];

/// So many columns of what a session says go into the sentence.
const QUOTED: usize = 240;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Advice {
    /// One sentence. Where it says `{}`, a command stands, in their order.
    sentence: String,
    /// The arguments of `callboard`.
    commands: Vec<Vec<String>>,
    /// The session that it is about.
    session: Option<SessionId>,
}

impl Advice {
    fn new(sentence: impl Into<String>, commands: &[&[&str]]) -> Self {
        let commands = commands.iter().map(|words| words.iter().map(|&word| word.to_owned()).collect()).collect();
        Self { sentence: sentence.into(), commands, session: None }
    }

    /// The sentence with its commands in it.
    fn text(&self) -> String {
        let mut parts = self.sentence.split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (command, part) in self.commands.iter().zip(parts) {
            text.push_str(&format!("`{}`{part}", typed(command)));
        }
        text
    }
}

/// A command as it is typed.
fn typed(words: &[String]) -> String {
    let words: Vec<String> =
        std::iter::once("callboard".to_owned()).chain(words.iter().map(|word| shell(word))).collect();
    words.join(" ")
}

pub(super) fn next(global: &Global, args: &Json) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let project = place.project()?;
    let store = place.open()?;
    let (inbox, sessions) = (store.inbox()?, store.sessions(SessionFilter::default())?);
    let advice = waiting(&inbox, &sessions)
        .or_else(|| at_work(&sessions, engine::holder(&place.store).is_some()))
        .unwrap_or_else(|| begin(&project, &sessions, &place.criteria(&store, None).unwrap_or_default()));
    if args.json {
        let commands: Vec<Vec<&str>> = advice
            .commands
            .iter()
            .map(|words| std::iter::once("callboard").chain(words.iter().map(String::as_str)).collect())
            .collect();
        print::json(&json!({"sentence": advice.text(), "commands": commands, "session_id": advice.session}));
    } else {
        print::line(&advice.text());
    }
    Ok(0)
}

/// What waits for a person: halts first, then what failed, then what is to be advanced; the oldest of each.
fn waiting(inbox: &[InboxItem], sessions: &[(Session, BoardRow)]) -> Option<Advice> {
    let row = |item: &InboxItem| sessions.iter().find(|(session, _)| session.id == item.session_id).map(|(_, row)| row);
    // A manual session that waits for its children needs nobody.
    let needs = |item: &&InboxItem| {
        item.need != Need::Advance || row(item).is_none_or(|row| row.next.as_deref() != Some("waiting"))
    };
    let item = inbox.iter().filter(needs).min_by_key(|item| rank(item.need))?;
    let id = item.session_id.short();
    let name = format!("{} {}", item.kind, braced(&item.component));
    let said = full_stop(&workflow::headline(&item.message));
    let advice = match item.need {
        Need::Decision { reason } => halted(reason, &name, &said, &id),
        Need::Failed if row(item).is_some_and(is_unfinished) => {
            Advice::new(format!("{name} could not finish, try it again with {{}}: {said}"), &[&["retry", &id]])
        }
        Need::Failed => Advice::new(
            format!("{name} failed, tell its agent what it should know with {{}}: {said}"),
            &[&["reactivate", &id, "--context", "TEXT"]],
        ),
        Need::Request => {
            Advice::new(format!("{name}: {said} Answer with {{}} or {{}}."), &[&["approve", &id], &["refuse", &id]])
        }
        Need::Permission => Advice::new(
            format!(
                "{name}: its agent asks whether it may use {} Answer with {{}} or {{}}.",
                full_stop(&tui::visible(&item.message))
            ),
            &[&["allow", &id], &["deny", &id]],
        ),
        Need::Advance => {
            Advice::new(format!("{name} {}: start that with {{}}.", braced(&item.message)), &[&["advance", &id]])
        }
    };
    Some(Advice { session: Some(item.session_id), ..advice })
}

const fn rank(need: Need) -> u8 {
    match need {
        Need::Decision { reason: HaltReason::ArchitecturalFailure } => 0,
        Need::Decision { .. } => 1,
        Need::Request | Need::Permission => 2,
        Need::Failed => 3,
        Need::Advance => 4,
    }
}

fn halted(reason: HaltReason, name: &str, said: &str, id: &str) -> Advice {
    let (override_, approve, retry) = (["override", id, "--note", "TEXT"], ["approve", id], ["retry", id]);
    match reason {
        HaltReason::ArchitecturalFailure => Advice::new(
            format!("{name} broke tests outside its context: read {{}}, then decide with {{}} or {{}}. {said}"),
            &[&["report", id], &override_, &approve],
        ),
        HaltReason::ArchitecturalIssue => Advice::new(
            format!("{name} reports that the architecture is wrong: read {{}}, then decide with {{}} or {{}}. {said}"),
            &[&["report", id], &override_, &approve],
        ),
        HaltReason::IterationLimit | HaltReason::NoProgress => Advice::new(
            format!("{name} is stuck: read {{}}, then try again with {{}}, or give up with {{}}. {said}"),
            &[&["show", id], &retry, &approve],
        ),
        HaltReason::MergeConflict => {
            Advice::new(format!("{name} has branches that do not merge: settle that, then {{}}. {said}"), &[&retry])
        }
        HaltReason::AgentUnavailable | HaltReason::Environment => {
            Advice::new(format!("{name} lacks something: mend what it names, then {{}}. {said}"), &[&retry])
        }
    }
}

/// Whether all that is left to do is its last step.
fn is_unfinished(row: &BoardRow) -> bool {
    row.step == Some(Step::Finalize) && row.step_status == Some(ResultStatus::Error)
}

/// A foreign text within a sentence: braces in it are no place for a command.
fn braced(text: &str) -> String {
    text.replace("{}", "{ }")
}

fn full_stop(text: &str) -> String {
    let text = braced(&tui::elide(&tui::clean_line(text), QUOTED));
    if text.is_empty() || text.ends_with(['.', '!', '?', '…']) { text } else { format!("{text}.") }
}

/// Whether sessions go on without anybody.
fn at_work(sessions: &[(Session, BoardRow)], engine: bool) -> Option<Advice> {
    let active = sessions.iter().filter(|(session, _)| session.status == Status::Active).count();
    if active == 0 {
        return None;
    }
    let are = if active == 1 { "is" } else { "are" };
    let what = count(active, "session");
    Some(if engine {
        Advice::new(format!("Nothing waits for you: {what} {are} at work."), &[])
    } else {
        Advice::new(
            format!("{what} could go on, but no engine is at work: start one with {{}}."),
            &[&["engine", "run"]],
        )
    })
}

/// What could be begun.
fn begin(project: &Project, sessions: &[(Session, BoardRow)], criteria: &[CriterionRecord]) -> Advice {
    let contexts = || project.components.iter().filter(|component| !project.children_of(&component.name).is_empty());
    if sessions.is_empty() {
        return match contexts().next() {
            Some(context) => {
                let sentence =
                    format!("Nothing has begun: write the tests of what is in {} with {{}}.", braced(&context.name));
                Advice::new(sentence, &[&["new", "context_testing", &context.name]])
            }
            None => Advice::new(
                "There is no context with components yet: name them in callboard.toml as [[context]] and [[context.component]].",
                &[],
            ),
        };
    }
    for context in contexts() {
        if let Some(kind) = stage(context, sessions) {
            let sentence = format!("Nothing waits for you; {} could go on with {{}}.", braced(&context.name));
            return Advice::new(sentence, &[&["new", kind.as_str(), &context.name]]);
        }
    }
    let stale =
        |context: &&Component| criteria.iter().any(|one| one.component == context.name && one.standing() == "stale");
    if let Some(context) = contexts().find(stale) {
        let sentence = format!(
            "Nothing waits for you; criteria of {} are stale, show them again with {{}}.",
            braced(&context.name)
        );
        return Advice::new(sentence, &[&["new", "integration", &context.name]]);
    }
    Advice::new("Nothing waits for you.", &[])
}

/// The stage that a context has not reached yet, when it has reached the one before.
fn stage(context: &Component, sessions: &[(Session, BoardRow)]) -> Option<SessionKind> {
    let has = |kind: SessionKind| {
        sessions.iter().any(|(session, _)| {
            session.component == context.name && session.kind == kind && session.status == Status::Complete
        })
    };
    let reached = STAGES.iter().rposition(|kind| has(*kind))?;
    let next = *STAGES.get(reached + 1)?;
    (next != SessionKind::Integration || context.paths.test.is_some()).then_some(next)
}
