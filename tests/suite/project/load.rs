//! What a right configuration means.

use std::time::Duration;

use callboard::{
    model::{About, ComponentKind, CustomRunner, Limits, Preset, Protocol, Rule, RuleOf, Runner},
    project::{Project, Settings, find_root},
};
use camino::Utf8Path;

use super::{folder, minimal};

const LIBRARY: &str = include_str!("../../data/project/library.toml");

fn parse(text: &str) -> Project {
    Project::parse(Utf8Path::new("/p"), text).unwrap_or_else(|error| panic!("{error}"))
}

fn settings(text: &str) -> Settings {
    Settings::parse(Utf8Path::new("config.toml"), text).unwrap_or_else(|error| panic!("{error}"))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn everything_is_read() {
    let project = parse(LIBRARY);
    assert_eq!((&*project.name, &*project.description), ("library", "Lends books."));
    assert_eq!(project.agent.as_deref(), Some("writer"));
    assert_eq!(project.remote.as_deref(), Some("origin"));
    let runner = CustomRunner {
        files: words(&["pytest", "--junitxml={report}", "{file}"]),
        suite: words(&["pytest", "--junitxml={report}"]),
        report: None,
    };
    assert_eq!(project.runner, Runner::Custom(runner));
    let limits = Limits {
        agents: 8,
        tests: 1,
        iterations: 3,
        same_failures: 0,
        longest_pause: 5,
        step_timeout: Duration::from_secs(5400),
        inactivity: Duration::from_secs(90),
        output: 16 << 20,
    };
    assert_eq!(project.limits, limits);
    assert_eq!(project.agents["writer"].protocol, Protocol::Command);
    assert_eq!(project.agents["writer"].command, words(&["python3", "tools/writer agent.py"]));
    assert_eq!(project.agents["writer"].env["WRITER_MODE"], "fast");
    assert_eq!(project.agents["replay"].scenario.as_deref(), Some("test/scenario.toml"));
    assert_eq!(project.worktree.copy, [".env"]);
    assert_eq!(project.worktree.setup, words(&["python3", "-m", "venv", ".venv"]));
    assert_eq!(project.worktree.union, ["lib/__init__.py"]);
    assert_eq!(project.env_pass, ["DATABASE_URL", "LANG"]);
    assert_eq!(project.stories.len(), 2);
    assert_eq!(project.stories[1].criteria[0].id, "AC-3");
}

#[test]
fn paths_follow_the_templates_unless_they_are_given() {
    let project = parse(LIBRARY);
    let paths = |name: &str| {
        let paths = project.component(name).unwrap().paths.clone();
        [paths.design, paths.code, paths.test].map(Option::unwrap)
    };
    assert_eq!(
        paths("LoanPeriod"),
        ["design/lending/loan_period.md", "lib/lending/loan_period.py", "test/test_loan_period.py"]
    );
    assert_eq!(paths("Lending"), ["design/lending.md", "lib/lending.py", "test/integration/lending.py"]);
    assert_eq!(paths("Reminder")[2], "test/reminders.py");
    assert_eq!(paths("Catalogue")[1], "lib/catalogue/__init__.py");
}

#[test]
fn without_templates_there_are_no_paths() {
    let project = parse(&minimal("[[context]]\nname = \"A\"\ncode = \"./src//a.rs\"\n"));
    let paths = &project.component("A").unwrap().paths;
    assert_eq!((&paths.design, &paths.code, &paths.test), (&None, &Some("src/a.rs".to_owned()), &None));
}

#[test]
fn the_tree_can_be_asked() {
    let project = parse(LIBRARY);
    let names: Vec<&str> = project.children_of("Lending").iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["Fine", "Reminder", "LoanPeriod"]);
    assert_eq!(project.children_of("Nothing").len(), 0);
    assert_eq!(project.context_of("Fine").unwrap().name, "Lending");
    assert_eq!(project.context_of("Lending"), None);
    assert_eq!(project.component("Catalogue").unwrap().kind, ComponentKind::CoordinationContext);
    assert_eq!(project.component("Fine").unwrap().kind, ComponentKind::Module);
    let titles = |name| -> Vec<&str> { project.stories_of(name).iter().map(|story| &*story.title).collect::<Vec<_>>() };
    assert_eq!(titles("Fine"), ["A reader is reminded", "A fine grows"]);
    assert_eq!(titles("Reminder"), ["A reader is reminded"]);
    assert_eq!(titles("Lending"), ["A reader is reminded"]);
    assert_eq!(titles("Catalogue"), Vec::<&str>::new());
}

