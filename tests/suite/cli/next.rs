//! `next`, and waking a session by its component.

use serde_json::json;

use super::world::World;

fn short(id: &str) -> &str {
    &id[28..]
}

#[test]
fn the_most_useful_thing_is_said_with_its_command() {
    let world = World::new();
    let next = |world: &World| world.ok(&["next"]).trim_end().to_owned();
    assert_eq!(
        next(&world),
        "Nothing has begun: write the tests of what is in Orders with `callboard new context_testing Orders`."
    );
    let orders = world.session(&["context_testing", "Orders"]);
    assert_eq!(next(&world), "1 session could go on, but no engine is at work: start one with `callboard engine run`.");

    let manual = world.session(&["component_test", "Total", "--mode", "manual"]);
    let advance = format!(
        "component_test Total waits before initialize: start that with `callboard advance {}`.",
        short(&manual)
    );
    assert_eq!(next(&world), advance);
    let json = world.json(&["next"]);
    assert_eq!(
        json,
        json!({"sentence": advance, "commands": [["callboard", "advance", short(&manual)]], "session_id": manual})
    );

    // A halt comes before what is only to be advanced; nobody has agreed to the commands yet.
    let single = world.session(&["component_test", "Pricing"]);
    assert_eq!(world.run(&["run", &single]).code, 3);
    let halted = next(&world);
    let retry = format!("`callboard retry {}`", short(&single));
    assert!(halted.starts_with("component_test Pricing lacks something") && halted.contains(&retry), "{halted}");
    assert!(halted.contains("callboard trust"), "{halted}");
    world.ok(&["trust", "--yes"]);

    let engine = world.engine();
    world.ok(&["cancel", &manual]);
    world.ok(&["retry", &single]);
    for id in [&orders, &single] {
        world.wait(id, "it ends or halts", |session| session["status"] != "active" || session["halt"].is_object());
    }
    if world.json(&["show", &orders])["halt"].is_object() {
        world.ok(&["retry", &orders]);
    }
    drop(engine);
    assert_eq!(world.run(&["run", &orders]).code, 0);
    assert_eq!(next(&world), "Nothing waits for you; Orders could go on with `callboard new context_coding Orders`.");
}

#[test]
fn a_loop_that_got_stuck_is_to_be_read_first() {
    let world = World::trusted();
    world.write("agent.sh", "cat > /dev/null; echo '{} \u{1b}[31m' >&2; date +%N > src.txt; exit 3\n");
    world.edit("callboard.toml", "[limits]", "[limits]\niterations = 1");
    world.commit_all("An agent that never succeeds");
    let id = world.session(&["component_test", "Pricing"]);
    assert_eq!(world.run(&["run", &id]).code, 3);
    let said = world.ok(&["next"]);
    let id = short(&id);
    let wanted = format!(
        "component_test Pricing is stuck: read `callboard show {id}`, then try again with `callboard retry {id}`, \
         or give up with `callboard approve {id}`."
    );
    assert!(said.starts_with(&wanted), "{said}");
    assert!(!said.contains('\u{1b}') && said.lines().count() == 1, "{said}");
}

#[test]
fn a_component_names_the_session_that_goes_on() {
    let world = World::trusted();
    let _engine = world.engine();
    let first = world.session(&["component_test", "Pricing"]);
    let done = |id: &str| world.wait(id, "it is complete", |session| session["status"] == "complete");
    done(&first);
    let second = world.session(&["component_test", "Pricing"]);
    done(&second);
    const WAKE: [&str; 5] = ["reactivate", "--component", "Pricing", "--context", "Round up"];
    let with_kind = [&WAKE[..], &["--kind", "component_test"]].concat();
    let refused = world.fails(2, &WAKE);
    assert!(
        refused.contains("Pricing has no component_coding session")
            && refused.contains("callboard new component_coding Pricing")
    );
    let ran = world.run(&with_kind);
    assert_eq!((ran.code, ran.out.as_str()), (0, "done\n"), "{ran:?}");
    assert_eq!(ran.err.trim(), format!("continues component_test Pricing ({})", short(&second)));
    done(&second);
    assert_eq!(
        (&world.json(&["show", &first])["generation"], &world.json(&["show", &second])["generation"]),
        (&json!(1), &json!(2))
    );
    let woken = world.json(&with_kind);
    assert_eq!(woken, json!({"session_id": second, "answer": "done"}));

    assert!(world.fails(2, &["reactivate", "--context", "x"]).contains("--component"));
    assert!(
        world.fails(2, &["reactivate", &first, "--component", "Pricing", "--context", "x"]).contains("cannot be used")
    );
    assert!(
        world
            .fails(2, &["reactivate", &first, "--kind", "component_test", "--context", "x"])
            .contains("cannot be used")
    );
    assert!(
        world.fails(2, &["reactivate", "--component", "Prices", "--context", "x"]).contains("no component is called")
    );
    let context = world.fails(2, &["reactivate", "--component", "Orders", "--context", "x"]);
    assert!(context.contains("Orders has no integration session"), "{context}");
}
