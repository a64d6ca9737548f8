//! Tests of `prompt`.

use std::fs;

use callboard::{
    model::{
        CaseStatus, CompileError, ComponentKind, Criterion, DesignProblem, Paths, Performer, Placement, SessionKind,
        Step, Story, TestCase, TestFailure, TestRun, TestStatus,
    },
    prompt::{
        ComponentInfo, ContextInfo, LedgerLine, LedgerState, MAX_PROMPT, Neighbour, ProjectInfo, PromptError,
        PromptErrorKind, PromptInput, PromptPaths, Reactivation, Rule, render, rules,
    },
};
use camino::{Utf8Path, Utf8PathBuf};
use proptest::prelude::*;

/// Every pair of a kind and an agent step of its workflow (DESIGN 2).
const AGENT_STEPS: [(SessionKind, Step); 10] = [
    (SessionKind::ComponentDesign, Step::GenerateComponentDesign),
    (SessionKind::ComponentDesign, Step::ReviseDesign),
    (SessionKind::ComponentTest, Step::GenerateTestsAndFixtures),
    (SessionKind::ComponentTest, Step::FixCompilationErrors),
    (SessionKind::ComponentCoding, Step::GenerateImplementation),
    (SessionKind::ComponentCoding, Step::FixTestFailures),
    (SessionKind::Integration, Step::GenerateIntegrationTests),
    (SessionKind::Integration, Step::GenerateContext),
    (SessionKind::Integration, Step::FixIntegrationTestFailures),
    (SessionKind::Integration, Step::FixTestFailures),
];

/// Nothing but what is always there.
fn minimal(kind: SessionKind, step: Step) -> PromptInput {
    PromptInput {
        project: ProjectInfo { name: "shop".into(), description: String::new() },
        component: ComponentInfo {
            name: "Pricing".into(),
            kind: ComponentKind::Module,
            description: String::new(),
            depends_on: Vec::new(),
        },
        context: None,
        session_kind: kind,
        step,
        iteration: 1,
        generation: 1,
        paths: PromptPaths::default(),
        language: None,
        similar: Vec::new(),
        siblings: Vec::new(),
        components: Vec::new(),
        stories: Vec::new(),
        rules: Vec::new(),
        test_first: false,
        test_run: None,
        ledger: Vec::new(),
        problem: None,
        design_problems: Vec::new(),
        unchanged: false,
        reactivation: None,
        gap_analysis: None,
        sessions_tool: false,
        sessions_command: None,
    }
}

/// A component of a Rust project, before anything went wrong.
fn component(kind: SessionKind, step: Step) -> PromptInput {
    PromptInput {
        project: ProjectInfo { name: "shop".into(), description: "A small shop: orders, prices, payment.".into() },
        component: ComponentInfo {
            name: "Pricing".into(),
            kind: ComponentKind::Module,
            description: "Adds up an order's lines and taxes them.".into(),
            depends_on: vec!["Order".into(), "Tax".into()],
        },
        context: Some(ContextInfo {
            name: "Orders".into(),
            kind: ComponentKind::Context,
            description: "From the basket to the paid order.".into(),
        }),
        paths: PromptPaths {
            design: Some("docs/design/orders/pricing.md".into()),
            code: Some("src/orders/pricing.rs".into()),
            test: Some("tests/pricing_test.rs".into()),
            parent_design: Some("docs/design/orders.md".into()),
        },
        language: Some("rust".into()),
        similar: vec![neighbour("Tax", ComponentKind::Module, "The rate for a country.")],
        siblings: vec![neighbour("Order", ComponentKind::Schema, "An order and its lines.")],
        stories: vec![story("A customer sees the total", "Pricing")],
        rules: rules(Utf8Path::new("/nowhere"), ComponentKind::Module, kind).unwrap(),
        test_first: true,
        ..minimal(kind, step)
    }
}

