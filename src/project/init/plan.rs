//! From what is there to what the configuration says: names that are unique, and the paths that most of it follows.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::scan::{Crate, Module};
use crate::project::{
    path::{self, Names, snake_case},
    value,
};

/// Components that are written; a file with more is nobody's to read.
const MAX_COMPONENTS: usize = 1_000;

/// How people call the tests of a component. The first is ours, where nothing shows another habit.
const TESTS: &[&str] = &["{name}_test", "{name}", "{name}_tests", "test_{name}"];

/// The same for a context's integration tests.
const INTEGRATION_TESTS: &[&str] =
    &["{name}_integration_test", "{name}_integration", "{name}_integration_tests", "integration_{name}", "{name}"];

/// What the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) code: String,
    pub(super) test: String,
    pub(super) integration_test: String,
    pub(super) union: Vec<String>,
    pub(super) contexts: Vec<Entry>,
    /// A context that could be, when there is none: written as a comment.
    pub(super) example: Option<Entry>,
    pub(super) notes: Vec<String>,
}

/// A context or a component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) description: String,
    /// Only where the templates say something else.
    pub(super) code: Option<String>,
    /// Only where the templates say something else.
    pub(super) test: Option<String>,
    pub(super) components: Vec<Self>,
}

/// Decides what the configuration says.
pub(super) fn plan(root: &Utf8Path, crates: &[Crate]) -> Plan {
    let mut namer = Namer::new(crates);
    let contexts: Vec<Context<'_>> = crates.iter().flat_map(|krate| contexts_of(krate, &mut namer)).collect();
    let templates = Templates::choose(crates, &contexts);
    let mut plan = Plan {
        name: project_name(root, crates),
        description: crates
            .first()
            .filter(|krate| krate.dir.as_str().is_empty())
            .map_or_else(String::new, |krate| one_line(&krate.description)),
        code: templates.code(&templates.dir, "{path}"),
        test: templates.test_file(&templates.dir, templates.test),
        integration_test: templates.test_file(&templates.dir, templates.integration_test),
        ..Plan::default()
    };
    let mut left = MAX_COMPONENTS;
    for context in &contexts {
        if left == 0 {
            plan.notes.push(format!("only the first {MAX_COMPONENTS} components are in the file"));
            break;
        }
        plan.contexts.push(context.entry(&templates, &mut left));
    }
    if plan.contexts.is_empty() {
        plan.notes.push("no module has sub-modules, so that no context was found: the file has an example".to_owned());
        plan.example = Some(example(crates));
    }
    plan.union = union(crates, &contexts);
    plan
}

/// A module with sub-modules.
struct Context<'c> {
    krate: &'c Crate,
    itself: Named<'c>,
    components: Vec<Named<'c>>,
}

/// A module and what it is called.
struct Named<'c> {
    module: &'c Module,
    name: String,
    /// What its tests may be called after: its name, and the module's where only this one has it.
    tested_as: Vec<String>,
}

fn contexts_of<'c>(krate: &'c Crate, namer: &mut Namer) -> Vec<Context<'c>> {
    let modules: Vec<&Module> =
        krate.modules.iter().filter(|module| !module.children.is_empty() && is_usable(module)).collect();
    let all = || modules.iter().flat_map(|module| [*module].into_iter().chain(&module.children));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for module in all() {
        *counts.entry(&module.name).or_default() += 1;
    }
    let mut named = |module: &'c Module, owner: &str, is_context: bool| {
        let name = namer.name(&module.name, owner, is_context);
        let is_alone = counts.get(module.name.as_str()) == Some(&1);
        let tested_as = [snake_case(&name)].into_iter().chain(is_alone.then(|| module.name.clone())).collect();
        Named { module, name, tested_as }
    };
    let context = |module: &&'c Module| Context {
        krate,
        itself: named(module, &krate.name, true),
        components: module
            .children
            .iter()
            .filter(|child| is_usable(child))
            .map(|child| named(child, &module.name, false))
            .collect(),
    };
    modules.iter().map(context).collect()
}

