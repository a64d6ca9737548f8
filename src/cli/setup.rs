//! Setting a project up: init, trust; and the workflows' tables.

use std::io::{IsTerminal as _, Write as _};

use crate::{
    engine,
    git::Repo,
    project::{self, InitFacts, Project},
    store::{Change, Consent},
    workflow,
};

use super::{
    args::{Global, Trust, Workflow},
    error::CliError,
    place::{self, Place},
    print,
};

pub(super) fn init(global: &Global) -> Result<u8, CliError> {
    let root = place::folder(global)?;
    let remotes = Repo::open(&root)?.remotes();
    let remote = remotes.iter().find(|name| *name == "origin").or_else(|| remotes.first()).cloned();
    let report = project::init(&root, &InitFacts { remote }).map_err(|error| CliError::Usage(error.to_string()))?;
    let place = Place::at(root, global)?;
    let project = place.project()?;
    // What init itself wrote needs no second look.
    consent(&place, &project)?;
    let contexts = if report.contexts.is_empty() { "no context".to_owned() } else { report.contexts.join(", ") };
    print::line(&format!("wrote {}: {contexts}, {}", report.path, print::count(report.components, "component")));
    for note in &report.notes {
        print::line(&format!("  {note}"));
    }
    next(&project, report.contexts.first());
    Ok(0)
}

/// What a person does next.
fn next(project: &Project, context: Option<&String>) {
    let program = print::program();
    let mut todo = Vec::new();
    if context.is_none() {
        todo.push("describe a context and its components in callboard.toml".to_owned());
    }
    if project.agent.is_none() {
        todo.push(format!("name an agent in callboard.toml, then agree to its command: {program} trust"));
    }
    let context = context.map_or("NAME", String::as_str);
    todo.push(format!("{program} new context_testing {}", print::shell(context)));
    todo.push(format!("{program} opens the board, {program} doctor says what is missing"));
    print::line("next:");
    todo.iter().for_each(|step| print::line(&format!("  {step}")));
}

/// Records that a person agreed to what the project brings; answers whether it brings anything.
pub(super) fn consent(place: &Place, project: &Project) -> Result<bool, CliError> {
    let Some(hash) = project.consent_hash() else { return Ok(false) };
    let mut changes = engine::catalogue(project);
    changes.push(Change::Consent { hash, user: place.scope.user.clone(), at: engine::now() });
    place.open()?.apply(&changes)?;
    Ok(true)
}

pub(super) fn trust(global: &Global, args: &Trust) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let project = place.project()?;
    match outstanding(&place, &project)? {
        Outstanding::Nothing => print::line("callboard.toml brings no command: there is nothing to agree to"),
        Outstanding::Agreed => print::line("you have agreed to these commands already"),
        Outstanding::Commands => {
            show_commands(&project);
            if !args.yes && !asked()? {
                return Err(CliError::Refused("nothing was agreed to".into()));
            }
            consent(&place, &project)?;
            print::line("agreed; a change of these commands asks again");
        }
    }
    Ok(0)
}

/// Asks about commands that nobody has agreed to, before the board takes the terminal. Without consent the board opens all
/// the same: only sessions that need those commands halt.
pub(super) fn ask_before_the_board(place: &Place, project: &Project) -> Result<(), CliError> {
    if outstanding(place, project)? == Outstanding::Commands {
        show_commands(project);
        if asked()? {
            consent(place, project)?;
        }
    }
    Ok(())
}

/// What is left to agree to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outstanding {
    /// The project brings no command.
    Nothing,
    /// A person has agreed to exactly these commands.
    Agreed,
    /// The project's commands.
    Commands,
}

fn outstanding(place: &Place, project: &Project) -> Result<Outstanding, CliError> {
    let Some(hash) = project.consent_hash() else { return Ok(Outstanding::Nothing) };
    Ok(match place.open()?.consent(&hash)? {
        Consent::Given => Outstanding::Agreed,
        Consent::Missing => Outstanding::Commands,
    })
}

fn show_commands(project: &Project) {
    print::line("callboard.toml has these commands run on this machine, as you:");
    for command in project.foreign_commands() {
        print::line(&format!("  {command}"));
    }
}

fn asked() -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::Usage("nobody can be asked here: read the commands, then use --yes".into()));
    }
    print::raw("Agree? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

pub(super) fn workflow(args: &Workflow) -> Result<u8, CliError> {
    print::raw(&workflow::render(args.kind, args.format));
    Ok(0)
}
