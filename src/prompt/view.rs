//! What the templates see: the input, cleaned and bounded. The budgets add up to less than a prompt may have, so that a
//! built-in template can hold every one of them at its worst.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    LedgerLine, LedgerState, Neighbour, PromptInput, Rule,
    input::{PromptPaths, Reactivation},
    language::{Language, language},
    text::{clip, cost, inline},
};
use crate::model::{
    CaseStatus, CompileError, ComponentKind, Criterion, DesignProblem, Placement, SessionKind, Step, Story, TestCase,
    TestFailure, TestRun, TestStatus,
};

/// A name or a path.
const NAME: usize = 300;
/// A description.
const DESCRIPTION: usize = 2_000;
/// A message of a failure or a compile error.
const MESSAGE: usize = 1_500;
/// What a failing test printed beside its message.
const STACK: usize = 1_200;
/// A text that a person, a check or another session wrote.
const LETTER: usize = 10_000;
/// What an item of a list takes beside its own text.
const ITEM: usize = 120;

/// The first items of a list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Few<T> {
    items: Vec<T>,
    /// How many there are beside them.
    more: usize,
}

/// As many of the first items as fit into `count` and `bytes`, made for the templates. Nothing is made of the rest.
fn few<T, V>(
    all: impl ExactSizeIterator<Item = T>,
    count: usize,
    bytes: usize,
    make: impl Fn(T) -> V,
    size: impl Fn(&V) -> usize,
) -> Few<V> {
    let total = all.len();
    let mut items = Vec::new();
    let mut left = bytes;
    for item in all.take(count) {
        let item = make(item);
        let size = size(&item) + ITEM;
        if size > left {
            break;
        }
        left -= size;
        items.push(item);
    }
    Few { more: total - items.len(), items }
}

/// What the templates see.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    project: Named,
    component: ComponentView,
    context: Option<Named>,
    session_kind: SessionKind,
    step: Step,
    iteration: u32,
    generation: u32,
    paths: PromptPaths,
    language: Option<String>,
    compiled: bool,
    stub: Option<&'static str>,
    similar: Few<NeighbourView>,
    siblings: Few<NeighbourView>,
    components: Few<NeighbourView>,
    stories: Few<StoryView>,
    rules: Few<&'a Rule>,
    test_first: bool,
    run: Option<RunView>,
    ledger: BTreeMap<LedgerStateKey, Few<LedgerView>>,
    problem: Option<String>,
    design_problems: Few<DesignProblem>,
    unchanged: bool,
    reactivation: Option<Reactivation>,
    gap_analysis: Option<String>,
    sessions_tool: bool,
    sessions_command: Option<String>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: String,
    noun: &'static str,
    description: String,
}

#[derive(Debug, Serialize)]
struct ComponentView {
    name: String,
    kind: ComponentKind,
    noun: &'static str,
    is_context: bool,
    description: String,
    depends_on: Few<String>,
}

#[derive(Debug, Serialize)]
struct NeighbourView {
    name: String,
    /// The sessions that made its files, by kind of file.
    made_by: Vec<MakerView>,
    noun: &'static str,
    description: String,
    design: Option<String>,
    code: Option<String>,
    test: Option<String>,
}

#[derive(Debug, Serialize)]
struct MakerView {
    file: String,
    session: String,
}

#[derive(Debug, Serialize)]
struct StoryView {
    title: String,
    component: String,
    criteria: Few<CriterionView>,
}

