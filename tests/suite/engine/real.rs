//! The real agent programs in the lab: where they are, how they find the fake model, and what every one of them must do.

use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use callboard::model::{
    AgentFailure, AgentReport, Cause, Data, EventKind, IntentAction, Permission, SessionId, Status, Step,
};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::lab::{Lab, Shape, is_alive};
use crate::model::{Act, Fail, Model, Rule};

/// The folder with the programs that `tests/agents/install` has put there, if this one is among them. Says loudly if not.
pub(super) fn bin(program: &str) -> Option<Utf8PathBuf> {
    let folder = std::env::var("CALLBOARD_AGENTS")
        .map_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/target/agents").into(), Utf8PathBuf::from);
    let bin = folder.join("bin");
    if bin.join(program).exists() {
        return Some(bin);
    }
    // Not by a macro: what those print is held back as long as a test passes.
    let line = format!(
        "\n!! SKIPPED, since {program} is not in {bin} (tests/agents/install): {}\n",
        std::thread::current().name().unwrap_or_default()
    );
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    None
}

/// A lab with an agent of this preset, whose programs are in `bin` and whose model is this one.
pub(super) struct Real {
    pub(super) lab: Lab,
    pub(super) model: Model,
}

/// What differs between the agents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) preset: &'static str,
    /// The program that must be there.
    pub(crate) program: &'static str,
}

/// How a real agent is run, where its program is installed.
pub(crate) struct Setting {
    kind: Kind,
    bin: Utf8PathBuf,
}

impl Setting {
    /// `None`: the program is not installed.
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        Some(Self { kind, bin: bin(kind.program)? })
    }

    /// The agent's table with its head.
    pub(crate) fn table(&self, model: &Model) -> String {
        format!("\n[agents.{}]\n{}", self.kind.preset, self.lines(model))
    }

    fn lines(&self, model: &Model) -> String {
        let mut env = environment(self.kind, model.port());
        env.push(("PATH".to_owned(), format!("{}:{}", self.bin, std::env::var("PATH").unwrap())));
        let env: Vec<String> = env.into_iter().map(|(name, value)| format!("{name} = {}", json!(value))).collect();
        format!("preset = \"{}\"\nenv = {{ {} }}\n", self.kind.preset, env.join(", "))
    }

    /// What the program reads from its home folder.
    pub(crate) fn configure(&self, model: &Model, home: &Utf8Path) {
        configure(self.kind, home, model.port());
    }

    /// What its own program asks a person at its first use is answered, also about this folder.
    pub(crate) fn used_by_hand(&self, home: &Utf8Path, folder: &str) {
        if self.kind.preset == "claude" {
            used_by_hand(home, folder);
        }
    }
}

impl Real {
    /// `None`: the program is not installed. `more` are lines of its table.
    pub(super) fn new(kind: Kind, more: &str, shape: Shape) -> Option<Self> {
        let setting = Setting::of(kind)?;
        let model = Model::start(Vec::new());
        let lab = Lab::with(Shape { agent: Some(format!("{}{more}\n", setting.lines(&model))), ..shape });
        setting.configure(&model, &lab.root.join("home"));
        Some(Self { lab, model })
    }

    /// Commits test files: a component's tests want these words in its code.
    pub(super) fn tests(&self, components: &[&str], words: &[&str]) {
        for name in components {
            let cases: String = words.iter().map(|word| format!("has-{word} {word}\n")).collect();
            self.lab.write(&format!("project/tests/{}.t", name.to_lowercase()), &cases);
        }
        self.lab.git(&["add", "--all"]);
        self.lab.git(&["commit", "--quiet", "--message", "tests"]);
    }

    /// What the agent reported about an attempt.
    pub(super) fn report(&self, id: SessionId, at: usize) -> AgentReport {
        match self.lab.history(id)[at].result.clone().unwrap().data {
            Some(Data::Agent(report)) => report,
            other => panic!("{other:?}\n{}", self.lab.story()),
        }
    }

    /// The question that waits for a person, once there is one.
    pub(super) fn asked(&self, id: SessionId) -> Permission {
        let mut found = None;
        self.lab.wait("a question", |store| {
            found = store.question(id).unwrap();
            found.is_some()
        });
        found.unwrap()
    }

    /// The events of an attempt.
    pub(super) fn events(&self, id: SessionId, seq: u32) -> Vec<EventKind> {
        let events = self.lab.events(id).into_iter().filter(|event| event.interaction == seq);
        events.map(|event| event.kind).collect()
    }

