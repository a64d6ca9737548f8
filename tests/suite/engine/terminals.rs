//! Commands that an agent has callboard run: in the worktree, asked for, seen, bounded, and gone with the turn.

use callboard::model::{Cause, EventKind, IntentAction, SessionId, Status};
use serde_json::{Value, json};

use super::{
    fake::Fake,
    lab::{Lab, Shape, is_alive},
};
use crate::confine::is_possible;

const ALLOW: &str = "permissions = \"allow\"";

/// What a request was refused with.
fn refusal(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

fn pids(lab: &Lab) -> Vec<u32> {
    lab.read("pids").lines().map(|pid| pid.parse().unwrap()).collect()
}

/// The questions of the first attempt: what was asked and what was said.
fn asked(fake: &Fake, id: SessionId) -> Vec<(String, bool, String)> {
    let asked = |kind| match kind {
        EventKind::Permission { tool, title, allowed, by } => Some((format!("{tool}: {title}"), allowed, by)),
        _ => None,
    };
    fake.events(id).into_iter().filter_map(asked).collect()
}

#[test]
fn a_command_is_run_told_and_seen() {
    let act = r#"mkdir -p src
        ask 10 terminal/create '"command":"sh","args":["-c","exec 2>&1; pwd; echo \"$WHO $SECRET\"; echo problem >&2; exit 3"],"env":[{"name":"WHO","value":"me"}],"cwd":"'$PWD'/src"'
        ask 11 terminal/wait_for_exit '"terminalId":"terminal-1"'
        ask 12 terminal/output '"terminalId":"terminal-1"'
        send '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"tool_call","toolCallId":"c","title":"Look","kind":"execute","content":[{"type":"terminal","terminalId":"terminal-1"}]}}}'
        send '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"tool_call_update","toolCallId":"c","status":"failed"}}}'
        ask 13 terminal/release '"terminalId":"terminal-1"'
        ask 14 terminal/output '"terminalId":"terminal-1"'
        ask 15 terminal/create '"command":"printf","args":["aäöü"],"outputByteLimit":5'
        ask 16 terminal/wait_for_exit '"terminalId":"terminal-2"'
        ask 17 terminal/output '"terminalId":"terminal-2"'
        ask 18 terminal/create '"command":"no-such-program --flag"'
        ask 19 terminal/wait_for_exit '"terminalId":"terminal-3"'
        ask 20 terminal/output '"terminalId":"terminal-3"'
        writes"#;
    let fake = Fake::new(ALLOW, act);
    let lab = &fake.lab;
    let mut engine = lab.callboard(&["engine", "run"]);
    engine.env("SECRET", "hush");
    lab.spawn(engine);
    let id = fake.session("agentic");
    lab.completes(id);
    let heard = fake.heard();
    let worktree = lab.worktree(id);
    assert_eq!(heard[0]["result"], json!({"terminalId": "terminal-1"}));
    assert_eq!(heard[1]["result"], json!({"exitCode": 3, "signal": null}));
    assert_eq!(heard[2]["result"]["exitStatus"], json!({"exitCode": 3, "signal": null}));
    let output = heard[2]["result"]["output"].as_str().unwrap();
    assert!(output.contains(&format!("{worktree}/src\nme \n")) && output.contains("problem\n"), "{output}");
    assert_eq!((&heard[3]["result"], refusal(&heard[4])), (&json!({}), "there is no terminal of this id"));
    assert_eq!(heard[7]["result"]["output"], "öü");
    assert_eq!(heard[7]["result"]["truncated"], true);
    assert_eq!(heard[9]["result"], json!({"exitCode": 127, "signal": null}));
    let output = heard[10]["result"]["output"].as_str().unwrap();
    assert!(output.contains("was not found in PATH\nThere is no shell"), "{output}");

    let line = r#"cd src && WHO=me sh -c 'exec 2>&1; pwd; echo "$WHO $SECRET"; echo problem >&2; exit 3'"#;
    let events = fake.events(id);
    let position =
        |wanted: &EventKind| events.iter().position(|kind| kind == wanted).unwrap_or_else(|| panic!("{events:?}"));
    let call = |tool: &str, title: &str| EventKind::ToolCall { tool: tool.into(), title: title.into() };
    let end = |tool: &str, text: &str| EventKind::ToolEnd { tool: tool.into(), ok: false, text: text.into() };
    assert!(position(&call("terminal", line)) < position(&end("terminal", "exit code 3")));
    assert!(position(&call("execute", "Look")) < position(&end("execute", "exit code 3")));
    let seen = |kind: &EventKind| matches!(kind, EventKind::Output { text, stderr: false } if text.contains("problem"));
    assert!(events.iter().any(seen), "{events:?}");
    assert_eq!(asked(&fake, id)[0], (format!("terminal: {line}"), true, "permissions = \"allow\"".into()));
    assert!(lab.read("heard").lines().next().unwrap().contains(r#""terminal":true"#));
}

#[test]
fn nothing_is_run_that_nobody_allowed() {
    let act = r#"ask 10 terminal/create '"command":"touch","args":["'$LAB'/ran"]'
        ask 11 terminal/output '"terminalId":"terminal-1"'
        writes"#;
    let fake = Fake::new("", act);
    fake.lab.engine();
    let id = fake.session("agentic");
    fake.lab.completes(id);
    let heard = fake.heard();
    assert!(refusal(&heard[0]).starts_with("Nobody is here to allow this."), "{heard:?}");
    assert_eq!(refusal(&heard[1]), "there is no terminal of this id");
    assert!(!fake.lab.root.join("ran").exists());
    let line = format!("terminal: touch {}/ran", fake.lab.root);
    assert_eq!(asked(&fake, id), [(line, false, "permissions = \"deny\"".to_owned())]);
}

/// A tool call that shows the command line is word enough for the terminal that runs it, once and for exactly that.
#[test]
fn a_person_is_asked_once_for_one_command() {
    let act = r#"options='"options":[{"optionId":"y","name":"Yes","kind":"allow_once"},{"optionId":"n","name":"No","kind":"reject_once"}]'
        ask 10 session/request_permission '"toolCall":{"toolCallId":"c","kind":"execute","title":"`echo x >> '$LAB'/ran`"},'"$options"
        ask 11 terminal/create '"command":"bash","args":["-c","echo y >> '$LAB'/ran"]'
        ask 12 terminal/create '"command":"bash","args":["-c","echo x >> '$LAB'/ran"]'
        ask 13 terminal/wait_for_exit '"terminalId":"terminal-1"'
        ask 14 terminal/create '"command":"bash","args":["-c","echo x >> '$LAB'/ran"]'
        ask 15 session/request_permission '"toolCall":{"toolCallId":"e","kind":"edit","title":"touch '$LAB'/sly","locations":[{"path":"'$PWD'/a"}]},'"$options"
        ask 16 terminal/create '"command":"touch","args":["'$LAB'/sly"]'
        writes"#;
    let fake = Fake::new("", act);
    let lab = &fake.lab;
    lab.engine();
    let id = fake.session("auto");
    let short = id.to_string();
    let mut before = None;
    for (word, title) in
        [("allow", "`echo x >>"), ("deny", "bash -c 'echo y >>"), ("deny", "bash -c 'echo x >>"), ("deny", "touch ")]
    {
        let mut found = None;
        lab.wait("a question", |store| {
            found = store.question(id).unwrap().filter(|next| Some(next.id) != before);
            found.is_some()
        });
        let question = found.unwrap();
        assert!(question.title.starts_with(title), "{}", question.title);
        before = Some(question.id);
        lab.ok(&[word, &short]);
    }
    lab.completes(id);
    assert_eq!((lab.read("ran"), lab.root.join("sly").exists()), ("x\n".to_owned(), false));
    let heard = fake.heard();
    assert_eq!(heard[0]["result"]["outcome"], json!({"outcome": "selected", "optionId": "y"}));
    assert!(refusal(&heard[1]).starts_with("The user said no."), "{heard:?}");
    let by: Vec<String> = asked(&fake, id).into_iter().map(|(_, _, by)| by).collect();
    let ada = super::lab::EMAIL;
    assert_eq!(by, [ada, ada, "it was allowed just before", ada, "it writes in its worktree", ada]);
}

#[test]
fn no_command_begins_outside_the_worktree() {
    let act = r#"ln -s "$LAB" out; mkdir -p in; ln -s in way
        n=10; for cwd in "$LAB" / "$PWD/.." ../.. "$PWD/in/../.." "$PWD/out" out/project "$PWD/nowhere" "$PWD/README.md"; do
            ask $n terminal/create '"command":"touch","args":["ran"],"cwd":"'$cwd'"'; n=$((n+1))
        done
        ask 40 terminal/create '"command":"touch","args":["ran"],"cwd":"'$PWD'/way"'
        ask 41 terminal/wait_for_exit '"terminalId":"terminal-'$(printf '%s' "$heard" | tr -dc '0-9 ,' | sed 's/.*40//;s/[^0-9]//g')'"'
        rm out; writes"#;
    let fake = Fake::new(ALLOW, act);
    let lab = &fake.lab;
    lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    let heard = fake.heard();
    for answer in &heard[..7] {
        assert!(refusal(answer).contains(" is not in /"), "{answer}");
    }
    assert!(refusal(&heard[7]).contains("No such file") && refusal(&heard[8]).contains("is no folder"), "{heard:?}");
    assert!(heard[9]["result"]["terminalId"].is_string(), "{heard:?}");
    assert!(!lab.root.join("ran").exists() && !lab.project.join("ran").exists());
}

#[test]
fn what_an_agent_asks_too_much_or_wrongly_is_refused() {
    let act = r#"for n in $(seq 100 1099); do ask $n terminal/create "$(sleeps)"; done
        ask 10 terminal/kill '"terminalId":"terminal-1"'
        ask 11 terminal/wait_for_exit '"terminalId":"terminal-1"'
        ask 12 terminal/release '"terminalId":"terminal-1"'
        ask 13 terminal/create '"command":"true"'
        ask 14 terminal/create '"command":"true"'
        ask 15 terminal/output '"terminalId":"terminal-99"'
        ask 16 terminal/kill '"terminalId":["terminal-2"]'
        send '{"jsonrpc":"2.0","id":17,"method":"terminal/output","params":{"sessionId":"other","terminalId":"terminal-2"}}'; hear
        ask 18 terminal/release '"terminalId":"terminal-2"'
        ask 19 terminal/wait_for_exit '"terminalId":"terminal-2"'
        ask 20 terminal/resize '"terminalId":"terminal-3"'
        n=21; for wrong in '"command":""' '"command":["a"]' '"command":"a","args":"b"' '"command":"a","args":[1]' '"command":"a\u0000"' \
            '"command":"a","env":{"A":"b"}' '"command":"a","env":[{"name":"A=B","value":""}]' '"command":"a","env":[{"name":"CALLBOARD_STORE","value":"x"}]' \
            '"command":"a","cwd":"\u0000"' '"command":"'$(printf '%020000d' 0)'"'; do
            ask $n terminal/create "$wrong"; n=$((n+1))
        done
        writes"#;
    let fake = Fake::new(ALLOW, act);
    let lab = &fake.lab;
    lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    let heard = fake.heard();
    let (flood, rest) = heard.split_at(1000);
    assert_eq!(flood.iter().filter(|answer| answer["result"]["terminalId"].is_string()).count(), 32);
    let full = |answer: &&Value| refusal(answer) == "32 terminals are open; release those that have ended";
    assert_eq!(flood.iter().filter(|answer| answer.get("error").is_some()).filter(full).count(), 968);
    assert_eq!(rest[0]["result"], json!({}));
    assert_eq!(rest[1]["result"], json!({"exitCode": null, "signal": "SIGKILL"}));
    assert_eq!((&rest[2]["result"], rest[3]["result"]["terminalId"].is_string()), (&json!({}), true));
    assert!(full(&&rest[4]), "{}", rest[4]);
    let unknown = "there is no terminal of this id";
    assert_eq!((refusal(&rest[5]), refusal(&rest[6])), (unknown, unknown));
    assert!(refusal(&rest[7]).contains("a session that callboard does not have"));
    assert_eq!((&rest[8]["result"], refusal(&rest[9])), (&json!({}), unknown));
    assert_eq!(
        (&rest[10]["error"]["code"], refusal(&rest[10])),
        (&json!(-32601), "callboard does not know terminal/resize")
    );
    let wrong: Vec<&str> = rest[11..].iter().map(refusal).collect();
    assert_eq!(wrong.len(), 10);
    for (said, why) in wrong.iter().zip([
        "no program",
        "no program",
        "no list",
        "no program can be given",
        "no program can be given",
        "no list",
        "no program can be given",
        "callboard sets CALLBOARD_STORE itself",
        "is not in",
        "longer than 16384 bytes",
    ]) {
        assert!(said.contains(why), "{why}: {said}");
    }
    // The pids of those that were ended before they could write theirs are missing.
    assert!(pids(lab).len() <= 32 && !pids(lab).into_iter().any(is_alive));
    lab.nobody_left();
}

#[test]
fn a_command_is_ended_with_its_turn() {
    let act = r#"ask 10 terminal/create "$(sleeps)"
        ask 11 terminal/create '"command":"sh","args":["-c","setsid sh -c '"'trap \\\"\\\" TERM INT; echo \$\$ >> $LAB/pids; while :; do sleep 1; done'"' & wait"]'
        while [ "$(cat "$LAB/pids" 2>/dev/null | wc -l)" -lt 2 ]; do sleep 0.01; done
        send '{"jsonrpc":"2.0","id":12,"method":"terminal/wait_for_exit","params":{"sessionId":"s-1","terminalId":"terminal-1"}}'
        writes"#;
    let fake = Fake::new(ALLOW, act);
    let lab = &fake.lab;
    lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    let pids = pids(lab);
    assert_eq!(pids.len(), 2, "{:?}", fake.heard());
    assert!(!pids.into_iter().any(is_alive));
    lab.nobody_left();
}

#[test]
fn a_command_is_gone_with_cancel_and_with_the_engine() {
    let act = r#"ask 10 terminal/create "$(sleeps)"
        ask 11 terminal/wait_for_exit '"terminalId":"terminal-1"'
        writes"#;
    let fake = Fake::new(ALLOW, act);
    let lab = &fake.lab;
    let engine = lab.engine();
    let id = fake.session("agentic");
    lab.wait("it runs", |_| pids(lab).len() == 1);
    lab.kill(engine);
    lab.engine();
    lab.wait("it runs again", |_| pids(lab).len() == 2);
    assert!(!is_alive(pids(lab)[0]));
    lab.done(id, IntentAction::Cancel);
    lab.nobody_left();
    assert!(!is_alive(pids(lab)[1]));
    assert_eq!(lab.get(id).status, Status::Cancelled);
}

/// An agent that waits for a command is silent, and the command is not.
#[test]
fn a_command_that_goes_on_talking_keeps_its_agent_alive() {
    let act = r#"ask 10 terminal/create '"command":"sh","args":["-c","for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done"]'
        ask 11 terminal/wait_for_exit '"terminalId":"terminal-1"'
        ask 12 terminal/create '"command":"sleep","args":["600"]'
        ask 13 terminal/wait_for_exit '"terminalId":"terminal-2"'
        writes"#;
    let fake =
        Fake::with(ALLOW, act, Shape { limits: "inactivity = \"2s\"\niterations = 1".into(), ..Shape::default() });
    let lab = &fake.lab;
    lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    let ends = |kind| if let EventKind::ToolEnd { text, .. } = kind { Some(text) } else { None };
    let ends: Vec<String> = fake.events(id).into_iter().filter_map(ends).collect();
    assert_eq!(ends, ["exit code 0", "ended: it was silent for too long (limits.inactivity)"]);
    assert_eq!(lab.history(id)[1].result.clone().unwrap().cause, None::<Cause>);
}

#[test]
fn a_flood_is_kept_to_its_end() {
    let act = r#"ask 10 terminal/create '"command":"sh","args":["-c","yes the same line again and again | head -c 300000000; echo the end"]'
        ask 11 terminal/wait_for_exit '"terminalId":"terminal-1"'
        ask 12 terminal/output '"terminalId":"terminal-1"'
        writes"#;
    let fake = Fake::new(ALLOW, act);
    let lab = &fake.lab;
    let engine = lab.engine();
    let id = fake.session("agentic");
    lab.completes(id);
    let heard = fake.heard();
    let output = heard[2]["result"]["output"].as_str().unwrap();
    assert!(output.len() <= 256 << 10 && output.ends_with("the end\n"), "{}", output.len());
    assert_eq!(heard[2]["result"]["truncated"], true);
    let status = std::fs::read_to_string(format!("/proc/{engine}/status")).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let peak: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < 200_000, "{peak} KiB");
}

#[test]
fn a_command_is_held_back_as_its_agent_is() {
    if !is_possible() {
        return;
    }
    let act = r#"ask 10 terminal/create '"command":"sh","args":["-c","exec 2>&1; echo x > '$HOME'/outside; echo x > /tmp/callboard-outside; echo x > inside; echo x > $TMPDIR/mine && cat $TMPDIR/mine"]'
        ask 11 terminal/wait_for_exit '"terminalId":"terminal-1"'
        ask 12 terminal/output '"terminalId":"terminal-1"'
        ask 13 terminal/create '"command":"./no-program"'
        ask 14 terminal/wait_for_exit '"terminalId":"terminal-2"'
        rm inside; writes"#;
    let shape = Shape { worktree: "[sandbox]\nmode = \"worktree\"\nnetwork = \"off\"\n".into(), ..Shape::default() };
    let fake = Fake::with(ALLOW, act, shape);
    let lab = &fake.lab;
    // The agent itself may write in the lab's folder; what it must not reach is outside of that.
    let outside = tempfile::tempdir().unwrap();
    let mut engine = lab.callboard(&["engine", "run"]);
    engine.env("HOME", outside.path());
    lab.spawn(engine);
    let id = fake.session("agentic");
    lab.completes(id);
    let heard = fake.heard();
    let output = heard[2]["result"]["output"].as_str().unwrap();
    assert_eq!(output.matches("Permission denied").count(), 2, "{output}");
    assert!(output.ends_with("x\n"), "{output}");
    assert!(!outside.path().join("outside").exists());
    assert_eq!(heard[4]["result"]["exitCode"], 127, "{heard:?}");
    let temporary = lab.store.with_extension("d").join("tmp");
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
}
