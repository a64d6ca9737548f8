//! `[[context]]` and `[[context.component]]`, with the paths that `[paths]` gives them.

use std::ops::Range;

use crate::model::{Component, ComponentKind, Paths};

use super::{
    document::{At, Table},
    near::did_you_mean,
    path::{Names, inside, snake_case},
    value,
};

const PATHS: &[&str] = &["design", "code", "test", "integration_test"];
const CONTEXT: &[&str] =
    &["name", "kind", "priority", "description", "depends_on", "design", "code", "test", "component"];
const COMPONENT: &[&str] = &["name", "kind", "priority", "description", "depends_on", "design", "code", "test"];

/// A component and where the file says what it says.
pub(super) struct Found {
    pub(super) component: Component,
    pub(super) name: Range<usize>,
    pub(super) depends_on: Vec<At<String>>,
}

/// The templates of `[paths]`.
#[derive(Default)]
struct Templates {
    design: Option<String>,
    code: Option<String>,
    test: Option<String>,
    integration_test: Option<String>,
}

/// Reads every context and its components, in the order of the file.
pub(super) fn read(top: &Table<'_>) -> Vec<Found> {
    let templates = templates(top);
    let mut found = Vec::new();
    for table in top.tables("context", "[[context]]", CONTEXT) {
        let context = component(&table, None, &templates);
        let parent = context.as_ref().map(|context| context.component.name.clone());
        found.extend(context);
        for table in table.tables("component", "[[context.component]]", COMPONENT) {
            // A context without a usable name is reported; its components are still looked at.
            found.extend(component(&table, Some(parent.as_deref().unwrap_or("context")), &templates));
        }
    }
    found
}

fn templates(top: &Table<'_>) -> Templates {
    let Some(table) = top.table("paths", PATHS) else { return Templates::default() };
    let sample = Names::new(Some("context"), "name");
    let template = |key| {
        let text = table.text(key)?;
        let check = |text: String| inside(&text).and_then(|_| sample.fill(&text)).map(|_| text);
        table.doc.check(text, check).map(|text| text.value)
    };
    Templates {
        design: template("design"),
        code: template("code"),
        test: template("test"),
        integration_test: template("integration_test"),
    }
}

fn component(table: &Table<'_>, parent: Option<&str>, templates: &Templates) -> Option<Found> {
    let name = table.required_text("name", "give it a name that is unique in the project: name = \"Orders\"");
    let kind = kind(table, parent.is_none());
    let depends_on = table.texts("depends_on").map_or_else(Vec::new, |names| names.value);
    let priority = table.integer("priority").map_or(0, |priority| priority.value);
    let description = table.text("description").map_or_else(String::new, |text| text.value);
    let name = table.doc.check(name?, value::name)?;
    if snake_case(&name.value).is_empty() {
        let hint = "a name needs a letter or a digit: its files are called after it";
        table.doc.problem(&name.span, format!("{:?} cannot be a component's name", name.value), hint);
        return None;
    }
    let paths = paths(table, parent, &name, templates);
    let component = Component {
        name: name.value,
        kind: kind?,
        parent: parent.map(str::to_owned),
        priority,
        description,
        depends_on: depends_on.iter().map(|name| name.value.clone()).collect(),
        paths,
    };
    Some(Found { component, name: name.span, depends_on })
}

fn kind(table: &Table<'_>, is_context: bool) -> Option<ComponentKind> {
    let Some(text) = table.text("kind") else {
        let default = if is_context { ComponentKind::Context } else { ComponentKind::Module };
        return (!table.has("kind")).then_some(default);
    };
    let fitting = || ComponentKind::ALL.iter().filter(|kind| kind.is_context() == is_context).map(|kind| kind.as_str());
    let kind = table.doc.check(text, |text| match text.parse::<ComponentKind>() {
        Ok(kind) if kind.is_context() == is_context => Ok(kind),
        Ok(kind) if is_context => {
            let hint = "only [[context]]s have components; put this one under the context that it belongs to, as a \
                        [[context.component]]";
            Err((format!("{kind} is no kind of context"), hint.to_owned()))
        }
        Ok(kind) => {
            let hint = "contexts are not nested: give it a [[context]] of its own";
            Err((format!("{kind} is no kind of component"), hint.to_owned()))
        }
        Err(_) => Err((format!("{text:?} is no component kind"), did_you_mean(&text, "kinds", fitting()))),
    });
    kind.map(|kind| kind.value)
}

fn paths(table: &Table<'_>, parent: Option<&str>, name: &At<String>, templates: &Templates) -> Paths {
    let names = Names::new(parent, &name.value);
    let path = |key: &str, template: &Option<String>| {
        let text = if table.has(key) { table.text(key)? } else { At::new(template.clone()?, name.span.clone()) };
        table.doc.check(text, |text| names.fill(&text)).map(|path| path.value)
    };
    let test = if parent.is_none() { &templates.integration_test } else { &templates.test };
    Paths { design: path("design", &templates.design), code: path("code", &templates.code), test: path("test", test) }
}
