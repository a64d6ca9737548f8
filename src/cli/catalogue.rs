//! What the project consists of and what must hold: components, stories, criteria.

use serde_json::{Value, json};

use crate::{
    engine,
    model::{Component, Criterion, CriterionState, Session, Story},
    project::Project,
    store::{Change, CriterionRecord, Makers, Store},
};

use super::{
    args::{ComponentCommand, CriterionCommand, Global, Said, StoryCommand},
    error::CliError,
    output,
    place::Place,
    print::{self, Cell, Tone},
    session::tone,
};

/// What `list` says where there is no story.
const NO_STORY: &str = "no story here; [[story]] entries in callboard.toml say what must hold";

pub(super) fn criterion(global: &Global, command: &CriterionCommand) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let project = place.project()?;
    match command {
        CriterionCommand::Ls { component, json } => list(&place, &project, component.as_deref(), *json),
        CriterionCommand::Set { id, state, note, json } => {
            let state = match state {
                Said::Satisfied => CriterionState::Satisfied,
                Said::Unmet => CriterionState::Unmet,
            };
            if note.trim().is_empty() {
                return Err(CliError::Usage("what is said by hand goes on the record: say why, with --note".into()));
            }
            say(&place, &project, id, Some(state), note, *json)
        }
        CriterionCommand::Unset { id, note, json } => {
            say(&place, &project, id, None, note.as_deref().unwrap_or_default(), *json)
        }
    }
}

fn list(place: &Place, project: &Project, component: Option<&str>, as_json: bool) -> Result<u8, CliError> {
    if let Some(component) = component {
        project.component(component).map_err(|error| CliError::Usage(error.to_string()))?;
    }
    let mut criteria = criteria(place, &place.open()?, project)?;
    criteria.retain(|one| component.is_none_or(|component| one.component == component));
    if as_json {
        print::json(&criteria.iter().map(output::criterion).collect::<Vec<_>>());
        return Ok(0);
    }
    if criteria.is_empty() {
        print::note(if component.is_some() { "no story is about it" } else { NO_STORY });
        return Ok(0);
    }
    let mut rows: Vec<Vec<Cell>> = vec![["ID", "STANDING", "BY", "COMPONENT", "CRITERION"].map(Cell::from).to_vec()];
    for one in &criteria {
        let by = match (&one.said, &one.shown) {
            (Some(_), _) => "hand",
            (None, Some(_)) => "tests",
            (None, None) => "-",
        };
        let (id, component) = (one.id.as_str().into(), one.component.as_str().into());
        rows.push(vec![id, standing(one), by.into(), component, one.text.as_str().into()]);
    }
    print::table(&rows);
    Ok(0)
}

fn standing(one: &CriterionRecord) -> Cell {
    let word = one.standing();
    let tone = match word {
        "satisfied" => Tone::Good,
        "unmet" => Tone::Bad,
        "stale" => Tone::Needs,
        _ => Tone::Plain,
    };
    Cell::toned(word, tone)
}

/// The criteria of the project as its files name them now, with what is on record about each.
fn criteria(place: &Place, store: &Store, project: &Project) -> Result<Vec<CriterionRecord>, CliError> {
    let known = place.criteria(store, None)?;
    let record = |story: &Story, id: &str, text: &str| {
        let known = known.iter().find(|known| known.id == id);
        CriterionRecord {
            id: id.to_owned(),
            text: text.to_owned(),
            story: story.title.clone(),
            component: story.component.clone(),
            shown: known.and_then(|known| known.shown.clone()),
            said: known.and_then(|known| known.said.clone()),
        }
    };
    let of = |story| move |one: &Criterion| record(story, &one.id, &one.text);
    Ok(project.stories.iter().flat_map(|story| story.criteria.iter().map(of(story))).collect())
}

