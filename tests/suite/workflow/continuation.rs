//! Continue or start anew, and the status that a step leaves behind.

use callboard::{
    model::{Cause, SessionKind, Status},
    workflow::{Continuation, Outcome, Past, Wanted, continue_or_new, rows, status_after},
};

use super::{OK, WARNING, error, outcomes, session};

const CODING: SessionKind = SessionKind::ComponentCoding;
const TEST: SessionKind = SessionKind::ComponentTest;
const DESIGN: SessionKind = SessionKind::ComponentDesign;

const NEW: Continuation = Continuation::New { design_first: false };
const DESIGN_FIRST: Continuation = Continuation::New { design_first: true };

/// Sessions 1, 2, 3… of these kinds: whether they have a conversation, and whether the design changed since.
fn past(sessions: &[(SessionKind, bool, bool)]) -> Vec<Past> {
    (1..)
        .zip(sessions)
        .map(|(number, &(kind, has_work, design_changed))| Past { id: session(number), kind, has_work, design_changed })
        .collect()
}

fn goes_on_in(number: u128) -> Continuation {
    Continuation::Continue(session(number))
}

#[test]
fn work_goes_on_in_the_conversation_that_began_it_unless_that_no_longer_holds() {
    let table = [
        // sessions of the component, what is wanted, whether as a redesign, the answer
        (past(&[]), CODING, false, NEW),
        (past(&[]), CODING, true, DESIGN_FIRST),
        (past(&[]), DESIGN, true, NEW),
        (past(&[(CODING, true, false)]), CODING, false, goes_on_in(1)),
        (past(&[(CODING, true, false)]), CODING, true, DESIGN_FIRST),
        (past(&[(CODING, true, true)]), CODING, false, DESIGN_FIRST),
        (past(&[(CODING, true, true)]), CODING, true, DESIGN_FIRST),
        (past(&[(CODING, false, false)]), CODING, false, NEW),
        (past(&[(CODING, false, true)]), CODING, false, NEW),
        (past(&[(TEST, true, false)]), CODING, false, NEW),
        (past(&[(TEST, true, true)]), CODING, false, NEW),
        (past(&[(CODING, true, false), (CODING, true, false)]), CODING, false, goes_on_in(2)),
        (past(&[(CODING, true, false), (CODING, false, false)]), CODING, false, goes_on_in(1)),
        (past(&[(CODING, true, false), (TEST, true, false)]), CODING, false, goes_on_in(1)),
        (past(&[(CODING, true, true), (CODING, true, false)]), CODING, false, goes_on_in(2)),
        (past(&[(CODING, true, false), (CODING, true, true)]), CODING, false, DESIGN_FIRST),
        (past(&[(DESIGN, true, false)]), DESIGN, false, goes_on_in(1)),
        // A design session is itself what would come first.
        (past(&[(DESIGN, true, false)]), DESIGN, true, NEW),
        (past(&[(DESIGN, true, true)]), DESIGN, false, NEW),
    ];
    for (past, kind, redesign, expected) in table {
        let wanted = Wanted { kind, redesign };
        assert_eq!(continue_or_new(&past, wanted), expected, "{past:?}, {wanted:?}");
    }
}

/// What `finalize` leaves behind, and any other step, by outcome.
fn expected_status(finalize: bool, outcome: Outcome) -> Status {
    let table = [
        // outcome, after finalize, after any other step
        (OK, Status::Complete, Status::Active),
        (WARNING, Status::Complete, Status::Active),
        (super::ERROR, Status::Failed, Status::Active),
        (error(Cause::Failed), Status::Failed, Status::Active),
        (error(Cause::Interrupted), Status::Active, Status::Active),
        (error(Cause::Cancelled), Status::Active, Status::Active),
        (error(Cause::Timeout), Status::Failed, Status::Active),
        (error(Cause::Inactive), Status::Failed, Status::Active),
        (error(Cause::CouldNotRun), Status::Failed, Status::Active),
        (error(Cause::Quota), Status::Active, Status::Active),
        (error(Cause::Overloaded), Status::Active, Status::Active),
        // Halts leave a session active for the person who decides, but for the one that closes it at once.
        (error(Cause::EmptyDiff), Status::Active, Status::Active),
        (error(Cause::Environment), Status::Active, Status::Active),
        (error(Cause::AgentUnavailable), Status::Active, Status::Active),
        (error(Cause::MergeConflict), Status::Active, Status::Active),
        (error(Cause::ArchitecturalIssue), Status::Active, Status::Active),
        (error(Cause::FailuresOutside), Status::Failed, Status::Failed),
    ];
    let (_, ended, under_way) = table.into_iter().find(|(of, ..)| *of == outcome).expect("every outcome");
    if finalize { ended } else { under_way }
}

#[test]
fn only_the_end_of_a_workflow_and_failures_outside_close_a_session() {
    for kind in SessionKind::ALL.iter().copied() {
        for row in rows(kind) {
            for outcome in outcomes() {
                let expected = expected_status(row.step.as_str() == "finalize", outcome);
                assert_eq!(status_after(row.step, outcome), expected, "{kind}, {}, {outcome:?}", row.step);
            }
        }
    }
}
