//! A row that a newer callboard wrote is refused, never misread.

use callboard::{
    model::{Answer, Cause, Criterion, CriterionCheck, CriterionState, HaltReason, IntentId, Step, StepResult, Story},
    store::{Change, Store, StoreError},
};

use super::world::{World, begin, halt, id, intent, new, request};

fn full(world: &World) -> IntentId {
    let asked = IntentId::generate();
    let result = Box::new(StepResult::error(Cause::Failed, "no"));
    world
        .open()
        .apply(&vec![
            new(id(1)),
            begin(id(1), 1, Step::Initialize),
            Change::Request(Box::new(request(id(1), 1))),
            Change::Finish { session: id(1), seq: 1, result, at: 2 },
            Change::Ledger { session: id(1), rows: Vec::new() },
            Change::Halt(halt(id(1), 1, HaltReason::Environment)),
            intent(asked, id(1)),
            Change::Catalogue { components: Vec::new(), stories: vec![story()] },
            criteria(),
        ])
        .unwrap();
    asked
}

fn story() -> Story {
    let criteria = vec![Criterion { id: "P-1".into(), text: "it pays".into() }];
    Story { title: "A customer pays".into(), component: "Orders".into(), criteria }
}

fn criteria() -> Change {
    let (text, state) = ("it pays".into(), CriterionState::Satisfied);
    let check = CriterionCheck { id: "P-1".into(), text, state, tests: Vec::new(), by_hand: None };
    Change::Criteria { session: id(1), checks: vec![check], files: Vec::new(), commit: "1".into(), at: 3 }
}

fn refused<T: std::fmt::Debug>(what: &str, result: Result<T, StoreError>) {
    match result {
        Err(error @ StoreError::Row { .. }) => {
            assert!(error.to_string().contains("newer callboard"), "{what}: {error}")
        }
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn every_row_with_a_newer_shape_is_refused() {
    let world = World::new();
    let asked = full(&world);
    for table in ["generations", "interactions", "ledgers", "halts", "criterion_checks", "requests", "intents"] {
        let store = world.open();
        store.detail(id(1)).unwrap();
        let raw = world.raw();
        assert!(raw.execute(&format!("UPDATE {table} SET version = 2"), []).unwrap() > 0);
        let reads: Vec<(&str, Result<(), StoreError>)> = match table {
            "generations" => vec![("generations", drop_ok(store.generations(id(1)))), detail(&store)],
            "interactions" => vec![
                ("interactions", drop_ok(store.interactions(id(1), 0))),
                ("interaction", drop_ok(store.interaction(id(1), 1))),
                ("summaries", drop_ok(store.summaries(id(1), 9))),
                ("last_prompt", drop_ok(store.last_prompt(id(1)))),
                ("last_error", drop_ok(store.last_error(id(1)))),
                ("last_result", drop_ok(store.last_result(id(1), Step::Initialize))),
                detail(&store),
            ],
            "ledgers" => vec![("ledger", drop_ok(store.ledger(id(1)))), detail(&store)],
            "halts" => vec![("halts", drop_ok(store.halts(id(1)))), detail(&store)],
            "criterion_checks" => vec![("criteria", drop_ok(store.criteria(None)))],
            "requests" => vec![("requests", drop_ok(store.requests(id(1), 9))), detail(&store)],
            _ => vec![("open_intents", drop_ok(store.open_intents()))],
        };
        for (what, result) in reads {
            refused(what, result);
        }
        raw.execute(&format!("UPDATE {table} SET version = 1"), []).unwrap();
    }
    assert_eq!(world.open().answer(asked).unwrap(), None);
}

fn drop_ok<T>(result: Result<T, StoreError>) -> Result<(), StoreError> {
    result.map(drop)
}

fn detail(store: &Store) -> (&'static str, Result<(), StoreError>) {
    ("detail", store.detail(id(1)).map(drop))
}

#[test]
fn an_answer_of_a_newer_engine_is_refused() {
    let world = World::new();
    let asked = full(&world);
    let mut store = world.open();
    store.apply(&vec![Change::Answer { intent: asked, answer: Answer::Done, at: 3 }]).unwrap();
    world.raw().execute("UPDATE intents SET version = 7, answer = '{\"answer\": \"perhaps\"}'", []).unwrap();
    refused("answer", store.answer(asked));
}

#[test]
fn writing_to_a_newer_row_does_not_make_it_look_older() {
    let world = World::new();
    let asked = full(&world);
    let mut store = world.open();
    store.apply(&vec![begin(id(1), 2, Step::Initialize)]).unwrap();
    let raw = world.raw();
    raw.execute_batch("UPDATE interactions SET version = 2; UPDATE intents SET version = 2").unwrap();
    let result = Box::new(StepResult::ok());
    store.apply(&vec![Change::Finish { session: id(1), seq: 2, result, at: 9 }]).unwrap();
    store.apply(&vec![Change::Answer { intent: asked, answer: Answer::Done, at: 9 }]).unwrap();
    refused("interactions", store.interactions(id(1), 0));
    refused("answer", store.answer(asked));
}

#[test]
fn words_and_shapes_that_are_not_known_are_errors_of_their_row() {
    let world = World::new();
    full(&world);
    let store = world.open();
    world.raw().execute("UPDATE sessions SET status = 'hibernating'", []).unwrap();
    let error = store.session(id(1)).unwrap_err().to_string();
    assert!(error.contains("hibernating"), "{error}");
    world.raw().execute_batch("UPDATE sessions SET status = 'active'; UPDATE ledgers SET body = '[{}]'").unwrap();
    assert!(matches!(store.ledger(id(1)), Err(StoreError::Row { table: "ledgers", .. })));
}