/// Whether the file can be named in a configuration.
fn is_usable(module: &Module) -> bool {
    path::inside(module.file.as_str()).is_ok_and(|path| path == module.file) && !snake_case(&module.name).is_empty()
}

impl Context<'_> {
    fn entry(&self, templates: &Templates, left: &mut usize) -> Entry {
        let name = &self.itself.name;
        let mut entry = templates.entry(self.krate, &self.itself, &Names::new(None, name), INTEGRATION_TESTS);
        for component in self.components.iter().take(*left) {
            let names = Names::new(Some(name), &component.name);
            entry.components.push(templates.entry(self.krate, component, &names, TESTS));
        }
        *left -= entry.components.len();
        entry
    }
}

/// Finds names that are unique in the project, whatever their case. A context keeps its module's name before a component does.
struct Namer {
    /// How often contexts want a name.
    contexts: BTreeMap<String, usize>,
    /// How often contexts and components want a name.
    all: BTreeMap<String, usize>,
    taken: BTreeSet<String>,
}

impl Namer {
    fn new(crates: &[Crate]) -> Self {
        let mut namer = Self { contexts: BTreeMap::new(), all: BTreeMap::new(), taken: BTreeSet::new() };
        for module in crates.iter().flat_map(|krate| &krate.modules).filter(|module| !module.children.is_empty()) {
            *namer.contexts.entry(snake_case(&camel_case(&module.name))).or_default() += 1;
            for one in [module].into_iter().chain(&module.children) {
                *namer.all.entry(snake_case(&camel_case(&one.name))).or_default() += 1;
            }
        }
        namer
    }

    /// The module's name where no other module of its rank or above has it, otherwise with its owner's before it.
    fn name(&mut self, module: &str, owner: &str, is_context: bool) -> String {
        // Short enough together to be a name, so that the search for a free one ends.
        let start = |name: &str| camel_case(name).chars().take(40).collect::<String>();
        let short = start(module);
        let long = format!("{}{short}", start(owner));
        let wanted = if is_context { &self.contexts } else { &self.all };
        let is_alone = wanted.get(&snake_case(&short)).is_none_or(|&count| count < 2);
        let is_free = |name: &String| {
            let snake = snake_case(name);
            !self.taken.contains(&snake) && (*name == short || !self.all.contains_key(&snake))
        };
        let candidates = is_alone.then(|| short.clone()).into_iter().chain([long.clone()]);
        let name = candidates.chain((2..).map(|n| format!("{long}{n}"))).find(is_free).unwrap_or(long);
        self.taken.insert(snake_case(&name));
        name
    }
}

/// `order_pricing` becomes `OrderPricing`.
pub(super) fn camel_case(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let capital = |part: &str| {
        let mut chars = part.chars();
        chars.next().into_iter().flat_map(char::to_uppercase).chain(chars.as_str().chars()).collect::<String>()
    };
    parts.map(capital).collect()
}

/// The paths that most of the project follows.
struct Templates {
    /// The crate that most components are in.
    dir: Utf8PathBuf,
    test: &'static str,
    integration_test: &'static str,
}

