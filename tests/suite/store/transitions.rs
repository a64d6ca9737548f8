//! A transition is made as a whole or not at all, and what was decided once is not decided again.

use std::sync::Arc;

use callboard::{
    model::{
        Answer, Cause, Decision, Event, EventKind, HaltReason, IntentId, Request, Ruling, SessionId, Status, Step,
        StepResult, Verdict,
    },
    store::{Change, Need, StoreError, Writer},
};

use super::world::{World, begin, generation, halt, id, intent, new, request, scope};

fn is_conflict(result: Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict(_)))
}

fn finish(session: SessionId, seq: u32) -> Change {
    Change::Finish { session, seq, result: Box::new(StepResult::ok()), at: 5 }
}

fn note(session: SessionId, text: &str) -> Event {
    Event { session_id: session, n: 0, interaction: 1, at: 1, kind: EventKind::Note { text: text.into() } }
}

#[test]
fn a_refused_change_takes_the_whole_transition_with_it() {
    let world = World::new();
    let mut store = world.open();
    store.apply(&vec![new(id(1)), begin(id(1), 1, Step::Initialize)]).unwrap();
    let before = world.dump();
    let transition = vec![
        finish(id(1), 1),
        Change::Events(vec![note(id(1), "lost")]),
        Change::Status { session: id(1), status: Status::Failed },
        finish(id(1), 1),
    ];
    assert!(is_conflict(store.apply(&transition)));
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn in_a_batch_the_refused_leave_no_trace_and_the_others_are_made() {
    let world = World::new();
    drop(world.open());
    let writer = Writer::start(&world.path).unwrap();
    let scope = Arc::new(scope("local", "/shop"));
    writer.apply(&scope, vec![new(id(1)), begin(id(1), 1, Step::Initialize)]).await.unwrap();
    let (a, b, c) = tokio::join!(
        writer.apply(&scope, vec![Change::Events(vec![note(id(1), "a")])]),
        writer.apply(&scope, vec![Change::Events(vec![note(id(1), "lost")]), finish(id(2), 1)]),
        writer.apply(&scope, vec![Change::Events(vec![note(id(1), "b")])]),
    );
    assert!(a.is_ok() && c.is_ok() && matches!(b, Err(StoreError::UnknownSession { .. })), "{a:?} {b:?} {c:?}");
    let events = world.open().events(id(1), 0, 10).unwrap();
    assert_eq!(events, [(1, "a"), (2, "b")].map(|(n, text)| Event { n, ..note(id(1), text) }));
}

#[test]
fn an_attempt_begins_once_and_ends_once() {
    let world = World::new();
    let mut store = world.open();
    store.apply(&vec![new(id(1)), begin(id(1), 1, Step::Initialize)]).unwrap();
    assert!(is_conflict(store.apply(&vec![begin(id(1), 1, Step::Initialize)])), "the seq is taken");
    assert!(is_conflict(store.apply(&vec![finish(id(1), 2)])), "it never began");
    store.apply(&vec![finish(id(1), 1)]).unwrap();
    assert!(is_conflict(store.apply(&vec![finish(id(1), 1)])), "it has ended");
    store.apply(&vec![Change::Status { session: id(1), status: Status::Cancelled }]).unwrap();
    assert!(is_conflict(store.apply(&vec![begin(id(1), 2, Step::RunTests)])), "the session has ended");
    assert_eq!(store.last_seq(id(1)).unwrap(), 1);
}

#[test]
fn a_session_is_reopened_once() {
    let world = World::new();
    let mut store = world.open();
    store.apply(&vec![new(id(1))]).unwrap();
    let reopen = |number| vec![Change::Reopen { session: id(1), generation: generation(number, Step::RunTests) }];
    assert!(is_conflict(store.apply(&reopen(2))), "it is active");
    store.apply(&vec![Change::Status { session: id(1), status: Status::Complete }]).unwrap();
    assert!(is_conflict(store.apply(&reopen(3))), "a generation is left out");
    store.apply(&reopen(2)).unwrap();
    assert!(is_conflict(store.apply(&reopen(2))), "it is active again");
    let row = store.board_row(id(1)).unwrap();
    assert_eq!((row.status, row.generation, row.step, row.iteration), (Status::Active, 2, None, 0));
}

#[test]
fn a_request_is_of_an_attempt_that_is_being_made_and_is_ruled_on_once() {
    let world = World::new();
    let mut store = world.open();
    let asked = request(id(1), 1);
    store.apply(&vec![new(id(1))]).unwrap();
    assert!(is_conflict(store.apply(&vec![Change::Request(Box::new(asked.clone()))])), "there is no attempt");
    store.apply(&vec![begin(id(1), 1, Step::Initialize), Change::Request(Box::new(asked.clone()))]).unwrap();
    let row = store.board_row(id(1)).unwrap();
    assert_eq!((row.requests, row.need()), (1, Some(Need::Request)));
    let inbox = store.inbox().unwrap();
    assert_eq!(inbox[0].message, "its agent asks to wake the session of Pricing: secret");
    let ruling = Ruling { granted: false, user: "ada".into(), note: Some("no".into()), opened: None, at: 5 };
    let rule = vec![Change::Rule { session: id(1), request: asked.id, ruling: ruling.clone() }];
    store.apply(&rule).unwrap();
    assert!(is_conflict(store.apply(&rule)));
    assert_eq!(store.requests(id(1), 9).unwrap(), [Request { ruling: Some(ruling), ..asked }]);
    assert_eq!((store.board_row(id(1)).unwrap().requests, store.inbox().unwrap()), (0, Vec::new()));
    let result = Box::new(StepResult::ok());
    store.apply(&vec![Change::Finish { session: id(1), seq: 1, result, at: 6 }]).unwrap();
    assert!(is_conflict(store.apply(&vec![Change::Request(Box::new(request(id(1), 1)))])), "it has ended");
}

#[test]
fn an_intent_is_answered_once() {
    let world = World::new();
    let mut store = world.open();
    let [first, second] = [IntentId::generate(), IntentId::generate()];
    store.apply(&vec![new(id(1)), intent(first, id(1)), intent(second, id(1))]).unwrap();
    let open: Vec<IntentId> = store.open_intents().unwrap().into_iter().map(|intent| intent.id).collect();
    assert_eq!(open, [first, second]);
    assert_eq!(store.open_intents().unwrap()[0].user, "ada@example.com", "whoever the scope says asks");
    assert_eq!(store.answer(first).unwrap(), None);
    let answer = |answer: Answer| vec![Change::Answer { intent: first, answer, at: 4 }];
    store.apply(&answer(Answer::Done)).unwrap();
    assert!(is_conflict(store.apply(&answer(Answer::Refused { why: "no".into() }))));
    assert_eq!(store.answer(first).unwrap(), Some(Answer::Done));
    assert_eq!(store.open_intents().unwrap().len(), 1);
    assert!(matches!(store.apply(&vec![intent(first, id(1))]), Err(StoreError::Sqlite(_))), "asked twice");
}

#[test]
fn a_halt_is_decided_once() {
    let world = World::new();
    let mut store = world.open();
    let halt = halt(id(1), 1, HaltReason::Environment);
    let decide = |verdict| {
        let decision = Decision { verdict, note: None, user: "ada".into(), at: 1, evidence_hash: "0".into() };
        vec![Change::Decide { halt: halt.id, decision }]
    };
    store.apply(&vec![new(id(1)), Change::Halt(halt.clone())]).unwrap();
    assert_eq!(store.decided(id(1)).unwrap(), 0);
    store.apply(&decide(Verdict::Retry)).unwrap();
    assert!(is_conflict(store.apply(&decide(Verdict::Approve))));
    assert_eq!(store.last_halt(id(1)).unwrap().unwrap().decision.unwrap().verdict, Verdict::Retry);
    assert_eq!(store.decided(id(1)).unwrap(), 1);
}

#[tokio::test]
async fn events_are_numbered_without_gaps_whoever_writes_them() {
    let world = World::new();
    let mut store = world.open();
    store.apply(&vec![new(id(1)), new(id(2))]).unwrap();
    let writer = Arc::new(Writer::start(&world.path).unwrap());
    let scope = Arc::new(scope("local", "/shop"));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (writer, scope) = (Arc::clone(&writer), Arc::clone(&scope));
            tokio::spawn(async move {
                for round in 0..25 {
                    let text = format!("{task}.{round}");
                    let events = vec![note(id(1), &text), note(id(2), &text), note(id(1), &text)];
                    writer.post(&scope, vec![Change::Events(events)]);
                    if round % 10 == 0 {
                        writer.apply(&scope, Vec::new()).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for _ in 0..20 {
        store.apply(&vec![Change::Events(vec![note(id(2), "a client")])]).unwrap();
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    drop(writer);
    for (session, count) in [(id(1), 400), (id(2), 220)] {
        let events = store.events(session, 0, 1000).unwrap();
        let numbers: Vec<u64> = events.iter().map(|event| event.n).collect();
        assert_eq!(numbers, (1..=count).collect::<Vec<u64>>());
        assert_eq!(store.event_count(session).unwrap(), count);
        assert_eq!(store.last_event(session).unwrap().as_ref(), events.last());
        assert_eq!(store.events(session, 10, 5).unwrap(), events[10..15]);
    }
    let order: Vec<String> = store
        .events(id(1), 0, 1000)
        .unwrap()
        .into_iter()
        .filter_map(|event| {
            let EventKind::Note { text } = event.kind else { return None };
            text.strip_prefix("3.").map(str::to_owned)
        })
        .collect();
    assert_eq!(order, (0..25).flat_map(|round| [round.to_string(), round.to_string()]).collect::<Vec<_>>());
}

#[test]
fn what_was_cut_off_does_not_count_as_a_result() {
    let world = World::new();
    let mut store = world.open();
    let cut = StepResult::error(Cause::Interrupted, "the engine ended under it");
    let bad = StepResult::error(Cause::Failed, "no");
    store
        .apply(&vec![
            new(id(1)),
            begin(id(1), 1, Step::RunTests),
            Change::Finish { session: id(1), seq: 1, result: Box::new(bad.clone()), at: 2 },
            begin(id(1), 2, Step::RunTests),
            Change::Finish { session: id(1), seq: 2, result: Box::new(cut), at: 3 },
        ])
        .unwrap();
    assert_eq!(store.last_result(id(1), Step::RunTests).unwrap(), Some(bad));
    assert_eq!(store.last_error(id(1)).unwrap().as_deref(), Some("the engine ended under it"));
    assert_eq!(store.last_prompt(id(1)).unwrap(), Some((2, "do it".into())));
}