#[test]
fn an_unknown_component_is_answered_with_its_neighbours() {
    let project = parse(LIBRARY);
    let message = |name: &str| project.component(name).unwrap_err().to_string();
    assert_eq!(message("Remider"), "no component is called \"Remider\"; did you mean Reminder?");
    assert_eq!(message("loan_period"), "no component is called \"loan_period\"; did you mean LoanPeriod?");
    assert_eq!(
        message("Zebra\u{1b}"),
        "no component is called \"Zebra\\u{1b}\"; callboard.toml names those that there are"
    );
}

#[test]
fn what_is_left_out_has_its_default() {
    let project = parse(&minimal(""));
    assert_eq!(project.limits, Limits::default());
    assert_eq!((project.agent, project.remote, project.runner), (None, None, Runner::Cargo));
    assert!(project.agents.is_empty() && project.components.is_empty() && project.stories.is_empty());
}

#[test]
fn an_agent_that_callboard_knows_needs_no_table() {
    let project = parse(&minimal("agent = \"claude\"\n"));
    assert_eq!(project.agents["claude"].protocol, Protocol::Claude);
    assert_eq!(project.consent_hash(), None);
    for preset in Preset::ALL {
        let agent = project.agent_named(preset.as_str()).unwrap();
        assert_eq!((agent.preset, agent.protocol), (Some(*preset), preset.protocol()));
        assert!(!agent.program().is_empty() && !project.brings(&agent));
    }
    assert_eq!(project.agent_named("nobody"), None);
}

#[test]
fn a_known_agent_may_run_a_little_differently() {
    let said = |table: &str| {
        let project = parse(&minimal(table));
        let agent = project.agents.values().next().unwrap().clone();
        (agent.program(), project.brings(&agent), project.foreign_commands())
    };
    let (program, brings, _) = said("[agents.mine]\npreset = \"gemini\"\n");
    assert_eq!((program, brings), (words(&["gemini", "--acp"]), false));
    let (program, brings, shown) = said("[agents.opencode]\nargs = [\"--pure\"]\n");
    assert_eq!((program, brings), (words(&["opencode", "acp"]), true));
    assert_eq!(shown, ["agent opencode (acp): opencode acp --pure"]);
    let (_, brings, shown) = said("[agents.claude]\npermissions = \"allow\"\n");
    assert!(brings);
    assert_eq!(shown, ["agent claude (claude, may do whatever it asks for)"]);
    let (_, brings, shown) = said("[agents.codex-acp]\nmode = \"agent-full-access\"\n");
    assert!(brings, "a mode may ask nothing");
    assert_eq!(shown, ["agent codex-acp (acp, in its mode agent-full-access)"]);
    let (program, _, shown) = said("[agents.mine]\npreset = \"claude-acp\"\ncommand = [\"./evil\"]\n");
    assert_eq!((program, shown), (words(&["./evil"]), vec!["agent mine (acp): ./evil".to_owned()]));
}

#[test]
fn only_agents_of_one_protocol_have_modes() {
    let said =
        |table: &str| Project::parse(Utf8Path::new("/p"), &minimal(table)).map(|project| project.agents["a"].clone());
    let agent = said("[agents.a]\nprotocol = \"acp\"\ncommand = [\"a\"]\nmode = \"plan\"\n").unwrap();
    assert_eq!(agent.mode.as_deref(), Some("plan"));
    for table in ["protocol = \"command\"\ncommand = [\"a\"]", "preset = \"claude\"", "preset = \"codex\""] {
        let error = said(&format!("[agents.a]\n{table}\nmode = \"plan\"\n")).unwrap_err().to_string();
        assert!(
            error.contains("`mode` means nothing to the protocol") && error.contains("hint: leave the line out"),
            "{error}"
        );
    }
    let error = said("[agents.a]\npreset = \"qwen\"\nmode = \"\"\n").unwrap_err().to_string();
    assert!(error.contains("must not be empty"), "{error}");
}

#[test]
fn a_report_in_one_place_needs_no_placeholder() {
    let runner = "[runner]\nfiles = [\"t\", \"{file}\"]\nsuite = [\"t\"]\nreport = \"out/junit.xml\"\n";
    let project = parse(&format!("[project]\nname = \"p\"\ntests = \"custom\"\n{runner}"));
    let Runner::Custom(custom) = project.runner else { panic!("not custom") };
    assert_eq!(custom.report.as_deref(), Some("out/junit.xml"));
}

