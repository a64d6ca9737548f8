//! The Agent Client Protocol by agents that keep to it badly, or not at all.

use callboard::model::{AgentFailure, Cause, Data, EventKind, HaltReason, Interaction};
use serde_json::Value;

use super::{fake::Fake, lab::Shape};

fn once() -> Shape {
    Shape { limits: "iterations = 1".into(), ..Shape::default() }
}

fn failure(attempt: &Interaction) -> (Option<Cause>, Option<AgentFailure>, String) {
    let result = attempt.result.clone().unwrap();
    let Some(Data::Agent(report)) = result.data else { panic!("{:?}", result.data) };
    (result.cause, report.failure, result.error_message.unwrap_or_default())
}

#[test]
fn files_are_read_and_written_in_the_worktree_only() {
    let act = r#"file() { ask "$1" "fs/$2_text_file" '"path":"'"$3"'"'"$4"; }
        ln -s "$LAB" out; ln -s README.md way; mkfifo pipe; mkdir -p in
        file 10 read "$PWD/README.md"
        file 11 write "$PWD/src/shop/new/one.txt" ',"content":"a\nb\nc"'
        file 12 read "$PWD/src/shop/new/one.txt" ',"line":2,"limit":1'
        n=20; for path in /etc/passwd "$LAB/project/README.md" README.md "$PWD/../../../x" "$PWD/out/log" "$PWD/way" "$PWD/in" "$PWD/pipe" "$PWD/.git" "" "$PWD/a\u0000b"; do
            file $n read "$path"; n=$((n+1))
        done
        n=40; for path in "$LAB/written" "$PWD/../written" "$PWD/out/written" "$PWD/.git/hooks/pre-commit" "$PWD/.git" "$PWD/in"; do
            file $n write "$path" ',"content":"x"'; n=$((n+1))
        done
        file 50 delete "$PWD/README.md"
        send '{"jsonrpc":"2.0","id":51,"method":"fs/read_text_file","params":{"sessionId":"s-2","path":"'$PWD'/README.md"}}'; hear
        rm out way pipe; writes"#;
    let fake = Fake::new("", act);
    let lab = &fake.lab;
    lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    let heard = fake.heard();
    assert_eq!(heard[0]["result"]["content"], "a shop\n");
    assert_eq!(heard[1]["result"], serde_json::json!({}));
    assert_eq!(heard[2]["result"]["content"], "b\n");
    let refused: Vec<&Value> = heard[3..].iter().collect();
    assert_eq!(refused.len(), 11 + 6 + 2);
    for answer in refused {
        assert!(answer["error"]["message"].is_string() && answer.get("result").is_none(), "{answer}");
    }
    assert!(!lab.root.join("written").exists() && !lab.project.join(".git/hooks/pre-commit").exists());
}

#[test]
fn an_agent_that_is_not_logged_in_says_how_one_logs_in() {
    let fake = Fake::new("", "");
    let lab = &fake.lab;
    let hello = r#"hear; send '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"authMethods":[{"id":"a","name":"Log in","description":"Run `agent login`"}]}}'
        hear; send '{"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"Authentication required"}}'; cat > /dev/null; exit 0"#;
    lab.act("hello", hello);
    lab.engine();
    let id = fake.session("agentic");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::AgentUnavailable);
    assert!(halt.message.contains("It offers: Log in (Run `agent login`)"), "{}", halt.message);
    assert_eq!(failure(&lab.history(id)[1]).1, Some(AgentFailure::LoggedOut));
}

#[test]
fn agents_of_other_versions_and_agents_that_die_are_told_apart() {
    let begun = r#"hear; send '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}'; hear"#;
    for (hello, kind, words) in [
        (
            r#"hear; send '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":0}}'; cat > /dev/null; exit 0"#
                .to_owned(),
            AgentFailure::BadOutput,
            "speaks version 0",
        ),
        (
            r#"hear; send '{"jsonrpc":"2.0","id":1,"result":{}}'; cat > /dev/null; exit 0"#.to_owned(),
            AgentFailure::BadOutput,
            "speaks version null",
        ),
        ("hear; echo 'I have no model' >&2; exit 7".to_owned(), AgentFailure::Crashed, "exit code 7"),
        ("echo usage: agent; exit 0".to_owned(), AgentFailure::BadOutput, "is it the right program"),
        (format!("{begun}; kill -KILL $$"), AgentFailure::Killed, "signal 9"),
        (format!("{begun}; exit 0"), AgentFailure::Crashed, "before its turn was over"),
        (
            format!("{begun}; send '{{\"id\":2,\"result\":{{}}}}'; cat > /dev/null; exit 0"),
            AgentFailure::BadOutput,
            "without a name",
        ),
        (
            format!("{begun}; send '{{\"id\":2,\"error\":\"no\"}}'; cat > /dev/null; exit 0"),
            AgentFailure::Other,
            "did not say why",
        ),
    ] {
        let fake = Fake::with("", "", once());
        let lab = &fake.lab;
        lab.act("hello", &hello);
        lab.engine();
        let id = fake.session("agentic");
        assert_eq!(lab.halt_of(id).reason, HaltReason::IterationLimit, "{hello}");
        let (cause, found, message) = failure(&lab.history(id)[1]);
        assert_eq!((cause, found), (Some(Cause::Failed), Some(kind)), "{hello}: {message}");
        assert!(message.contains(words), "{hello}: {message}");
        lab.nobody_left();
    }
}

