//! Codex, the real program, with a model that is none.

use callboard::model::{AgentFailure, Cause, EventKind, HaltReason};
use serde_json::json;

use super::{
    lab::Shape,
    real::{self, Kind, Real, good, rule, say, write_code, writes},
};
use crate::model::{Act, Fail};

const CODEX: Kind = Kind { preset: "codex", program: "codex" };

fn with(more: &str) -> Option<Real> {
    Real::new(CODEX, more, Shape::default())
}

#[test]
fn a_session_comes_to_its_end_over_a_fix_in_one_conversation() {
    let Some(real) = with("") else { return };
    let id = real::fixes_in_one_conversation(&real);
    // Two requests, each of 100 tokens, 40 of them from the cache, and 20 that were written.
    for at in [1, 3] {
        let usage = real.report(id, at).usage.unwrap();
        assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (200, 80, 40));
    }
}

/// Asks to be let out of the sandbox.
fn escape(command: String) -> Act {
    let arguments = json!({"cmd": command, "sandbox_permissions": "require_escalated", "justification": "May I?"});
    Act::Call { name: "exec_command".into(), arguments }
}

#[test]
fn what_nobody_allowed_is_not_done() {
    let Some(real) = with("") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let outside = lab.root.join("outside");
    let turns = vec![
        vec![Act::Think("Shall I?".into()), escape(format!("touch {outside}"))],
        vec![Act::Write { path: outside.to_string(), content: "x\n".into() }],
        vec![writes("Alpha", "one\n")],
        vec![say("I could not.")],
    ];
    model.rules(vec![rule(&write_code("Alpha"), turns)]);
    lab.engine();
    // In this mode nobody is asked.
    let id = lab.session_with("component_coding", "Alpha", &["--mode", "agentic"]);
    lab.completes(id);
    assert!(!outside.exists());
    let events = real.events(id, 2);
    let denied = |kind: &EventKind| match kind {
        EventKind::Permission { tool, title, allowed: false, .. } if title.contains("outside") => Some(tool.clone()),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(denied).collect::<Vec<_>>(), ["shell", "edit"], "{events:?}");
    assert!(events.contains(&EventKind::AgentThought { text: "Shall I?\n".into() }), "{events:?}");
}

#[test]
fn what_the_project_allows_is_done() {
    let Some(real) = with("permissions = \"allow\"") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let outside = lab.root.join("outside");
    let turns = vec![vec![escape(format!("touch {outside}"))], vec![writes("Alpha", "one\n")], vec![say("Done.")]];
    model.rules(vec![rule(&write_code("Alpha"), turns)]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    assert!(outside.exists(), "{}", lab.story());
}

#[test]
fn a_person_answers_what_is_asked() {
    real::a_person_is_asked(CODEX, escape);
}

#[test]
fn a_killed_engine_is_followed_by_one_that_resumes() {
    real::resumes_after_a_killed_engine(CODEX);
}

#[test]
fn a_conversation_that_is_gone_is_begun_anew() {
    real::begins_anew_when_all_is_forgotten(CODEX, ".codex/sessions");
}

#[test]
fn an_agent_that_is_killed_is_told_and_tried_again() {
    real::a_killed_agent_is_told(CODEX);
}

#[test]
fn a_cancelled_agent_is_gone_with_its_tool() {
    real::a_cancelled_agent_is_gone(CODEX);
}

#[test]
fn eight_at_once_do_not_mix() {
    real::eight_do_not_mix(CODEX);
}

#[test]
fn a_server_that_fails_for_a_moment_is_waited_out_in_sight() {
    let Some(real) = with("") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    model.rules(vec![good("Alpha").failing(Fail::times(500, 2))]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    assert!(real.notes(id, 2).contains("The model did not answer: Reconnecting"), "{}", real.notes(id, 2));
}

#[test]
fn each_way_of_failing_is_told_apart() {
    let more = json!({"type": "usage_limit_reached", "plan_type": "plus", "resets_in_seconds": 3600});
    let limited = Fail { more, ..Fail::times(429, 0) };
    real::fails(CODEX, &Fail::times(500, 0), AgentFailure::Overloaded, Cause::Overloaded, "could not answer");
    real::fails(CODEX, &limited, AgentFailure::Quota, Cause::Quota, "no more for now");
    real::fails(CODEX, &Fail::times(401, 0), AgentFailure::LoggedOut, Cause::AgentUnavailable, "codex login");
    real::fails(CODEX, &Fail::times(400, 0), AgentFailure::Rejected, Cause::Failed, "400");
}

#[test]
fn a_quota_that_is_used_up_is_waited_out_and_the_session_goes_on_by_itself() {
    let Some(real) = with("") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    // It tells when it may go on again by headers: in two seconds, rounded to the next.
    let soon = callboard::engine::now() / 1_000_000 + 3;
    let headers = [
        ("x-codex-primary-used-percent", "100".into()),
        ("x-codex-primary-window-minutes", "300".into()),
        ("x-codex-primary-reset-at", soon.to_string()),
    ];
    let headers = headers.map(|(name, value): (&str, String)| (name.to_owned(), value)).into();
    let more = json!({"type": "usage_limit_reached", "plan_type": "plus"});
    model.rules(vec![good("Alpha").failing(Fail { headers, more, ..Fail::times(429, 1) })]);
    let engine = lab.engine();
    let id = lab.session("component_coding", "Alpha");
    real::waits_for_its_agent(lab, id);
    assert_eq!(real.report(id, 1).resumes_at.map(|at| at / 1_000_000), Some(soon + 1));
    // Whoever takes over waits for the same time.
    lab.kill(engine);
    lab.engine();
    lab.completes(id);
    assert!(callboard::engine::now() / 1_000_000 > soon);
    assert_eq!(lab.steps(id)[1..3], ["generate_implementation:quota", "generate_implementation"]);
}

#[test]
fn who_has_no_account_is_told_at_once() {
    let Some(real) = with("") else { return };
    let lab = &real.lab;
    std::fs::remove_file(lab.root.join("home/.codex/config.toml")).unwrap();
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::AgentUnavailable);
    assert!(halt.message.contains("codex login"), "{}", halt.message);
}
