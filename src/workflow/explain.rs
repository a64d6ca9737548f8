//! Why a session stands where it stands: which rule put it there, what it waits for, since when, who can go on.

use std::time::Duration;

use serde::Serialize;

use crate::model::{Halt, HaltReason, Micros, Mode, Performer, Status, Step};

use super::orchestrator::{Next, Waiting, WorkflowError};

/// What an explanation is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The session's status.
    pub status: Status,
    /// Its mode.
    pub mode: Mode,
    /// What comes next, by the orchestrator.
    pub next: Result<Next, WorkflowError>,
    /// The step that is being attempted or was attempted last, with when that began and what came of it in words.
    pub last: Option<LastAttempt>,
    /// The halt that nobody has decided yet.
    pub halt: Option<Halt>,
    /// Names and states of the sessions that it waits for: `Pricing (run_tests, 3m)`.
    pub waits_for: Vec<String>,
    /// What its agent asks a person for, in words.
    pub requests: Vec<String>,
    /// Whether an engine is at work on the store.
    pub engine: bool,
    /// Agent or test processes at once, and how many are running, for the kind that the next step needs.
    pub slots: Option<(u32, u32)>,
    /// How long it pauses before its next step, since that failed at once.
    pub pause: Option<Duration>,
    /// When the session last changed.
    pub updated_at: Micros,
}

/// The attempt that was made last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    /// The step.
    pub step: Step,
    /// When it began.
    pub started_at: Micros,
    /// How it ended, in words; `None` while it is pending.
    pub ended: Option<String>,
}

/// An explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// What state the session is in, in one sentence.
    pub state: String,
    /// The rule that put it there.
    pub rule: String,
    /// What it waits for; empty when for nothing.
    pub waits_for: Vec<String>,
    /// Since when.
    pub since: Micros,
    /// Who can go on.
    pub who: String,
    /// What to do.
    #[serde(rename = "try")]
    pub hint: String,
}

/// Why a session stands where it stands.
#[must_use]
pub fn why(facts: &Facts) -> Why {
    let mut why = match (&facts.halt, &facts.next) {
        (Some(halt), _) => halted(halt, facts),
        (None, Err(WorkflowError::SessionComplete(_))) => ended(facts),
        (None, Err(error @ (WorkflowError::InvalidInteraction { .. } | WorkflowError::InvalidState(_)))) => Why {
            state: format!("Its record cannot be followed: {error}."),
            rule: "Only a history that its workflow can have made has a next step.".into(),
            who: "nobody: this is a defect, or another version of callboard wrote the record".into(),
            hint: "Cancel the session and make a new one.".into(),
            ..blank(facts)
        },
        (None, Ok(Next::Waiting(waiting))) => waits(waiting, facts),
        (None, Ok(Next::Step(step))) => stands_before(*step, facts),
        (None, Ok(Next::Complete)) => Why {
            state: "Its last step is done; the engine closes it.".into(),
            rule: "finalize: ok → complete.".into(),
            who: "the engine".into(),
            hint: engine_hint(facts),
            ..blank(facts)
        },
        (None, Ok(Next::Halt(reason))) => Why {
            state: format!("It is about to halt: {reason}."),
            rule: rule_of(*reason).into(),
            who: "the engine, then a person".into(),
            hint: "Nothing yet: as soon as it has halted, a person is asked.".into(),
            ..blank(facts)
        },
    };
    if !facts.engine && needs_engine(facts) {
        why.hint = "No engine is at work on this store: start one with `callboard engine run`.".into();
    }
    why
}

/// Whether it is an engine that would go on, not a person.
fn needs_engine(facts: &Facts) -> bool {
    let goes_on = match &facts.next {
        Ok(Next::Step(_)) => facts.mode != Mode::Manual,
        Ok(Next::Waiting(Waiting::Ruling)) | Err(_) => false,
        Ok(Next::Complete | Next::Halt(_) | Next::Waiting(_)) => true,
    };
    goes_on && facts.halt.is_none()
}

fn blank(facts: &Facts) -> Why {
    Why {
        state: String::new(),
        rule: String::new(),
        waits_for: Vec::new(),
        since: facts.updated_at,
        who: String::new(),
        hint: String::new(),
    }
}

fn engine_hint(facts: &Facts) -> String {
    if facts.engine { "Nothing: it goes on by itself.".into() } else { String::new() }
}

/// What a person can do about a halt.
#[must_use]
pub const fn ways_out(reason: HaltReason) -> &'static str {
    match reason {
        HaltReason::ArchitecturalFailure => {
            "Approve closes it as failed; override, with a note, opens fix_test_failures."
        }
        HaltReason::ArchitecturalIssue => {
            "Approve closes it as failed; override, with a note that its agent is told, goes on; retry tries the step again."
        }
        HaltReason::IterationLimit | HaltReason::NoProgress => {
            "Read its failures; then retry (the counter starts anew), override with a note, approve to close it as failed, or cancel."
        }
        HaltReason::MergeConflict => "Settle the conflict in its worktree or on the child's branch, then retry.",
        HaltReason::AgentUnavailable | HaltReason::Environment => "Mend what the message names, then retry.",
    }
}

/// So many bytes of a halt's message are told; the halt itself has all.
const TOLD: usize = 2_000;

fn halted(halt: &Halt, facts: &Facts) -> Why {
    let end = halt.message.floor_char_boundary(TOLD);
    let more = if end < halt.message.len() { "…" } else { "" };
    Why {
        state: format!("Halted ({}): {}{more}", halt.reason, &halt.message[..end]),
        rule: rule_of(halt.reason).into(),
        since: halt.at,
        who: "a person".into(),
        hint: ways_out(halt.reason).into(),
        ..blank(facts)
    }
}

