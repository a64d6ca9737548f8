//! An agent of the Agent Client Protocol that is a shell script: it says what a test wants it to say, word for word.

use callboard::model::{EventKind, SessionId};
use serde_json::Value;

use super::lab::{Lab, Shape};

/// `send MESSAGE`, `hear` (a line, which is put down), `ask ID METHOD PARAMS` (both), and the usual begin and end. What is between is
/// in `acts/acp`; `acts/hello` comes before all.
const AGENT: &str = r#"name=$(printf %s "$CALLBOARD_COMPONENT" | tr A-Z a-z)
send() { printf '%s\n' "$1"; }
hear() { IFS= read -r heard || exit 9; printf '%s\n' "$heard" >> "$LAB/heard"; }
ask() { send "{\"jsonrpc\":\"2.0\",\"id\":$1,\"method\":\"$2\",\"params\":{\"sessionId\":\"s-1\",$3}}"; hear; }
sleeps() { printf '"command":"sh","args":["-c","echo $$ >> %s/pids; echo begun; exec sleep 600"]' "$LAB"; }
writes() { mkdir -p src/shop; echo one > "src/shop/$name.txt"; }
can='{"loadSession":true}' made='{"sessionId":"s-1"}'
[ -e "$LAB/acts/hello" ] && . "$LAB/acts/hello"
hear; send "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":1,\"agentCapabilities\":$can}}"
hear; send "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":$made}"
hear
. "$LAB/acts/acp"
send '{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}'
"#;

pub(super) struct Fake {
    pub(super) lab: Lab,
}

impl Fake {
    /// `more` are lines of its table.
    pub(super) fn new(more: &str, act: &str) -> Self {
        Self::with(more, act, Shape::default())
    }

    pub(super) fn with(more: &str, act: &str, shape: Shape) -> Self {
        let lab = Lab::with(Shape { trust: false, ..shape.clone() });
        let root = &lab.root;
        let table = format!(
            "protocol = \"acp\"\ncommand = [\"sh\", \"{root}/acp.sh\"]\nenv = {{ LAB = \"{root}\" }}\nwrite = [\"{root}\"]\n{more}\n"
        );
        lab.configure(&Shape { agent: Some(table), ..shape });
        lab.write("acp.sh", AGENT);
        lab.act("acp", act);
        lab.write("project/tests/alpha.t", "has-one one\n");
        lab.git(&["add", "--all"]);
        lab.git(&["commit", "--quiet", "--message", "tests"]);
        lab.ok(&["trust", "--yes"]);
        Self { lab }
    }

    /// A session whose agent writes what its tests want.
    pub(super) fn session(&self, mode: &str) -> SessionId {
        self.lab.session_with("component_coding", "Alpha", &["--mode", mode])
    }

    /// What callboard said, without the three messages that every turn begins with.
    pub(super) fn heard(&self) -> Vec<Value> {
        let text = self.lab.read("heard");
        let lines = text.lines().skip(3);
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// What callboard noted in the first attempt.
    pub(super) fn notes(&self, id: SessionId) -> Vec<String> {
        let note = |kind| if let EventKind::Note { text } = kind { Some(text) } else { None };
        self.events(id).into_iter().filter_map(note).collect()
    }

    /// What came of the first attempt.
    pub(super) fn events(&self, id: SessionId) -> Vec<EventKind> {
        let events = self.lab.events(id).into_iter().filter(|event| event.interaction == 2);
        events.map(|event| event.kind).collect()
    }
}