/// A context of the same project.
fn context(step: Step) -> PromptInput {
    PromptInput {
        component: ComponentInfo {
            name: "Orders".into(),
            kind: ComponentKind::Context,
            description: "From the basket to the paid order.".into(),
            depends_on: Vec::new(),
        },
        context: None,
        paths: PromptPaths {
            design: Some("docs/design/orders.md".into()),
            code: Some("src/orders.rs".into()),
            test: Some("tests/orders_integration_test.rs".into()),
            parent_design: None,
        },
        similar: Vec::new(),
        siblings: Vec::new(),
        components: vec![
            neighbour("Order", ComponentKind::Schema, "An order and its lines."),
            neighbour("Pricing", ComponentKind::Module, "Adds up an order's lines and taxes them."),
        ],
        stories: vec![story("A customer sees the total", "Orders")],
        rules: rules(Utf8Path::new("/nowhere"), ComponentKind::Context, SessionKind::Integration).unwrap(),
        test_first: false,
        ..component(SessionKind::Integration, step)
    }
}

fn neighbour(name: &str, kind: ComponentKind, description: &str) -> Neighbour {
    let path = name.to_lowercase();
    Neighbour {
        name: name.into(),
        kind,
        description: description.into(),
        paths: Paths {
            design: Some(format!("docs/design/orders/{path}.md")),
            code: Some(format!("src/orders/{path}.rs")),
            test: Some(format!("tests/{path}_test.rs")),
        },
        made_by: vec![("code".into(), format!("0198-{path}"))],
    }
}

fn story(title: &str, component: &str) -> Story {
    let criterion = |id: &str, text: &str| Criterion { id: id.into(), text: text.into() };
    Story {
        title: title.into(),
        component: component.into(),
        criteria: vec![criterion("AC-1", "Prices add up with tax"), criterion("AC-2", "An empty order costs nothing")],
    }
}

fn failure(name: &str, message: &str) -> TestFailure {
    TestFailure {
        name: name.into(),
        file: Some("tests/pricing_test.rs".into()),
        line: Some(12),
        message: message.into(),
        ..TestFailure::default()
    }
}

fn failed_run(failures: Vec<TestFailure>) -> TestRun {
    let failed = u32::try_from(failures.len()).unwrap();
    TestRun { passed: 7, failed, failures, ..TestRun::empty("cargo", TestStatus::Failed) }
}

fn line(test: &str, state: LedgerState) -> LedgerLine {
    LedgerLine { test: test.into(), state, message: "it broke".into(), placement: None, context: None }
}

/// Everything at once, for every step.
fn full(kind: SessionKind, step: Step) -> PromptInput {
    let input = if kind == SessionKind::Integration { context(step) } else { component(kind, step) };
    let mut run = failed_run(vec![
        TestFailure { stack: "at pricing.rs:3".into(), ..failure("adds_tax", "left: 3\nright: 4") },
        TestFailure {
            placement: Some(Placement::Outside),
            component: Some("Invoice".into()),
            context: Some("Billing".into()),
            ..failure("bills", "no total")
        },
        TestFailure { placement: Some(Placement::PreExisting), ..failure("prints", "") },
    ]);
    run.compile_errors.push(CompileError {
        file: "src/orders.rs".into(),
        line: Some(3),
        column: Some(9),
        message: "cannot find `total`".into(),
        ..CompileError::default()
    });
    PromptInput {
        iteration: 3,
        generation: 2,
        test_run: Some(run),
        ledger: vec![
            line("adds_tax", LedgerState::StillFailing),
            line("bills", LedgerState::New),
            line("rounds", LedgerState::CameBack),
            line("sorts", LedgerState::MessageChanged),
            line("races", LedgerState::Flaky),
            line("parses", LedgerState::Fixed),
        ],
        problem: Some("2 of 9 assertions have no test:\n- rejects an empty order".into()),
        design_problems: vec![DesignProblem {
            section: "Dependencies".into(),
            line: Some(31),
            message: "Taxes is no component of this project; did you mean Tax?".into(),
        }],
        unchanged: true,
        reactivation: Some(Reactivation {
            context: "The total must be in cents.\nBilling reads it.".into(),
            by: "the integration session of Orders".into(),
        }),
        gap_analysis: Some("AC-2 is untested: no test carries its id.".into()),
        sessions_tool: true,
        sessions_command: Some("/usr/bin/callboard tool".into()),
        ..input
    }
}

