//! Stories as Markdown files: one file, one story.
//!
//! ```markdown
//! ---
//! context: Orders
//! ---
//! # A customer sees the total
//!
//! - AC-1: Prices add up with tax
//! ```
//!
//! The front matter names a `context` or a `component`, the first heading is the title, and each item of a list that begins
//! with an id (something with a digit in it, then a colon) is a criterion. Everything else is for people.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{Criterion, Story};

use super::{
    document::{Document, Place},
    error::Problem,
    file,
    near::did_you_mean,
    stories::{Told, one_line},
    value,
};

/// Files of a folder that are read.
const MAX_FILES: usize = 1_000;

/// Reads every `*.md` of a folder but its README, in the order of the names. What is wrong with them is noted.
pub(super) fn read_folder(root: &Utf8Path, folder: &str, at: &Place, doc: &Document<'_>) -> Vec<Told> {
    let entries = match root.join(folder).read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) => {
            let hint = "make the folder, or leave the line out";
            doc.problem_at(at, format!("the folder {folder} cannot be read: {error}"), hint);
            return Vec::new();
        }
    };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_owned())
        .filter(|name| is_story(name))
        .collect();
    names.sort();
    if names.len() > MAX_FILES {
        let hint = "put several folders' worth of stories into callboard.toml, or fewer files here";
        doc.problem_at(at, format!("{folder} has more than {MAX_FILES} stories"), hint);
        return Vec::new();
    }
    names.iter().filter_map(|name| read_file(root, Utf8Path::new(folder).join(name), doc)).collect()
}

fn is_story(name: &str) -> bool {
    let stem = name.strip_suffix(".md").unwrap_or_default();
    !stem.is_empty()
        && !stem.starts_with('.')
        && !stem.eq_ignore_ascii_case("readme")
        && !name.chars().any(char::is_control)
}

fn read_file(root: &Utf8Path, shown: Utf8PathBuf, doc: &Document<'_>) -> Option<Told> {
    match file::text(&root.join(&shown), &shown) {
        Ok(text) => match story(shown, &text?) {
            Ok(told) => Some(told),
            Err(problem) => {
                doc.note(problem);
                None
            }
        },
        Err(error) => {
            error.problems.into_iter().for_each(|problem| doc.note(problem));
            None
        }
    }
}

/// The story that a text tells, or the first thing that is wrong with it.
fn story(file: Utf8PathBuf, text: &str) -> Result<Told, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<Line<'_>> = (1..).zip(text.lines()).collect();
    let (subject, body) = front_matter(&file, &lines)?;
    let (title, criteria) = content(&file, body)?;
    let (criteria, places) = criteria.into_iter().unzip();
    Ok(Told {
        story: Story { title: title.1, component: subject.name, criteria },
        about_context: subject.is_context,
        title: Place::Line(file.clone(), title.0),
        subject: Place::Line(file, subject.line),
        criteria: places,
    })
}

struct Subject {
    line: u32,
    is_context: bool,
    name: String,
}

/// A line and its number, counted from 1.
type Line<'t> = (u32, &'t str);

fn front_matter<'l, 't>(file: &Utf8Path, lines: &'l [Line<'t>]) -> Result<(Subject, &'l [Line<'t>]), Problem> {
    const HINT: &str = "begin the file with a line `---`, then `context: NAME` or `component: NAME`, then `---`";
    let rest = match lines.split_first() {
        Some((first, rest)) if first.1.trim_end() == "---" => rest,
        Some(_) | None => return Err(wrong(file, 1, "does not say what the story is about", HINT)),
    };
    let Some(end) = rest.iter().position(|(_, line)| line.trim_end() == "---") else {
        return Err(wrong(file, 1, "the front matter has no end", HINT));
    };
    let mut subject = None;
    for &(line, text) in rest[..end].iter().filter(|(_, text)| !text.trim().is_empty() && !text.starts_with('#')) {
        let (key, name) = text.split_once(':').unwrap_or((text, ""));
        let is_context = match key.trim() {
            "context" => true,
            "component" => false,
            other => {
                let hint = did_you_mean(other, "known keys", ["context", "component"]);
                return Err(wrong(file, line, format!("unknown key {other:?} in the front matter"), hint));
            }
        };
        if subject.is_some() {
            return Err(wrong(file, line, "a story is about one context or one component", "keep one of the lines"));
        }
        let name = name.trim().trim_matches(['"', '\'']).to_owned();
        let name = value::name(name).map_err(|(message, hint)| wrong(file, line, message, hint))?;
        subject = Some(Subject { line, is_context, name });
    }
    let subject = subject.ok_or_else(|| wrong(file, 1, "does not say what the story is about", HINT))?;
    Ok((subject, &rest[end + 1..]))
}

type Content = ((u32, String), Vec<(Criterion, Place)>);

fn content(file: &Utf8Path, lines: &[Line<'_>]) -> Result<Content, Problem> {
    let mut title = None;
    let mut criteria: Vec<(Criterion, Place)> = Vec::new();
    let mut in_item = false;
    let mut in_code = false;
    for &(line, text) in lines {
        let trimmed = text.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_code = !in_code;
            in_item = false;
        } else if in_code {
            continue;
        } else if let Some(heading) = text.strip_prefix("# ").filter(|_| title.is_none()) {
            title = Some((line, heading.to_owned()));
            in_item = false;
        } else if let Some(item) = trimmed.strip_prefix("- ").or_else(|| trimmed.strip_prefix("* ")) {
            let criterion = criterion(item);
            in_item = criterion.is_some();
            criteria.extend(criterion.map(|criterion| (criterion, Place::Line(file.to_owned(), line))));
        } else if in_item && text.starts_with(' ') && !trimmed.is_empty() {
            if let Some((criterion, _)) = criteria.last_mut() {
                criterion.text = format!("{} {trimmed}", criterion.text).trim().to_owned();
            }
        } else {
            in_item = false;
        }
    }
    let (line, title) = title
        .ok_or_else(|| wrong(file, 1, "the story has no title", "add a line like `# A customer sees the total`"))?;
    let title = one_line(title).map_err(|(message, hint)| wrong(file, line, message, hint))?;
    if criteria.is_empty() {
        let hint = "add them as a list, each with its id: `- AC-1: Prices add up with tax`";
        return Err(wrong(file, line, "the story has no acceptance criteria", hint));
    }
    if let Some((empty, Place::Line(file, line))) = criteria.iter().find(|(criterion, _)| criterion.text.is_empty()) {
        let message = format!("{} does not say what must hold", empty.id);
        return Err(wrong(file, *line, message, format!("say it after the colon: `- {}: …`", empty.id)));
    }
    Ok(((line, title), criteria))
}

/// The criterion in an item of a list, if it begins with an id: `AC-1: …`, `[ ] **AC-1**: …`.
fn criterion(item: &str) -> Option<Criterion> {
    let item = item.trim_start();
    let item = ["[ ]", "[x]", "[X]"].iter().find_map(|tick| item.strip_prefix(tick)).unwrap_or(item);
    let (id, text) = item.split_once(':')?;
    let is_mark = |c: char| matches!(c, '*' | '`') || c.is_whitespace();
    let id = id.trim_matches(is_mark);
    let id = value::criterion_id(id.to_owned()).ok().filter(|id| id.contains(|c: char| c.is_ascii_digit()))?;
    Some(Criterion { id, text: text.trim_start_matches("**").trim().to_owned() })
}

fn wrong(file: &Utf8Path, line: u32, message: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem { file: file.to_owned(), line: Some(line), column: None, message: message.into(), hint: hint.into() }
}