#[derive(Debug, Serialize)]
struct CriterionView {
    id: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct RunView {
    status: TestStatus,
    framework: String,
    passed: u32,
    failed: u32,
    errored: u32,
    skipped: u32,
    /// Tests that passed, by name.
    passing: Few<String>,
    failures: Few<FailureView>,
    compile_errors: Few<CompileErrorView>,
}

#[derive(Debug, Serialize)]
struct FailureView {
    name: String,
    place: Option<String>,
    message: String,
    stack: String,
    state: Option<LedgerState>,
    component: Option<String>,
    context: Option<String>,
    placement: Option<Placement>,
}

#[derive(Debug, Serialize)]
struct CompileErrorView {
    place: String,
    message: String,
    component: Option<String>,
    context: Option<String>,
    placement: Option<Placement>,
}

#[derive(Debug, Serialize)]
struct LedgerView {
    test: String,
    /// Where it belongs, if not to the session's own context.
    belongs: Option<String>,
    /// Empty where the failure itself is listed.
    message: String,
}

/// A ledger state as the key of a map.
type LedgerStateKey = &'static str;

/// The states in the order in which a prompt speaks of them.
const STATES: [(LedgerState, LedgerStateKey); 6] = [
    (LedgerState::CameBack, "came_back"),
    (LedgerState::StillFailing, "still_failing"),
    (LedgerState::MessageChanged, "message_changed"),
    (LedgerState::New, "new"),
    (LedgerState::Flaky, "flaky"),
    (LedgerState::Fixed, "fixed"),
];

impl<'a> View<'a> {
    /// The input as the templates see it.
    pub(super) fn of(input: &'a PromptInput) -> Self {
        let Language { compiled, stub } = language(input.language.as_deref());
        Self {
            project: named(&input.project.name, "project", &input.project.description),
            component: component(input),
            context: input.context.as_ref().map(|c| named(&c.name, noun(c.kind), &c.description)),
            session_kind: input.session_kind,
            step: input.step,
            iteration: input.iteration,
            generation: input.generation,
            paths: PromptPaths {
                design: name(&input.paths.design),
                code: name(&input.paths.code),
                test: name(&input.paths.test),
                parent_design: name(&input.paths.parent_design),
            },
            language: name(&input.language),
            compiled,
            stub,
            similar: neighbours(&input.similar, 5, 6_000),
            siblings: neighbours(&input.siblings, 40, 8_000),
            components: neighbours(&input.components, 60, 10_000),
            stories: stories(&input.stories),
            rules: few(input.rules.iter(), 40, 28_000, |rule| rule, |rule| cost(&rule.text)),
            test_first: input.test_first,
            run: input.test_run.as_ref().map(|run| run_view(run, &input.ledger)),
            ledger: ledger(input),
            problem: letter(&input.problem),
            design_problems: few(input.design_problems.iter(), 40, 8_000, design_problem, |p| {
                cost(&p.section) + cost(&p.message)
            }),
            unchanged: input.unchanged,
            reactivation: input.reactivation.as_ref().and_then(|r| {
                Some(Reactivation { context: letter(&Some(r.context.clone()))?, by: inline(&r.by, NAME) })
            }),
            gap_analysis: letter(&input.gap_analysis),
            sessions_tool: input.sessions_tool,
            sessions_command: name(&input.sessions_command),
        }
    }

    /// The names of the variables that a template may use.
    pub(super) const VARIABLES: &'static str = "project, component, context, session_kind, step, iteration, \
        generation, paths, language, compiled, stub, similar, siblings, components, stories, rules, test_first, run, \
        ledger, problem, design_problems, unchanged, reactivation, gap_analysis, sessions_tool, \
        sessions_command, parts";
}

/// What a component of this kind is called in a sentence.
const fn noun(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Context => "context",
        ComponentKind::CoordinationContext => "coordination context",
        ComponentKind::Module => "module",
        ComponentKind::Schema => "schema",
        ComponentKind::Repository => "repository",
        ComponentKind::Service => "service",
        ComponentKind::Task => "task",
        ComponentKind::Other => "component",
    }
}

fn named(name: &str, noun: &'static str, description: &str) -> Named {
    Named { name: inline(name, NAME), noun, description: clip(description, DESCRIPTION) }
}

fn name(text: &Option<String>) -> Option<String> {
    text.as_ref().map(|text| inline(text, NAME))
}

fn letter(text: &Option<String>) -> Option<String> {
    text.as_ref().map(|text| clip(text, LETTER)).filter(|text| !text.trim().is_empty())
}

fn component(input: &PromptInput) -> ComponentView {
    let component = &input.component;
    ComponentView {
        name: inline(&component.name, NAME),
        kind: component.kind,
        noun: noun(component.kind),
        is_context: component.kind.is_context(),
        description: clip(&component.description, 2 * DESCRIPTION),
        depends_on: few(component.depends_on.iter(), 40, 6_000, |d| inline(d, NAME), |d| cost(d)),
    }
}

fn neighbours(all: &[Neighbour], count: usize, bytes: usize) -> Few<NeighbourView> {
    few(all.iter(), count, bytes, neighbour, |n| {
        let paths = [&n.design, &n.code, &n.test].into_iter().flatten();
        cost(&n.name) + cost(&n.description) + paths.map(|p| cost(p)).sum::<usize>()
    })
}

fn neighbour(neighbour: &Neighbour) -> NeighbourView {
    NeighbourView {
        name: inline(&neighbour.name, NAME),
        made_by: neighbour.made_by.iter().take(3).map(maker).collect(),
        noun: noun(neighbour.kind),
        description: inline(&neighbour.description, NAME),
        design: name(&neighbour.paths.design),
        code: name(&neighbour.paths.code),
        test: name(&neighbour.paths.test),
    }
}

fn maker((file, session): &(String, String)) -> MakerView {
    MakerView { file: inline(file, NAME), session: inline(session, NAME) }
}

