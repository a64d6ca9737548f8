//! Tests of `agent`.

use std::{fs, os::unix::fs::symlink};

use callboard::{
    agent::{
        command::{StepFacts, environment},
        script::{
            Body, End, Moment, Part, Scenario, ScenarioError, ScenarioErrorKind, Write, apply, delete, parse, safe_path,
        },
        takeover,
    },
    model::{AgentConfig, Protocol, SessionId, SessionKind, Step},
};
use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;

const MOMENT: Moment<'static> = Moment {
    kind: SessionKind::ComponentTest,
    component: "Pricing",
    step: Step::GenerateTestsAndFixtures,
    iteration: 1,
    generation: 1,
    prompt: "# Write the tests of `Pricing`",
};

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap();
    (dir, path)
}

// ---- a conversation by hand

#[test]
fn each_program_goes_on_with_a_conversation_in_its_own_way() {
    let known = |name: &str| AgentConfig::known(name).unwrap();
    let own = |name: &str, words: &[&str]| AgentConfig { command: strings(words), ..known(name) };
    let opus = AgentConfig { args: strings(&["--model", "opus"]), ..known("claude") };
    for (agent, expected) in [
        (known("claude"), &["claude", "--resume", "c-1"][..]),
        (opus, &["claude", "--resume", "c-1", "--model", "opus"]),
        (own("claude", &["npx", "claude"]), &["npx", "claude", "--resume", "c-1"]),
        (known("codex"), &["codex", "resume", "--no-daemon", "c-1"]),
        (known("opencode"), &["opencode", "--session", "c-1"]),
        (own("opencode", &["/opt/opencode", "acp"]), &["/opt/opencode", "--session", "c-1"]),
    ] {
        assert_eq!(takeover(&agent, "c-1"), Ok(strings(expected)));
    }
    let command = AgentConfig { protocol: Protocol::Command, preset: None, ..own("claude", &["sh"]) };
    let script = AgentConfig { protocol: Protocol::Script, preset: None, ..known("claude") };
    let foreign = AgentConfig { preset: None, ..own("opencode", &["mine", "acp"]) };
    let wrapped = own("opencode", &["wrapped-opencode"]);
    for agent in
        [command, script, foreign, wrapped, known("qwen"), known("gemini"), known("claude-acp"), known("codex-acp")]
    {
        let why = takeover(&agent, "c-1").unwrap_err();
        assert!(why.contains(&format!("its agent {} (protocol {})", agent.name, agent.protocol)), "{why}");
    }
    // The name comes from outside.
    for hostile in ["--dangerously-skip-permissions", "-c", "", "a b", "a\nb", "$(x)", "../x"] {
        assert!(takeover(&known("claude"), hostile).is_err(), "{hostile:?}");
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

// ---- the environment of a command

#[test]
fn a_command_learns_what_it_works_on() {
    let facts = StepFacts {
        session_id: SessionId::from_u128(7),
        kind: SessionKind::ComponentCoding,
        component: "Pricing\0".into(),
        step: Step::FixTestFailures,
        iteration: 2,
        generation: 3,
        conversation_id: "c-1".into(),
        worktree: "/data/worktrees/7".into(),
        mcp: Some("callboard mcp --session 7".into()),
        socket: Some("/data/sockets/7/tool".into()),
    };
    let lines = |facts: &StepFacts| {
        environment(facts).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
    };
    let expected = [
        "CALLBOARD_SESSION_ID=00000000-0000-0000-0000-000000000007",
        "CALLBOARD_SESSION_KIND=component_coding",
        "CALLBOARD_COMPONENT=Pricing",
        "CALLBOARD_STEP=fix_test_failures",
        "CALLBOARD_ITERATION=2",
        "CALLBOARD_GENERATION=3",
        "CALLBOARD_CONVERSATION_ID=c-1",
        "CALLBOARD_WORKTREE=/data/worktrees/7",
        "CALLBOARD_MCP=callboard mcp --session 7",
        "CALLBOARD_SOCKET=/data/sockets/7/tool",
    ];
    assert_eq!(lines(&facts), expected);
    assert_eq!(lines(&StepFacts { mcp: None, socket: None, ..facts }), expected[..8]);
}

// ---- scenarios

#[test]
fn a_turn_with_everything() {
    let scenario = parse(
        r#"
        [[turn]]
        kind = "component_test"
        component = "Pricing"
        step = "generate_tests_and_fixtures"
        iteration = 1
        generation = 1
        prompt = 'tests of `\w+`'
        times = 2
        say = ["Reading.", "Writing."]
        write = [{ path = "tests/a.rs", content = "a" }, { path = "tests/b.rs", source = "b.rs" }]
        delete = ["old.rs"]
        call = [{ tool = "reactivate_session", arguments = { component = "Order", deep = [1, true] } }, { tool = "x" }]
        delay_ms = 300
        exit = 3
        "#,
    )
    .unwrap();
    let turn = &scenario.turns[0];
    assert!(turn.matcher.matches(&MOMENT));
    assert_eq!((turn.times, turn.delay_ms, &turn.end), (2, 300, &End::Exit(3)));
    let parts: Vec<Part<'_>> = turn.parts().collect();
    let write = |path: &str, body| Write { path: path.into(), body };
    let (a, b) = (write("tests/a.rs", Body::Content("a".into())), write("tests/b.rs", Body::Source("b.rs".into())));
    assert_eq!(
        parts,
        [
            Part::Say("Reading."),
            Part::Say("Writing."),
            Part::Write(&a),
            Part::Write(&b),
            Part::Delete("old.rs"),
            Part::Call(&turn.call[0]),
            Part::Call(&turn.call[1]),
        ]
    );
    assert_eq!(
        serde_json::Value::from(turn.call[0].arguments.clone()).to_string(),
        r#"{"component":"Order","deep":[1,true]}"#
    );
    assert_eq!(turn.call[0].tool, "reactivate_session");
}

#[test]
fn a_turn_ends_well_unless_it_says_otherwise() {
    for (end, expected) in [
        ("", End::Exit(0)),
        ("exit = -1", End::Exit(-1)),
        ("hang = true", End::Hang),
        ("hang = false", End::Exit(0)),
        ("hang = false\nexit = 2", End::Exit(2)),
        ("error = \"quota\"", End::Error("quota".into())),
    ] {
        let scenario = parse(&format!("[[turn]]\n{end}")).unwrap();
        assert_eq!((&scenario.turns[0].end, scenario.turns[0].times), (&expected, 1), "{end}");
    }
}

#[test]
fn a_wrong_scenario_says_where_and_what() {
    let huge = format!("[[turn]]\nprompt = '{}'", r"\w{200}".repeat(60));
    for (text, line, message, hint) in [
        ("", None, "no [[turn]]", "a turn has kind"),
        ("[[turn]]\n\nsays = []", Some(3), "unknown field `says`", "a turn has kind"),
        ("[[turn]]\n[[turns]]", Some(2), "unknown field `turns`", "a turn has kind"),
        ("[[turn]]\nkind = 'component_tests'", Some(2), "component_tests", "a turn has kind"),
        ("[[turn]]\nsay = [", Some(2), "", "a turn has kind"),
        ("[[turn]]\niteration = -1", Some(2), "", "a turn has kind"),
        ("[[turn]]\n[[turn]]\nstep = 'run_tests'", Some(3), "no agent performs run_tests", "an agent writes"),
        ("[[turn]]\ntimes = 0", Some(2), "times is 0", "leave it out"),
        ("[[turn]]\nprompt = '(oops'", Some(2), "unclosed group", "backslash"),
        (huge.as_str(), Some(2), "size limit", "backslash"),
        ("[[turn]]\n\n[[turn]]\nhang = true\nexit = 1", Some(3), "at most one of exit, hang and error", "keep"),
        ("[[turn]]\nexit = 1\nerror = 'x'", Some(1), "at most one of exit, hang and error", "keep"),
        ("[[turn]]\nhang = true\nerror = 'x'", Some(1), "at most one of exit, hang and error", "keep"),
        ("[[turn]]\nwrite = [\n{ path = 'a' }]", Some(3), "one of content and source", "content is"),
        (
            "[[turn]]\nwrite = [{ path = 'a', content = '', source = '' }]",
            Some(2),
            "one of content and source",
            "content is",
        ),
        ("[[turn]]\nwrite = [{ path = 'a', contents = '' }]", Some(2), "unknown field `contents`", "a turn has"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.kind, error.line), (ScenarioErrorKind::Syntax, line), "{text}\n{error}");
        assert!(error.message.contains(message) && !error.message.is_empty(), "{text}\n{error}");
        assert!(error.hint.contains(hint), "{text}\n{error}");
    }
}

fn scenario(turns: &[&str]) -> Scenario {
    let text: Vec<String> = turns.iter().map(|turn| format!("[[turn]]\n{turn}\n")).collect();
    parse(&text.concat()).unwrap()
}

#[test]
fn every_matcher_that_is_given_must_fit() {
    for (matcher, fits) in [
        ("", true),
        ("kind = 'component_test'", true),
        ("kind = 'component_coding'", false),
        ("component = 'Pricing'", true),
        ("component = 'pricing'", false),
        ("step = 'generate_tests_and_fixtures'", true),
        ("step = 'fix_compilation_errors'", false),
        ("iteration = 1", true),
        ("iteration = 2", false),
        ("generation = 2", false),
        ("prompt = 'tests of .Pricing'", true),
        ("prompt = '^tests'", false),
        ("kind = 'component_test'\ngeneration = 2", false),
    ] {
        assert_eq!(scenario(&[matcher]).pick(&MOMENT, &[]).is_some(), fits, "{matcher}");
    }
}

#[test]
fn the_first_turn_that_fits_is_played_as_often_as_it_may() {
    let scenario = scenario(&["component = 'Order'", "times = 2", "step = 'generate_tests_and_fixtures'"]);
    let mut used = Vec::new();
    while let Some((index, _)) = scenario.pick(&MOMENT, &used) {
        used.push(index);
    }
    assert_eq!(used, [1, 1, 2]);
    let why = scenario.why_none(&MOMENT, &used);
    assert!(why.contains("generate_tests_and_fixtures of component_test on \"Pricing\""), "{why}");
    assert!(why.contains("turn 2, 3 matches but was played"), "{why}");
    let why = scenario.why_none(&Moment { step: Step::ReviseDesign, component: "Order", ..MOMENT }, &[0, 1, 1]);
    assert!(why.contains("turn 1, 2 matches"), "{why}");
    let other = self::scenario(&["iteration = 9"]);
    assert!(other.why_none(&MOMENT, &[]).contains("none of its 1 turns matches"));
}

// ---- paths

fn refusal(result: Result<Utf8PathBuf, ScenarioError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind, ScenarioErrorKind::Path, "{error}");
    error.message
}

