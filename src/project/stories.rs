//! `[[story]]`: what must hold, by context or component.

use crate::model::{Criterion, Story};

use super::{
    document::{At, Place, Table},
    value::{self, Wrong},
};

const STORY: &[&str] = &["title", "context", "component", "criteria"];
const CRITERION: &[&str] = &["id", "text"];

/// A story and where it is told.
pub(super) struct Told {
    pub(super) story: Story,
    /// What it says it is about: a context, or a component.
    pub(super) about_context: bool,
    pub(super) title: Place,
    pub(super) subject: Place,
    /// One for each of the story's criteria.
    pub(super) criteria: Vec<Place>,
}

/// Reads every story of the file.
pub(super) fn read(top: &Table<'_>) -> Vec<Told> {
    top.tables("story", "[[story]]", STORY).iter().filter_map(story).collect()
}

fn story(table: &Table<'_>) -> Option<Told> {
    let title = table.required_text("title", "say in one sentence what the story is: title = \"…\"");
    let title = title.and_then(|title| table.doc.check(title, one_line));
    let subject = subject(table);
    let criteria = table.tables("criteria", "[[story.criteria]]", CRITERION);
    let criteria: Vec<(Criterion, Place)> = criteria.iter().filter_map(criterion).collect();
    let (title, (subject, about_context)) = (title?, subject?);
    let (criteria, places) = criteria.into_iter().unzip();
    Some(Told {
        story: Story { title: title.value, component: subject.value, criteria },
        about_context,
        title: Place::Span(title.span),
        subject: Place::Span(subject.span),
        criteria: places,
    })
}

fn subject(table: &Table<'_>) -> Option<(At<String>, bool)> {
    match (table.has("context"), table.has("component")) {
        (true, false) => table.text("context").map(|name| (name, true)),
        (false, true) => table.text("component").map(|name| (name, false)),
        (true, true) => {
            let hint = "keep the one that the story is about";
            table.doc.problem(&table.key_span("component"), "a story has a `context` or a `component`, not both", hint);
            None
        }
        (false, false) => {
            let hint = "say what it is about: context = \"Orders\", or component = \"Pricing\"";
            table.doc.problem(&table.span, "[[story]] has neither `context` nor `component`", hint);
            None
        }
    }
}

fn criterion(table: &Table<'_>) -> Option<(Criterion, Place)> {
    let id = table.required_text("id", "give it an id that stays: id = \"AC-1\"");
    let text = table.required_text("text", "say what must hold: text = \"…\"");
    let id = table.doc.check(id?, value::criterion_id);
    let text = table.doc.check(text?, |text| match text.trim() {
        "" => Err(("a criterion must say what must hold".to_owned(), "say it in `text`".to_owned())),
        text => Ok(text.to_owned()),
    });
    let id = id?;
    Some((Criterion { id: id.value, text: text?.value }, Place::Span(id.span)))
}

/// A title: longer than a name may be, but one line too.
pub(super) fn one_line(text: String) -> Result<String, Wrong> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().any(char::is_control) || trimmed.len() > 500 {
        let hint = "a title is one line, not empty, of at most 500 characters";
        return Err(("this cannot be a title".to_owned(), hint.to_owned()));
    }
    Ok(trimmed.to_owned())
}
