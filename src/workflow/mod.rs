//! Pure: workflow tables, the orchestrator over them, limits, the failure ledger, continuation, explanations. No async, no
//! I/O, no clock: everything here is a function of its arguments.

mod continuation;
mod criteria;
mod decision;
mod design;
mod explain;
mod judge;
mod ledger;
mod orchestrator;
mod pause;
mod placement;
mod render;
mod story;
mod table;

pub use continuation::{Continuation, Past, Wanted, continue_or_new, has_work, newest_with_work};
pub use criteria::{carried, gap_analysis, judge_criteria};
pub use decision::{Validity, evidence_hash, halted_files, validity};
pub use design::{assertions, problems as design_problems, unmatched};
pub use explain::{Facts, LastAttempt, Why, ways_out, why};
pub use judge::{Expected, for_ledger, judge, listed};
pub use ledger::{LedgerRow, LedgerState, absorb, failure_set, fingerprint, problem_set};
pub use orchestrator::{Attempt, Awaited, Bounds, History, Next, Outcome, Waiting, WorkflowError, next, status_after};
pub use pause::{Pause, Tried, pause};
pub use placement::{Owner, owner, place, place_compile_errors, shared_files, uncompiled, uncompiled_outside};
pub use render::{Format, render};
pub use story::{Chapters, Sentence, SentenceKind, Woken, failure_sentence, headline, story};
pub use table::{Row, Then, first_step, fix_step, has_agent, position, row, rows};
