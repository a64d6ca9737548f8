//! Tools that only read. Texts are cleaned and cut, lists end after so many, and both say so.

use serde_json::{Value, json};

use crate::{
    model::{CompileError, Component, Micros, Placement, Session, SessionKind, Status, Step, StepResult, TestFailure},
    prompt::{clip, inline},
    store::{BoardRow, CriterionRecord, SessionFilter, Summary},
};

use super::call::{Call, Run, Stop, refuse};

/// So many sessions are listed.
const SESSIONS: usize = 100;
/// So many attempts of a session.
const ATTEMPTS: usize = 12;
/// So many failures and places that do not compile.
const FAILURES: usize = 40;
/// So many components.
const COMPONENTS: usize = 300;
/// So many criteria.
const CRITERIA: usize = 300;
/// A name or a path.
const NAME: usize = 300;
/// A description, a criterion.
const SENTENCE: usize = 500;
/// What one failure says.
const MESSAGE: usize = 2_000;
/// What one failure printed beside it.
const STACK: usize = 1_500;

/// The first of many, and how many there are beside them.
fn few<T>(all: Vec<T>, count: usize, make: impl Fn(&T) -> Value) -> (Vec<Value>, usize) {
    let more = all.len().saturating_sub(count);
    (all.iter().take(count).map(make).collect(), more)
}

fn name(text: &str) -> String {
    inline(text, NAME)
}

fn time(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |time| format!("{time:.0}"))
}

fn row(session: &Session, row: &BoardRow) -> Value {
    json!({
        "id": session.id, "kind": session.kind, "component": name(&session.component), "parent_id": session.parent_id,
        "status": session.status, "step": row.step, "next": row.next, "iteration": row.iteration,
        "generation": session.generation, "halt": row.halt, "updated_at": time(session.updated_at),
    })
}

pub(super) fn list_sessions(call: &Call<'_>) -> Result<Run, Stop> {
    let filter =
        SessionFilter { status: call.given.word::<Status>("status"), kind: call.given.word::<SessionKind>("kind") };
    let mut found = call.store.sessions(filter)?;
    if let Some(component) = call.given.text("component") {
        found.retain(|(session, _)| session.component == component);
    }
    found.reverse();
    let (sessions, more) = few(found, SESSIONS, |(session, board)| row(session, board));
    Ok(Run::Known(json!({"you": call.caller.session.id, "sessions": sessions, "more": more})))
}

pub(super) fn get_session(call: &Call<'_>) -> Result<Run, Stop> {
    let session = call.session()?;
    let mut value = row(&session, &call.store.board_row(session.id)?);
    let attempts: Vec<Value> = call.store.summaries(session.id, ATTEMPTS)?.iter().map(attempt).collect();
    let waits_for: Vec<Value> = call
        .store
        .waits_for(session.id)?
        .iter()
        .map(|other| json!({"id": other.id, "component": name(&other.component), "status": other.status}))
        .collect();
    let halt = call.store.last_halt(session.id)?.map(|halt| {
        json!({
            "reason": halt.reason, "message": clip(&halt.message, MESSAGE),
            "verdict": halt.decision.as_ref().map(|decision| decision.verdict),
            "note": halt.decision.and_then(|decision| decision.note).map(|note| clip(&note, MESSAGE)),
        })
    });
    let children: Vec<Value> =
        call.store.children(session.id)?.iter().take(SESSIONS).map(|child| json!(child.id)).collect();
    if let Value::Object(fields) = &mut value {
        fields.insert("attempts".into(), json!(attempts));
        fields.insert("waits_for".into(), json!(waits_for));
        fields.insert("last_halt".into(), json!(halt));
        fields.insert("children".into(), json!(children));
        fields.insert("branch".into(), json!(session.branch));
    }
    Ok(Run::Known(value))
}

fn attempt(it: &Summary) -> Value {
    json!({
        "seq": it.seq, "generation": it.generation, "step": it.step, "iteration": it.iteration, "status": it.status,
        "cause": it.cause, "error_message": it.error_message.as_deref().map(|message| clip(message, MESSAGE)),
    })
}

