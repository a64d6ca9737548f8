//! What a design file says, as far as steps are judged by it.

use crate::model::{Component, ComponentKind, DesignProblem};

/// A section of a design.
struct Section<'a> {
    title: &'a str,
    line: u32,
    body: Vec<(u32, &'a str)>,
}

/// What is wrong with the design of a component: sections that its kind needs and does not have, dependencies that are no
/// component, dependencies that lead back to it. Empty: nothing is.
#[must_use]
pub fn problems(design: &str, component: &Component, components: &[Component]) -> Vec<DesignProblem> {
    let (title, sections) = sections(design);
    let mut found = Vec::new();
    let mut problem = |section: &str, line: Option<u32>, message: String| {
        found.push(DesignProblem { section: section.to_owned(), line, message });
    };
    if title.is_none() {
        problem("Title", Some(1), format!("expected a title, `# {}`, and found none", component.name));
    }
    for wanted in required(component.kind) {
        match sections.iter().find(|section| normal(section.title) == normal(wanted)) {
            None => problem(wanted, None, format!("expected a section `## {wanted}`, and found none")),
            Some(section) if section.body.iter().all(|(_, line)| line.trim().is_empty()) => {
                problem(wanted, Some(section.line), "the section is empty; write `None` where there is nothing".into());
            }
            Some(_) => {}
        }
    }
    for (line, name) in dependencies(&sections) {
        let known = components.iter().find(|other| normal(&other.name) == normal(&name));
        match known {
            None => problem("Dependencies", Some(line), format!("{name} is no component of this project")),
            Some(other) => {
                if let Some(way) = way_back(components, &other.name, &component.name) {
                    problem("Dependencies", Some(line), format!("{name} leads back to {}: {way}", component.name));
                }
            }
        }
    }
    found
}

const fn required(kind: ComponentKind) -> &'static [&'static str] {
    match kind {
        ComponentKind::Context | ComponentKind::CoordinationContext => {
            &["Purpose", "Public API", "Components", "Execution Flow", "Test Assertions", "Dependencies"]
        }
        ComponentKind::Schema => {
            &["Purpose", "Fields", "Public API", "Execution Flow", "Test Assertions", "Dependencies"]
        }
        ComponentKind::Module
        | ComponentKind::Repository
        | ComponentKind::Service
        | ComponentKind::Task
        | ComponentKind::Other => &["Purpose", "Public API", "Execution Flow", "Test Assertions", "Dependencies"],
    }
}

/// The title and the sections of the second level. Lines in fenced code are text, whatever they look like.
fn sections(design: &str) -> (Option<&str>, Vec<Section<'_>>) {
    let mut title = None;
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut fenced = false;
    for (line, number) in design.lines().zip(1..) {
        fenced ^= line.trim_start().starts_with("```");
        match heading(line) {
            Some((1, text)) if !fenced && title.is_none() => title = Some(text),
            Some((2, text)) if !fenced => sections.push(Section { title: text, line: number, body: Vec::new() }),
            Some(_) | None => {
                if let Some(section) = sections.last_mut() {
                    section.body.push((number, line));
                }
            }
        }
    }
    (title, sections)
}

/// What the bullets of the section Dependencies name: the first word of each, or what stands there as code.
fn dependencies(sections: &[Section<'_>]) -> Vec<(u32, String)> {
    let body =
        sections.iter().filter(|section| normal(section.title) == "dependencies").flat_map(|section| &section.body);
    body.filter_map(|(number, line)| {
        let (_, text) = bullet(line)?;
        let name = match text.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
            Some((name, _)) => name.to_owned(),
            None => text.split(|char: char| !(char.is_alphanumeric() || char == '_')).next()?.to_owned(),
        };
        (!name.is_empty() && normal(&name) != "none").then_some((*number, name))
    })
    .collect()
}

/// How one component's dependencies lead to another, if they do: `A → B → C`.
fn way_back(components: &[Component], from: &str, to: &str) -> Option<String> {
    let mut seen: Vec<&str> = vec![from];
    let mut open: Vec<Vec<&str>> = vec![vec![from]];
    while let Some(way) = open.pop() {
        let last = *way.last()?;
        if last == to {
            return Some(way.join(" → "));
        }
        let here = components.iter().find(|component| component.name == last);
        for next in here.map(|component| component.depends_on.as_slice()).unwrap_or_default() {
            if !seen.contains(&next.as_str()) {
                seen.push(next);
                open.push(way.iter().copied().chain([next.as_str()]).collect());
            }
        }
    }
    None
}

/// The test assertions that a design lists: the bullets of its section "Test Assertions".
///
/// A bullet that only groups others (it ends in a colon, or has bullets below it) is no assertion of its own.
#[must_use]
pub fn assertions(design: &str) -> Vec<String> {
    let mut inside = None;
    let mut bullets: Vec<(usize, String)> = Vec::new();
    for line in design.lines() {
        if let Some((level, title)) = heading(line) {
            match inside {
                Some(open) if level <= open => inside = None,
                Some(_) => continue,
                None => {}
            }
            if inside.is_none() && normal(title) == "test_assertions" {
                inside = Some(level);
            }
        } else if inside.is_some()
            && let Some(bullet) = bullet(line)
        {
            bullets.push(bullet);
        }
    }
    let mut found = Vec::new();
    for (at, (indent, text)) in bullets.iter().enumerate() {
        let groups = bullets.get(at + 1).is_some_and(|(next, _)| next > indent) || text.ends_with(':');
        if !groups {
            found.push(text.clone());
        }
    }
    found
}

/// Those assertions that no test's name matches.
#[must_use]
pub fn unmatched<'a>(assertions: &'a [String], tests: &[&str]) -> Vec<&'a str> {
    let names: Vec<String> = tests.iter().map(|test| normal(test)).collect();
    let has_test = |assertion: &&String| {
        let wanted = normal(assertion);
        !names.iter().any(|name| matches(&wanted, name))
    };
    assertions.iter().filter(has_test).map(String::as_str).collect()
}

/// A test carries an assertion when its name says it word for word, or at least nine of ten of its words in any order.
fn matches(wanted: &str, name: &str) -> bool {
    if name == wanted || name.ends_with(&format!("_{wanted}")) {
        return true;
    }
    let has: Vec<&str> = name.split('_').collect();
    let words: Vec<&str> = wanted.split('_').filter(|word| !word.is_empty()).collect();
    let found = words.iter().filter(|word| has.contains(word)).count();
    !words.is_empty() && found * 10 >= words.len() * 9
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|char| *char == '#').count();
    let title = line.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| (level, title.trim()))
}

fn bullet(line: &str) -> Option<(usize, String)> {
    let indent = line.len() - line.trim_start().len();
    let text = line.trim_start().strip_prefix(['-', '*', '+'])?.strip_prefix(' ')?.trim();
    let text = text.strip_prefix("[ ]").or_else(|| text.strip_prefix("[x]")).unwrap_or(text);
    let text = text.trim().strip_prefix("test ").unwrap_or(text).trim_matches(['"', '`', ' ', '.']);
    (!text.is_empty()).then(|| (indent, text.to_owned()))
}

/// Lower case, every run of other characters one underscore.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars().flat_map(char::to_lowercase) {
        if char.is_alphanumeric() {
            out.push(char);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_matches('_').to_owned()
}