/// Whether a prompt is well-formed: no leftovers of the template, no runs of blank lines, every fence closed.
fn assert_tidy(prompt: &str) {
    assert!(prompt.starts_with("# ") && prompt.ends_with('\n') && !prompt.ends_with("\n\n"), "{prompt}");
    assert!(!prompt.contains("\n\n\n"), "{prompt}");
    assert!(prompt.len() <= MAX_PROMPT, "{} bytes", prompt.len());
    let outline = outline(prompt);
    for leftover in ["{{", "{%", "none", "undefined"] {
        assert!(!outline.iter().any(|line| line.contains(leftover)), "{leftover} in {outline:#?}");
    }
    for pair in outline.windows(2) {
        assert!(!pair[1].starts_with('#') || pair[0].is_empty(), "no blank line before {:?}:\n{prompt}", pair[1]);
        assert!(!pair[0].starts_with('#') || pair[1].is_empty(), "no blank line after {:?}:\n{prompt}", pair[0]);
    }
    assert!(prompt.lines().all(|line| line.len() == line.trim_end().len()), "blanks at a line's end:\n{prompt}");
}

/// The lines of a prompt that are neither in a fence nor in a quote.
fn outline(prompt: &str) -> Vec<&str> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in prompt.lines() {
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if line.starts_with("```") => fence = line.strip_suffix("text"),
            None if line.starts_with('>') || line.starts_with("    ") => {}
            None => lines.push(line),
        }
    }
    assert_eq!(fence, None, "a fence stays open:\n{prompt}");
    lines
}

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    (dir, path)
}