pub(super) fn get_test_failures(call: &Call<'_>) -> Result<Run, Stop> {
    let session = call.session()?;
    let Some((step, at, result)) = call.store.last_test_run(session.id)? else {
        return Ok(Run::Known(json!({
            "session": session.id, "component": name(&session.component), "run": null,
            "message": "no tests have been run in this session yet",
        })));
    };
    Ok(Run::Known(run(&session, step, at, &result)))
}

fn run(session: &Session, step: Step, at: Micros, result: &StepResult) -> Value {
    let Some(run) = result.test_run() else { return Value::Null };
    let mut failures: Vec<&TestFailure> = run.failures.iter().collect();
    failures.sort_by_key(|it| Placement::rank(it.placement));
    let (failures, more) = few(failures, FAILURES, |it| failure(it));
    let (compile_errors, more_compile_errors) = few(run.compile_errors.iter().collect(), FAILURES, |it| place(it));
    json!({
        "session": session.id, "component": name(&session.component), "step": step, "at": time(at),
        "run": {
            "framework": inline(&run.framework, NAME), "status": run.status, "passed": run.passed, "failed": run.failed,
            "errored": run.errored, "skipped": run.skipped, "failures": failures, "more_failures": more,
            "compile_errors": compile_errors, "more_compile_errors": more_compile_errors,
        },
        "message": result.error_message.as_deref().map(|message| clip(message, MESSAGE)),
    })
}

fn failure(it: &TestFailure) -> Value {
    json!({
        "name": name(&it.name), "file": it.file.as_deref().map(name), "line": it.line,
        "message": clip(&it.message, MESSAGE), "stack": clip(&it.stack, STACK),
        "component": it.component.as_deref().map(name), "context": it.context.as_deref().map(name),
        "placement": it.placement,
    })
}

fn place(it: &CompileError) -> Value {
    json!({"file": name(&it.file), "line": it.line, "column": it.column, "message": clip(&it.message, MESSAGE)})
}

pub(super) fn list_components(call: &Call<'_>) -> Result<Run, Stop> {
    let project = call.project()?;
    let made = call.store.created_by()?;
    let mut found: Vec<&Component> = project.components.iter().collect();
    if let Some(context) = call.given.text("context") {
        if let Err(error) = project.component(context) {
            return refuse(error.to_string());
        }
        found.retain(|it| it.name == context || it.parent.as_deref() == Some(context));
    }
    let (components, more) = few(found, COMPONENTS, |it| {
        let makers = made.iter().find(|(component, _)| *component == it.name).map(|(_, makers)| makers);
        json!({
            "name": name(&it.name), "kind": it.kind, "context": it.parent, "priority": it.priority,
            "description": inline(&it.description, SENTENCE), "depends_on": it.depends_on, "paths": it.paths,
            "made_by": makers,
        })
    });
    Ok(Run::Known(json!({"components": components, "more": more})))
}

pub(super) fn list_stories(call: &Call<'_>) -> Result<Run, Stop> {
    let wanted = call.given.text("component");
    if let Some(component) = wanted
        && let Err(error) = call.project()?.component(component)
    {
        return refuse(error.to_string());
    }
    let (criteria, more) = few(call.store.criteria(wanted)?, CRITERIA, criterion);
    Ok(Run::Known(json!({"criteria": criteria, "more": more})))
}

fn criterion(it: &CriterionRecord) -> Value {
    let tests: Vec<String> =
        it.shown.iter().flat_map(|shown| shown.tests.iter().take(20)).map(|test| name(test)).collect();
    json!({
        "story": name(&it.story), "component": name(&it.component), "id": name(&it.id),
        "text": inline(&it.text, SENTENCE), "state": it.standing(), "tests": tests,
        "said": it.said.as_ref().map(|said| json!({"state": said.state, "note": inline(&said.note, SENTENCE)})),
    })
}
