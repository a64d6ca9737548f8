//! Where failing tests belong.

use callboard::{
    model::{Placement, TestFailure, TestRun, TestStatus},
    workflow::place,
};

#[test]
fn what_cannot_be_placed_is_outside_and_says_why() {
    let rows = [
        (None, None, "no [counts as outside: the report names no file]"),
        (Some("lib/x.rs"), None, "no [counts as outside: lib/x.rs belongs to no component]"),
        (
            None,
            Some("../../../etc/passwd"),
            "no [counts as outside: ../../../etc/passwd is outside the project, or none of its own files]",
        ),
    ];
    for (file, foreign, message) in rows {
        let mut run = TestRun::empty("junit", TestStatus::Failed);
        run.failures.push(TestFailure {
            name: "a".into(),
            message: "no".into(),
            file: file.map(str::to_owned),
            foreign_file: foreign.map(str::to_owned),
            ..TestFailure::default()
        });
        place(&[], "Orders", &mut run);
        assert_eq!((run.failures[0].placement, run.failures[0].message.as_str()), (Some(Placement::Outside), message));
    }
}