#[test]
fn foreign_commands_are_shown_word_by_word() {
    let project = parse(LIBRARY);
    assert_eq!(
        project.foreign_commands(),
        [
            "agent writer (command): WRITER_MODE=fast python3 \"tools/writer agent.py\"",
            "setup of a worktree: python3 -m venv .venv",
            "tests of some files: pytest --junitxml={report} {file}",
            "all tests: pytest --junitxml={report}",
        ]
    );
    let sly =
        parse(&minimal("[agents.a]\nprotocol = \"acp\"\ncommand = [\"ls\", \"\", \"a\\u001b[2K\\u202e\\nb'\\\"\"]\n"));
    assert_eq!(sly.foreign_commands(), ["agent a (acp): ls \"\" \"a\\u{1b}[2K\\u{202e}\\nb'\\\"\""]);
}

#[test]
fn consent_is_to_the_very_words() {
    let hash = |rest: &str| parse(&minimal(rest)).consent_hash();
    let setup = |argv: &str| hash(&format!("[worktree]\nsetup = {argv}\n"));
    assert_eq!(hash("[agents.a]\nprotocol = \"script\"\nscenario = \"s.toml\"\n[[context]]\nname = \"A\"\n"), None);
    assert_eq!(setup("[\"a\", \"b c\"]").unwrap().len(), 64);
    let texts = [
        setup("[\"a\", \"b\", \"c\"]"),
        setup("[\"a\", \"b c\"]"),
        setup("[\"a b\", \"c\"]"),
        setup("[\"a\", \"b\", \"c\", \"\"]"),
        hash("[agents.a]\nprotocol = \"acp\"\ncommand = [\"a\", \"b\", \"c\"]\n"),
        hash("[agents.a]\nprotocol = \"command\"\ncommand = [\"a\", \"b\", \"c\"]\n"),
        hash("[agents.b]\nprotocol = \"command\"\ncommand = [\"a\", \"b\", \"c\"]\n"),
        hash("[agents.a]\nprotocol = \"claude\"\nenv = { PATH = \"evil\" }\n"),
        hash("[agents.a]\nprotocol = \"claude\"\nenv = { PATH = \"good\" }\n"),
    ];
    for (i, a) in texts.iter().enumerate() {
        assert!(a.is_some());
        for b in &texts[..i] {
            assert_ne!(a, b);
        }
    }
    let laid_out = "# moved\n[worktree]\nsetup = [\n  'a',\n  'b c',\n]\n[limits]\nagents = 1\n";
    assert_eq!(hash(laid_out), setup("[\"a\", \"b c\"]"));
}

#[test]
fn how_far_commands_are_confined_is_agreed_to_with_them() {
    let of = |rest: &str| parse(&minimal(rest));
    let agent = "[agents.a]\nprotocol = \"codex\"\ncommand = [\"x\"]\n";
    let with = |rest: &str| of(&format!("{agent}{rest}"));
    let confined = "[sandbox]\nmode = \"worktree\"\n";
    let all = [
        with(""),
        with(confined),
        with(&format!("{confined}network = \"off\"\n")),
        with(&format!("{confined}write = [\"~/.cache/x\"]\n")),
        with(&format!("{confined}write = [\"~/.cache/y\"]\n")),
        with(&format!("write = [\"~/.y\"]\n{confined}")),
        of(&format!("{confined}write = [\"/y\"]\n")),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(a.consent_hash().is_some());
        assert!(all[..i].iter().all(|b| a.consent_hash() != b.consent_hash()), "{i}");
    }
    assert_eq!(
        all[3].foreign_commands()[1..],
        ["all of it may write: \"~/.cache/x\"", "all of it is confined to its worktree, network on"]
    );
    assert_eq!(all[5].foreign_commands()[1], "agent a may write: \"~/.y\"");
    let off = with("[sandbox]\nmode = \"off\"\nwrite = [\"~/.cache/x\"]\n");
    assert_eq!(off.consent_hash(), all[0].consent_hash(), "what is off changes nothing");
    assert_eq!(of(confined).consent_hash(), None, "to be confined alone is nothing to agree to");
}

#[test]
fn an_agent_writes_where_its_state_is() {
    let write = |rest: &str| parse(&minimal(rest)).agents["claude"].write.clone();
    assert_eq!(write("agent = \"claude\"\n"), ["~/.claude", "~/.claude.json"]);
    let own = "[agents.claude]\nprotocol = \"claude\"\n";
    assert_eq!(write(own), ["~/.claude", "~/.claude.json"]);
    assert_eq!(write(&format!("{own}write = [\"~/work//claude/\"]\n")), ["~/work/claude"]);
    assert!(write(&format!("{own}write = []\n")).is_empty());
}

