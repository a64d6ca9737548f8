//! `[[permission]]`: what agents may and may not do without a person being asked.

use crate::model::{About, Rule, RuleOf};

use super::{
    document::Table,
    value::{self, Wrong, quoted},
};

const KEYS: &[&str] = &["agent", "tool", "exactly", "like", "allow"];
const USER_KEYS: &[&str] = &["project", "agent", "tool", "exactly", "like", "allow"];

/// Reads every `[[permission]]` of a project's file.
pub(super) fn read(top: &Table<'_>) -> Vec<Rule> {
    let tables = top.tables("permission", "[[permission]]", KEYS);
    tables.iter().filter_map(|table| rule(table, RuleOf::Project)).collect()
}

/// Reads every `[[permission]]` of a user's settings, each with the project that it is for; `None`: for all.
pub(super) fn read_users(top: &Table<'_>) -> Vec<(Option<String>, Rule)> {
    let tables = top.tables("permission", "[[permission]]", USER_KEYS);
    let one = |table: &Table<'_>| {
        let project = table.text("project").and_then(|text| table.doc.check(text, root));
        rule(table, RuleOf::User).map(|rule| (project.map(|project| project.value), rule))
    };
    tables.iter().filter_map(one).collect()
}

fn rule(table: &Table<'_>, of: RuleOf) -> Option<Rule> {
    let doc = table.doc;
    let tool = table.required_text("tool", "name the tool as its agent calls it: tool = \"Bash\"");
    let tool = tool.and_then(|tool| doc.check(tool, short));
    let agent = table.text("agent").and_then(|agent| doc.check(agent, value::name));
    if !table.has("allow") {
        doc.problem(&table.span, "[[permission]] has no `allow`", "say whether it may: allow = true, or false");
    }
    let allow = table.boolean("allow");
    let (exactly, like) = (text(table, "exactly"), text(table, "like"));
    if table.has("exactly") && table.has("like") {
        let hint = "leave one of the two lines out";
        doc.problem(&table.key_span("like"), "a rule has either `exactly` or `like`", hint);
    }
    let about = match (exactly, like) {
        (Some(text), _) => About::Exactly(text),
        (None, Some(pattern)) => About::Like(pattern),
        (None, None) if table.has("exactly") || table.has("like") => return None,
        (None, None) => About::Anything,
    };
    Some(Rule { agent: agent.map(|agent| agent.value), tool: tool?.value, about, allow: allow?.value, of })
}

fn text(table: &Table<'_>, key: &str) -> Option<String> {
    table.text(key).and_then(|text| table.doc.check(text, short)).map(|text| text.value)
}

fn short(text: String) -> Result<String, Wrong> {
    match text.len() {
        0 => Err(("this is empty".to_owned(), "leave the line out".to_owned())),
        length if length > Rule::LONGEST => {
            Err((format!("this has {length} bytes, {} are enough", Rule::LONGEST), "shorten it".to_owned()))
        }
        _ => Ok(text),
    }
}

fn root(text: String) -> Result<String, Wrong> {
    if text.starts_with('/') {
        return Ok(text);
    }
    Err((format!("{text:?} is no absolute path"), "write the project's folder as `pwd` shows it there".to_owned()))
}

/// A rule as its user's settings have it, with a comment that says where it comes from.
pub(super) fn written(project: &str, rule: &Rule, comment: &str) -> String {
    let comment: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut out = format!("\n# {comment}\n[[permission]]\nproject = {}\n", quoted(project));
    if let Some(agent) = &rule.agent {
        out += &format!("agent = {}\n", quoted(agent));
    }
    out += &format!("tool = {}\n", quoted(&rule.tool));
    match &rule.about {
        About::Anything => {}
        About::Exactly(exactly) => out += &format!("exactly = {}\n", quoted(exactly)),
        About::Like(like) => out += &format!("like = {}\n", quoted(like)),
    }
    out + &format!("allow = {}\n", rule.allow)
}
