//! The parts of documents that are made from the program. With `UPDATE_DOCS=1` these tests write them anew.

use std::{env, fs, process::Command};

use callboard::{
    model::SessionKind,
    tool::{Is, TOOLS},
    tui::{Scope, TABLE},
    workflow::{Format, render},
};

use super::{file, text};

/// Holds, or with `UPDATE_DOCS` makes, what stands between `<!-- name -->` and `<!-- /name -->` in a document.
fn holds(document: &str, name: &str, wanted: &str) {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let all = text(document);
    let (before, rest) = all.split_once(&begin).unwrap_or_else(|| panic!("{document} has no {begin}"));
    let (found, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{document} has no {end}"));
    let wanted = format!("\n{}\n\n", wanted.trim());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(file(document), format!("{before}{begin}{wanted}{end}{after}")).unwrap();
    } else {
        assert!(
            found == wanted,
            "{document} is not what the program says of its {name}: `UPDATE_DOCS=1 cargo test docs` writes it anew.\n\
             found:\n{found}\nwanted:\n{wanted}"
        );
    }
}

#[test]
fn the_readme_has_the_keys_of_the_board() {
    let mut table = "| keys | | |\n| --- | --- | --- |\n".to_owned();
    for row in TABLE.iter().filter(|row| row.scopes.contains(&Scope::Tree) || row.scopes.contains(&Scope::Pane)) {
        let keys: Vec<String> = row.keys.iter().map(|key| format!("`{}`", key.name())).collect();
        let place = match (row.scopes.contains(&Scope::Tree), row.scopes.contains(&Scope::Pane)) {
            (true, false) => " (in the tree)",
            (false, true) => " (in a pane)",
            (true, true) | (false, false) => "",
        };
        table += &format!("| {} | {} | {}{place} |\n", keys.join(" "), row.label, row.help.replace('|', "\\|"));
    }
    holds("README.md", "keys", &table);
}

#[test]
fn the_readme_has_every_command() {
    let help = Command::new(env!("CARGO_BIN_EXE_callboard")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let mut table = "| command | |\n| --- | --- |\n| `callboard` | Open the board |\n".to_owned();
    for line in commands.lines() {
        let (name, about) = line.trim().split_once("  ").unwrap_or_else(|| panic!("a line of its own: {line:?}"));
        if name != "help" {
            table += &format!("| `callboard {name}` | {} |\n", about.trim());
        }
    }
    holds("README.md", "commands", &table);
}

#[test]
fn every_tool_is_written_down() {
    let mut page = String::new();
    for tool in TOOLS {
        let steps = match tool.steps {
            None => "any agent, at any time".to_owned(),
            Some(steps) => {
                steps.iter().map(|(kind, step)| format!("`{step}` of `{kind}`")).collect::<Vec<_>>().join(", ")
            }
        };
        page += &format!("\n## {}\n\n{}\n\nMay be called by: {steps}.\n", tool.name, tool.about);
        if !tool.arguments.is_empty() {
            page += "\n| argument | | |\n| --- | --- | --- |\n";
        }
        for argument in tool.arguments {
            let what = match argument.is {
                Is::Text(most) => format!("text, at most {most} bytes"),
                Is::Flag => "`true` or `false`".to_owned(),
                Is::Word(words) => words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            };
            let required = if argument.required { "required; " } else { "" };
            page += &format!("| `{}` | {required}{what} | {} |\n", argument.name, argument.about);
        }
    }
    holds("docs/sessions-tool.md", "tools", &page);
}

#[test]
fn every_workflow_is_written_down() {
    let mut page =
        "`callboard workflow KIND` prints these tables. An outcome that is not *ok* leads to *otherwise*; every loop\n\
                    has a limit and stops earlier when it makes no headway.\n"
            .to_owned();
    for kind in SessionKind::ALL {
        let (table, diagram) = (render(*kind, Format::Table), render(*kind, Format::Mermaid));
        page += &format!("\n## {kind}\n\n```text\n{table}```\n\n```mermaid\n{diagram}```\n");
    }
    holds("docs/workflows.md", "workflows", &page);
}
