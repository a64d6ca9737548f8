//! Acceptance criteria, judged by the tests that carry their ids.

use crate::model::{CaseStatus, Criterion, CriterionCheck, CriterionState, TestCase};

/// Judges criteria by the tests of a run. A skipped test shows nothing.
#[must_use]
pub fn judge_criteria(criteria: &[&Criterion], tests: &[TestCase]) -> Vec<CriterionCheck> {
    let check = |criterion: &&Criterion| {
        let carrying: Vec<&TestCase> = tests.iter().filter(|test| is_for(test, &criterion.id)).collect();
        let any = |wanted: &[CaseStatus]| carrying.iter().any(|test| wanted.contains(&test.status));
        let state = if any(&[CaseStatus::Failed, CaseStatus::Errored]) {
            CriterionState::Unmet
        } else if any(&[CaseStatus::Passed]) {
            CriterionState::Satisfied
        } else {
            CriterionState::Untested
        };
        CriterionCheck {
            id: criterion.id.clone(),
            text: criterion.text.clone(),
            state,
            tests: carrying.iter().map(|test| test.name.clone()).collect(),
            by_hand: None,
        }
    };
    criteria.iter().map(check).collect()
}

fn is_for(test: &TestCase, id: &str) -> bool {
    carries(&test.name, id) || test.markers.iter().any(|marker| carries(marker, id))
}

/// Whether a test's name carries a criterion's id as whole words: `ac_12_adds_up` and `[AC-12] adds up` carry `AC-12`, but not
/// `AC-1`.
#[must_use]
pub fn carries(test: &str, id: &str) -> bool {
    let (test, id) = (words(test), words(id));
    !id.is_empty() && test.windows(id.len()).any(|window| window == id.as_slice())
}

/// Lower-case words; letters and digits that stand together are two words, so that `ac12` carries `AC-12` too, and a capital
/// after a small letter begins a word, so that `TestAc12` does.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last: Option<char> = None;
    for char in text.chars() {
        if char.is_alphanumeric() {
            let goes_on = last.is_some_and(|last| {
                last.is_alphanumeric()
                    && last.is_ascii_digit() == char.is_ascii_digit()
                    && !(last.is_lowercase() && char.is_uppercase())
            });
            match words.last_mut().filter(|_| goes_on) {
                Some(word) => word.extend(char.to_lowercase()),
                None => words.push(char.to_lowercase().collect()),
            }
        }
        last = Some(char);
    }
    words
}

/// What is missing, for people and for the next prompt; `None`: nothing is.
#[must_use]
pub fn gap_analysis(checks: &[CriterionCheck]) -> Option<String> {
    let lines: Vec<String> = checks
        .iter()
        .filter(|check| check.standing() != CriterionState::Satisfied)
        .map(|check| match check.state {
            _ if check.by_hand.is_some() => {
                let note = check.by_hand.as_ref().map_or("", |(_, note)| note);
                format!("{} ({}): a person says that it is not met: {note}", check.id, check.text)
            }
            CriterionState::Untested if !check.tests.is_empty() => {
                format!("{} ({}): its tests are skipped: {}", check.id, check.text, check.tests.join(", "))
            }
            CriterionState::Untested => format!("{} ({}): no test carries its id", check.id, check.text),
            CriterionState::Unmet | CriterionState::Satisfied => {
                format!("{} ({}): a test that carries its id fails: {}", check.id, check.text, check.tests.join(", "))
            }
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
