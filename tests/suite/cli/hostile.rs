//! Nothing that came from outside reaches the terminal as a control sequence.

use super::world::World;

const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}evil";

fn is_clean(text: &str) -> bool {
    !text.chars().any(|char| (char.is_control() && char != '\n') || char == '\u{202e}')
}

#[test]
fn agents_names_and_messages() {
    let world = World::trusted();
    world.edit("agent.sh", "cat > /dev/null", &format!("cat > /dev/null; printf '%s\\n' '{EVIL}'; exit 9"));
    world.commit_all("An agent with manners");
    let id = world.session(&["component_test", "Pricing", "--base", "main"]);
    let ran = world.run(&["run", &id]);
    assert!(ran.code == 3 || ran.code == 1, "{ran:?}");
    assert!(is_clean(&ran.err), "{ran:?}");
    for arguments in [&["show", &id][..], &["events", &id], &["why", &id], &["inbox"], &["ls"], &["preview", &id]] {
        let ran = world.run(arguments);
        assert!(ran.code == 0 && is_clean(&ran.out) && is_clean(&ran.err), "{arguments:?}: {ran:?}");
    }
    assert!(world.ok(&["events", &id]).contains("evil"));
    let json = world.ok(&["events", &id, "--json"]);
    assert!(is_clean(&json) || json.contains("\\u001b"), "JSON escapes what it carries");
}

#[test]
fn what_stands_in_the_configuration() {
    let world = World::new();
    let name = "Pri\\u001b[31mcing\\u0007";
    world.edit("callboard.toml", "name = \"Pricing\"", &format!("name = \"{name}\""));
    for arguments in [&["new", "component_test", "Pricing"][..], &["doctor"], &["ls"], &["trust"]] {
        let ran = world.run(arguments);
        assert!(is_clean(&ran.out) && is_clean(&ran.err), "{arguments:?}: {ran:?}");
    }
    let world = World::new();
    assert!(world.fails(2, &["new", "component_test", EVIL]).contains("no component is called"));
    world.edit("callboard.toml", "name = \"shop\"", "name = \"shop\"\n\u{1b}[31m = 1");
    assert!(world.fails(2, &["new", "component_test", "Pricing"]).contains("callboard.toml:3:2: this is not TOML"));
}