/// Records what a person says of a criterion; `None`: what was said before does not count any more.
fn say(
    place: &Place,
    project: &Project,
    id: &str,
    state: Option<CriterionState>,
    note: &str,
    as_json: bool,
) -> Result<u8, CliError> {
    project.criterion(id).map_err(|error| CliError::Usage(error.to_string()))?;
    let mut store = place.open()?;
    let before = one(place, &store, project, id)?.said;
    if state.is_none() && before.is_none() {
        return Err(CliError::Refused(format!(
            "nobody has said by hand how {id} stands: there is nothing to take back"
        )));
    }
    // The newest word counts, also when the clock was set back.
    let at = before.map_or(0, |said| said.at + 1).max(engine::now());
    let (user, note) = (place.scope.user.clone(), note.to_owned());
    let mut transition = engine::catalogue(project);
    transition.push(Change::CriterionWord { criterion: id.to_owned(), state, note, user, at });
    store.apply(&transition)?;
    let after = one(place, &store, project, id)?;
    if as_json {
        print::json(&output::criterion(&after));
    } else {
        let by = match (&after.said, &after.shown) {
            (Some(_), _) => ", by hand",
            (None, Some(_)) => ", by its tests",
            (None, None) => "",
        };
        print::line(&format!("{id} is {}{by}", after.standing()));
    }
    Ok(0)
}

fn one(place: &Place, store: &Store, project: &Project, id: &str) -> Result<CriterionRecord, CliError> {
    let found = criteria(place, store, project)?.into_iter().find(|one| one.id == id);
    found.ok_or_else(|| CliError::Failed(format!("{id} is not in the project any more")))
}

pub(super) fn story(global: &Global, command: &StoryCommand) -> Result<u8, CliError> {
    let StoryCommand::Ls(args) = command;
    let place = Place::find(global)?;
    let project = place.project()?;
    let criteria = criteria(&place, &place.open()?, &project)?;
    let of = |story: &Story| -> Vec<&CriterionRecord> {
        criteria.iter().filter(|one| story.criteria.iter().any(|criterion| criterion.id == one.id)).collect()
    };
    if args.json {
        let stories = project.stories.iter().map(|story| {
            let criteria: Vec<Value> = of(story).into_iter().map(output::criterion).collect();
            json!({"title": story.title, "component": story.component, "criteria": criteria})
        });
        print::json(&stories.collect::<Vec<_>>());
        return Ok(0);
    }
    if project.stories.is_empty() {
        print::note(NO_STORY);
        return Ok(0);
    }
    let mut rows: Vec<Vec<Cell>> = vec![["COMPONENT", "SATISFIED", "STORY"].map(Cell::from).to_vec()];
    for story in &project.stories {
        rows.push(vec![story.component.as_str().into(), satisfied(&of(story)), story.title.as_str().into()]);
    }
    print::table(&rows);
    Ok(0)
}

/// `3/5`.
fn satisfied(criteria: &[&CriterionRecord]) -> Cell {
    let count = |word: &str| criteria.iter().filter(|one| one.standing() == word).count();
    let tone = match (count("satisfied"), count("unmet")) {
        (0, 0) => Tone::Plain,
        (all, _) if all == criteria.len() => Tone::Good,
        (_, 0) => Tone::Plain,
        (_, _) => Tone::Bad,
    };
    Cell::toned(format!("{}/{}", count("satisfied"), criteria.len()), tone)
}

pub(super) fn component(global: &Global, command: &ComponentCommand) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let project = place.project()?;
    let store = place.open()?;
    match command {
        ComponentCommand::Ls(args) => components(&store, &project, args.json),
        ComponentCommand::Show { name, json } => {
            let component = project.component(name).map_err(|error| CliError::Usage(error.to_string()))?;
            show(&place, &store, &project, component, *json)
        }
    }
}

