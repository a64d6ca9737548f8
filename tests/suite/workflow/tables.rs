//! Every (kind, step, outcome), against tables written out by hand.

use std::collections::BTreeSet;

use callboard::{
    model::{Cause, SessionKind, Step},
    workflow::{History, Next, Waiting, first_step, fix_step, next, position, rows},
};

use super::{ERROR, OK, WARNING, after, begun_at, decide, error, push};

/// A step, where ok and warning lead, where the rest leads (`same`: to the step itself).
const COMPONENT_DESIGN: &str = "
    initialize                  read_context_design        same
    read_context_design         generate_component_design  same
    generate_component_design   validate_design            same
    validate_design             finalize                   revise_design
    revise_design               validate_design            same
    finalize                    complete                   same
";

const COMPONENT_TEST: &str = "
    initialize                   generate_tests_and_fixtures  same
    generate_tests_and_fixtures  run_tests                    same
    run_tests                    finalize                     fix_compilation_errors
    fix_compilation_errors       run_tests                    same
    finalize                     complete                     same
";

const COMPONENT_CODING: &str = "
    initialize               generate_implementation  same
    generate_implementation  run_tests                same
    run_tests                finalize                 fix_test_failures
    fix_test_failures        run_tests                same
    finalize                 complete                 same
";

const CONTEXT_TESTING: &str = "
    initialize                        spawn_component_testing_sessions  same
    spawn_component_testing_sessions  finalize                          same
    finalize                          complete                          same
";

const CONTEXT_DESIGN: &str = "
    initialize                       spawn_component_design_sessions  same
    spawn_component_design_sessions  finalize                         same
    finalize                         complete                         same
";

const CONTEXT_CODING: &str = "
    initialize                       spawn_component_coding_sessions  same
    spawn_component_coding_sessions  finalize                         same
    finalize                         complete                         same
";

const INTEGRATION: &str = "
    initialize                     generate_integration_tests    same
    generate_integration_tests     generate_context              same
    generate_context               run_integration_tests         same
    run_integration_tests          run_test_suite                fix_integration_test_failures
    fix_integration_test_failures  run_integration_tests         same
    run_test_suite                 validate_acceptance_criteria  fix_test_failures
    fix_test_failures              run_test_suite                same
    validate_acceptance_criteria   finalize                      generate_integration_tests
    finalize                       complete                      same
";

/// An error's cause, the answer to it, and the answer once a person decided to go on. `table` is the third column of the
/// tables above, `same` the step itself.
const CAUSES: &str = "
    -                    table                        same
    failed               table                        same
    timeout              table                        same
    inactive             table                        same
    could_not_run        table                        same
    interrupted          same                         same
    cancelled            same                         same
    empty_diff           halt(no_progress)            same
    environment          halt(environment)            same
    agent_unavailable    halt(agent_unavailable)      same
    quota                waiting                      same
    overloaded           waiting                      same
    merge_conflict       halt(merge_conflict)         same
    failures_outside     halt(architectural_failure)  table
    architectural_issue  halt(architectural_issue)    same
";

const fn table_of(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::ComponentDesign => COMPONENT_DESIGN,
        SessionKind::ComponentTest => COMPONENT_TEST,
        SessionKind::ComponentCoding => COMPONENT_CODING,
        SessionKind::ContextTesting => CONTEXT_TESTING,
        SessionKind::ContextDesign => CONTEXT_DESIGN,
        SessionKind::ContextCoding => CONTEXT_CODING,
        SessionKind::Integration => INTEGRATION,
    }
}

fn cells(table: &str) -> Vec<[&str; 3]> {
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|cells| !cells.is_empty())
        .map(|cells| cells.try_into().expect("three columns"))
        .collect()
}

/// An answer in the words of the tables.
fn said(history: &History) -> String {
    match next(history).expect("an answer") {
        Next::Halt(reason) => format!("halt({reason})"),
        other @ (Next::Step(_) | Next::Complete | Next::Waiting(_)) => other.to_string(),
    }
}

fn spelled<'a>(cell: &'a str, step: &'a str, table: &'a str) -> &'a str {
    match cell {
        "same" => step,
        "table" => spelled(table, step, table),
        other => other,
    }
}

