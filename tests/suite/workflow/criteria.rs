//! Criteria by the tests that carry them.

use callboard::{
    model::{CaseStatus, Criterion, CriterionState, TestCase},
    workflow::{carried, gap_analysis, judge_criteria},
};

fn criterion(id: &str) -> Criterion {
    Criterion { id: id.into(), text: format!("what {id} asks for") }
}

fn case(name: &str, status: CaseStatus, markers: &[&str]) -> TestCase {
    let markers = markers.iter().map(|&marker| marker.to_owned()).collect();
    TestCase { name: name.into(), status, file: None, markers }
}

#[test]
fn an_id_is_carried_as_whole_words() {
    let yes = [
        ("ac_12_prices_add_up", "AC-12"),
        ("orders::ac_12::adds_up", "AC-12"),
        ("[AC-12] prices add up", "AC-12"),
        ("test_ac12_prices", "AC-12"),
        ("prices add up (ac 12)", "AC-12"),
        ("TestAC12", "ac-12"),
        ("TestAc12AddsUp", "AC-12"),
    ];
    for (test, id) in yes {
        assert_eq!(carried(test, &[id]), [id], "{test}");
    }
    let no = [
        ("ac_12_prices_add_up", "AC-1"),
        ("ac_1_prices_add_up", "AC-12"),
        ("back_1_page", "AC-1"),
        ("ac_and_12", "AC-12"),
        ("", "AC-1"),
        ("ac_1", ""),
    ];
    for (test, id) in no {
        assert!(carried(test, &[id]).is_empty(), "{test} {id}");
    }
}

#[test]
fn the_longest_id_at_a_place_counts() {
    let ids = ["AC", "AC-1", "AC-1-2", "AC-10", "1-2", "US-7"];
    let rows: [(&str, &[&str]); 11] = [
        ("ac_1_2_second", &["AC-1-2"]),
        ("ac_1_second", &["AC-1"]),
        ("ac_10_tenth", &["AC-10"]),
        ("ac_1_0_tenth", &["AC-1"]),
        ("ac_3_third", &["AC"]),
        ("AC1-2", &["AC-1-2"]),
        ("first (AC-1), then AC-1-2", &["AC-1", "AC-1-2"]),
        ("us_7_ac_10_together", &["AC-10", "US-7"]),
        ("version 1.2 of it", &["1-2"]),
        ("ac_1_ac_1_2", &["AC-1", "AC-1-2"]),
        ("back_to_us", &[]),
    ];
    for (test, expected) in rows {
        assert_eq!(carried(test, &ids), expected, "{test}");
    }
}

#[test]
fn an_id_of_another_component_is_told_apart_too() {
    let second = [case("ac_1_2_second", CaseStatus::Passed, &[]), case("other", CaseStatus::Failed, &["AC-1-2"])];
    let found = judge_criteria(&[&criterion("AC-1")], &["AC-1", "AC-1-2"], &second);
    assert_eq!((found[0].state, found[0].tests.len()), (CriterionState::Untested, 0));
}

#[test]
fn of_many_tests_the_gap_analysis_names_some() {
    let tests: Vec<TestCase> = (0..8).map(|at| case(&format!("ac_1_{at}x"), CaseStatus::Failed, &[])).collect();
    let gaps = gap_analysis(&judge_criteria(&[&criterion("AC-1")], &[], &tests)).unwrap();
    assert!(gaps.ends_with("fails: ac_1_0x, ac_1_1x, ac_1_2x, ac_1_3x, ac_1_4x and 3 more"), "{gaps}");
}

#[test]
fn a_criterion_stands_as_its_tests_do() {
    use CaseStatus::{Errored, Failed, Passed, Skipped};
    let rows: [(&[CaseStatus], CriterionState); 8] = [
        (&[], CriterionState::Untested),
        (&[Passed], CriterionState::Satisfied),
        (&[Passed, Passed], CriterionState::Satisfied),
        (&[Passed, Failed], CriterionState::Unmet),
        (&[Errored], CriterionState::Unmet),
        (&[Skipped], CriterionState::Untested),
        (&[Skipped, Passed], CriterionState::Satisfied),
        (&[Skipped, Errored], CriterionState::Unmet),
    ];
    for (statuses, expected) in rows {
        let other = case("ac_1_is_somebody_elses", Failed, &[]);
        let tests: Vec<TestCase> =
            statuses.iter().map(|status| case("ac_12_adds_up", *status, &[])).chain([other]).collect();
        let found = judge_criteria(&[&criterion("AC-12")], &[], &tests);
        assert_eq!(found[0].state, expected, "{statuses:?}");
        assert_eq!(found[0].tests.len(), statuses.len(), "{statuses:?}");
        assert_eq!(gap_analysis(&found).is_none(), expected == CriterionState::Satisfied, "{statuses:?}");
    }
}

#[test]
fn markers_carry_ids_too() {
    let tests = [
        case("adds_up", CaseStatus::Passed, &["AC-12"]),
        case("is_free", CaseStatus::Failed, &["slow", "covers AC-13"]),
        case("rounds", CaseStatus::Passed, &["test_ac_14.TestRounding"]),
    ];
    let ids = ["AC-12", "AC-13", "AC-14", "AC-15"].map(criterion);
    let found = judge_criteria(&ids.iter().collect::<Vec<_>>(), &[], &tests);
    let states: Vec<CriterionState> = found.iter().map(|check| check.state).collect();
    use CriterionState::{Satisfied, Unmet, Untested};
    assert_eq!(states, [Satisfied, Unmet, Satisfied, Untested]);
    assert_eq!(
        gap_analysis(&found).unwrap(),
        "AC-13 (what AC-13 asks for): a test that carries its id fails: is_free\n\
         AC-15 (what AC-15 asks for): no test carries its id"
    );
}
