//! Where a failing test belongs: test → file → component → context, and whether that is the session's own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::{CaseStatus, Component, Placement, TestFailure, TestRun};

/// Where a file belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The component.
    pub component: String,
    /// Its context; for a context itself, that.
    pub context: String,
}

/// The component and context that a file of the project belongs to; `None`: nothing in the project claims it.
///
/// A file is a component's when the project names it as its design, code or test; otherwise it is the context's whose
/// folder it lies in (the folder of `src/orders/mod.rs`, or the one beside `src/orders.rs`).
#[must_use]
pub fn owner(components: &[Component], file: &str) -> Option<Owner> {
    let named = components.iter().find(|component| {
        let paths = &component.paths;
        [&paths.design, &paths.code, &paths.test].into_iter().any(|path| path.as_deref() == Some(file))
    });
    let within = || {
        components
            .iter()
            .filter(|component| component.kind.is_context())
            .filter_map(|context| folder(context.paths.code.as_deref()?).map(|folder| (folder, context)))
            .filter(|(folder, _)| file.starts_with(folder.as_str()))
            .max_by_key(|(folder, _)| folder.len())
            .map(|(_, context)| context)
    };
    named.or_else(within).map(|component| Owner {
        component: component.name.clone(),
        context: component.parent.clone().unwrap_or_else(|| component.name.clone()),
    })
}

/// The folder of a context, with the slash: `src/orders/` of `src/orders/mod.rs` and of `src/orders.rs`.
fn folder(code: &str) -> Option<String> {
    let (folder, name) = code.rsplit_once('/').unwrap_or(("", code));
    let stem = name.split('.').next().unwrap_or(name);
    let folder = match stem {
        "mod" | "lib" | "main" | "index" | "__init__" => folder.to_owned(),
        stem if folder.is_empty() => stem.to_owned(),
        stem => format!("{folder}/{stem}"),
    };
    // The project's own root file claims nothing beside it.
    (!folder.is_empty() && folder != "src" && folder != "lib").then(|| format!("{folder}/"))
}

/// Places every failure of a run: inside the session's context, or outside. What cannot be placed is outside, and its
/// message says so.
pub fn place(components: &[Component], context: &str, run: &mut TestRun) {
    // Two files may have a test of the same name: failures are listed in the order of their tests.
    let mut files: BTreeMap<&str, VecDeque<Option<&String>>> = BTreeMap::new();
    for case in &run.tests {
        if matches!(case.status, CaseStatus::Failed | CaseStatus::Errored) {
            files.entry(&case.name).or_default().push_back(case.file.as_ref());
        }
    }
    let mut owners: BTreeMap<String, Option<Owner>> = BTreeMap::new();
    for failure in &mut run.failures {
        // The test's own file says where it belongs; where it failed may be anywhere in what it calls.
        let of_test = files.get_mut(failure.name.as_str()).and_then(VecDeque::pop_front).flatten();
        let file = of_test.or(failure.file.as_ref());
        let owner = file.and_then(|file| match owners.get(file) {
            Some(known) => known.clone(),
            None => owners.entry(file.clone()).or_insert(owner(components, file)).clone(),
        });
        failure.placement = Some(match &owner {
            Some(owner) if owner.context == context => Placement::Inside,
            Some(_) => Placement::Outside,
            None => {
                let what = match (file, &failure.foreign_file) {
                    (Some(file), _) => format!("{file} belongs to no component"),
                    (None, Some(foreign)) => format!("{foreign} is outside the project, or none of its own files"),
                    (None, None) => "the report names no file".to_owned(),
                };
                failure.message = format!("{} [counts as outside: {what}]", failure.message).trim_start().to_owned();
                Placement::Outside
            }
        });
        failure.component = owner.as_ref().map(|owner| owner.component.clone());
        failure.context = owner.map(|owner| owner.context);
    }
}

/// Places the errors of a run that did not compile. One in a file that nobody claims is the session's own when the file is among
/// those that it `changed`; otherwise it is outside, and its message says why.
pub fn place_compile_errors(components: &[Component], context: &str, changed: &[String], run: &mut TestRun) {
    for error in &mut run.compile_errors {
        let owner = owner(components, &error.file);
        error.placement = Some(match &owner {
            Some(owner) if owner.context == context => Placement::Inside,
            Some(_) => Placement::Outside,
            None if changed.contains(&error.file) => Placement::Inside,
            None => {
                error.message = format!(
                    "{} [counts as outside: {} belongs to no component and was not changed here]",
                    error.message, error.file
                );
                Placement::Outside
            }
        });
        error.component = owner.as_ref().map(|owner| owner.component.clone());
        error.context = owner.map(|owner| owner.context);
    }
}

/// The errors of a run that did not compile and that stand outside the session's context, one per file, in the shape of
/// failing tests: what a person or an agent is told of them.
#[must_use]
pub fn uncompiled_outside(run: &TestRun) -> Vec<TestFailure> {
    let mut found: Vec<TestFailure> = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for error in run.compile_errors.iter().filter(|error| error.placement == Some(Placement::Outside)) {
        let name = uncompiled(&error.file);
        if !seen.insert(name.clone()) {
            continue;
        }
        found.push(TestFailure {
            name,
            file: Some(error.file.clone()),
            line: error.line,
            message: error.message.clone(),
            component: error.component.clone(),
            context: error.context.clone(),
            placement: error.placement,
            ..TestFailure::default()
        });
    }
    found
}

/// What a file that does not compile is called among tests.
#[must_use]
pub fn uncompiled(file: &str) -> String {
    format!("{file} does not compile")
}

/// The files among `changed` that the contexts of these failures own, or that their components depend on: what they most
/// likely have in common with the change.
#[must_use]
pub fn shared_files(components: &[Component], changed: &[String], failures: &[&TestFailure]) -> Vec<String> {
    let contexts: Vec<&str> = failures.iter().filter_map(|failure| failure.context.as_deref()).collect();
    let hit = |component: &&Component| {
        component.parent.as_deref().is_some_and(|parent| contexts.contains(&parent))
            || contexts.contains(&component.name.as_str())
    };
    let needed: Vec<&str> = components
        .iter()
        .filter(hit)
        .flat_map(|component| component.depends_on.iter().map(String::as_str).chain([component.name.as_str()]))
        .collect();
    let concerns = |file: &&String| match owner(components, file) {
        Some(owner) => {
            contexts.contains(&owner.context.as_str())
                || needed.contains(&owner.component.as_str())
                || needed.contains(&owner.context.as_str())
        }
        // What nobody owns may be what everybody uses.
        None => true,
    };
    changed.iter().filter(concerns).cloned().collect()
}