fn stories(all: &[Story]) -> Few<StoryView> {
    few(all.iter(), 40, 20_000, story, |story| {
        let criteria = story.criteria.items.iter().map(|c| cost(&c.id) + cost(&c.text) + ITEM);
        cost(&story.title) + cost(&story.component) + criteria.sum::<usize>()
    })
}

fn story(story: &Story) -> StoryView {
    let criterion = |c: &Criterion| CriterionView { id: inline(&c.id, 80), text: inline(&c.text, 800) };
    StoryView {
        title: inline(&story.title, NAME),
        component: inline(&story.component, NAME),
        criteria: few(story.criteria.iter(), 60, 8_000, criterion, |c| cost(&c.id) + cost(&c.text)),
    }
}

fn run_view(run: &TestRun, ledger: &[LedgerLine]) -> RunView {
    let states: BTreeMap<&str, LedgerState> = ledger.iter().map(|l| (l.test.as_str(), l.state)).collect();
    let mut failures: Vec<&TestFailure> = run.failures.iter().collect();
    failures.sort_by_key(|failure| Placement::rank(failure.placement));
    let passing: Vec<&TestCase> = run.tests.iter().filter(|test| test.status == CaseStatus::Passed).collect();
    RunView {
        status: run.status,
        framework: inline(&run.framework, NAME),
        passed: run.passed,
        failed: run.failed,
        errored: run.errored,
        skipped: run.skipped,
        passing: few(passing.into_iter(), 40, 6_000, |test| inline(&test.name, NAME), |name| cost(name)),
        failures: few(
            failures.into_iter(),
            20,
            24_000,
            |f| failure(f, &states),
            |f| {
                let places = [&f.place, &f.component, &f.context].into_iter().flatten();
                cost(&f.name) + cost(&f.message) + cost(&f.stack) + places.map(|p| cost(p)).sum::<usize>()
            },
        ),
        compile_errors: few(run.compile_errors.iter(), 20, 16_000, compile_error, |e| {
            cost(&e.place) + cost(&e.message)
        }),
    }
}

fn failure(failure: &TestFailure, states: &BTreeMap<&str, LedgerState>) -> FailureView {
    FailureView {
        name: inline(&failure.name, NAME),
        place: failure.file.as_ref().map(|file| place(file, failure.line, None)),
        message: clip(&failure.message, MESSAGE),
        stack: clip(&failure.stack, STACK),
        state: states.get(failure.name.as_str()).copied(),
        component: name(&failure.component),
        context: name(&failure.context),
        placement: failure.placement,
    }
}

fn compile_error(error: &CompileError) -> CompileErrorView {
    CompileErrorView {
        place: place(&error.file, error.line, error.column),
        message: clip(&error.message, MESSAGE),
        component: name(&error.component),
        context: name(&error.context),
        placement: error.placement,
    }
}

/// `file:line:column`, as far as it is known.
fn place(file: &str, line: Option<u32>, column: Option<u32>) -> String {
    let mut place = inline(file, NAME);
    for number in [line, line.and(column)].into_iter().flatten() {
        place.push(':');
        place.push_str(&number.to_string());
    }
    place
}

fn ledger(input: &PromptInput) -> BTreeMap<LedgerStateKey, Few<LedgerView>> {
    let listed: BTreeSet<&str> =
        input.test_run.iter().flat_map(|run| &run.failures).map(|failure| failure.name.as_str()).collect();
    let view = |line: &LedgerLine| {
        let is_silent = line.state == LedgerState::Fixed || listed.contains(line.test.as_str());
        let message = if is_silent { String::new() } else { inline(&line.message, NAME) };
        let belongs =
            Placement::in_words(line.placement, line.context.as_deref()).map(|belongs| inline(&belongs, NAME));
        LedgerView { test: inline(&line.test, NAME), belongs, message }
    };
    let size = |line: &LedgerView| cost(&line.test) + cost(&line.message) + line.belongs.as_deref().map_or(0, cost);
    STATES
        .into_iter()
        .map(|(state, key)| {
            // What was red before is not the agent's doing: it is marked where the failure itself is listed.
            let is_told = |line: &&LedgerLine| {
                line.state == state
                    && (line.state == LedgerState::Fixed || line.placement != Some(Placement::PreExisting))
            };
            let lines: Vec<&LedgerLine> = input.ledger.iter().filter(is_told).collect();
            (key, few(lines.into_iter(), 20, 3_000, view, size))
        })
        .collect()
}

fn design_problem(problem: &DesignProblem) -> DesignProblem {
    DesignProblem {
        section: inline(&problem.section, NAME),
        line: problem.line,
        message: inline(&problem.message, 2 * NAME),
    }
}
