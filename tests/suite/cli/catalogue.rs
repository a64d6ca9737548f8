//! `criterion`, `component`, `story`: what there is and what must hold.

use serde_json::{Value, json};

use super::world::World;

const STORIES: &str = r#"
[[story]]
title = "A customer sees the total"
context = "Orders"
criteria = [{ id = "AC-1", text = "Prices add up" }, { id = "AC-2", text = "Tax is shown" }]

[[story]]
title = "A price is never negative"
component = "Pricing"
criteria = [{ id = "AC-3", text = "It stops at zero" }]
"#;

fn with_stories() -> World {
    let world = World::trusted();
    let toml = std::fs::read_to_string(world.project.join("callboard.toml")).unwrap();
    world.write("callboard.toml", &format!("{toml}{STORIES}"));
    world
}

/// The fields of an object, as text.
fn keys(value: &Value) -> String {
    value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_criterion_is_marked_by_hand_and_the_mark_is_taken_back() {
    let world = with_stories();
    // No session was ever made: what is listed is what the file says.
    let rows = |world: &World| -> Vec<String> {
        let list = world.ok(&["criterion", "ls"]);
        list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(
        rows(&world),
        [
            "ID STANDING BY COMPONENT CRITERION",
            "AC-1 untested - Orders Prices add up",
            "AC-2 untested - Orders Tax is shown",
            "AC-3 untested - Pricing It stops at zero",
        ]
    );
    assert_eq!(
        world.ok(&["criterion", "set", "AC-2", "satisfied", "--note", "Seen it"]),
        "AC-2 is satisfied, by hand\n"
    );
    assert_eq!(rows(&world)[2], "AC-2 satisfied hand Orders Tax is shown");
    assert_eq!(world.ok(&["criterion", "set", "AC-2", "unmet", "--note", "Not any more"]), "AC-2 is unmet, by hand\n");
    let all = world.json(&["criterion", "ls", "--component", "Orders"]);
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(keys(&all[1]), "by_hand component id said shown standing story text");
    assert_eq!(
        (&all[1]["said"]["state"], &all[1]["said"]["note"], &all[1]["said"]["user"]),
        (&json!("unmet"), &json!("Not any more"), &json!("ada@example.com"))
    );
    assert!(all[1]["said"]["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert_eq!(
        (&all[0]["by_hand"], &all[0]["said"], &all[0]["standing"]),
        (&json!(false), &Value::Null, &json!("untested"))
    );

    let back = world.json(&["criterion", "unset", "AC-2", "--note", "A slip"]);
    assert_eq!((&back["standing"], &back["by_hand"]), (&json!("untested"), &json!(false)));
    assert_eq!(rows(&world)[2], "AC-2 untested - Orders Tax is shown");
    assert!(world.fails(1, &["criterion", "unset", "AC-2"]).contains("nothing to take back"));
    assert_eq!(world.ok(&["criterion", "set", "AC-2", "satisfied", "--note", "Again"]), "AC-2 is satisfied, by hand\n");
    assert_eq!(world.ok(&["criterion", "unset", "AC-2"]), "AC-2 is untested\n");
}

#[test]
fn what_cannot_be_said_of_a_criterion_is_refused() {
    let world = with_stories();
    let set = |arguments: &[&str]| world.fails(2, &[&["criterion", "set"], arguments].concat());
    assert!(set(&["AC-1", "satisfied"]).contains("--note"));
    assert!(set(&["AC-1", "satisfied", "--note", "  "]).contains("say why"));
    assert!(set(&["AC-1", "untested", "--note", "x"]).contains("satisfied, unmet"));
    assert!(set(&["ac-1", "unmet", "--note", "x"]).contains("did you mean AC-1"));
    assert!(set(&["\u{1b}[31mAC-9000", "unmet", "--note", "x"]).contains("no criterion is called"));
    assert!(world.fails(2, &["criterion", "ls", "--component", "Prices"]).contains("no component is called"));
    let standing = world.json(&["criterion", "ls"]);
    assert!(standing.as_array().unwrap().iter().all(|one| one["said"].is_null()), "nothing was written: {standing}");
}

#[test]
fn stories_and_components_are_listed_with_what_is_known_of_them() {
    let world = with_stories();
    let id = world.session(&["component_test", "Pricing"]);
    assert_eq!(world.run(&["run", &id]).code, 0);
    world.ok(&["criterion", "set", "AC-1", "satisfied", "--note", "Seen it"]);
    let stories = world.ok(&["story", "ls"]);
    assert!(stories.contains("Orders     1/2        A customer sees the total\n"), "{stories}");
    assert!(stories.contains("Pricing    0/1        A price is never negative\n"), "{stories}");
    let stories = world.json(&["story", "ls"]);
    assert_eq!(keys(&stories[0]), "component criteria title");
    assert_eq!(
        (&stories[0]["criteria"][0]["id"], &stories[0]["criteria"][0]["standing"]),
        (&json!("AC-1"), &json!("satisfied"))
    );

    let list = world.ok(&["component", "ls"]);
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[1].starts_with("Orders ") && lines[2].starts_with("  Pricing "), "{list}");
    assert!(lines[2].contains("component_test complete") && lines[3].ends_with('-'), "{list}");
    let all = world.json(&["component", "ls"]);
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(keys(&all[1]), "created_by depends_on description kind name parent paths priority sessions");
    assert_eq!((&all[1]["sessions"], &all[1]["created_by"]), (&json!([id]), &json!({"test": id})));

    let shown = world.ok(&["component", "show", "Pricing"]);
    for expected in [
        "module Pricing\n",
        "context      Orders",
        "code         src/pricing.txt, not in your checkout",
        "\ncriteria\n",
        "AC-3  untested  It stops at zero",
        "\nsessions\n",
        &id[28..],
    ] {
        assert!(shown.contains(expected), "{expected:?} is not in {shown}");
    }
    let one = world.json(&["component", "show", "Orders"]);
    assert_eq!((&one["children"], &one["criteria"][1]["id"]), (&json!(["Pricing", "Total"]), &json!("AC-2")));
    assert!(world.fails(2, &["component", "show", "pricing"]).contains("did you mean Pricing?"));
}

#[test]
fn a_project_without_stories_says_where_they_go() {
    let world = World::trusted();
    for arguments in [["criterion", "ls"], ["story", "ls"]] {
        let ran = world.run(&arguments);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""));
        assert!(ran.err.contains("[[story]]"), "{ran:?}");
        assert_eq!(world.json(&arguments), json!([]));
    }
}
