//! What only the whole configuration can tell: names that are taken, names that nobody has, circles.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Component, ComponentKind};

use super::{
    components::Found,
    document::{Document, Place},
    near::did_you_mean,
    path::snake_case,
    stories::Told,
};

/// Names must differ in more than how they are written: files and branches are called after them.
pub(super) fn names(doc: &Document<'_>, found: &[Found]) {
    let mut taken: BTreeMap<String, &Found> = BTreeMap::new();
    for one in found {
        let snake = snake_case(&one.component.name);
        let Some(first) = taken.get(&snake) else {
            taken.insert(snake, one);
            continue;
        };
        if doc.is_full() {
            return;
        }
        let line = doc.line_of(&Place::Span(first.name.clone()));
        let (name, other) = (&one.component.name, &first.component.name);
        let message = if name == other {
            format!("a second {what} called {name}; the first is on {line}", what = what(one.component.kind))
        } else {
            format!("{name} and {other} on {line} would both be called {snake} in file names")
        };
        let hint = "names of contexts and components are unique in the project: choose another, and name its files with \
                    `code`, `test` and `design` if they are there already";
        doc.problem(&one.name, message, hint);
    }
}

const fn what(kind: ComponentKind) -> &'static str {
    if kind.is_context() { "context" } else { "component" }
}

/// Dependencies must exist and must not lead back.
pub(super) fn dependencies(doc: &Document<'_>, found: &[Found]) {
    let index: BTreeMap<&str, usize> =
        found.iter().enumerate().map(|(i, one)| (one.component.name.as_str(), i)).collect();
    let mut edges: Vec<Vec<(usize, usize)>> = vec![Vec::new(); found.len()];
    for (from, one) in found.iter().enumerate() {
        for (nth, name) in one.depends_on.iter().enumerate() {
            match index.get(name.value.as_str()) {
                Some(&to) => edges[from].push((to, nth)),
                None if doc.is_full() => return,
                None => {
                    let message = format!("{} depends on {:?}, which is no component", one.component.name, name.value);
                    doc.problem(&name.span, message, did_you_mean(&name.value, "components", known(found)));
                }
            }
        }
    }
    circles(doc, found, &edges);
}

/// Walks in depth first, with a stack of its own, since a hostile file may be deeper than a thread's.
fn circles(doc: &Document<'_>, found: &[Found], edges: &[Vec<(usize, usize)>]) {
    let mut done = vec![false; found.len()];
    let mut on_path = vec![false; found.len()];
    for start in 0..found.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((node, next)) = path.pop() {
            if done[node] {
                continue;
            }
            on_path[node] = true;
            let Some(&(to, nth)) = edges[node].get(next) else {
                on_path[node] = false;
                done[node] = true;
                continue;
            };
            path.push((node, next + 1));
            if on_path[to] {
                let from = path.iter().position(|&(on, _)| on == to).unwrap_or(0);
                let names = path[from..].iter().map(|&(on, _)| on).chain([to]).map(|on| &*found[on].component.name);
                let circle = shortened(names.collect());
                let message = format!("components depend on each other in a circle: {circle}");
                doc.problem(&found[node].depends_on[nth].span, message, "take one of these out of its `depends_on`");
                if doc.is_full() {
                    return;
                }
            } else if !done[to] {
                path.push((to, 0));
            }
        }
    }
}

fn shortened(names: Vec<&str>) -> String {
    match names.as_slice() {
        [first, second, .., last] if names.len() > 20 => format!("{first} → {second} → … → {last}"),
        names => names.join(" → "),
    }
}

/// Stories must be about something, and their titles and criteria must be told apart.
pub(super) fn stories(doc: &Document<'_>, found: &[Found], told: &[Told]) {
    let components: BTreeMap<&str, &Component> =
        found.iter().map(|one| (one.component.name.as_str(), &one.component)).collect();
    let mut titles: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut ids: BTreeMap<String, (&str, &Place)> = BTreeMap::new();
    for one in told {
        if doc.is_full() {
            return;
        }
        subject(doc, found, components.get(one.story.component.as_str()).copied(), one);
        if let Some(first) = titles.insert(&one.story.title, &one.title) {
            let message =
                format!("a second story called {:?}; the first is on {}", one.story.title, doc.line_of(first));
            doc.problem_at(&one.title, message, "titles of stories are unique in the project: choose another");
        }
        for (criterion, place) in one.story.criteria.iter().zip(&one.criteria) {
            if doc.is_full() {
                return;
            }
            // A test's name cannot hold every character, so that AC-1 and ac_1 are the same to it.
            let key = criterion.id.to_ascii_lowercase().replace('-', "_");
            if let Some((id, first)) = ids.insert(key, (&criterion.id, place)) {
                let message = format!("{} is taken by {id} on {}", criterion.id, doc.line_of(first));
                doc.problem_at(place, message, "ids of criteria are unique in the project, whatever their case");
            }
        }
    }
}

fn subject(doc: &Document<'_>, found: &[Found], component: Option<&Component>, told: &Told) {
    let name = &told.story.component;
    match component {
        None => {
            let fitting: BTreeSet<&str> =
                known(found.iter().filter(|one| one.component.kind.is_context() == told.about_context)).collect();
            let (what, all) = if told.about_context { ("context", "contexts") } else { ("component", "components") };
            let hint = did_you_mean(name, all, fitting);
            doc.problem_at(&told.subject, format!("a story of {name:?}, which is no {what}"), hint);
        }
        Some(component) if component.kind.is_context() != told.about_context => {
            let (is, key) = if told.about_context { ("a component", "component") } else { ("a context", "context") };
            doc.problem_at(&told.subject, format!("{name} is {is}"), format!("write {key} = {name:?}"));
        }
        Some(_) => {}
    }
}

fn known<'f>(found: impl IntoIterator<Item = &'f Found> + Clone) -> impl Iterator<Item = &'f str> + Clone {
    found.into_iter().map(|one| one.component.name.as_str()).collect::<Vec<_>>().into_iter()
}