    /// What the agent said in an attempt.
    pub(super) fn said(&self, id: SessionId, seq: u32) -> String {
        let text = |kind| if let EventKind::AgentText { text } = kind { Some(text) } else { None };
        self.events(id, seq).into_iter().filter_map(text).collect()
    }

    /// What callboard noted in an attempt.
    pub(super) fn notes(&self, id: SessionId, seq: u32) -> String {
        let text = |kind| if let EventKind::Note { text } = kind { Some(text + "\n") } else { None };
        self.events(id, seq).into_iter().filter_map(text).collect()
    }
}

/// The begin of the prompt that has a component's code written.
pub(super) fn write_code(component: &str) -> String {
    format!("Write the code of `{component}`")
}

/// The begin of the prompt that has it mended.
pub(super) fn mend(component: &str) -> String {
    format!("Make the tests of `{component}` pass")
}

/// The model writes a component's code.
pub(super) fn writes(component: &str, text: &str) -> Act {
    Act::Write { path: format!("src/shop/{}.txt", component.to_lowercase()), content: text.to_owned() }
}

pub(super) fn say(text: &str) -> Act {
    Act::Say(text.to_owned())
}

/// A rule for a prompt.
pub(super) fn rule(prompt: &str, turns: Vec<Vec<Act>>) -> Rule {
    Rule::new(&[prompt], turns)
}

