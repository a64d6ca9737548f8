//! Slugs and branches.

use callboard::{
    git::{branch_name, slug},
    model::SessionKind,
};
use proptest::prelude::*;

use super::world::World;

#[test]
fn slug_table() {
    let long = "a".repeat(100);
    let cut_at_a_dash = format!("{}-b", "a".repeat(79));
    for (name, expected) in [
        ("Pricing", "pricing"),
        ("Order Lines", "order-lines"),
        ("My.App.Orders", "my-app-orders"),
        ("snake_case", "snake_case"),
        ("--a--b--", "a-b"),
        ("a / \\ ~^: b", "a-b"),
        ("_", "_"),
        ("", "component"),
        ("...", "component"),
        ("Größe", "gr-e"),
        ("日本", "component"),
        ("v2.lock", "v2-lock"),
        ("@{-1}", "1"),
        ("\u{212a}elvin", "kelvin"),
        ("a\nb\0c", "a-b-c"),
        (&long, &long[..80]),
        (&cut_at_a_dash, &long[..79]),
    ] {
        assert_eq!(slug(name), expected, "{name:?}");
    }
}

#[test]
fn branch_names_have_the_kind() {
    assert_eq!(branch_name(SessionKind::ComponentTest, "Order Lines"), "callboard/component_test/order-lines");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slugs_are_slugs(name in any::<String>()) {
        let slug = slug(&name);
        prop_assert!((1..=80).contains(&slug.len()));
        prop_assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'));
        prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        prop_assert_eq!(callboard::git::slug(&slug), slug.clone());
        prop_assert!(git2::Branch::name_is_valid(&branch_name(SessionKind::Integration, &name)).unwrap());
    }
}

#[test]
fn free_branch_counts_up() {
    let world = World::new();
    let repo = world.repo();
    let free = |taken: &[&str]| repo.free_branch("callboard/x/a", &|name| taken.contains(&name)).unwrap();
    assert_eq!(free(&[]), "callboard/x/a");
    assert_eq!(free(&["callboard/x/a"]), "callboard/x/a-2");
    world.git(&["branch", "callboard/x/a"]);
    assert_eq!(free(&[]), "callboard/x/a-2");
    assert_eq!(free(&["callboard/x/a-2", "callboard/x/a-3"]), "callboard/x/a-4");
    world.git(&["branch", "callboard/x/a-2/deep"]);
    world.git(&["pack-refs", "--all"]);
    assert_eq!(free(&[]), "callboard/x/a-3", "a branch below is in the way as well");
}

#[test]
fn free_branch_says_when_no_number_helps() {
    let world = World::new();
    let free = |wanted: &str| world.repo().free_branch(wanted, &|_| false);
    for bad in ["", "-x", "a..b", "a b", "refs/heads/../x", "a.lock", "HEAD"] {
        assert!(free(bad).is_err(), "{bad:?}");
    }
    world.git(&["branch", "callboard"]);
    let message = free("callboard/component_test/a").unwrap_err().to_string();
    assert!(
        message.contains("there is a branch \"callboard\"") && message.contains("git branch -m callboard"),
        "{message}"
    );
}