const fn rule_of(reason: HaltReason) -> &'static str {
    match reason {
        HaltReason::ArchitecturalFailure => "Failures outside the session's context stop it at once.",
        HaltReason::ArchitecturalIssue => {
            "What its agent reports as wrong with the architecture is for a person to judge."
        }
        HaltReason::IterationLimit => "A step may end badly only so often (limits.iterations).",
        HaltReason::NoProgress => {
            "The same failures several times in a row, failures that swing back, and a fix that changes nothing stop a loop."
        }
        HaltReason::MergeConflict => "Branches that do not merge are for a person to settle.",
        HaltReason::AgentUnavailable => "An agent that cannot start is no work for an agent.",
        HaltReason::Environment => "What is missing on this machine is no work for an agent.",
    }
}

fn ended(facts: &Facts) -> Why {
    let how = facts.last.as_ref().and_then(|last| last.ended.clone());
    let state = match (facts.status, how) {
        (Status::Failed, Some(how)) => format!("It failed: {how}"),
        (status, _) => format!("It is {status}."),
    };
    let hint = match facts.status {
        Status::Failed => "Retry tries its last step again; reactivate gives its agent new context.",
        Status::Complete | Status::Cancelled => "Reactivate it to give its agent new context.",
        Status::Active => "",
    };
    Why {
        state,
        rule: "A session that has ended does nothing until it is reactivated.".into(),
        who: "a person, its parent, or a session that reactivates it".into(),
        hint: hint.into(),
        ..blank(facts)
    }
}

fn waits(waiting: &Waiting, facts: &Facts) -> Why {
    let since = facts.last.as_ref().map_or(facts.updated_at, |last| last.started_at);
    let step = facts.last.as_ref().map_or("its step", |last| last.step.as_str());
    match waiting {
        Waiting::Attempt { .. } => Why {
            state: format!("{step} is running."),
            rule: "The next step follows when this one has a result.".into(),
            since,
            who: "the process of the step; a person can cancel it".into(),
            hint: "Watch it in the Live pane, or with `callboard events ID --follow`.".into(),
            ..blank(facts)
        },
        Waiting::Validation { .. } => Why {
            state: "Its children have all ended; their work is being merged and judged.".into(),
            rule: "Every child's branch is merged, then every component is judged.".into(),
            since,
            who: "the engine".into(),
            hint: engine_hint(facts),
            ..blank(facts)
        },
        Waiting::Ruling => Why {
            state: format!(
                "{step} is done, and {}",
                facts.requests.first().map_or("its agent asks for something", String::as_str)
            ),
            rule: "What an agent asks for waits for a person unless [reactivation] policy says otherwise.".into(),
            since,
            who: "a person".into(),
            hint: "Approve it (A) or refuse it (x); either may have a note, which its agent is told.".into(),
            ..blank(facts)
        },
        Waiting::Agent { step, .. } => Why {
            state: match facts.waits_for.first() {
                Some(until) => format!("{step} waits until its agent may be used again: {until}."),
                None => format!("{step} waits until its agent may be used again."),
            },
            rule: "A quota that is used up and a model that is overloaded are waited out; the attempt does not count."
                .into(),
            waits_for: facts.waits_for.clone(),
            since,
            who: "the engine, when it is time; a person can have it tried at once".into(),
            hint: "Retry tries at once; with another agent in callboard.toml, that one is used.".into(),
        },
        Waiting::Sessions(_) => Why {
            state: match facts.waits_for.len() {
                1 => format!("{step} waits for one session."),
                many => format!("{step} waits for {many} sessions."),
            },
            rule: "It goes on when every session that it waits for has ended.".into(),
            waits_for: facts.waits_for.clone(),
            since,
            who: "those sessions; whoever they wait for".into(),
            hint: "Ask `why` of each of them.".into(),
        },
    }
}

fn stands_before(step: Step, facts: &Facts) -> Why {
    if facts.mode == Mode::Manual {
        return Why {
            state: format!("It waits before {step}."),
            rule: "In manual mode every step waits for advance.".into(),
            who: "a person".into(),
            hint: "Advance it (a), or give it another mode (m).".into(),
            ..blank(facts)
        };
    }
    if let Some(pause) = facts.pause {
        return Why {
            state: format!("It pauses for {}s before it tries {step} again.", pause.as_secs()),
            rule: "An agent that fails within a second is left alone a while, twice as long each time (limits.longest_pause)."
                .into(),
            who: "the engine, when the pause is over; a person can cancel it".into(),
            hint: engine_hint(facts),
            ..blank(facts)
        };
    }
    let what = match step.performer() {
        Performer::Agent => "agent",
        Performer::Tests => "test",
        Performer::Git | Performer::Spawn | Performer::Check => "",
    };
    match facts.slots {
        Some((limit, running)) if running >= limit => Why {
            state: format!("It waits before {step} for a free {what} slot."),
            rule: format!("At most {limit} {what} processes run at once (limits.{what}s)."),
            waits_for: vec![format!("{running} of {limit} {what} slots are taken")],
            who: "the engine, when a slot is free".into(),
            hint: engine_hint(facts),
            ..blank(facts)
        },
        Some(_) | None => Why {
            state: format!("{step} is about to start."),
            rule: "The table of its workflow names the next step.".into(),
            who: "the engine".into(),
            hint: engine_hint(facts),
            ..blank(facts)
        },
    }
}
