//! Components that are designed anew: because somebody asks for it, or because the design has changed since.

use callboard::model::{HaltReason, SessionId, SessionKind, Status, Step};
use serde_json::Value;

use super::{BEGINNING, JOINED, Shop, TOML, WEIGHED, until};
use crate::{cli::world::ran, machine::Engine};

/// Designs of components, and what is designed anew.
const DESIGNED: &str = r#"
design = "docs/{name}.md"
"#;

const DESIGN: &str = "# Cart\n\n## Purpose\n\nKeeps lines.\n\n## Public API\n\n`price()`\n\n## Execution flow\n\nNone.\n\n## Test assertions\n\n- prices price\n\n## Dependencies\n\nNone\n";

const REDESIGN_CART: &str = r#"
[[turn]]
step = "fix_integration_test_failures"
iteration = 1
call = [{ tool = "reactivate_session", arguments = { component = "Cart", reason = "It weighs nothing.", redesign = true } }]

[[turn]]
component = "Cart"
step = "generate_component_design"
prompt = "It weighs nothing"
write = [{ path = "docs/cart.md", content = "DESIGN\n## Weights\n\nIt weighs.\n" }]

[[turn]]
component = "Cart"
step = "generate_implementation"
prompt = "It weighs nothing"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]
"#;

fn designing(scenario: &[&str]) -> (Shop, SessionId) {
    let whole: Vec<String> =
        scenario.iter().map(|part| part.replace("DESIGN", &DESIGN.escape_default().to_string())).collect();
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    let toml = TOML.replace("[paths]\n", &format!("[paths]{DESIGNED}"));
    Shop::with(&toml, &[whole.as_slice(), &[BEGINNING]].concat(), |shop| shop.write("docs/cart.md", DESIGN))
}

