//! Acceptance criteria, judged by the tests that carry their ids.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{CaseStatus, Criterion, CriterionCheck, CriterionState, TestCase};

use super::judge::listed;

/// Judges criteria by the tests of a run. A skipped test shows nothing. `all` are the ids of the whole project: a test may carry
/// a longer one that belongs to another component.
#[must_use]
pub fn judge_criteria(criteria: &[&Criterion], all: &[&str], tests: &[TestCase]) -> Vec<CriterionCheck> {
    let ids = Ids::of(all.iter().copied().chain(criteria.iter().map(|criterion| criterion.id.as_str())));
    let mut carrying: BTreeMap<&str, Vec<&TestCase>> = BTreeMap::new();
    for test in tests {
        let mut carried = BTreeSet::new();
        std::iter::once(&test.name).chain(&test.markers).for_each(|text| ids.carried(text, &mut carried));
        carried.into_iter().for_each(|id| carrying.entry(id).or_default().push(test));
    }
    let check = |criterion: &&Criterion| {
        let carrying = carrying.get(criterion.id.as_str()).map(Vec::as_slice).unwrap_or_default();
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

/// The ids among `ids` that a test's name carries as whole words: `ac_12_adds_up` and `[AC-12] adds up` carry `AC-12`, but not
/// `AC-1`. Of ids that begin at the same word the longest counts: `ac_1_2_rounds` carries `AC-1-2` and not `AC-1`.
#[must_use]
pub fn carried<'a>(test: &str, ids: &[&'a str]) -> Vec<&'a str> {
    let mut found = BTreeSet::new();
    Ids::of(ids.iter().copied()).carried(test, &mut found);
    found.into_iter().collect()
}

/// Ids as words, by their first one.
struct Ids<'a>(BTreeMap<String, Vec<(Vec<String>, &'a str)>>);

impl<'a> Ids<'a> {
    fn of(ids: impl Iterator<Item = &'a str>) -> Self {
        let mut all: BTreeMap<String, Vec<(Vec<String>, &'a str)>> = BTreeMap::new();
        for id in ids {
            let words = words(id);
            if let Some(first) = words.first() {
                all.entry(first.clone()).or_default().push((words, id));
            }
        }
        Self(all)
    }

    /// Adds the ids that a text carries.
    fn carried(&self, text: &str, found: &mut BTreeSet<&'a str>) {
        let words = words(text);
        let mut rest = words.as_slice();
        while let [first, after @ ..] = rest {
            let here = || self.0.get(first).into_iter().flatten().filter(|(id, _)| rest.starts_with(id));
            let longest = here().map(|(id, _)| id.len()).max();
            found.extend(here().filter(|(id, _)| Some(id.len()) == longest).map(|(_, id)| *id));
            rest = longest.and_then(|longest| rest.get(longest..)).unwrap_or(after);
        }
    }
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
                format!("{} ({}): its tests are skipped: {}", check.id, check.text, list(&check.tests))
            }
            CriterionState::Untested => format!("{} ({}): no test carries its id", check.id, check.text),
            CriterionState::Unmet | CriterionState::Satisfied => {
                format!("{} ({}): a test that carries its id fails: {}", check.id, check.text, list(&check.tests))
            }
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn list(tests: &[String]) -> String {
    listed(tests.iter().map(String::as_str), tests.len())
}