/// Writes a file under `root` with the folders that it needs.
fn put(root: &Utf8Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const OVERRIDE: &str = ".callboard/prompts/component_test/fix_compilation_errors.md";

fn overridden(template: &str) -> Result<String, PromptError> {
    let (_dir, root) = folder();
    put(&root, OVERRIDE, template);
    render(&component(SessionKind::ComponentTest, Step::FixCompilationErrors), Some(&root))
}

// ---- whole prompts

macro_rules! snapshot {
    ($name:literal, $input:expr) => {{
        let prompt = render(&$input, None).unwrap();
        assert_tidy(&prompt);
        insta::assert_snapshot!($name, prompt);
    }};
}

#[test]
fn generate_tests_before_the_code() {
    snapshot!("generate_tests_test_first", component(SessionKind::ComponentTest, Step::GenerateTestsAndFixtures));
}

#[test]
fn generate_tests_for_python_after_the_code() {
    let input = component(SessionKind::ComponentTest, Step::GenerateTestsAndFixtures);
    let input = PromptInput { language: Some("python".into()), test_first: false, rules: Vec::new(), ..input };
    snapshot!("generate_tests_code_exists", input);
}

#[test]
fn fix_tests_that_do_not_compile() {
    let error = |line, message: &str| CompileError {
        file: "tests/pricing_test.rs".into(),
        line: Some(line),
        column: Some(5),
        message: message.into(),
        ..CompileError::default()
    };
    let run = TestRun {
        compile_errors: vec![
            error(3, "error[E0432]: unresolved import `shop::orders::Pricing`"),
            error(
                14,
                "error[E0425]: cannot find function `total` in this scope\n   |\n14 |     total(&order)\n   |     ^^^^^ not found",
            ),
        ],
        ..TestRun::empty("cargo", TestStatus::CompileError)
    };
    let input = component(SessionKind::ComponentTest, Step::FixCompilationErrors);
    snapshot!("fix_compilation_errors", PromptInput { test_run: Some(run), rules: Vec::new(), ..input });
}

#[test]
fn fix_tests_that_pass_without_code() {
    let case = |name: &str, status| TestCase { name: name.into(), status, file: None, markers: Vec::new() };
    let run = TestRun {
        passed: 2,
        tests: vec![
            case("adds_tax", CaseStatus::Passed),
            case("rejects_nothing", CaseStatus::Failed),
            case("rounds", CaseStatus::Passed),
        ],
        ..failed_run(vec![failure("rejects_nothing", "not yet implemented")])
    };
    let problem = "2 tests pass although src/orders/pricing.rs is not there yet, so they assert nothing.";
    let input = component(SessionKind::ComponentTest, Step::FixCompilationErrors);
    let input =
        PromptInput { test_run: Some(run), problem: Some(problem.into()), rules: Vec::new(), iteration: 2, ..input };
    snapshot!("fix_tests_that_assert_nothing", input);
}

#[test]
fn generate_implementation() {
    snapshot!("generate_implementation", component(SessionKind::ComponentCoding, Step::GenerateImplementation));
}

#[test]
fn fix_failures_with_their_history() {
    let run = failed_run(vec![
        failure("adds_tax", "assertion `left == right` failed\n  left: 100\n right: 119"),
        failure("rounds_half_up", "attempt to subtract with overflow"),
    ]);
    let ledger = vec![
        line("adds_tax", LedgerState::StillFailing),
        line("rounds_half_up", LedgerState::CameBack),
        line("rejects_an_empty_order", LedgerState::Fixed),
    ];
    let input = component(SessionKind::ComponentCoding, Step::FixTestFailures);
    let input = PromptInput { iteration: 3, test_run: Some(run), ledger, rules: Vec::new(), ..input };
    snapshot!("fix_test_failures", input);
}

#[test]
fn what_broke_elsewhere_comes_first_and_what_was_red_before_is_not_the_agents_doing() {
    let placed = |name: &str, placement| TestFailure {
        placement: Some(placement),
        context: Some("Billing".into()),
        ..failure(name, "it broke")
    };
    let mut failures: Vec<TestFailure> = (0..30).map(|at| placed(&format!("inside_{at}"), Placement::Inside)).collect();
    failures.insert(0, placed("is_old", Placement::PreExisting));
    failures.push(placed("rounds", Placement::Outside));
    let row = |test: &str, state, placement| LedgerLine {
        placement: Some(placement),
        context: Some("Billing".into()),
        ..line(test, state)
    };
    let ledger = vec![
        row("is_old", LedgerState::StillFailing, Placement::PreExisting),
        row("rounds", LedgerState::CameBack, Placement::Outside),
    ];
    let input = component(SessionKind::Integration, Step::FixTestFailures);
    let prompt = render(&PromptInput { test_run: Some(failed_run(failures)), ledger, ..input }, None).unwrap();
    assert!(prompt.contains("1. `rounds`"), "{prompt}");
    assert!(prompt.contains("- `rounds` (`outside, Billing`)"), "{prompt}");
    assert!(!prompt.contains("is_old"), "{prompt}");
}

#[test]
fn fix_failures_after_a_reactivation() {
    let input = component(SessionKind::ComponentCoding, Step::FixTestFailures);
    let reactivation = Some(Reactivation {
        context: "Integration test total_in_cents fails: Pricing::total gives 1.19, Billing expects 119.".into(),
        by: "the integration session of Orders".into(),
    });
    snapshot!("fix_after_reactivation", PromptInput { reactivation, generation: 2, rules: Vec::new(), ..input });
}

#[test]
fn every_agent_step_with_everything() {
    for (kind, step) in AGENT_STEPS {
        let prompt = render(&full(kind, step), None).unwrap();
        assert_tidy(&prompt);
        insta::assert_snapshot!(format!("full_{kind}_{step}"), prompt);
    }
}

#[test]
fn every_agent_step_with_almost_nothing() {
    for (kind, step) in AGENT_STEPS {
        let prompt = render(&minimal(kind, step), None).unwrap();
        assert_tidy(&prompt);
        assert!(!prompt.contains("What went wrong"), "{prompt}");
    }
}

#[test]
fn only_agent_steps_have_a_prompt() {
    for kind in SessionKind::ALL {
        for step in Step::ALL {
            let rendered = render(&minimal(*kind, *step), None);
            if AGENT_STEPS.contains(&(*kind, *step)) {
                assert_eq!(step.performer(), Performer::Agent);
            } else {
                assert_eq!(rendered.unwrap_err().kind, PromptErrorKind::NotAnAgentStep, "{kind} {step}");
            }
        }
    }
}

#[test]
fn each_way_in_which_tests_could_not_run_is_told_apart() {
    let mut seen = Vec::new();
    for status in TestStatus::ALL {
        let run = TestRun::empty("cargo", *status);
        let input = component(SessionKind::ComponentCoding, Step::FixTestFailures);
        let prompt = render(&PromptInput { test_run: Some(run), ..input }, None).unwrap();
        assert_tidy(&prompt);
        let after = prompt.split("## What went wrong\n\n").nth(1).unwrap();
        let said = after.lines().next().unwrap().to_owned();
        assert!(said.starts_with("**"), "{said}");
        assert!(!seen.contains(&said), "{said}");
        seen.push(said);
    }
}

// ---- foreign text

#[test]
fn a_flood_of_everything_stays_in_bounds() {
    flood(&"a failure with ``` and\n## a heading\n\n".repeat(300), &AGENT_STEPS);
    for text in ["`a\n".repeat(4_000), "`".repeat(12_000), "a".to_owned()] {
        flood(&text, &[(SessionKind::Integration, Step::GenerateIntegrationTests)]);
    }
}

fn flood(text: &str, steps: &[(SessionKind, Step)]) {
    let long = text.to_owned();
    for &(kind, step) in steps {
        let few = full(kind, step);
        let many = |n: usize| (0..n).map(|i| format!("{i} {long}"));
        let input = PromptInput {
            project: ProjectInfo { name: long.clone(), description: long.clone() },
            component: ComponentInfo {
                description: long.clone(),
                depends_on: many(100).collect(),
                ..few.component.clone()
            },
            similar: many(50).map(|name| Neighbour { description: name, ..few_neighbour() }).collect(),
            siblings: many(200).map(|name| neighbour(&name, ComponentKind::Task, &long)).collect(),
            components: many(200).map(|name| neighbour(&name, ComponentKind::Task, &long)).collect(),
            stories: many(60).map(|title| story(&title, "Pricing")).collect(),
            rules: (0..200)
                .map(|i| Rule { name: format!("rule {i}"), text: "a line that is not very long\n".repeat(40) })
                .collect(),
            test_run: Some(TestRun {
                failures: many(200).map(|name| TestFailure { stack: long.clone(), ..failure(&name, &long) }).collect(),
                compile_errors: many(200)
                    .map(|file| CompileError { file, message: long.clone(), ..CompileError::default() })
                    .collect(),
                ..TestRun::empty("cargo", TestStatus::CompileError)
            }),
            ledger: many(300)
                .zip([LedgerState::New, LedgerState::CameBack, LedgerState::Flaky].into_iter().cycle())
                .map(|(test, state)| LedgerLine { test, state, message: long.clone(), placement: None, context: None })
                .collect(),
            problem: Some(long.clone()),
            design_problems: many(200)
                .map(|section| DesignProblem { section, line: None, message: long.clone() })
                .collect(),
            reactivation: Some(Reactivation { context: long.clone(), by: long.clone() }),
            gap_analysis: Some(long.clone()),
            ..few
        };
        let prompt = render(&input, None).unwrap();
        assert_tidy(&prompt);
        assert!(prompt.contains(" more"), "{prompt}");
    }
}

fn few_neighbour() -> Neighbour {
    neighbour("Tax", ComponentKind::Module, "")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a test, a person or another session says, the headings of the prompt stay the same.
    #[test]
    fn foreign_text_cannot_add_to_the_outline(foreign in "([`~#>{}%\n\r\t -]|[a-z]|\\PC){1,200}") {
        prop_assume!(!foreign.trim().is_empty());
        let of = |text: &str| {
            let mut input = full(SessionKind::ComponentCoding, Step::FixTestFailures);
            input.component.description = text.to_owned();
            input.problem = Some(text.to_owned());
            input.reactivation = Some(Reactivation { context: text.to_owned(), by: text.to_owned() });
            input.stories = vec![story(text, text)];
            input.rules = vec![Rule { name: "rule".into(), text: text.to_owned() }];
            let failure = TestFailure { stack: text.to_owned(), ..failure(text, text) };
            input.test_run = Some(failed_run(vec![failure]));
            let prompt = render(&input, None).unwrap();
            let lines = outline(&prompt);
            (lines.iter().filter(|l| l.starts_with('#')).map(|l| (*l).to_owned()).collect::<Vec<_>>(), lines.len())
        };
        prop_assert_eq!(of(&foreign), of("plain"));
    }
}

#[test]
fn control_sequences_of_a_test_do_not_reach_the_prompt() {
    let run = failed_run(vec![failure("red", "\u{1b}[31mexpected\u{1b}[0m 1\u{7}\r\ngot 2")]);
    let input = component(SessionKind::ComponentCoding, Step::FixTestFailures);
    let prompt = render(&PromptInput { test_run: Some(run), ..input }, None).unwrap();
    assert!(prompt.contains("```text\nexpected 1\ngot 2\n```"), "{prompt}");
}

// ---- a project's own templates

#[test]
fn an_override_is_used() {
    let prompt = overridden("# Mend {{ component.name | code }}\n\n{{ parts.about }}\n").unwrap();
    assert!(prompt.starts_with("# Mend `Pricing`\n\n## What this is about\n"), "{prompt}");
}

#[test]
fn a_part_can_be_overridden_too() {
    let (_dir, root) = folder();
    put(&root, ".callboard/prompts/parts/conduct.md", "Sign your work as {{ project.name }}.");
    let prompt = render(&component(SessionKind::ComponentCoding, Step::GenerateImplementation), Some(&root)).unwrap();
    assert!(prompt.ends_with("\n\nSign your work as shop.\n"), "{prompt}");
}

#[test]
fn a_project_without_overrides_gets_the_built_in_ones() {
    let (_dir, root) = folder();
    let input = component(SessionKind::ComponentTest, Step::FixCompilationErrors);
    assert_eq!(render(&input, Some(&root)).unwrap(), render(&input, None).unwrap());
    put(&root, ".callboard", "a file where a folder is looked for");
    assert_eq!(render(&input, Some(&root)).unwrap(), render(&input, None).unwrap());
}

#[test]
fn a_wrong_override_says_where_and_what() {
    for (template, line, message, hint) in [
        ("# One\n\n{% if %}\n", 3, "syntax error", "without include"),
        ("# One\n{{ componnent.name }}\n", 2, "undefined value, in {{ componnent.name }}", "the variables are project"),
        ("{{ component.nmae }}", 1, "undefined value", "the variables are project"),
        ("a\nb\n{{ project.name | shout }}", 3, "shout", "code, fenced"),
        ("{% include 'x' %}", 1, "include", "without include"),
        ("{{ iteration | code }}", 1, "", "built-in"),
    ] {
        let error = overridden(template).unwrap_err();
        assert_eq!(
            (error.kind, error.file.as_str(), error.line),
            (PromptErrorKind::Template, OVERRIDE, Some(line)),
            "{error}"
        );
        assert!(error.to_string().starts_with(&format!("{OVERRIDE}:{line}: ")), "{error}");
        assert!(error.message.contains(message), "{error}");
        assert!(error.hint.contains(hint), "{error}");
    }
}

#[test]
fn an_override_that_floods_is_refused() {
    let template = "{% for a in stories.items %}{% for b in range(10000) %}0123456789012345678901234567890123456789{% endfor %}{% endfor %}";
    let error = overridden(template).unwrap_err();
    assert_eq!((error.kind, error.file.as_str()), (PromptErrorKind::TooLong, OVERRIDE));
}

#[test]
fn an_override_that_is_no_plain_text_file_is_refused() {
    let input = component(SessionKind::ComponentTest, Step::FixCompilationErrors);
    let refused = |prepare: &dyn Fn(&Utf8Path, &Utf8Path)| {
        let (_dir, root) = folder();
        let path = root.join(OVERRIDE);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        prepare(&root, &path);
        let error = render(&input, Some(&root)).unwrap_err();
        assert_eq!(error.kind, PromptErrorKind::Unreadable, "{error}");
        error.message
    };
    let folder_in_place = refused(&|_, path| fs::create_dir(path).unwrap());
    assert!(folder_in_place.contains("not a plain file"), "{folder_in_place}");
    let huge = refused(&|_, path| fs::write(path, "x".repeat(100_000)).unwrap());
    assert!(huge.contains("longer than"), "{huge}");
    let binary = refused(&|_, path| fs::write(path, [0xff, 0xfe]).unwrap());
    assert!(binary.contains("not UTF-8"), "{binary}");
    let link = refused(&|root, path| {
        fs::write(root.join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(root.join("secret"), path).unwrap();
    });
    assert!(link.contains("symbolic link"), "{link}");
    let linked_folder = refused(&|root, path| {
        let folder = path.parent().unwrap();
        fs::remove_dir(folder).unwrap();
        fs::create_dir(root.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(root.join("elsewhere"), folder).unwrap();
    });
    assert!(linked_folder.contains("symbolic link"), "{linked_folder}");
}

// ---- rules

fn names(root: &Utf8Path, component: ComponentKind, session: SessionKind) -> Vec<String> {
    rules(root, component, session).unwrap().into_iter().map(|rule| rule.name).collect()
}

#[test]
fn rules_match_by_component_and_session() {
    let nowhere = Utf8Path::new("/nowhere");
    for (component, session, expected) in [
        (ComponentKind::Module, SessionKind::ComponentTest, vec!["tests"]),
        (ComponentKind::Module, SessionKind::ComponentCoding, vec!["coding", "tests"]),
        (ComponentKind::Schema, SessionKind::ComponentTest, vec!["schema", "tests"]),
        (ComponentKind::Repository, SessionKind::ComponentDesign, vec!["design", "repository"]),
        (ComponentKind::Context, SessionKind::Integration, vec!["coding", "context", "integration"]),
        (ComponentKind::CoordinationContext, SessionKind::Integration, vec!["coding", "coordination", "integration"]),
    ] {
        assert_eq!(names(nowhere, component, session), expected, "{component} {session}");
    }
}

#[test]
fn every_built_in_rule_is_short_and_parses() {
    for component in ComponentKind::ALL {
        for session in SessionKind::ALL {
            for rule in rules(Utf8Path::new("/nowhere"), *component, *session).unwrap() {
                assert!(rule.text.starts_with("- ") && rule.text.len() < 1_500, "{}", rule.name);
            }
        }
    }
}

#[test]
fn a_projects_rule_is_added_or_takes_the_place_of_a_built_in_one() {
    let (_dir, root) = folder();
    put(&root, ".callboard/rules/money.md", "---\r\ncomponents = [\"schema\"]\r\n---\r\nMoney is in cents.\r\n");
    put(&root, ".callboard/rules/tests.md", "Our own way of testing.");
    put(&root, ".callboard/rules/notes.txt", "no rule");
    let found = rules(&root, ComponentKind::Schema, SessionKind::ComponentTest).unwrap();
    let texts: Vec<_> = found.iter().map(|rule| (rule.name.as_str(), rule.text.as_str())).collect();
    assert_eq!(texts[0], ("money", "Money is in cents."));
    assert_eq!(texts[2], ("tests", "Our own way of testing."));
    assert_eq!(names(&root, ComponentKind::Task, SessionKind::ComponentTest), ["tests"]);
}

#[test]
fn a_wrong_rule_says_where_and_what() {
    for (text, line, message) in [
        ("---\ncomponents = [\"schema\"]\nsesions = []\n---\n", Some(3), "unknown field `sesions`"),
        ("---\n\nsessions = [\"component_tests\"]\n---\n", Some(3), "component_tests"),
        ("---\nsessions = []\n---\nx", Some(2), "matches nothing"),
        ("---\nsessions = [\n---\n", Some(2), ""),
        ("---\ncomponents = [\"schema\"]\n", Some(1), "no end"),
        (&"x".repeat(20_000), None, "longer than"),
    ] {
        let (_dir, root) = folder();
        put(&root, ".callboard/rules/own.md", text);
        let error = rules(&root, ComponentKind::Task, SessionKind::ComponentTest).unwrap_err();
        assert_eq!((error.kind, error.file.as_str()), (PromptErrorKind::Rule, ".callboard/rules/own.md"), "{error}");
        assert_eq!(error.line, line, "{error}");
        assert!(error.message.contains(message), "{error}");
    }
}

#[test]
fn a_rule_behind_a_link_is_refused() {
    let (_dir, root) = folder();
    put(&root, "elsewhere/own.md", "text");
    fs::create_dir(root.join(".callboard")).unwrap();
    std::os::unix::fs::symlink(root.join("elsewhere"), root.join(".callboard/rules")).unwrap();
    let error = rules(&root, ComponentKind::Task, SessionKind::ComponentTest).unwrap_err();
    assert_eq!((error.kind, error.file.as_str()), (PromptErrorKind::Unreadable, ".callboard/rules"), "{error}");
}
