//! From input to prompt.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, Write},
    sync::LazyLock,
};

use camino::Utf8Path;
use minijinja::{
    AutoEscape, Environment, ErrorKind, Template, UndefinedBehavior, Value,
    syntax::SyntaxConfig,
    value::{Serde, merge_maps},
};

use super::{
    PromptError, PromptErrorKind, PromptInput, files,
    templates::{PARTS, STEPS, step_template},
    text,
    view::View,
};

/// No prompt is longer, in bytes.
pub const MAX_PROMPT: usize = 200 * 1024;

/// A template that a project may replace, and where it was found.
struct Source {
    /// `component_test/fix_compilation_errors.md`.
    name: &'static str,
    /// Its path for people.
    file: String,
    /// Owned: the project's.
    text: Cow<'static, str>,
}

/// The built-in templates, compiled once: most prompts need no other. One that does not compile is not in it, and is compiled
/// where it is needed, to say why.
static BUILT_IN: LazyLock<Option<Environment<'static>>> = LazyLock::new(|| {
    let mut environment = environment().ok()?;
    for (name, text) in PARTS.iter().chain(STEPS) {
        environment.add_template(name, text).ok();
    }
    Some(environment)
});

/// The prompt of one agent step.
///
/// `overrides` is the project's root, or the session's worktree: templates in its `.callboard/prompts/` replace the
/// built-in ones of the same name. Symbolic links there are refused.
///
/// # Errors
///
/// When no agent performs this step in sessions of this kind, when a project's template cannot be read or rendered, or
/// when what came out is longer than [`MAX_PROMPT`].
pub fn render(input: &PromptInput, overrides: Option<&Utf8Path>) -> Result<String, PromptError> {
    let Some(step) = step_template(input.session_kind, input.step) else {
        return Err(PromptError {
            kind: PromptErrorKind::NotAnAgentStep,
            file: format!("assets/prompts/{}/{}.md", input.session_kind, input.step),
            line: None,
            message: format!("expected an agent step, found {} of {}", input.step, input.session_kind),
            hint: "only agent steps have a prompt".to_owned(),
        });
    };
    let view = Value::from(Serde(View::of(input)));
    // By the names of their templates, without folder and ending. They do not see each other.
    let mut parts = BTreeMap::new();
    for part in PARTS {
        let rendered = render_one(&source(*part, overrides)?, view.clone())?;
        parts.insert(stem(part.0), Value::from(rendered.trim()));
    }
    let source = source(step, overrides)?;
    let page = merge_maps([view, Value::from_pairs([("parts", Value::from_pairs(parts))])]);
    let prompt = text::tidy(&render_one(&source, page)?);
    if prompt.len() > MAX_PROMPT {
        return Err(too_long(&source.file));
    }
    Ok(prompt)
}

/// Adds what persons said, each by its author and text. No template decides whether an agent hears it.
pub fn add_messages<'a>(prompt: &mut String, messages: impl Iterator<Item = (&'a str, &'a str)>) {
    for (at, (user, text)) in messages.enumerate() {
        if at == 0 {
            prompt.push_str("\n## What a person says to you\n\nIt counts for more than what is above.\n");
        }
        let who = text::inline(user, 200);
        prompt.push_str(&format!("\n{who}:\n\n{}\n", text::quote(text).trim_end()));
    }
}

/// `parts/about.md` → `about`.
fn stem(name: &'static str) -> &'static str {
    name.trim_start_matches("parts/").trim_end_matches(".md")
}

/// The project's own template, or the built-in one.
fn source((name, built_in): (&'static str, &'static str), overrides: Option<&Utf8Path>) -> Result<Source, PromptError> {
    let file = format!(".callboard/prompts/{name}");
    let own = overrides.map(|root| files::read(root, &file)).transpose()?.flatten();
    Ok(match own {
        Some(text) => Source { name, file, text: text.into() },
        None => Source { name, file: format!("assets/prompts/{name}"), text: built_in.into() },
    })
}

fn render_one(source: &Source, page: Value) -> Result<String, PromptError> {
    let explain = |error: &minijinja::Error| explain(source, error);
    let built_in = BUILT_IN.as_ref().filter(|_| matches!(source.text, Cow::Borrowed(_)));
    if let Some(template) = built_in.and_then(|environment| environment.get_template(source.name).ok()) {
        return fill(source, &template, page);
    }
    let mut environment = environment().map_err(|e| explain(&e))?;
    environment.add_template(source.name, &source.text).map_err(|e| explain(&e))?;
    fill(source, &environment.get_template(source.name).map_err(|e| explain(&e))?, page)
}

fn fill(source: &Source, template: &Template<'_, '_>, page: Value) -> Result<String, PromptError> {
    let mut out = Capped { bytes: Vec::new(), is_full: false };
    let rendered = template.render_captured_to(page, &mut out).map(drop);
    if out.is_full {
        return Err(too_long(&source.file));
    }
    rendered.map_err(|error| explain(source, &error))?;
    Ok(String::from_utf8_lossy(&out.bytes).into_owned())
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("code", |value: &str| text::code(value));
    environment.add_filter("fenced", |value: &str| text::fenced(value));
    environment.add_filter("quote", |value: &str| text::quote(value));
    environment.add_filter("inline", |value: &str| text::inline(value, 1_000));
    Ok(environment)
}

/// Where rendered text goes; refuses what no prompt may be long.
struct Capped {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Capped {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > 2 * MAX_PROMPT {
            self.is_full = true;
            return Err(io::Error::other("too long"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_long(file: &str) -> PromptError {
    PromptError {
        kind: PromptErrorKind::TooLong,
        file: file.to_owned(),
        line: None,
        message: format!("gives a prompt longer than {MAX_PROMPT} bytes"),
        hint: "name files instead of holding their text".to_owned(),
    }
}

fn explain(source: &Source, error: &minijinja::Error) -> PromptError {
    let kind = error.kind();
    let hint = if kind == ErrorKind::UndefinedError {
        format!("the variables are {}", View::VARIABLES)
    } else if kind == ErrorKind::UnknownFilter {
        "beside minijinja's own filters there are code, fenced, inline and quote".to_owned()
    } else if kind == ErrorKind::SyntaxError {
        "the language is minijinja's (Jinja2), without include, extends, import and macro".to_owned()
    } else {
        "compare it with the built-in template".to_owned()
    };
    let what = error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"));
    let line = error.line().and_then(|line| source.text.lines().nth(line.checked_sub(1)?));
    let message = line.map_or_else(|| what.clone(), |line| format!("{what}, in {}", text::inline(line, 200)));
    PromptError { kind: PromptErrorKind::Template, file: source.file.clone(), line: error.line(), message, hint }
}
