//! An agent of the Agent Client Protocol, the real program, with a model that is none.

use callboard::model::{AgentFailure, Cause, EventKind, SessionId};

use super::{
    lab::Shape,
    real::{self, Kind, Real, mend, rule, say, write_code, writes},
};
use crate::model::{Act, Fail};

const ACP: Kind = Kind { preset: "claude-acp", program: "claude-agent-acp" };

/// Heavier programs, which `tests/agents/install` brings only when they are named.
const OTHERS: [Kind; 2] =
    [Kind { preset: "codex-acp", program: "codex-acp" }, Kind { preset: "qwen", program: "qwen" }];

/// A session is completed over a fix, for which its agent runs a command.
fn fixes(kind: Kind) -> Option<(Real, SessionId)> {
    let real = Real::new(kind, "permissions = \"allow\"", Shape::default())?;
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one", "two"]);
    let half = rule(&write_code("Alpha"), vec![vec![writes("Alpha", "one\n")], vec![say("Half of it is written.")]]);
    let shell = Act::Shell("echo one two > src/shop/alpha.txt".into());
    let whole = rule(&mend("Alpha"), vec![vec![shell], vec![say("Now it is whole.")]]);
    model.rules(vec![half, whole]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    assert_eq!(lab.steps(id)[2..4], ["run_tests:failed", "fix_test_failures"], "{}", kind.preset);
    assert!(real.said(id, 2).contains("Half of it is written."), "{}: {:?}", kind.preset, real.events(id, 2));
    let edited = |kind: &EventKind| matches!(kind, EventKind::FileEdit { path, .. } if path == "src/shop/alpha.txt");
    assert!(real.events(id, 2).iter().any(edited), "{}: {:?}", kind.preset, real.events(id, 2));
    lab.nobody_left();
    Some((real, id))
}

#[test]
fn others_of_the_protocol_come_to_their_end_too() {
    for (real, _) in OTHERS.into_iter().filter_map(fixes) {
        let asked = real.model.asked();
        assert!(asked.iter().any(|asked| asked.heard(&mend("Alpha")) && asked.told("Half of it is written.")));
    }
}

/// It keeps a conversation in a file that is called by the minute in which it began: asked to load one in that same minute, this
/// version empties it, and then says that there is none.
#[test]
fn gemini_comes_to_its_end_whether_or_not_it_forgets_what_was_said() {
    let Some((real, id)) = fixes(Kind { preset: "gemini", program: "gemini" }) else { return };
    let notes = real.notes(id, 4);
    let forgot = notes.contains("does not know the conversation any more; it begins a new one");
    let asked = real.model.asked();
    let fix = asked.iter().find(|asked| asked.heard(&mend("Alpha"))).unwrap();
    assert_eq!(fix.told("Half of it is written."), !forgot, "{notes}");
    assert_eq!(real.lab.get(id).conversation_id, Some(real.report(id, 3).conversation_id), "that one is gone on with");
}

#[test]
fn a_session_comes_to_its_end_over_a_fix_in_one_conversation() {
    let Some(real) = Real::new(ACP, "", Shape::default()) else { return };
    let id = real::fixes_in_one_conversation(&real);
    // Two requests, each of 100 tokens beside 40 from the cache, and 20 that were written.
    for at in [1, 3] {
        let usage = real.report(id, at).usage.unwrap();
        assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (280, 80, 40));
        // It tells what the whole conversation has cost; each attempt has its own part.
        assert_eq!(usage.cost_microdollars, real.report(id, 1).usage.unwrap().cost_microdollars);
        assert!(usage.cost_microdollars.is_some_and(|cost| cost > 0));
    }
}

#[test]
fn what_nobody_allowed_is_not_done() {
    let Some(real) = Real::new(ACP, "", Shape::default()) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let outside = lab.root.join("outside");
    let turns = vec![
        vec![Act::Think("Shall I?".into()), Act::Shell(format!("touch {outside}"))],
        vec![Act::Write { path: outside.to_string(), content: "x".into() }],
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
    let asked = |kind: &EventKind| match kind {
        EventKind::Permission { tool, allowed, .. } => Some((tool.clone(), *allowed)),
        _ => None,
    };
    let asked: Vec<(String, bool)> = events.iter().filter_map(asked).collect();
    let wanted = [("Bash", false), ("Write", false), ("Write", true)].map(|(tool, allowed)| (tool.to_owned(), allowed));
    assert_eq!(asked, wanted, "{events:?}");
    // It may come in pieces.
    let thought =
        |kind: &EventKind| if let EventKind::AgentThought { text } = kind { Some(text.clone()) } else { None };
    assert_eq!(events.iter().filter_map(thought).collect::<String>(), "Shall I?\n", "{events:?}");
}

#[test]
fn a_person_answers_what_is_asked() {
    real::a_person_is_asked(ACP, Act::Shell);
}

#[test]
fn a_killed_engine_is_followed_by_one_that_resumes() {
    real::resumes_after_a_killed_engine(ACP);
}

#[test]
fn a_conversation_that_is_gone_is_begun_anew() {
    real::begins_anew_when_all_is_forgotten(ACP, ".claude/projects");
}

#[test]
fn an_agent_that_is_killed_is_told_and_tried_again() {
    real::a_killed_agent_is_told(ACP);
}

#[test]
fn a_cancelled_agent_is_gone_with_its_tool() {
    real::a_cancelled_agent_is_gone(ACP);
}

#[test]
fn eight_at_once_do_not_mix() {
    real::eight_do_not_mix(ACP);
}

#[test]
fn each_way_of_failing_is_told_apart() {
    let limited = Fail { retry_after: Some(1), ..Fail::times(429, 0) };
    real::fails(ACP, &Fail::times(500, 0), AgentFailure::Overloaded, Cause::Overloaded, "500");
    real::fails(ACP, &limited, AgentFailure::Quota, Cause::Quota, "no more for now");
    real::fails(ACP, &Fail::times(401, 0), AgentFailure::LoggedOut, Cause::AgentUnavailable, "log in");
}

/// Those that begin in a mode in which a model judges what they may do are put into one in which callboard does.
#[test]
fn what_asks_too_little_is_put_into_a_mode_that_asks() {
    for (kind, mode) in [(OTHERS[0], "workspace-write (Workspace access)"), (OTHERS[1], "default")] {
        let Some(real) = Real::new(kind, "", Shape::default()) else { continue };
        let Real { lab, model } = &real;
        real.tests(&["Alpha"], &["one"]);
        // Codex lets everybody write where temporary files are.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let outside = folder.path().join("outside");
        let turns = vec![
            vec![writes("Alpha", "one\n")],
            vec![Act::Write { path: outside.to_str().unwrap().into(), content: "x".into() }],
            vec![Act::Shell(format!("touch {}", outside.display()))],
            vec![say("I am done.")],
        ];
        model.rules(vec![rule(&write_code("Alpha"), turns)]);
        lab.engine();
        let id = lab.session_with("component_coding", "Alpha", &["--mode", "agentic"]);
        lab.completes(id);
        assert!(!outside.exists());
        let notes = real.notes(id, 2);
        assert!(notes.contains(&format!("The agent is in the mode {mode}.\n")), "{notes}");
        let denied = |kind: &EventKind| matches!(kind, EventKind::Permission { allowed: false, .. });
        assert!(real.events(id, 2).iter().any(denied), "{:?}", real.events(id, 2));
    }
}