/// A worktree with a link to a folder outside it, a link to a file outside it, and a link into itself.
fn worktree_with_links() -> (tempfile::TempDir, Utf8PathBuf) {
    let (dir, root) = folder();
    let tree = root.join("tree");
    fs::create_dir_all(tree.join("src/deep")).unwrap();
    fs::create_dir_all(tree.join(".git")).unwrap();
    fs::create_dir_all(root.join("outside")).unwrap();
    fs::write(root.join("outside/secret"), "secret").unwrap();
    fs::write(tree.join("src/lib.rs"), "lib").unwrap();
    symlink(root.join("outside"), tree.join("away")).unwrap();
    symlink(root.join("outside/secret"), tree.join("src/key")).unwrap();
    symlink("src", tree.join("alias")).unwrap();
    symlink("nowhere", tree.join("dangling")).unwrap();
    (dir, tree)
}

#[test]
fn safe_paths() {
    let (_dir, tree) = worktree_with_links();
    for (path, expected) in [
        ("a.rs", "a.rs"),
        ("new/folders/a.rs", "new/folders/a.rs"),
        ("./src//lib.rs", "src/lib.rs"),
        (".gitignore", ".gitignore"),
        ("src/.github/x.yml", "src/.github/x.yml"),
        ("..a/b..", "..a/b.."),
        ("käse/🦀.rs", "käse/🦀.rs"),
    ] {
        assert_eq!(safe_path(&tree, path).unwrap(), tree.join(expected), "{path}");
    }
}

