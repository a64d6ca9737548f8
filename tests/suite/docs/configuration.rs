//! docs/configuration.md: its examples load, and it has every key with its default.

use std::time::Duration;

use callboard::{
    model::{Limits, Runner},
    project::{Project, Settings},
};
use camino::Utf8Path;

use super::{blocks, text};

const ROOT: &str = "/work/shop";

fn examples() -> Vec<String> {
    blocks(&text("docs/configuration.md"), "toml")
}

fn load(example: &str) -> Project {
    Project::parse(Utf8Path::new(ROOT), example).unwrap_or_else(|error| panic!("{error}\n{example}"))
}

#[test]
fn every_example_of_a_project_loads() {
    let projects: Vec<Project> =
        examples().iter().filter(|example| example.contains("[project]")).map(|example| load(example)).collect();
    assert_eq!(projects.len(), 3);
    assert_eq!(projects.iter().filter(|project| matches!(project.runner, Runner::Custom(_))).count(), 2);
}

#[test]
fn the_example_of_settings_loads() {
    let examples = examples();
    let settings = examples.iter().find(|example| example.contains("account =")).unwrap();
    let settings = Settings::parse(Utf8Path::new("config.toml"), settings).unwrap();
    assert_eq!(settings.account, Settings::default().account, "the example says that it is the default");
    assert!(settings.agents.contains_key("writer"));
}

#[test]
fn the_example_of_front_matter_is_made_of_kinds_that_there_are() {
    let examples = examples();
    let rule = examples.iter().find(|example| example.starts_with("components =")).unwrap();
    for word in rule.split('"').skip(1).step_by(2) {
        let is_kind = word.parse::<callboard::model::SessionKind>().is_ok()
            || word.parse::<callboard::model::ComponentKind>().is_ok();
        assert!(is_kind, "{word}");
    }
}

#[test]
fn the_limits_are_written_with_their_defaults() {
    let project = load(&examples()[0]);
    assert_eq!(project.limits, Limits::default(), "the values of the example are the defaults");
    let Limits { agents, tests, iterations, same_failures, longest_pause, step_timeout, inactivity, output } =
        Limits::default();
    let minutes = |duration: Duration| format!("{}m", duration.as_secs() / 60);
    let page = text("docs/configuration.md");
    let (_, page) = page.split_once("\n[limits]\n").unwrap();
    for (key, value) in [
        ("agents", agents.to_string()),
        ("tests", tests.to_string()),
        ("iterations", iterations.to_string()),
        ("same_failures", same_failures.to_string()),
        ("longest_pause", longest_pause.to_string()),
        ("step_timeout", minutes(step_timeout)),
        ("inactivity", minutes(inactivity)),
        ("output", format!("{}MiB", output >> 20)),
    ] {
        let line = page.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        assert!(line.contains(&format!("# default {value}")), "{line}");
    }
}

/// An unknown key is answered with the keys that there are: each of those is in the document.
#[test]
fn every_key_of_every_table_is_in_the_examples() {
    let example = &examples()[0];
    let runners = examples().concat();
    for (table, begins) in [
        ("[project]", "name = \"a\"\ntests = \"cargo\"\n"),
        ("[paths]", ""),
        ("[limits]", ""),
        ("[runner]", ""),
        ("[worktree]", ""),
        ("[reactivation]", ""),
        ("[sandbox]", "mode = \"off\"\n"),
        ("[env]", ""),
        ("[agents.a]", "protocol = \"command\"\ncommand = [\"a\"]\n"),
        ("[[context]]", "name = \"A\"\n"),
        ("[[story]]", "title = \"A\"\ncontext = \"A\"\n"),
    ] {
        let project = if table == "[project]" { "" } else { "[project]\nname = \"a\"\ntests = \"custom\"\n" };
        let file = format!("{project}{table}\n{begins}qqqqqqqqqqqqqqqqq = 1\n");
        let error = Project::parse(Utf8Path::new(ROOT), &file).unwrap_err().to_string();
        let (_, known) = error.split_once("known keys: ").unwrap_or_else(|| panic!("{error}"));
        let keys: Vec<&str> = known.lines().next().unwrap_or_default().split(", ").collect();
        assert!(!keys.is_empty(), "{table}: {known}");
        for key in keys {
            let is_there = [example, &runners].iter().any(|text| {
                text.lines().any(|line| {
                    let line = line.trim();
                    line.starts_with(&format!("{key} = ")) || line.starts_with(&format!("[[context.{key}]]"))
                })
            });
            assert!(is_there, "{table} has {key}, which docs/configuration.md does not name");
        }
    }
}
