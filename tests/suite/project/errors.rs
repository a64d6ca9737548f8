//! What is wrong is said with its line and with what to try.

use callboard::project::{Project, Settings, snake_case};
use camino::Utf8Path;
use proptest::prelude::*;

use super::{folder, minimal};

/// What is said about a text, without the hints' own word for themselves.
fn said(text: &str) -> String {
    Project::parse(Utf8Path::new("/p"), text).expect_err(text).to_string()
}

/// What is said about what follows the smallest configuration: line 4 is its first.
fn after(rest: &str) -> String {
    said(&minimal(rest))
}

macro_rules! says {
    ($($name:ident: $text:expr => [$($line:literal),+ $(,)?];)+) => {$(
        #[test]
        fn $name() {
            let said: String = $text;
            assert_eq!(said.lines().collect::<Vec<_>>(), [$($line),+], "\n{said}");
        }
    )+};
}

says! {
    empty: said("") => ["callboard.toml:1:1: there is no [project]", "hint: begin with [project], name = \"…\" and tests = \"cargo\"; `callboard init` writes it"];
}

/// Prints what is said about each kind of mistake: the table that the tests are written from.
#[test]
fn table() {
    for text in TABLE {
        println!("== {}\n{}", text.replace('\n', "⏎"), after(text));
    }
}
const TABLE: &[&str] = &[
    "[limits\n",
    "name = \"twice\"\n",
    "[limit]\n",
    "[limits]\nagnets = 1\n",
    "[env]\nzebra = 1\n",
    "[paths]\ntset = \"x\"\n",
    "[[context]]\nname = \"A\"\n[[context.componet]]\nname = \"B\"\n",
    "unsupported = 1\n",
    "description = 5\n",
    "[limits]\nagents = \"4\"\n",
    "[limits]\nagents = 1.5\n",
    "[worktree]\nsetup = \"npm ci\"\n",
    "[worktree]\nsetup = [\"npm\", 1]\n",
    "[context]\nname = \"A\"\n",
    "story = [\"x\"]\n",
    "agents = 1\n",
    "[agents]\nmine = \"x\"\n",
    "limits = 4\n",
    "[limits]\nagents = 0\n",
    "[limits]\ntests = -1\n",
    "[limits]\niterations = 1001\n",
    "[limits]\nsame_failures = -1\n",
    "[limits]\nstep_timeout = \"30 minutes\"\n",
    "[limits]\nstep_timeout = 30\n",
    "[limits]\ninactivity = \"0s\"\n",
    "[limits]\nstep_timeout = \"31d\"\n",
    "[limits]\noutput = \"64 megs\"\n",
    "[limits]\noutput = 0\n",
    "[limits]\noutput = true\n",
    "[limits]\nagents = 99999999999999999999\n",
    "[runner]\n",
    "[agents.mine]\n",
    "[agents.mine]\nprotocol = \"comand\"\n",
    "[agents.mine]\nprotocol = \"telepathy\"\n",
    "[agents.mine]\nprotocol = \"command\"\n",
    "[agents.mine]\nprotocol = \"command\"\ncommand = []\n",
    "[agents.mine]\nprotocol = \"acp\"\ncommand = [\"\", \"x\"]\n",
    "[agents.mine]\nprotocol = \"command\"\ncommand = [\"a\\u0000b\"]\n",
    "[agents.mine]\nprotocol = \"script\"\n",
    "[agents.mine]\nprotocol = \"script\"\ncommand = [\"x\"]\nscenario = \"s.toml\"\n",
    "[agents.mine]\nprotocol = \"command\"\ncommand = [\"x\"]\nscenario = \"../s.toml\"\n",
    "[agents.mine]\nprotocol = \"claude\"\nenv = { \"A B\" = \"x\", CALLBOARD_STEP = \"x\", C = 1 }\n",
    "agent = \"mine\"\n[agents.mien]\nprotocol = \"claude\"\n",
    "agent = \"other\"\n",
    "[agents.\"a\\nb\"]\nprotocol = \"claude\"\n",
    "remote = \"--upload-pack=x\"\n",
    "remote = \"ext::sh -c x\"\n",
    "[paths]\ncode = \"/src/{path}.rs\"\n",
    "[paths]\ncode = \"../{path}.rs\"\n",
    "[paths]\ncode = \"src/{nmae}.rs\"\n",
    "[paths]\ncode = \"src/{path.rs\"\n",
    "[paths]\ncode = \"\"\n",
    "[paths]\ncode = \"src\\\\x.rs\"\n",
    "[paths]\ncode = \"a\\u0000\"\n",
    "[[context]]\nname = \"A\"\ncode = \".git/hooks/x\"\n",
    "[worktree]\ncopy = [\"~/.ssh/id\"]\n",
    "[worktree]\nunion = [\"C:/x\", \".\"]\n",
    "[env]\npass = [\"A=1\"]\n",
    "[[context]]\n",
    "[[context]]\nname = \"\"\n",
    "[[context]]\nname = \"!\"\n",
    "[[context]]\nname = \"A\\nB\"\n",
    "[[context]]\nname = \"A\"\nkind = \"module\"\n",
    "[[context]]\nname = \"A\"\nkind = \"contex\"\n",
    "[[context]]\nname = \"A\"\n[[context.component]]\nname = \"B\"\nkind = \"context\"\n",
    "[[context]]\nname = \"A\"\n[[context.component]]\nname = \"B\"\nkind = \"servce\"\n",
    "[[context]]\nname = \"A\"\n[[context]]\nname = \"A\"\n",
    "[[context]]\nname = \"HttpServer\"\n[[context.component]]\nname = \"HTTPServer\"\n",
    "[[context]]\nname = \"Orders\"\ndepends_on = [\"Order\"]\n",
    "[[context]]\nname = \"A\"\ndepends_on = [\"A\"]\n",
    "[[context]]\nname = \"A\"\ndepends_on = [\"B\"]\n[[context]]\nname = \"B\"\n[[context.component]]\nname = \"C\"\ndepends_on = [\"D\"]\n[[context.component]]\nname = \"D\"\ndepends_on = [\"E\", \"A\"]\n[[context.component]]\nname = \"E\"\ndepends_on = [\"C\"]\n",
    "[[context]]\nname = \"A\"\npriority = \"high\"\n",
    "[[story]]\n",
    "[[story]]\ntitle = \"T\"\ncontext = \"A\"\n",
    "[[context]]\nname = \"Orders\"\n[[context.component]]\nname = \"Pricing\"\n[[story]]\ntitle = \"T\"\ncomponent = \"Pricng\"\n[[story]]\ntitle = \"U\"\ncontext = \"Pricing\"\n[[story]]\ntitle = \"V\"\ncomponent = \"Orders\"\n",
    "[[context]]\nname = \"A\"\n[[story]]\ntitle = \"T\"\ncontext = \"A\"\ncomponent = \"A\"\n",
    "[[context]]\nname = \"A\"\n[[story]]\ntitle = \"T\"\ncontext = \"A\"\ncriteria = [{ id = \"AC-1\", text = \"x\" }, { id = \"ac_1\", text = \"y\" }]\n[[story]]\ntitle = \"T\"\ncontext = \"A\"\n",
    "[[context]]\nname = \"A\"\n[[story]]\ntitle = \"T\"\ncontext = \"A\"\ncriteria = [{ id = \"AC 1\", text = \"x\" }, { text = \"y\" }, { id = \"X\", text = \" \" }, { id = \"Y\" }, 5]\n",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}|([\\[\\]{}=\",.#\\\\\n a-z0-9_-]){0,200}") {
        drop(Project::parse(Utf8Path::new("/p"), &text));
        drop(Settings::parse(Utf8Path::new("config.toml"), &text));
    }

    #[test]
    fn snake_case_stays(name in "\\PC{0,40}|[A-Za-z0-9_ .]{0,40}") {
        let once = snake_case(&name);
        prop_assert_eq!(snake_case(&once), once.clone());
        prop_assert!(!once.contains(['/', '\\', '.', '\0', ' ']));
    }
}

#[test]
fn unused() {
    let _ = folder;
}
