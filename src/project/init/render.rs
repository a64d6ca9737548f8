//! The configuration as a text that a person reads and goes on writing.

use std::fmt::Write as _;

use super::plan::{Entry, Plan};
use crate::project::value::quoted;

/// The text of `callboard.toml`.
pub(super) fn render(plan: &Plan, remote: Option<&str>) -> String {
    let parts = [project(plan, remote), paths(plan), limits(), agents(), worktree(plan), contexts(plan), stories(plan)];
    parts.join("\n")
}

fn project(plan: &Plan, remote: Option<&str>) -> String {
    let remote = match remote {
        Some(remote) => format!("remote = {}                 # finished work is pushed there", quoted(remote)),
        None => "# remote = \"origin\"               # finished work is pushed there; without it nothing is pushed"
            .to_owned(),
    };
    format!(
        "# callboard: how this project is worked on. `callboard doctor` checks it.\n\
         \n\
         [project]\n\
         name = {name}\n\
         description = {description}\n\
         tests = \"cargo\"\n\
         # agent = \"mine\"                  # who writes by default: one of [agents], here or in your own settings\n\
         {remote}\n\
         # stories = \"docs/stories\"        # a folder of stories as Markdown files\n",
        name = quoted(&plan.name),
        description = quoted(&plan.description),
    )
}

fn paths(plan: &Plan) -> String {
    format!(
        "# Where a component's files are. {{path}}: its name under its context's (orders/pricing); {{name}}: its name (pricing).\n\
         [paths]\n\
         design = \"docs/design/{{path}}.md\"\n\
         code = {code}\n\
         test = {test}\n\
         integration_test = {integration_test}   # the tests of a context\n",
        code = quoted(&plan.code),
        test = quoted(&plan.test),
        integration_test = quoted(&plan.integration_test),
    )
}

fn limits() -> String {
    "# [limits]                          # what holds when this is left out\n\
     # agents = 4                        # agent processes at once\n\
     # tests = 2                         # test processes at once\n\
     # iterations = 5                    # rounds of a loop before a person is asked\n\
     # step_timeout = \"30m\"\n"
        .to_owned()
}

fn agents() -> String {
    "# An agent of your own: any program that takes a prompt on its standard input and works in the current folder.\n\
     # [agents.mine]\n\
     # protocol = \"command\"\n\
     # command = [\"python3\", \"agent.py\"]\n"
        .to_owned()
}

fn worktree(plan: &Plan) -> String {
    let mut out = "[worktree]\n\
                   # copy = [\".env\"]                 # ignored files that every new worktree needs\n\
                   # setup = [\"cargo\", \"fetch\"]      # run in every new worktree\n"
        .to_owned();
    if !plan.union.is_empty() {
        out.push_str("# Lists of modules: where two components both added a line, both lines are kept.\n");
        out.push_str(&list("union", &plan.union));
    }
    out
}

fn list(key: &str, items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    let line = format!("{key} = [{}]\n", items.join(", "));
    if line.chars().count() <= 100 { line } else { format!("{key} = [\n    {},\n]\n", items.join(",\n    ")) }
}

fn contexts(plan: &Plan) -> String {
    let mut out = "# A context is a module with sub-modules, its components are these. A higher `priority` is worked on first;\n\
                   # `depends_on` names the components that one uses: it is not filled in, since the files do not say it for sure.\n"
        .to_owned();
    if let Some(example) = &plan.example {
        out.push_str("# No module here has sub-modules yet. One context for the whole crate would be:\n#\n");
        for line in entry("[[context]]", "", example).lines() {
            out.push_str(format!("# {line}").trim_end());
            out.push('\n');
        }
        return out;
    }
    let contexts: Vec<String> = plan.contexts.iter().map(|context| entry("[[context]]", "", context)).collect();
    out.push_str(&contexts.join("\n"));
    out
}

fn entry(header: &str, indent: &str, entry: &Entry) -> String {
    let mut out = format!("{indent}{header}\n{indent}name = {}\n", quoted(&entry.name));
    let mut line = |key: &str, value: Option<&String>| {
        if let Some(value) = value {
            // Writing into a String cannot fail.
            writeln!(out, "{indent}{key} = {}", quoted(value)).unwrap_or_default();
        }
    };
    line("description", Some(&entry.description).filter(|text| !text.is_empty()));
    line("code", entry.code.as_ref());
    line("test", entry.test.as_ref());
    for component in &entry.components {
        out.push('\n');
        out.push_str(&self::entry("[[context.component]]", "  ", component));
    }
    out
}

fn stories(plan: &Plan) -> String {
    let about = plan.contexts.first().or(plan.example.as_ref()).map_or("Orders", |context| context.name.as_str());
    format!(
        "# What must hold. Tests carry a criterion's id in their names (ac_1) or texts, and so show that it does.\n\
         # [[story]]\n\
         # title = \"A customer sees the total\"\n\
         # context = {about}\n\
         # criteria = [{{ id = \"AC-1\", text = \"Prices add up with tax\" }}]\n",
        about = quoted(about),
    )
}
