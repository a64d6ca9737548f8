//! Writing a first configuration.

use callboard::project::{InitFacts, Project, init};

use super::folder;

#[test]
fn a_crate_with_modules() {
    let (_dir, root) = folder(&[
        ("Cargo.toml", "[package]\nname = \"shop\"\ndescription = \"Sells \\\"things\\\".\"\nversion = \"0.1.0\"\n"),
        ("src/lib.rs", "pub mod billing;\npub mod orders;\nmod util;\n"),
        ("src/util.rs", ""),
        ("src/orders.rs", "//! Takes orders.\n//!\n//! More.\npub mod order;\npub mod pricing;\n"),
        ("src/orders/order.rs", "//! What is bought.\n"),
        ("src/orders/pricing.rs", "#![allow(x)]\n\n//! What it costs.\n"),
        ("src/orders/tests.rs", ""),
        ("src/orders/types.rs", ""),
        ("src/billing/mod.rs", "pub mod invoice;\n"),
        ("src/billing/invoice.rs", ""),
        ("src/billing/types/mod.rs", ""),
        ("tests/order_test.rs", ""),
        ("tests/pricing.rs", ""),
        ("tests/invoice_test.rs", ""),
    ]);
    let report = init(&root, &InitFacts { remote: Some("origin".into()) }).unwrap_or_else(|e| panic!("{e}"));
    println!("{report:?}");
    println!("{}", std::fs::read_to_string(root.join("callboard.toml")).unwrap());
    let project = Project::load(&root).unwrap();
    println!("{:#?}", project.components);
}