#[test]
fn noise_of_every_kind_is_survived() {
    let act = r#"update() { send '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"'"$1"'","update":'"$2"'}}'; }
        send 'this is no message'; send '[1,2,3]'; send 'null'; send '{"jsonrpc":"2.0"}'; send '{"id":null,"result":{}}'
        send "$(printf '%05000d' 0 | tr 0 '[')"
        send '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":7}}'; send '{"jsonrpc":"2.0","id":2,"error":{}}'
        send '{"jsonrpc":"2.0","id":99,"result":{"stopReason":"refusal"}}'; send '{"jsonrpc":"2.0","id":"3","error":{"code":-32000}}'
        update s-2 '{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"of another"}}'
        update s-1 '{"sessionUpdate":"from_the_future","content":[[[]]]}'; update s-1 '[]'; update s-1 '{"sessionUpdate":"plan","entries":{"a":1}}'
        update s-1 '{"sessionUpdate":"tool_call_update","toolCallId":"never-begun","status":"completed","content":[{"type":"terminal","terminalId":"terminal-9"},{"type":"diff"},7],"locations":[1,{}]}'
        update s-1 '{"sessionUpdate":"current_mode_update","currentModeId":{}}'
        send '{"jsonrpc":"2.0","id":{"a":1},"method":"terminal/create","params":[]}'; hear
        send "{\"jsonrpc\":\"2.0\",\"id\":\"$(printf '%01000d' 0)\",\"method\":\"terminal/create\",\"params\":{\"sessionId\":\"s-1\",\"command\":\"true\"}}"; hear
        ask 60 vendor/thing '"x":1'
        text=$(printf '%01000d' 0); i=0
        while [ $i -lt 20000 ]; do i=$((i+1)); printf '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"tool_call","toolCallId":"%s","title":"%s"}}}\n' $i "$text"; done
        update s-1 '{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"still here"}}'
        writes"#;
    let fake = Fake::new("permissions = \"allow\"", act);
    let lab = &fake.lab;
    let engine = lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    let heard = fake.heard();
    assert!(
        heard[0]["error"]["message"].as_str().unwrap().contains("a session that callboard does not have"),
        "{heard:?}"
    );
    assert!(heard[1]["error"]["message"].as_str().unwrap().contains("the id is too long"));
    assert_eq!(heard[2]["error"]["code"], -32601);
    let said: String = fake
        .events(id)
        .into_iter()
        .filter_map(|kind| if let EventKind::AgentText { text } = kind { Some(text) } else { None })
        .collect();
    assert_eq!(said, "still here\n");
    let status = std::fs::read_to_string(format!("/proc/{engine}/status")).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let peak: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < 200_000, "{peak} KiB");
}

/// It asks, and never reads what it is answered: that is not kept for ever, neither many answers nor few long ones.
#[test]
fn an_agent_that_reads_no_answers_is_ended() {
    for (times, bytes) in [(5000, 100), (40, 2_000_000)] {
        let act = format!(
            r#"i=100; while [ $i -lt {} ]; do i=$((i+1)); send "{{\"jsonrpc\":\"2.0\",\"id\":$i,\"method\":\"fs/read_text_file\",\"params\":{{\"sessionId\":\"s-1\",\"path\":\"$PWD/big\"}}}}"; done; sleep 600"#,
            100 + times
        );
        let fake = Fake::with("", &act, once());
        let lab = &fake.lab;
        lab.write("project/big", &"x".repeat(bytes));
        lab.git(&["add", "--all"]);
        lab.git(&["commit", "--quiet", "--message", "big"]);
        lab.engine();
        let id = fake.session("agentic");
        lab.wait("it was ended", |_| lab.history(id).get(1).is_some_and(|first| first.result.is_some()));
        let (_, kind, message) = failure(&lab.history(id)[1]);
        assert_eq!(kind, Some(AgentFailure::BadOutput));
        assert!(message.contains("asks more than it reads"), "{message}");
    }
}

/// An answer may be long: it comes in one piece to whoever reads it.
#[test]
fn a_long_answer_arrives_whole() {
    let act = r#"ask 10 fs/read_text_file "\"path\":\"$PWD/big\""; writes"#;
    let fake = Fake::new("", act);
    let lab = &fake.lab;
    lab.write("project/big", &"x".repeat(2_000_000));
    lab.git(&["add", "--all"]);
    lab.git(&["commit", "--quiet", "--message", "big"]);
    lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    assert_eq!(fake.heard()[0]["result"]["content"].as_str().map(str::len), Some(2_000_000));
}

#[test]
fn an_agent_that_only_resumes_goes_on_with_its_conversation() {
    let fake = Fake::new("", "mkdir -p src/shop; echo none > src/shop/alpha.txt; echo writes > \"$LAB/acts/acp\"");
    let lab = &fake.lab;
    lab.act("hello", "can='{\"sessionCapabilities\":{\"resume\":{}}}'");
    lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    assert_eq!(lab.steps(id)[1..4], ["generate_implementation", "run_tests:failed", "fix_test_failures"]);
    let heard = lab.read("heard");
    let resumed = heard.lines().find(|line| line.contains("session/resume")).unwrap();
    assert!(resumed.contains(r#""sessionId":"s-1""#) && !heard.contains("session/load"), "{heard}");
}
