//! The pause before an agent that fails at once is tried again.

use std::time::Duration;

use callboard::{
    model::{Cause, Micros, ResultStatus, Step},
    workflow::{Tried, pause},
};

const SECOND: Micros = 1_000_000;
const STEP: Step = Step::GenerateImplementation;

/// Attempts in words: `bad`, `good`, `slow` (and bad), `cut` (off), `tests` (bad).
fn tried(line: &str) -> Vec<Tried> {
    let one = |(at, word): (usize, &str)| {
        let started_at = Micros::try_from(at).unwrap() * 100 * SECOND;
        let took = if word == "slow" { SECOND } else { SECOND - 1 };
        Tried {
            step: if word == "tests" { Step::RunTests } else { STEP },
            status: Some(if word == "good" { ResultStatus::Ok } else { ResultStatus::Error }),
            cause: match word {
                "good" => None,
                "cut" => Some(Cause::Interrupted),
                _ => Some(Cause::Failed),
            },
            started_at,
            completed_at: Some(started_at + took),
        }
    };
    line.split_whitespace().enumerate().map(one).collect()
}

#[test]
fn it_grows_with_each_attempt_that_fails_at_once() {
    let rows = [
        ("", None),
        ("good", None),
        ("slow", None),
        ("bad good", None),
        ("bad slow", None),
        ("bad", Some(1)),
        ("bad bad", Some(2)),
        ("bad bad bad", Some(4)),
        ("slow bad bad", Some(2)),
        ("bad tests bad", Some(1)),
        ("bad bad bad bad bad", Some(16)),
        ("bad bad bad bad bad bad", Some(30)),
        ("bad cut bad", Some(2)),
        ("cut", None),
    ];
    for (line, seconds) in rows {
        let found = pause(&tried(line), STEP, Duration::from_secs(30));
        assert_eq!(found.map(|pause| pause.length.as_secs()), seconds, "{line}");
    }
    let many = "bad ".repeat(200);
    assert_eq!(pause(&tried(&many), STEP, Duration::from_secs(30)).unwrap().length.as_secs(), 30);
}

#[test]
fn it_counts_from_the_end_of_the_last_attempt_and_only_for_agents() {
    let attempts = tried("bad bad cut");
    let found = pause(&attempts, STEP, Duration::from_secs(30)).unwrap();
    assert_eq!(found.until, 100 * SECOND + SECOND - 1 + 2 * SECOND);
    assert_eq!(pause(&attempts, STEP, Duration::ZERO), None);
    assert_eq!(pause(&tried("tests"), Step::RunTests, Duration::from_secs(30)), None);
}
