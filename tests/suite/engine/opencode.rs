//! OpenCode, the real program, over the Agent Client Protocol, with a model that is none. It is heavy: what the other agents of
//! the protocol show is not shown again, and its own tries again are told not to wait.

use callboard::model::{AgentFailure, Cause};

use super::{
    lab::Shape,
    real::{self, Kind, Real},
};
use crate::model::{Act, Fail};

const OPENCODE: Kind = Kind { preset: "opencode", program: "opencode" };

#[test]
fn a_session_comes_to_its_end_over_a_fix_in_one_conversation() {
    let Some(real) = Real::new(OPENCODE, "", Shape::default()) else { return };
    let id = real::fixes_in_one_conversation(&real);
    // It tells of the last request of a turn only.
    for at in [1, 3] {
        let usage = real.report(id, at).usage.unwrap();
        assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (100, 40, 20));
    }
}

#[test]
fn a_person_answers_what_is_asked() {
    real::a_person_is_asked(OPENCODE, Act::Shell);
}

#[test]
fn a_killed_engine_is_followed_by_one_that_resumes() {
    real::resumes_after_a_killed_engine(OPENCODE);
}

#[test]
fn an_agent_that_is_killed_is_told_and_tried_again() {
    real::a_killed_agent_is_told(OPENCODE);
}

#[test]
fn a_cancelled_agent_is_gone_with_its_tool() {
    real::a_cancelled_agent_is_gone(OPENCODE);
}

#[test]
fn eight_at_once_do_not_mix() {
    real::eight_do_not_mix(OPENCODE);
}

#[test]
fn each_way_of_failing_is_told_apart() {
    let soon = |status| Fail { headers: vec![("retry-after-ms".into(), "1".into())], ..Fail::times(status, 0) };
    real::fails(OPENCODE, &soon(500), AgentFailure::Overloaded, Cause::Overloaded, "500");
    real::fails(OPENCODE, &soon(429), AgentFailure::Quota, Cause::Quota, "no more for now");
}