impl Templates {
    fn choose(crates: &[Crate], contexts: &[Context<'_>]) -> Self {
        let size = |krate: &Crate| -> usize {
            contexts
                .iter()
                .filter(|context| context.krate.dir == krate.dir)
                .map(|context| context.components.len())
                .sum()
        };
        let most = crates.iter().rev().max_by_key(|krate| size(krate));
        let usual = |patterns: &'static [&'static str], named: &[(&Crate, &Named<'_>)]| {
            let found =
                |pattern: &&&str| named.iter().filter(|(krate, one)| one.test(krate, pattern).is_some()).count();
            patterns.iter().rev().max_by_key(found).copied().unwrap_or("{name}_test")
        };
        let components: Vec<_> =
            contexts.iter().flat_map(|context| context.components.iter().map(|one| (context.krate, one))).collect();
        let itself: Vec<_> = contexts.iter().map(|context| (context.krate, &context.itself)).collect();
        Self {
            dir: most.map_or_else(Utf8PathBuf::new, |krate| krate.dir.clone()),
            test: usual(TESTS, &components),
            integration_test: usual(INTEGRATION_TESTS, &itself),
        }
    }

    fn code(&self, dir: &Utf8Path, path: &str) -> String {
        dir.join("src").join(format!("{path}.rs")).into_string()
    }

    fn test_file(&self, dir: &Utf8Path, pattern: &str) -> String {
        dir.join("tests").join(format!("{pattern}.rs")).into_string()
    }

    fn entry(&self, krate: &Crate, named: &Named<'_>, names: &Names, patterns: &[&str]) -> Entry {
        let usual = if patterns == TESTS { self.test } else { self.integration_test };
        let expected = (self.code(&self.dir, &names.path), self.test_file(&self.dir, &fill(usual, &names.name)));
        let there = [usual].iter().chain(patterns).find_map(|pattern| named.test(krate, pattern));
        let test = self.test_file(&krate.dir, &there.unwrap_or_else(|| fill(usual, &names.name)));
        let file = &named.module.file;
        Entry {
            name: named.name.clone(),
            description: named.module.description.clone(),
            code: (*file != expected.0).then(|| file.to_string()),
            test: (test != expected.1).then_some(test),
            components: Vec::new(),
        }
    }
}

impl Named<'_> {
    /// The tests that are there by this pattern.
    fn test(&self, krate: &Crate, pattern: &str) -> Option<String> {
        self.tested_as.iter().map(|name| fill(pattern, name)).find(|file| krate.tests.contains(file))
    }
}

fn fill(pattern: &str, name: &str) -> String {
    pattern.replace("{name}", name)
}

/// The files that list modules: every new component adds a line to one of them.
fn union(crates: &[Crate], contexts: &[Context<'_>]) -> Vec<String> {
    let roots = crates.iter().filter_map(|krate| krate.root.clone());
    let lists = contexts.iter().map(|context| context.itself.module.file.clone());
    let mut files: Vec<String> = Vec::new();
    for file in roots.chain(lists).map(Utf8PathBuf::into_string).take(MAX_COMPONENTS) {
        if path::inside(&file).is_ok_and(|inside| inside == file) && !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

/// The package's name, otherwise the folder's.
fn project_name(root: &Utf8Path, crates: &[Crate]) -> String {
    let package = crates.first().filter(|krate| krate.dir.as_str().is_empty()).map(|krate| one_line(&krate.name));
    let folder = camino::absolute_utf8(root).ok().and_then(|root| root.file_name().map(one_line));
    let name = package.into_iter().chain(folder).find(|name| value::name(name.clone()).is_ok());
    name.unwrap_or_else(|| "project".to_owned())
}

fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect::<String>().trim().to_owned()
}

/// A context that could be: the crate, with its modules as components.
fn example(crates: &[Crate]) -> Entry {
    let krate = crates.iter().find(|krate| krate.root.is_some());
    let name = krate.map(|krate| camel_case(&one_line(&krate.name))).filter(|name| !snake_case(name).is_empty());
    let name = name.unwrap_or_else(|| "Orders".to_owned());
    let modules = krate.map_or(&[][..], |krate| &krate.modules);
    let mut taken = BTreeSet::from([snake_case(&name)]);
    let component = |module: &Module| {
        let name = camel_case(&module.name);
        let is_new = is_usable(module) && taken.insert(snake_case(&name)) && value::name(name.clone()).is_ok();
        is_new.then(|| Entry { name, code: Some(module.file.to_string()), ..Entry::default() })
    };
    let components = modules.iter().filter_map(component).take(5).collect();
    Entry {
        name,
        code: krate.and_then(|krate| krate.root.as_ref()).map(ToString::to_string),
        components,
        ..Entry::default()
    }
}