#[test]
fn settings_stand_behind_the_project() {
    let settings = settings(
        "account = \"work\"\nagent = \"mine\"\n\
         [limits]\nagents = 2\niterations = 9\n\
         [agents.mine]\nprotocol = \"command\"\ncommand = [\"mine\"]\n\
         [agents.claude]\nprotocol = \"command\"\ncommand = [\"wrapper\"]\n",
    );
    assert_eq!(settings.account, "work");
    let project = parse(&minimal("[limits]\nagents = 7\n")).with_settings(&settings);
    assert_eq!((project.limits.agents, project.limits.iterations, project.limits.tests), (7, 9, 2));
    assert_eq!(project.agent.as_deref(), Some("mine"));
    assert_eq!(project.consent_hash(), None, "the user's own agent needs no consent");

    let project = parse(&minimal("agent = \"claude\"\n")).with_settings(&settings);
    assert_eq!(project.agents["claude"].command, ["wrapper"], "the user's agent stands before the implied one");
    let own = "[agents.claude]\nprotocol = \"claude\"\n";
    let project = parse(&minimal(own)).with_settings(&settings);
    assert_eq!(project.agents["claude"].protocol, Protocol::Claude, "the project's agent stands before the user's");
}

#[test]
fn rules_are_the_projects_and_the_users() {
    let own = "[[permission]]\ntool = \"Bash\"\nlike = \"cargo test*\"\nallow = true\n";
    let users = settings(
        "[[permission]]\nagent = \"claude\"\ntool = \"Bash\"\nexactly = \"cargo test --doc\"\nallow = false\n\
         [[permission]]\nproject = \"/elsewhere\"\ntool = \"Bash\"\nallow = true\n",
    );
    let project = parse(&minimal(own)).with_settings(&users);
    let decided = |agent: &str, tool: &str, what: &str| {
        Rule::deciding(project.rules.iter(), agent, tool, what).map(|rule| (rule.allow, rule.of))
    };
    assert_eq!(decided("codex", "Bash", "cargo test --doc"), Some((true, RuleOf::Project)));
    assert_eq!(decided("claude", "Bash", "cargo test --doc"), Some((false, RuleOf::User)), "what forbids wins");
    assert_eq!(decided("claude", "Bash", "cargo test"), Some((true, RuleOf::Project)));
    assert_eq!(decided("claude", "Bash", "cargo test; rm -r /"), None);
    assert_eq!(decided("claude", "Write", "cargo test"), None);
    assert_eq!(decided("claude", "Bash", "ls"), None, "the rule of another project");
    // What is allowed needs consent, what is forbidden does not.
    assert!(project.foreign_commands()[0].contains("every agent may use Bash, like: \"cargo test*\""));
    assert_eq!(parse(&minimal(&own.replace("true", "false"))).consent_hash(), None);
}

#[test]
fn a_rule_is_added_to_the_settings_and_nothing_else_changes() {
    let (_dir, root) = folder(&[("dotfiles.toml", "# mine\naccount = \"work\" # here")]);
    let file = root.join("config/config.toml");
    let rule = |text: &str| Rule {
        agent: None,
        tool: "Bash".into(),
        about: About::Exactly(text.into()),
        allow: true,
        of: RuleOf::User,
    };
    let odd = "a \"b\" \\ \n\t\u{1b}[2J é # x";
    Settings::add_rule(&file, "/shop", &rule(odd), "ada\n[limits]\nagents = 1").unwrap();
    let read = Settings::load(&file).unwrap();
    assert_eq!(read.rules, [(Some("/shop".to_owned()), rule(odd))]);
    assert_eq!(read.limits, Settings::default().limits, "a comment stays one");
    // Where the file is a link, the file behind it is what changes.
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(root.join("dotfiles.toml"), &file).unwrap();
    for _ in 0..2 {
        Settings::add_rule(&file, "/shop", &rule("ls"), "ada").unwrap();
    }
    let text = std::fs::read_to_string(root.join("dotfiles.toml")).unwrap();
    let added = "\n# ada\n[[permission]]\nproject = \"/shop\"\ntool = \"Bash\"\nexactly = \"ls\"\nallow = true\n";
    assert_eq!(text, format!("# mine\naccount = \"work\" # here\n{added}"), "once, at the end");
    assert!(std::fs::symlink_metadata(&file).unwrap().is_symlink());
    assert_eq!(std::fs::read_dir(root.join("config")).unwrap().count(), 1, "nothing is left beside it");
    // What cannot be read is not written over.
    std::fs::write(root.join("dotfiles.toml"), "account = 7").unwrap();
    assert!(Settings::add_rule(&file, "/shop", &rule("ls"), "ada").is_err());
    assert_eq!(std::fs::read_to_string(root.join("dotfiles.toml")).unwrap(), "account = 7");
}