fn components(store: &Store, project: &Project, as_json: bool) -> Result<u8, CliError> {
    let makers = store.created_by()?;
    let mut rows: Vec<Vec<Cell>> =
        vec![["NAME", "KIND", "PRIORITY", "NEWEST SESSION", "DEPENDS ON"].map(Cell::from).to_vec()];
    let mut values = Vec::new();
    for context in project.components.iter().filter(|component| component.parent.is_none()) {
        let children = project.children_of(&context.name);
        for (depth, it) in std::iter::once((0, context)).chain(children.into_iter().map(|child| (1, child))) {
            let sessions = store.sessions_of(&it.name)?;
            values.push(output::component(it, &made_by(&makers, &it.name), &sessions));
            rows.push(vec![
                format!("{}{}", "  ".repeat(depth), it.name).into(),
                it.kind.as_str().into(),
                it.priority.to_string().into(),
                newest(&sessions),
                it.depends_on.join(", ").into(),
            ]);
        }
    }
    if as_json {
        print::json(&values);
    } else if values.is_empty() {
        print::note("no component here; [[context]] entries in callboard.toml name them");
    } else {
        print::table(&rows);
    }
    Ok(0)
}

fn made_by(makers: &[(String, Makers)], component: &str) -> Makers {
    makers.iter().find(|(name, _)| name == component).map(|(_, makers)| makers.clone()).unwrap_or_default()
}

fn newest(sessions: &[Session]) -> Cell {
    match sessions.last() {
        Some(last) => Cell::toned(format!("{} {}", last.kind, last.status), tone(last.status)),
        None => "-".into(),
    }
}

fn show(place: &Place, store: &Store, project: &Project, it: &Component, as_json: bool) -> Result<u8, CliError> {
    let makers = made_by(&store.created_by()?, &it.name);
    let sessions = store.sessions_of(&it.name)?;
    let mut criteria = criteria(place, store, project)?;
    criteria.retain(|one| one.component == it.name);
    if as_json {
        let mut value = output::component(it, &makers, &sessions);
        if let Value::Object(fields) = &mut value {
            let children: Vec<&str> = project.children_of(&it.name).iter().map(|child| child.name.as_str()).collect();
            fields.insert("children".into(), json!(children));
            fields.insert("criteria".into(), criteria.iter().map(output::criterion).collect());
        }
        print::json(&value);
        return Ok(0);
    }
    print::line(&format!("{} {}", it.kind, it.name));
    let field = |name: &str, value: &str| {
        if !value.is_empty() {
            print::line(&format!("  {name:12} {value}"));
        }
    };
    field("about", &it.description);
    field("context", it.parent.as_deref().unwrap_or_default());
    field("priority", &it.priority.to_string());
    field("depends on", &it.depends_on.join(", "));
    let children: Vec<&str> = project.children_of(&it.name).iter().map(|child| child.name.as_str()).collect();
    field("components", &children.join(", "));
    let paths = [("design", &it.paths.design), ("code", &it.paths.code), ("test", &it.paths.test)];
    for (name, path) in paths {
        let Some(path) = path else { continue };
        let missing = if place.root.join(path).exists() { "" } else { ", not in your checkout" };
        let maker = makers.get(name).map(|id| format!(", made by {}", id.short())).unwrap_or_default();
        field(name, &format!("{path}{maker}{missing}"));
    }
    section(
        "criteria",
        criteria.iter().map(|one| vec!["".into(), one.id.as_str().into(), standing(one), one.text.as_str().into()]),
    );
    section(
        "sessions",
        sessions.iter().rev().map(|session| {
            let status = Cell::toned(session.status.as_str(), tone(session.status));
            vec!["".into(), session.id.short().into(), session.kind.as_str().into(), status]
        }),
    );
    Ok(0)
}

fn section(title: &str, rows: impl Iterator<Item = Vec<Cell>>) {
    let rows: Vec<Vec<Cell>> = rows.collect();
    if !rows.is_empty() {
        print::line(&format!("\n{title}"));
        print::table(&rows);
    }
}