#[test]
fn a_redesign_begins_with_the_design() {
    let (shop, id) = designing(&[JOINED, REDESIGN_CART]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let sessions = shop.store().sessions_of("Cart").unwrap();
    let told: Vec<_> = sessions.iter().map(|it| (it.kind, it.status, it.generation, it.parent_id.is_some())).collect();
    let expected = [
        (SessionKind::ComponentCoding, Status::Complete, 1, true),
        (SessionKind::ComponentDesign, Status::Complete, 1, false),
        (SessionKind::ComponentCoding, Status::Complete, 1, false),
    ];
    assert_eq!(told, expected, "{}", shop.story());
    let [old, design, coding] = sessions.as_slice() else { unreachable!() };
    assert_ne!(old.conversation_id, coding.conversation_id);
    let (store, branch) = (shop.store(), |session: &callboard::model::Session| session.branch.clone().unwrap());
    // First the one, then the other on its branch; the integration session waits for both and merges what they did.
    let (designed, began) = (store.interactions(design.id, 0).unwrap(), store.interactions(coding.id, 0).unwrap());
    assert!(designed.last().unwrap().completed_at.unwrap() <= began[0].started_at);
    assert_eq!(shop.git(&["merge-base", &branch(design), &branch(coding)]), shop.git(&["rev-parse", &branch(design)]));
    let integrated = store.session(id).unwrap().branch.unwrap();
    assert!(shop.git(&["show", &format!("{integrated}:docs/cart.md")]).contains("It weighs."));
    assert_eq!(shop.git(&["show", &format!("{integrated}:src/orders/cart.txt")]), "price\nweight\n");
    let prompt = shop.prompt(coding.id, Step::GenerateImplementation, 1);
    for wanted in ["Why this session was begun", "the integration session of Orders", "It weighs nothing."] {
        assert!(prompt.contains(wanted), "{wanted} is missing in {prompt}");
    }
    // The components' makers are named to the agent that brings them together.
    let prompt = shop.prompt(id, Step::FixIntegrationTestFailures, 1);
    assert!(prompt.contains(&format!("code made by session `{}`", old.id)), "{prompt}");
}

#[test]
fn a_design_that_was_changed_since_is_worked_on_anew() {
    let (shop, id) = designing(&[JOINED, &REDESIGN_CART.replace(", redesign = true", "")]);
    shop.write("docs/cart.md", &format!("{DESIGN}\n## Weights\n\nBy hand.\n"));
    shop.git(&["commit", "--quiet", "--all", "--message", "Cart weighs"]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let kinds: Vec<SessionKind> = shop.store().sessions_of("Cart").unwrap().iter().map(|it| it.kind).collect();
    let expected = [SessionKind::ComponentCoding, SessionKind::ComponentDesign, SessionKind::ComponentCoding];
    assert_eq!(kinds, expected, "{}", shop.story());
}

#[test]
fn work_on_a_design_that_is_not_made_waits_for_a_person() {
    let (shop, _) = designing(&[JOINED]);
    let old = shop.coding("Cart");
    shop.ask(&["reactivate", &old.to_string(), "--redesign", "--context", "It weighs nothing."]);
    let mut run = shop.start(old);
    run.wait().unwrap();
    let sessions = shop.store().sessions_of("Cart").unwrap();
    let [_, design, coding] = sessions.as_slice() else { panic!("{}", shop.story()) };
    assert_eq!(shop.run(coding.id), 3, "{}", shop.story());
    shop.ask(&["cancel", &design.id.to_string()]);
    assert_eq!(shop.run(design.id), 4, "{}", shop.story());
    assert_eq!(shop.run(coding.id), 3, "{}", shop.story());
    let halt = shop.store().last_halt(coding.id).unwrap().unwrap();
    assert_eq!(halt.reason, HaltReason::Environment);
    assert!(halt.message.contains("the design comes first") && halt.message.contains("cancelled"), "{}", halt.message);
}

#[test]
fn a_component_that_a_person_names_goes_on_or_begins_anew() {
    let design = DESIGN.escape_default().to_string();
    let anew = REDESIGN_CART.replace("DESIGN", &design);
    let toml = TOML.replace("[paths]\n", &format!("[paths]{DESIGNED}"));
    let again = WEIGHED.replace("weight", "weight, twice");
    let (shop, parent) = Shop::of("context_coding", &toml, &[BEGINNING, WEIGHED, &again, &anew], |shop| {
        shop.write("docs/cart.md", DESIGN);
    });
    assert_eq!(shop.run(parent), 0, "{}", shop.story());
    let old = shop.coding("Cart");
    let _engine = Engine::start(|arguments| shop.callboard(arguments));
    let wake = |which: &[&str]| {
        let woken = ran(&mut shop.callboard(&[&["reactivate", "--context", "It weighs nothing."], which].concat()));
        assert_eq!(woken.code, 0, "{woken:?}");
        (woken.out, woken.err.trim().to_owned())
    };
    let is_done = |id: SessionId, generation: u32| {
        until("its work is done", || {
            shop.store().session(id).is_ok_and(|it| it.generation == generation && it.status == Status::Complete)
        });
    };
    let (_, said) = wake(&["--component", "Cart"]);
    assert_eq!(said, format!("continues component_coding Cart ({})", old.short()));
    is_done(old, 2);

    shop.git(&["merge", "--quiet", "--ff-only", &shop.store().session(parent).unwrap().branch.unwrap()]);
    shop.write("docs/cart.md", &format!("{DESIGN}\n## Weights\n\nBy hand.\n"));
    shop.git(&["commit", "--quiet", "--all", "--message", "Cart weighs"]);
    // Who names a session means that one.
    let id = old.to_string();
    assert_eq!(wake(&[&id]), ("done\n".into(), String::new()));
    is_done(old, 3);
    let (answer, said) = wake(&["--component", "Cart", "--json"]);
    let sessions = shop.store().sessions_of("Cart").unwrap();
    let [_, design, coding] = sessions.as_slice() else { panic!("{}", shop.story()) };
    let expected = format!(
        "the design of Cart has changed since its component_coding session ({}): goes on in component_design Cart ({}), \
         then component_coding Cart ({})",
        old.short(),
        design.id.short(),
        coding.id.short()
    );
    assert_eq!(said, expected);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer, serde_json::json!({"session_id": coding.id, "answer": "done"}));
    is_done(coding.id, 1);
    // What was made anew is what goes on from then.
    let (_, said) = wake(&["--component", "Cart"]);
    assert_eq!(said, format!("continues component_coding Cart ({})", coding.id.short()));
    // A context has no design of its own that could be made anew.
    let (_, said) = wake(&["--component", "Orders", "--kind", "context_coding"]);
    assert_eq!(said, format!("continues context_coding Orders ({})", parent.short()));
}