#[test]
fn every_outcome_of_every_step_leads_where_the_design_says() {
    let mut checked = 0;
    for kind in SessionKind::ALL.iter().copied() {
        for [name, ok, otherwise] in cells(table_of(kind)) {
            let step: Step = name.parse().unwrap();
            let mut expect = |outcome, at_first: &str, decided: &str| {
                let mut history = after(kind, step, outcome);
                assert_eq!(said(&history), at_first, "{kind}, {step}, {outcome:?}");
                decide(&mut history);
                assert_eq!(said(&history), decided, "{kind}, {step}, {outcome:?}, decided");
                checked += 1;
            };
            for good in [OK, WARNING] {
                expect(good, ok, ok);
            }
            for [cause, at_first, decided] in cells(CAUSES) {
                let outcome = if cause == "-" { ERROR } else { error(cause.parse().unwrap()) };
                expect(outcome, spelled(at_first, name, otherwise), spelled(decided, name, otherwise));
            }
        }
    }
    assert_eq!(checked, (6 + 5 + 5 + 3 + 3 + 3 + 9) * (2 + 1 + Cause::ALL.len()));
}

#[test]
fn the_hand_written_tables_leave_nothing_out() {
    for kind in SessionKind::ALL.iter().copied() {
        let here: Vec<_> = cells(table_of(kind)).into_iter().map(|[step, ..]| step).collect();
        let there: Vec<_> = rows(kind).iter().map(|row| row.step.as_str()).collect();
        assert_eq!(here, there, "{kind}");
    }
    let causes: BTreeSet<_> = cells(CAUSES).into_iter().map(|[cause, ..]| cause).collect();
    let all: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.as_str()).chain(["-"]).collect();
    assert_eq!(causes, all);
}

#[test]
fn a_pending_attempt_is_waited_for() {
    for kind in SessionKind::ALL.iter().copied() {
        for row in rows(kind) {
            let waiting = match next(&after(kind, row.step, None)).unwrap() {
                Next::Waiting(waiting) => waiting,
                other @ (Next::Step(_) | Next::Complete | Next::Halt(_)) => panic!("{kind}, {}: {other:?}", row.step),
            };
            let spawns = row.step.as_str().starts_with("spawn_");
            let expected = if spawns { Waiting::Validation { seq: 1 } } else { Waiting::Attempt { seq: 1 } };
            assert_eq!(waiting, expected, "{kind}, {}", row.step);
        }
    }
}

#[test]
fn a_session_begins_with_initialize_and_a_reactivated_one_where_its_work_is_mended() {
    let starts = [
        (SessionKind::ComponentDesign, Step::ReviseDesign),
        (SessionKind::ComponentTest, Step::FixCompilationErrors),
        (SessionKind::ComponentCoding, Step::FixTestFailures),
        (SessionKind::ContextTesting, Step::SpawnComponentTestingSessions),
        (SessionKind::ContextDesign, Step::SpawnComponentDesignSessions),
        (SessionKind::ContextCoding, Step::SpawnComponentCodingSessions),
        (SessionKind::Integration, Step::RunIntegrationTests),
    ];
    assert_eq!(starts.len(), SessionKind::ALL.len());
    for (kind, fix) in starts {
        assert_eq!(first_step(kind), Step::Initialize);
        assert_eq!(fix_step(kind), fix);
        for start in [Step::Initialize, fix] {
            assert_eq!(next(&begun_at(kind, start)), Ok(Next::Step(start)), "{kind}");
        }
    }
}

#[test]
fn when_all_goes_well_a_session_walks_its_good_column_to_the_end() {
    for kind in SessionKind::ALL.iter().copied() {
        for start in [first_step(kind), fix_step(kind)] {
            let mut history = begun_at(kind, start);
            let mut expected = start.as_str();
            while expected != "complete" {
                assert_eq!(said(&history), expected, "{kind} from {start}");
                push(&mut history, expected.parse().unwrap(), OK);
                let [_, ok, _] = cells(table_of(kind)).into_iter().find(|[step, ..]| *step == expected).unwrap();
                expected = ok;
            }
            assert_eq!(next(&history), Ok(Next::Complete), "{kind} from {start}");
        }
    }
}

#[test]
fn progress_is_counted_over_the_rows_of_the_table() {
    for kind in SessionKind::ALL.iter().copied() {
        let table = cells(table_of(kind));
        for (at, [step, ..]) in table.iter().enumerate() {
            assert_eq!(position(kind, step.parse().unwrap()), Some((at + 1, table.len())));
        }
    }
    assert_eq!(position(SessionKind::ContextTesting, Step::RunTests), None);
}
