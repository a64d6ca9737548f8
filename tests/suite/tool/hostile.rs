//! Whoever means ill: long, wrong and foreign arguments, lines that are no messages, an end without a word.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use callboard::{
    model::{
        Cause, Command, Data, Interaction, InteractionId, Scope, Session, Step, StepResult, TestFailure, TestRun,
        TestStatus,
    },
    store::{Change, Store},
};
use serde_json::{Value, json};

use super::{super::integration::Shop, Client};

#[test]
fn arguments_of_every_wrong_kind_are_refused_with_what_is_right() {
    let (shop, id) = Shop::new(&[]);
    let client = Client::new(&shop, id);
    let long = "x".repeat(10 * 1024 * 1024);
    for (name, arguments, why) in [
        (
            "reactivate_session",
            json!({"component": "Cart", "reason": long}),
            "`reason` has 10485760 bytes, at most 4096",
        ),
        ("get_session", json!({"session": long}), "at most 300 are taken: shorten it"),
        ("get_session", json!({"session": ["a"]}), "`session` must be a string, found an array"),
        ("get_session", json!({"session": {"$ne": 1}}), "found an object"),
        ("get_session", json!({"session": 7}), "found a number"),
        ("get_session", json!({"session": true}), "found a boolean"),
        ("get_session", json!({"session": " "}), "`session` is empty"),
        ("get_session", json!({"session": "'; DROP TABLE sessions; --"}), "no session"),
        ("get_session", json!({"account": "other"}), "there is no argument \"account\"; known: `session`"),
        ("get_reactivation_status", json!({"x": 1}), "there is no argument \"x\"; known: none"),
        (
            "list_sessions",
            json!({"status": "\u{1b}[2Jdone"}),
            "must be one of active, complete, failed, cancelled, found \"done\"",
        ),
        ("list_components", json!({"context": "../../etc"}), "etc"),
    ] {
        let said = client.refused(name, arguments);
        assert!(said.contains(why) && said.len() < 2_000, "{name}, {why}: {}", &said[..said.floor_char_boundary(500)]);
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
    let unknown = client.try_call("delete_everything", json!({})).unwrap_err();
    assert!(unknown.contains("there is no tool \"delete_everything\"; known: list_sessions"), "{unknown}");
    assert_eq!(client.call("get_session", json!({"session": null}))["id"], json!(id), "it goes on");
    // What was sent is not what is kept.
    let events = shop.store().events(id, 0, 1_000).unwrap();
    let kept = events.iter().map(|event| serde_json::to_string(&event.kind).unwrap().len()).max().unwrap();
    assert!(kept < 3_000, "{kept}");
}

#[test]
fn sessions_of_other_projects_do_not_exist() {
    let (shop, id) = Shop::new(&[]);
    // Another project and another account in the same store.
    let cart = shop.store().session(shop.coding("Cart")).unwrap();
    let mut foreign = Vec::new();
    for (account, project) in [("local", "/elsewhere".to_owned()), ("other", shop.project().to_string())] {
        let scope = Scope { account: account.into(), project, user: String::new() };
        let mut store = Store::open(&shop.folder.join("callboard.db"), scope).unwrap();
        let session = Session::new(cart.kind, "Secret", cart.mode, 1);
        foreign.push(session.id.to_string());
        let generation = shop.store().generations(cart.id).unwrap().remove(0);
        store.apply(&vec![Change::NewSession(Box::new(session), generation)]).unwrap();
    }
    let client = Client::new(&shop, id);
    let all = client.call("list_sessions", json!({})).to_string();
    assert!(all.contains(&cart.id.to_string()) && !all.contains("Secret"), "{all}");
    for other in &foreign {
        for (name, arguments) in [
            ("get_session", json!({"session": other})),
            ("get_test_failures", json!({"session": other})),
            ("reactivate_session", json!({"session": other, "reason": "x"})),
        ] {
            let said = client.refused(name, arguments);
            assert!(said.contains("no session") && !said.contains("Secret"), "{said}");
        }
        let output = shop.callboard(&["mcp", "--session", other]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

#[test]
fn what_tests_print_comes_clean_and_cut() {
    let (shop, id) = Shop::new(&[]);
    let mut run = TestRun::empty("any", TestStatus::Failed);
    run.failures = vec![
        TestFailure {
            name: "\u{1b}]0;title\u{7}adds\u{9b}31m".into(),
            message: format!("\u{1b}[31mred\u{1b}[0m {}", "x".repeat(10_000)),
            stack: "\u{1b}[2J".repeat(1_000),
            ..Default::default()
        };
        1_500
    ];
    let result =
        StepResult { data: Some(Data::TestRun(run)), ..StepResult::error(Cause::Failed, "\u{1b}[31mno\u{1b}[0m") };
    let mut store = shop.store();
    let interaction = Interaction {
        id: InteractionId::generate(),
        session_id: id,
        seq: 1,
        generation: 1,
        step: Step::Initialize,
        iteration: 1,
        command: Command::Check { subject: "tests".into() },
        result: None,
        started_at: 1,
        completed_at: None,
    };
    store
        .apply(&vec![
            Change::Begin { interaction: Box::new(interaction), owner: None },
            Change::Finish { session: id, seq: 1, result: Box::new(result), at: 2 },
        ])
        .unwrap();
    let text = shop.ok(&["tool", "get_test_failures", "--session", &id.to_string()]);
    assert!(text.len() < 256 * 1024, "{}", text.len());
    let answer: Value = serde_json::from_str(&text).unwrap();
    let failures = answer["run"]["failures"].as_array().unwrap();
    assert_eq!((failures.len(), &answer["run"]["more_failures"]), (40, &json!(1_460)));
    assert!(!answer.to_string().contains("\\u001b"), "{}", failures[0]);
    assert!(failures[0]["message"].as_str().unwrap().starts_with("red x"), "{}", failures[0]);
    assert!(failures[0]["message"].as_str().unwrap().contains("bytes left out"));
}

#[test]
fn lines_that_are_no_messages_are_survived_and_the_end_of_input_is_the_end() {
    let (shop, id) = Shop::new(&[]);
    for begun in [false, true] {
        let mut server = shop
            .callboard(&["mcp", "--session", &id.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = server.stdin.take().unwrap();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        if begun {
            let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "ill", "version": "1"}}});
            let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
            input.write_all(format!("{hello}\n{ready}\n").as_bytes()).unwrap();
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["result"]["serverInfo"]["name"], "callboard");
            for garbage in [&b"garbage\n"[..], b"\xff\xfe\x00\n", b"{\"jsonrpc\":\n", b"[[[[[[[[\n", b"\n\n\n"] {
                input.write_all(garbage).unwrap();
            }
            input.write_all(&vec![b'x'; 20 * 1024 * 1024]).unwrap();
            let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "get_session"}});
            input.write_all(format!("\n{call}\n").as_bytes()).unwrap();
            let answer = loop {
                let mut line = String::new();
                assert!(output.read_line(&mut line).unwrap() > 0, "it has ended");
                let message: Value = serde_json::from_str(&line).unwrap();
                if message["id"] == 2 {
                    break message;
                }
            };
            assert_eq!(answer["result"]["structuredContent"]["id"], json!(id));
        }
        drop(input);
        assert!(server.wait().unwrap().success(), "begun: {begun}");
    }
}

#[test]
fn without_a_session_or_with_arguments_that_are_no_object_it_says_what_to_do() {
    let (shop, id) = Shop::new(&[]);
    let id = id.to_string();
    for (arguments, code, why) in [
        (vec!["mcp"], 2, "CALLBOARD_SESSION_ID"),
        (vec!["tool", "get_session"], 2, "CALLBOARD_SESSION_ID"),
        (vec!["tool", "nothing", "--session", &id], 2, "get_test_failures"),
        (vec!["tool", "get_session", "--session", &id, "--arguments", "[]"], 2, "must be a JSON object"),
        (vec!["tool", "get_session", "--session", &id, "--arguments", "{"], 2, "must be a JSON object"),
        (vec!["tool", "get_session", "--session", "ffffffff"], 2, "no session"),
        (
            vec!["tool", "reactivate_session", "--session", &id, "--arguments", r#"{"component":"Cart","reason":"x"}"#],
            1,
            "refused",
        ),
        (vec!["refuse", &id], 1, "its agent asks for nothing"),
    ] {
        let output = shop.callboard(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
    let listed: Value = serde_json::from_str(&shop.ok(&["tool", "ls", "--json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), callboard::tool::TOOLS.len());
}
