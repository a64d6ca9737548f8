//! An MCP client, call by call.

use callboard::{model::Status, tool::TOOLS};
use serde_json::json;

use super::{
    super::integration::{JOINED, Shop, WEIGHED, until},
    Client, HANGS, Live, called,
};

#[test]
fn reads_wakes_and_reports() {
    let (shop, id) = Shop::new(&[JOINED, HANGS, WEIGHED]);
    let live = Live::new(&shop, id);
    let client = Client::new(&shop, id);
    assert_eq!(client.names(), TOOLS.iter().map(|tool| tool.name).collect::<Vec<_>>());

    let cart = shop.coding("Cart");
    let sessions = client.call("list_sessions", json!({"kind": "component_coding", "component": "Cart"}));
    assert_eq!(sessions["you"], json!(id));
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(sessions["sessions"][0]["id"], json!(cart));
    let own = client.call("get_session", json!({}));
    assert_eq!((&own["kind"], &own["step"]), (&json!("integration"), &json!("fix_integration_test_failures")));
    assert_eq!(client.call("get_session", json!({"session": cart.short()}))["component"], "Cart");
    let run = client.call("get_test_failures", json!({}));
    assert_eq!(run["step"], "run_integration_tests");
    assert_eq!(run["run"]["failures"][0]["name"], "ac_1_weighs");
    let orders = client.call("list_components", json!({"context": "Orders"}));
    let names: Vec<&str> =
        orders["components"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Orders", "Cart", "Tax"]);
    assert_eq!(orders["components"][1]["made_by"]["code"], json!(cart));
    let stories = client.call("list_stories", json!({"component": "Orders"}));
    assert_eq!((&stories["criteria"][0]["id"], &stories["criteria"][0]["state"]), (&json!("AC-1"), &json!("untested")));
    assert_eq!(client.call("get_reactivation_status", json!({})), json!({"requests": []}));

    let woken = client.call("reactivate_session", json!({"component": "Cart", "reason": "It weighs nothing."}));
    assert_eq!(woken["status"], "granted");
    until("Cart is complete again", || {
        shop.store().session(cart).is_ok_and(|it| it.generation == 2 && it.status == Status::Complete)
    });
    let status = client.call("get_reactivation_status", json!({}));
    assert_eq!(status["requests"][0]["status"], "resolved");
    assert_eq!(status["requests"][0]["asked_for"], "wake the session of Cart");

    let details = json!({"summary": "Billing rounds what Orders must not round.", "details": "src/billing"});
    assert_eq!(client.call("report_architectural_issue", details)["status"], "recorded");
    assert_eq!(client.call("get_reactivation_status", json!({}))["requests"][1]["status"], "recorded");
    let calls = called(&shop, id);
    assert_eq!((calls.len(), calls.last().unwrap().as_str()), (11, "get_reactivation_status"), "{calls:?}");
    drop((client, live));
}

#[test]
fn is_refused_what_is_not_its_own() {
    let (shop, id) = Shop::new(&[JOINED, HANGS]);
    let live = Live::new(&shop, id);
    let client = Client::new(&shop, id);
    let wake = |arguments| client.refused("reactivate_session", arguments);
    for (arguments, why) in [
        (json!({"component": "Rounding", "reason": "x"}), "Rounding is not a component of Orders"),
        (json!({"component": "Crat", "reason": "x"}), "Cart"),
        (json!({"component": "Orders", "reason": "x"}), "Orders is not a component of Orders"),
        (json!({"component": "Cart", "session": id, "reason": "x"}), "not both"),
        (json!({"reason": "x"}), "name the session that is to be woken, or its component"),
        (json!({"component": "Cart"}), "`reason` is missing"),
        (json!({"session": id, "reason": "x"}), "integration Orders; they would wait for each other for ever"),
    ] {
        let said = wake(arguments.clone());
        assert!(said.contains(why), "{arguments}: {said}");
    }
    let parent = shop.store().sessions_of("Orders").unwrap()[0].id;
    let said = wake(json!({"session": parent, "reason": "x"}));
    assert!(said.contains("Orders is not a component of Orders"), "{said}");

    let make = |kind: &str, component: &str| {
        client.refused("create_session", json!({"component": component, "kind": kind, "reason": "x"}))
    };
    assert!(make("component_coding", "Cart").contains("reactivate that one"), "{}", make("component_coding", "Cart"));
    assert!(make("component_coding", "Rounding").contains("is not a component of Orders"));
    assert!(make("component_design", "Cart").contains("no design path"));
    assert!(
        make("integration", "Orders").contains("must be one of component_design, component_test, component_coding")
    );

    // The policy is read when it is asked.
    let toml = super::super::integration::TOML.replace("policy = \"accept\"", "policy = \"refuse\"");
    shop.write("callboard.toml", &toml);
    let said = wake(json!({"component": "Cart", "reason": "x"}));
    assert!(said.contains("[reactivation] policy = \"refuse\""), "{said}");
    assert!(shop.store().requests(id, 9).unwrap().is_empty());
    drop((client, live));
    assert_eq!(shop.store().session(shop.coding("Cart")).unwrap().generation, 1);
}

#[test]
fn may_only_look_where_its_step_may_not_ask() {
    let (shop, id) = Shop::new(&[]);
    let cart = shop.coding("Cart");
    for (caller, here) in
        [(id, "a session (integration) that is at no step"), (cart, "a session (component_coding) that is at no step")]
    {
        let client = Client::new(&shop, caller);
        for (name, arguments) in [
            ("reactivate_session", json!({"component": "Tax", "reason": "x"})),
            ("create_session", json!({"component": "Tax", "kind": "component_test", "reason": "x"})),
            ("report_architectural_issue", json!({"summary": "x"})),
        ] {
            let said = client.refused(name, arguments);
            assert!(said.contains(here) && said.contains("at the end of your answer"), "{said}");
        }
        assert_eq!(client.call("get_session", json!({}))["id"], json!(caller));
        let notes = shop.notes(caller);
        assert!(notes.iter().filter(|note| note.contains("was refused")).count() == 3, "{notes:?}");
    }
}