fn environment(kind: Kind, port: u16) -> Vec<(String, String)> {
    let claude = [
        ("ANTHROPIC_API_KEY", "sk-ant-dummy".to_owned()),
        ("ANTHROPIC_BASE_URL", format!("http://127.0.0.1:{port}")),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("DISABLE_TELEMETRY", "1".to_owned()),
        ("DISABLE_ERROR_REPORTING", "1".to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        ("CLAUDE_CODE_MAX_RETRIES", "1".to_owned()),
    ];
    let codex =
        [("FAKE_API_KEY", "dummy".to_owned()), ("MODEL_PROVIDER", "fake".to_owned()), ("NO_BROWSER", "1".to_owned())];
    let opencode = [
        ("OPENCODE_CONFIG_CONTENT", opencode(port)),
        ("OPENCODE_DISABLE_AUTOUPDATE", "1".to_owned()),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1".to_owned()),
        ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1".to_owned()),
        ("OPENCODE_DISABLE_DEFAULT_PLUGINS", "1".to_owned()),
        ("npm_config_registry", "http://127.0.0.1:9".to_owned()),
    ];
    let gemini = [
        ("GEMINI_API_KEY", "dummy".to_owned()),
        ("GOOGLE_GEMINI_BASE_URL", format!("http://127.0.0.1:{port}")),
        ("GEMINI_CLI_TRUST_WORKSPACE", "true".to_owned()),
        ("GEMINI_CLI_NO_RELAUNCH", "true".to_owned()),
        ("NO_COLOR", "1".to_owned()),
    ];
    let qwen = [
        ("OPENAI_API_KEY", "dummy".to_owned()),
        ("OPENAI_BASE_URL", format!("http://127.0.0.1:{port}/v1")),
        ("OPENAI_MODEL", "fake-model".to_owned()),
        ("NO_COLOR", "1".to_owned()),
    ];
    let pairs: &[(&str, String)] = match kind.preset {
        "claude" | "claude-acp" => &claude,
        "codex" | "codex-acp" => &codex,
        "opencode" => &opencode,
        "gemini" => &gemini,
        "qwen" => &qwen,
        other => panic!("how does {other} find its model?"),
    };
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// What OpenCode is told of its model.
fn opencode(port: u16) -> String {
    let options = json!({"baseURL": format!("http://127.0.0.1:{port}/v1"), "apiKey": "dummy"});
    let model = json!({"name": "fake-model", "limit": {"context": 200_000, "output": 8000}});
    let provider = json!({"npm": "@ai-sdk/openai-compatible", "name": "Fake", "options": options, "models": {"fake-model": model}});
    let config = json!({
        "autoupdate": false, "share": "disabled", "model": "fake/fake-model", "small_model": "fake/fake-model",
        "enabled_providers": ["fake"], "provider": {"fake": provider},
    });
    config.to_string()
}

/// A person has gone through what Claude Code asks in a terminal at its first use: its colours, the key, whether it trusts
/// this folder.
fn used_by_hand(home: &Utf8Path, folder: &str) {
    let file = home.join(".claude.json");
    let mut known: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    known["hasCompletedOnboarding"] = json!(true);
    known["customApiKeyResponses"] = json!({"approved": ["sk-ant-dummy"], "rejected": []});
    known["projects"][folder] = json!({"hasTrustDialogAccepted": true});
    fs::write(file, known.to_string()).unwrap();
}

/// Files in the home of the lab's user that the program reads.
fn configure(kind: Kind, home: &Utf8Path, port: u16) {
    let write = |file: &str, text: &str| {
        let file = home.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    if kind.preset.starts_with("codex") {
        let config = format!(
            "model = \"gpt-5.5\"\nmodel_provider = \"fake\"\ncheck_for_update_on_startup = false\ndisable_paste_burst = true\n\
             [model_providers.fake]\nname = \"fake\"\nbase_url = \"http://127.0.0.1:{port}/v1\"\nenv_key = \"FAKE_API_KEY\"\n\
             wire_api = \"responses\"\nrequest_max_retries = 1\nstream_max_retries = 1\n\
             [sandbox_workspace_write]\nexclude_slash_tmp = true\nexclude_tmpdir_env_var = true\n\
             [analytics]\nenabled = false\n[features]\nplugins = false\napps = false\n\
             [notice.model_migrations]\n\"gpt-5.5\" = \"gpt-6-sol\"\n"
        );
        write(".codex/config.toml", &config);
    }
    if kind.preset == "gemini" {
        let settings = json!({
            "general": {"enableAutoUpdate": false, "disableAutoUpdate": true, "maxAttempts": 2},
            "privacy": {"usageStatisticsEnabled": false}, "telemetry": {"enabled": false},
            "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": false}},
            "model": {"name": "gemini-2.5-pro"},
        });
        write(".gemini/settings.json", &settings.to_string());
    }
    if kind.preset == "qwen" {
        let auth = json!({"auth": {"selectedType": "openai"}, "folderTrust": {"enabled": false}});
        let generation = json!({"maxRetries": 1, "timeout": 60_000});
        let settings = json!({
            "general": {"enableAutoUpdate": false}, "privacy": {"usageStatisticsEnabled": false},
            "telemetry": {"enabled": false}, "security": auth,
            "model": {"name": "fake-model", "generationConfig": generation},
        });
        write(".qwen/settings.json", &settings.to_string());
    }
}

/// The model writes at once what the tests want.
pub(super) fn good(component: &str) -> Rule {
    rule(&write_code(component), vec![vec![writes(component, "one two\n")], vec![say("It is written.")]])
}

/// Whether a process with this argument is alive.
fn is_running(argument: &str) -> bool {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .any(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}

/// A session fails its tests once and then passes them, in one conversation. Answers it with what was asked.
pub(super) fn fixes_in_one_conversation(real: &Real) -> SessionId {
    let Real { lab, model } = real;
    real.tests(&["Alpha"], &["one", "two"]);
    model.rules(vec![
        rule(
            &write_code("Alpha"),
            vec![vec![say("I write the first half."), writes("Alpha", "one\n")], vec![say("Half of it is written.")]],
        ),
        rule(&mend("Alpha"), vec![vec![writes("Alpha", "one two\n")], vec![say("Now it is whole.")]]),
    ]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    let steps =
        ["initialize", "generate_implementation", "run_tests:failed", "fix_test_failures", "run_tests", "finalize"];
    assert_eq!(lab.steps(id), steps);

    // What it did is seen as it was done.
    let said = real.said(id, 2);
    // A program may announce a tool between two pieces of a sentence; then the line breaks there.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(said, "I write the first half. Half of it is written.");
    let edits = |seq| {
        let edit = |kind| if let EventKind::FileEdit { path, diff } = kind { Some((path, diff)) } else { None };
        real.events(id, seq).into_iter().filter_map(edit).collect::<Vec<_>>()
    };
    let path = || "src/shop/alpha.txt".to_owned();
    assert_eq!(edits(2), [(path(), "+one\n".to_owned())], "{:?}", real.events(id, 2));
    let [(_, diff)] = edits(4).try_into().unwrap();
    assert!(diff.contains("+one two\n"), "{diff}");

    // The fix goes on with the conversation.
    let (first, second) = (real.report(id, 1), real.report(id, 3));
    assert_eq!(first.conversation_id, second.conversation_id);
    assert_eq!(Some(first.conversation_id), lab.get(id).conversation_id);
    let asked = model.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[2].turns(), 2, "the first turns are sent again");
    assert!(asked[2].heard(&write_code("Alpha")) && asked[2].heard(&mend("Alpha")) && asked[2].told("the first half"));
    lab.nobody_left();
    id
}

/// A person is asked for what an agent may not do by itself: once the answer is no, once it is yes.
pub(super) fn a_person_is_asked(kind: Kind, command: impl Fn(String) -> Act) {
    let Some(real) = Real::new(kind, "", Shape::default()) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let touch = |name: &str| vec![command(format!("touch {}/{name}", lab.root))];
    model.rules(vec![
        rule(&write_code("Alpha"), vec![touch("not"), vec![writes("Alpha", "none\n")], vec![say("I could not.")]]),
        rule(&mend("Alpha"), vec![touch("done"), vec![writes("Alpha", "one\n")], vec![say("So.")]]),
    ]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let first = real.asked(id);
    assert!(first.title.contains("touch") && first.title.contains("/not"), "{}", first.title);
    lab.ok(&["deny", &id.to_string()]);
    // An agent may take the no for the end of its turn: what it is asked next is another attempt's.
    lab.wait("the next", |store| store.question(id).unwrap().is_some_and(|next| next.id != first.id));
    assert!(real.asked(id).title.contains("/done"));
    // OpenCode asks twice: whether it may leave its folder, and whether it may run that.
    lab.ok(&["allow", &id.to_string(), "--session"]);
    lab.completes(id);
    assert_eq!(["not", "done"].map(|name| lab.root.join(name).exists()), [false, true], "{}", lab.story());
    let told = |seq| {
        let word = |kind| match kind {
            EventKind::Permission { title, allowed, by, .. } if title.contains("touch") => Some((allowed, by)),
            _ => None,
        };
        real.events(id, seq).into_iter().filter_map(word).collect::<Vec<_>>()
    };
    let ada = super::lab::EMAIL.to_owned();
    assert_eq!((told(2), told(4)[0].clone()), (vec![(false, ada.clone())], (true, ada)));
    assert!(told(4).iter().all(|(allowed, _)| *allowed), "{:?}", told(4));
}

/// An engine is killed under its agent; the next one resumes the conversation.
pub(super) fn resumes_after_a_killed_engine(kind: Kind) {
    let Some(real) = Real::new(kind, "", Shape::default()) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let turns = vec![vec![say("First half."), writes("Alpha", "none\n")], vec![Act::Hang]];
    model.rules(vec![rule(&write_code("Alpha"), turns)]);
    let engine = lab.engine();
    let id = lab.session("component_coding", "Alpha");
    model.wait("the second turn", |asked| asked.iter().any(|asked| asked.turns() == 1));
    let agents = lab.processes();
    assert!(!agents.is_empty());
    lab.kill(engine);
    model.rules(vec![good("Alpha")]);
    lab.engine();
    lab.completes(id);
    assert!(!agents.into_iter().any(is_alive));
    assert_eq!(lab.steps(id)[1..3], ["generate_implementation:interrupted", "generate_implementation"]);
    assert!(model.asked()[2].told("First half."), "it goes on with the conversation: {:?}", model.asked()[2].said);
    assert_eq!(lab.get(id).conversation_id, Some(real.report(id, 2).conversation_id));
}

/// An agent forgets its conversations, which are in this folder of its home; it begins a new one, and that is said.
pub(super) fn begins_anew_when_all_is_forgotten(kind: Kind, folder: &str) {
    let Some(real) = Real::new(kind, "permissions = \"allow\"", Shape::default()) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let again = rule("round it", vec![vec![writes("Alpha", "one three\n")], vec![say("Rounded.")]]);
    // Claude Code writes no file that it has not read.
    let read = Act::Shell("cat src/shop/alpha.txt".into());
    let again = Rule { turns: [vec![vec![read]], again.turns].concat(), ..again };
    model.rules(vec![good("Alpha"), again]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    fs::remove_dir_all(lab.root.join("home").join(folder)).unwrap();
    let before = model.asked().len();
    lab.done(id, IntentAction::Reactivate { context: "round it".into(), requester: None, redesign: false });
    model.wait("a request", |asked| asked.iter().filter(|asked| !asked.is_aside()).count() > before);
    assert_eq!(model.asked()[before].turns(), 0, "nothing is left of what was said");
    lab.wait("it ended", |store| {
        store.session(id).unwrap().status != Status::Active || store.board_row(id).unwrap().halt.is_some()
    });
    let notes: String = (4..8).map(|seq| real.notes(id, seq)).collect();
    assert!(notes.contains("does not know the conversation any more"), "{notes}\n{}", lab.story());
}

/// Somebody kills the agent; that is told, and the step is tried again in the same conversation.
pub(super) fn a_killed_agent_is_told(kind: Kind) {
    let Some(real) = Real::new(kind, "", Shape::default()) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let turns = vec![vec![say("Hm, first."), writes("Alpha", "none\n")], vec![Act::Hang]];
    model.rules(vec![rule(&write_code("Alpha"), turns)]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    model.wait("the second turn", |asked| asked.iter().any(|asked| asked.turns() == 1));
    model.rules(vec![good("Alpha")]);
    for agent in leaders(lab) {
        lab.signal(agent, Signal::KILL);
    }
    lab.completes(id);
    assert_eq!(real.report(id, 1).failure, Some(AgentFailure::Killed), "{}", lab.story());
    assert_eq!(lab.steps(id)[1..3], ["generate_implementation:failed", "generate_implementation"]);
    assert!(model.asked().iter().any(|asked| asked.turns() == 1 && asked.told("Hm, first.")), "it is resumed");
}

/// The processes of a lab that the engine itself started: each leads a group.
fn leaders(lab: &Lab) -> Vec<u32> {
    let leads = |pid: &u32| {
        let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        fields.split_whitespace().nth(2) == Some(&pid.to_string())
    };
    lab.processes().into_iter().filter(leads).collect()
}

/// A session is cancelled while its agent runs a tool: nothing of either is left.
pub(super) fn a_cancelled_agent_is_gone(kind: Kind) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let Some(real) = Real::new(kind, "permissions = \"allow\"", Shape::default()) else { return };
    let Real { lab, model } = &real;
    let long = format!("600.{}{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    model.rules(vec![rule(&write_code("Alpha"), vec![vec![Act::Shell(format!("tail -s {long} -f /dev/null"))]])]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.wait("the tool runs", |_| is_running(&long));
    lab.at_step(id, Step::GenerateImplementation);
    lab.done(id, IntentAction::Cancel);
    lab.nobody_left();
    lab.wait("the tool is gone", |_| !is_running(&long));
    assert_eq!(lab.get(id).status, Status::Cancelled);
}

/// Eight agents work at once, each for itself.
pub(super) fn eight_do_not_mix(kind: Kind) {
    let names = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta"];
    let shape = Shape { components: names.to_vec(), limits: "agents = 8".into(), ..Shape::default() };
    let Some(real) = Real::new(kind, "", shape) else { return };
    let Real { lab, model } = &real;
    real.tests(&names, &["one"]);
    if let Some(bin) = bin(kind.program).filter(|_| kind.preset == "opencode") {
        // Of several that make their database at once, some fail, which is their affair.
        lab.shell(&lab.project, &format!("PATH={bin}:$PATH opencode db path"));
    }
    model.rules(names.iter().map(|name| good(name)).collect());
    lab.engine();
    let id = lab.session("context_coding", "Shop");
    lab.completes(id);
    let conversation = |name: &&str| lab.get(lab.child(id, name)).conversation_id;
    let mut conversations: Vec<String> = names.iter().filter_map(conversation).collect();
    conversations.sort();
    conversations.dedup();
    assert_eq!(conversations.len(), names.len());
    assert_eq!(model.asked().len(), 2 * names.len());
}

/// Waits until a session waits for the time at which its agent may be used again.
pub(super) fn waits_for_its_agent(lab: &Lab, id: SessionId) {
    lab.wait("it waits", |store| store.board_row(id).unwrap().waits_for_its_agent());
}

/// The model's server fails like this without end: the way is told, and what it leads to.
pub(super) fn fails(kind: Kind, fail: &Fail, way: AgentFailure, cause: Cause, words: &str) {
    let shape = Shape { limits: "iterations = 1".into(), ..Shape::default() };
    let Some(real) = Real::new(kind, "", shape) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    model.rules(vec![good("Alpha").failing(fail.clone())]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let waits = matches!(cause, Cause::Quota | Cause::Overloaded);
    if waits {
        waits_for_its_agent(lab, id);
    } else {
        lab.halt_of(id);
    }
    let (result, report) = (lab.history(id)[1].result.clone().unwrap(), real.report(id, 1));
    assert_eq!((report.failure, result.cause), (Some(way), Some(cause)), "{fail:?} {result:?}");
    assert!(result.error_message.as_ref().unwrap().contains(words), "{result:?}");
    assert_eq!(report.resumes_at.is_some(), waits);
    if waits {
        let why = lab.ok(&["why", &id.to_string()]);
        assert!(why.contains("until its agent may be used again: 20"), "{why}");
        // A person need not wait. What did not work counts for nothing: only one iteration is allowed here.
        model.rules(vec![good("Alpha")]);
        lab.done(id, IntentAction::Retry);
        lab.completes(id);
        assert_eq!(
            lab.steps(id)[1..3],
            [format!("generate_implementation:{cause}"), "generate_implementation".to_owned()]
        );
        assert_eq!(lab.history(id)[2].iteration, 1);
    }
}