#[test]
fn unsafe_paths() {
    let (_dir, tree) = worktree_with_links();
    for (path, why) in [
        ("", "names no file"),
        (".", "names no file"),
        ("/etc/passwd", "absolute"),
        ("../outside/secret", "goes up"),
        ("src/../../outside/secret", "goes up"),
        ("src/..", "goes up"),
        ("src", "no plain file"),
        ("src/", "names a folder"),
        ("src/lib.rs/x", "leads through a file"),
        ("away/secret", "leads through a symbolic link"),
        ("alias/lib.rs", "leads through a symbolic link"),
        ("src/key", "is a symbolic link"),
        ("dangling", "is a symbolic link"),
        ("dangling/x", "leads through a symbolic link"),
        (".git/hooks/pre-commit", "git's own"),
        (".git", "git's own"),
        ("sub/.GIT/config", "git's own"),
        (".git./config", "git's own"),
        ("GIT~1/config", "git's own"),
        (".g\u{200c}it/config", "git's own"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
    ] {
        let message = refusal(safe_path(&tree, path));
        assert!(message.contains(why), "{path:?}: {message}");
    }
}

fn write(path: &str, body: Body) -> Write {
    Write { path: path.into(), body }
}

#[test]
fn writing_makes_folders_and_takes_sources_beside_the_scenario() {
    let (_dir, tree) = worktree_with_links();
    let (_other, scenario) = folder();
    fs::create_dir(scenario.join("files")).unwrap();
    fs::write(scenario.join("files/b.rs"), [0xff, 0x00, b'b']).unwrap();
    let a = apply(&tree, &write("new/deep/a.rs", Body::Content("a\n".into())), &scenario).unwrap();
    assert_eq!((a.as_path(), fs::read_to_string(&a).unwrap().as_str()), (tree.join("new/deep/a.rs").as_path(), "a\n"));
    let b = apply(&tree, &write("src/lib.rs", Body::Source("files/b.rs".into())), &scenario).unwrap();
    assert_eq!(fs::read(b).unwrap(), [0xff, 0x00, b'b']);
}

#[test]
fn writing_and_deleting_stay_inside() {
    let (dir, tree) = worktree_with_links();
    let root = Utf8Path::from_path(dir.path()).unwrap();
    let (_other, scenario) = folder();
    let content = || Body::Content("x".into());
    let message = refusal(apply(&tree, &write("away/secret", content()), &scenario));
    assert!(message.contains("symbolic link"), "{message}");
    refusal(apply(&tree, &write("src/key", content()), &scenario));
    refusal(apply(&tree, &write("a", Body::Source("../secret".into())), &scenario));
    refusal(apply(&tree, &write("a", Body::Source("/etc/hostname".into())), &scenario));
    refusal(delete(&tree, "away/secret"));
    refusal(delete(&tree, "src/key"));
    assert_eq!(fs::read_to_string(root.join("outside/secret")).unwrap(), "secret");
    assert!(!tree.join("a").exists());

    delete(&tree, "src/lib.rs").unwrap();
    assert!(!tree.join("src/lib.rs").exists());
    let error = delete(&tree, "src/lib.rs").unwrap_err();
    assert_eq!(error.kind, ScenarioErrorKind::Io, "{error}");
    let error = apply(&tree, &write("a", Body::Source("missing".into())), &scenario).unwrap_err();
    assert!(error.kind == ScenarioErrorKind::Io && error.message.contains("read \"missing\""), "{error}");
}

// ---- properties

/// TOML that is nearly a scenario.
fn nearly() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("kind"),
        Just("step"),
        Just("times"),
        Just("prompt"),
        Just("say"),
        Just("write"),
        Just("call"),
        Just("exit"),
        Just("hang"),
        Just("error"),
        Just("iteration"),
        Just("delay_ms"),
        Just("other"),
    ];
    let value = prop_oneof![
        Just("'component_test'".to_owned()),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("[{}]".to_owned()),
        Just("[{ path = 'a', content = 'b' }]".to_owned()),
        Just("[{ tool = 'x', arguments = { d = 2026-01-01 } }]".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        "'[(*+?{},a-z\\\\]{0,9}'",
        "\\PC{0,9}",
    ];
    proptest::collection::vec(
        prop_oneof![
            3 => Just("[[turn]]\n".to_owned()),
            9 => (key, value).prop_map(|(key, value)| format!("{key} = {value}\n")),
        ],
        0..12,
    )
    .prop_map(|lines| lines.concat())
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(".."),
        Just("."),
        Just(""),
        Just("src"),
        Just("away"),
        Just("alias"),
        Just("dangling"),
        Just("key"),
        Just("secret"),
        Just(".git"),
        Just("lib.rs"),
        Just("new"),
        Just("deep"),
        Just("outside"),
        Just("tree"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_parse_panic(text in prop_oneof![nearly(), any::<String>()]) {
        if let Err(error) = parse(&text) {
            prop_assert!(!error.message.is_empty() && !error.hint.is_empty());
            prop_assert!(error.line.is_none_or(|line| line >= 1 && line <= text.matches('\n').count() + 1));
        }
    }

    #[test]
    fn a_turn_is_played_at_most_as_often_as_it_may(
        turns in proptest::collection::vec((1_u32..4, proptest::option::of(1_u32..3)), 1..6),
        moments in proptest::collection::vec(1_u32..4, 0..30),
    ) {
        let turns: Vec<String> = turns.iter().map(|(times, iteration)| {
            let matcher = iteration.map_or(String::new(), |i| format!("\niteration = {i}"));
            format!("times = {times}{matcher}")
        }).collect();
        let scenario = scenario(&turns.iter().map(String::as_str).collect::<Vec<_>>());
        let mut used = Vec::new();
        for iteration in moments {
            let moment = Moment { iteration, ..MOMENT };
            let picked = scenario.pick(&moment, &used).map(|(index, _)| index);
            prop_assert_eq!(picked, scenario.pick(&moment, &used).map(|(index, _)| index));
            let left = |i: &usize| used.iter().filter(|u| *u == i).count() < scenario.turns[*i].times as usize;
            let first = (0..scenario.turns.len()).find(|i| left(i) && scenario.turns[*i].matcher.matches(&moment));
            prop_assert_eq!(picked, first);
            used.extend(picked);
        }
    }
}

/// Whatever is written to whatever path, nothing outside the worktree and nothing in `.git` changes.
#[test]
fn no_path_leads_out() {
    let (dir, tree) = worktree_with_links();
    let root = Utf8Path::from_path(dir.path()).unwrap().canonicalize_utf8().unwrap();
    let config = ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() };
    let path = (proptest::collection::vec(piece(), 1..6), any::<bool>())
        .prop_map(|(pieces, is_absolute)| format!("{}{}", if is_absolute { "/" } else { "" }, pieces.join("/")));
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&path, |path| {
            let Ok(written) = apply(&tree, &write(&path, Body::Content("x".into())), &tree) else { return Ok(()) };
            let real = written.canonicalize_utf8().unwrap();
            prop_assert!(real.starts_with(&tree) && !real.starts_with(tree.join(".git")), "{path} wrote {real}");
            prop_assert_eq!(&real, &written, "no link on the way");
            fs::remove_file(written).unwrap();
            Ok(())
        })
        .unwrap();
    assert_eq!(fs::read_dir(root.join("outside")).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(root.join("outside/secret")).unwrap(), "secret");
    assert_eq!(fs::read_dir(tree.join(".git")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(&root).unwrap().count(), 2);
}
