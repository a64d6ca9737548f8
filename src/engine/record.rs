//! What a result changes: the transitions that end attempts, raise halts and close sessions. Pure.

use serde_json::json;

use crate::{
    engine::job::{Job, Performed, Work},
    model::{Data, Halt, HaltId, HaltReason, Micros, Session, StepResult, TestRun},
    store::{Change, Transition},
    workflow::{self, Attempt, History, Next, Outcome},
};

/// The transition that ends an attempt: its result, what follows from it, and what comes next.
pub(super) fn finish(job: &Job, performed: Performed, at: Micros) -> Transition {
    let session = job.session.id;
    let Performed { result, mut changes } = performed;
    let history = with_result(job, &result);
    changes.extend(ledger(job, &result));
    changes.extend(outlook(&job.session, &history, &result, at));
    let mut transition = vec![Change::Finish { session, seq: job.seq, result: Box::new(result), at }];
    transition.append(&mut changes);
    transition
}

/// The history with the attempt in it.
fn with_result(job: &Job, result: &StepResult) -> History {
    let mut history = job.history.clone();
    history.attempts.retain(|attempt| attempt.seq != job.seq);
    history.attempts.push(Attempt {
        seq: job.seq,
        step: job.step,
        outcome: Some(Outcome::of(result)),
        failure_set: result.failure_set.clone(),
    });
    history
}

fn ledger(job: &Job, result: &StepResult) -> Option<Change> {
    let (Work::Tests { ledger, .. }, Some(run)) = (&job.work, result.test_run()) else { return None };
    let mut rows = ledger.clone();
    workflow::absorb(&mut rows, &workflow::for_ledger(run), job.seq);
    Some(Change::Ledger { session: job.session.id, rows })
}

/// What an ended attempt makes of its session: its status, a halt, what comes next.
pub(super) fn outlook(session: &Session, history: &History, result: &StepResult, at: Micros) -> Vec<Change> {
    let Some(last) = history.attempts.last() else { return Vec::new() };
    let status = workflow::status_after(last.step, Outcome::of(result));
    let id = session.id;
    let mut changes = Vec::new();
    if status.is_terminal() {
        changes.push(Change::Status { session: id, status });
    }
    let next = workflow::next(history);
    let halt = match &next {
        Ok(Next::Halt(reason)) => Some(*reason),
        Ok(Next::Step(_) | Next::Complete | Next::Waiting(_)) | Err(_) => None,
    };
    if let Some(reason) = halt {
        changes.push(Change::Halt(raise(session, last, reason, result, at)));
    }
    let next = if status.is_terminal() { None } else { next.ok().map(|next| next.to_string()) };
    changes.push(Change::Outlook { session: id, next, halt, at });
    changes
}

pub(super) fn raise(session: &Session, last: &Attempt, reason: HaltReason, result: &StepResult, at: Micros) -> Halt {
    let said = result.error_message.clone().unwrap_or_default();
    let message = match reason {
        HaltReason::IterationLimit => format!("{} ended badly as often as it may. Last: {said}", last.step),
        HaltReason::NoProgress if result.failure_set.is_some() => {
            format!("{} finds the same failures again and again: {said}", last.step)
        }
        HaltReason::NoProgress
        | HaltReason::ArchitecturalFailure
        | HaltReason::ArchitecturalIssue
        | HaltReason::MergeConflict
        | HaltReason::AgentUnavailable
        | HaltReason::Environment => said,
    };
    let evidence = json!({
        "step": last.step, "seq": last.seq, "error_message": result.error_message, "cause": result.cause,
        "failure_set": result.failure_set, "problems": problems(result), "about": result.evidence,
    });
    Halt {
        id: HaltId::generate(),
        session_id: session.id,
        seq: last.seq,
        reason,
        message,
        evidence,
        at,
        decision: None,
    }
}

fn problems(result: &StepResult) -> serde_json::Value {
    match &result.data {
        Some(Data::Children { problems, .. }) => json!(problems),
        Some(Data::TestRun(run)) => json!(run.failures.get(..TestRun::MAX_TOLD).unwrap_or(&run.failures)),
        Some(Data::Design { design_problems }) => json!(design_problems),
        Some(Data::Criteria { criteria, .. }) => json!(criteria),
        Some(Data::Prepared { .. } | Data::Agent(_) | Data::Finalized { .. }) | None => json!([]),
    }
}