#[test]
fn the_default_agent_may_be_the_users() {
    let (_dir, root) = folder(&[
        ("callboard.toml", &minimal("agent = \"mine\"\n")),
        ("config.toml", "[agents.mine]\nprotocol = \"acp\"\ncommand = [\"mine\"]\n"),
    ]);
    assert!(Project::load(&root).is_err());
    let settings = Settings::load(&root.join("config.toml")).unwrap();
    let project = Project::load_with(&root, &settings).unwrap();
    assert_eq!(project.agents["mine"].protocol, Protocol::Acp);
}

#[test]
fn settings_that_are_not_there_say_nothing() {
    let (_dir, root) = folder(&[]);
    let file = root.join("callboard/config.toml");
    let settings = Settings::load(&file).unwrap();
    assert_eq!(settings, Settings { file: Some(file), ..Settings::default() });
    assert_eq!(settings.account, "local");
}

#[test]
fn the_root_is_the_nearest_with_a_configuration() {
    let (_dir, root) =
        folder(&[("callboard.toml", ""), ("a/b/callboard.toml", ""), ("a/b/c/d/x", ""), ("a/callboard.toml/x", "")]);
    assert_eq!(find_root(&root.join("a/b/c/d")), Some(root.join("a/b")));
    assert_eq!(find_root(&root.join("a/b")), Some(root.join("a/b")));
    assert_eq!(find_root(&root.join("a")), Some(root.clone()), "a folder of that name is no configuration");
    assert_eq!(find_root(&root.join("not/there")), Some(root));
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_a_pipe_is_not_opened() {
    let (_dir, root) = folder(&[("elsewhere.toml", &minimal("")), ("pipe/x", "")]);
    std::os::unix::fs::symlink("elsewhere.toml", root.join("callboard.toml")).unwrap();
    assert_eq!(Project::load(&root).unwrap().name, "p");
    assert_eq!(find_root(&root), Some(root.clone()));
    std::os::unix::fs::symlink("/dev/zero", root.join("pipe/callboard.toml")).unwrap();
    let error = Project::load(&root.join("pipe")).unwrap_err().to_string();
    assert!(error.starts_with("callboard.toml: cannot be read: this is not a file\nhint: "), "{error}");
}

#[test]
fn a_missing_configuration_is_said() {
    let (_dir, root) = folder(&[]);
    let error = Project::load(&root).unwrap_err().to_string();
    assert_eq!(error, format!("callboard.toml: there is none in {root}\nhint: `callboard init` writes one"));
}

#[test]
fn windows_line_ends_and_a_mark_at_the_start_do_no_harm() {
    let text = format!("\u{feff}{}", LIBRARY.replace('\n', "\r\n"));
    assert_eq!(parse(&text), parse(LIBRARY));
}

#[test]
fn stories_may_be_files() {
    let story = "---\n# for whom\ncontext: \"A\"\n---\n# A sum\n\nWhy: it adds up.\n\n- note: not one\n- AC-1: Adds\n  with tax\n\
                 * [x] **AC-2**: Rounds\n\n```\n- AC-9: code\n```\n";
    let (_dir, root) = folder(&[
        ("callboard.toml", &minimal("stories = \"docs/stories\"\n[[context]]\nname = \"A\"\n")),
        ("docs/stories/b.md", story),
        ("docs/stories/a.md", "---\r\ncontext: A\r\n---\r\n# First\r\n- X_1: y: z\r\n"),
        ("docs/stories/README.md", "# Stories"),
        ("docs/stories/.draft.md", "# Stories"),
        ("docs/stories/notes.txt", "x"),
    ]);
    let project = Project::load(&root).unwrap_or_else(|error| panic!("{error}"));
    let told: Vec<_> = project
        .stories_of("A")
        .into_iter()
        .map(|story| {
            (
                story.title.as_str(),
                story.criteria.iter().map(|one| (one.id.as_str(), one.text.as_str())).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("First", vec![("X_1", "y: z")]), ("A sum", vec![("AC-1", "Adds with tax"), ("AC-2", "Rounds")])]
    );
    assert_eq!(Project::parse(&root, &minimal("stories = \"docs/stories\"\n")).unwrap().stories, []);
}
