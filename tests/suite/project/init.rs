//! Writing a first configuration.

use callboard::{
    model::{Component, Runner},
    project::{InitError, InitFacts, InitReport, Project, init},
};
use camino::Utf8Path;

use super::folder;

const SHOP: &[(&str, &str)] = &[
    ("Cargo.toml", "[package]\nname = \"shop\"\ndescription = \"Sells \\\"things\\\".\"\nversion = \"0.1.0\"\n"),
    ("src/lib.rs", "pub mod billing;\npub mod orders;\nmod util;\n"),
    ("src/util.rs", ""),
    ("src/bin/tool.rs", ""),
    (
        "src/orders.rs",
        "//! Takes orders\n//! from customers. And more.\n//!\n//! More.\npub mod order;\npub mod pricing;\n",
    ),
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
];

fn written(root: &Utf8Path) -> (InitReport, String, Project) {
    let report = init(root, &InitFacts::default()).unwrap_or_else(|error| panic!("{error}"));
    let text = std::fs::read_to_string(root.join("callboard.toml")).unwrap();
    let project = Project::load(root).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (report, text, project)
}

fn paths(component: &Component) -> (&str, &str, &str) {
    (&component.name, component.paths.code.as_deref().unwrap(), component.paths.test.as_deref().unwrap())
}

#[test]
fn a_crate_with_modules() {
    let (_dir, root) = folder(SHOP);
    let (report, text, project) = written(&root);
    assert_eq!((report.contexts, report.components), (vec!["Billing".to_owned(), "Orders".to_owned()], 5));
    assert_eq!((report.path, report.notes), (root.join("callboard.toml"), vec![]));
    insta::assert_snapshot!(text, @r#"
    # callboard: how this project is worked on. `callboard doctor` checks it.

    [project]
    name = "shop"
    description = "Sells \"things\"."
    tests = "cargo"
    # agent = "mine"                  # who writes by default: one of [agents], here or in your own settings
    # remote = "origin"               # finished work is pushed there; without it nothing is pushed
    # stories = "docs/stories"        # a folder of stories as Markdown files

    # Where a component's files are. {path}: its name under its context's (orders/pricing); {name}: its name (pricing).
    [paths]
    design = "docs/design/{path}.md"
    code = "src/{path}.rs"
    test = "tests/{name}_test.rs"
    integration_test = "tests/{name}_integration_test.rs"   # the tests of a context

    # [limits]                          # what holds when this is left out
    # agents = 4                        # agent processes at once
    # tests = 2                         # test processes at once
    # iterations = 5                    # rounds of a loop before a person is asked
    # step_timeout = "30m"

    # An agent of your own: any program that takes a prompt on its standard input and works in the current folder.
    # [agents.mine]
    # protocol = "command"
    # command = ["python3", "agent.py"]

    [worktree]
    # copy = [".env"]                 # ignored files that every new worktree needs
    # setup = ["cargo", "fetch"]      # run in every new worktree
    # Lists of modules: where two components both added a line, both lines are kept.
    union = ["src/lib.rs", "src/billing/mod.rs", "src/orders.rs"]

    # A context is a module with sub-modules, its components are these. A higher `priority` is worked on first;
    # `depends_on` names the components that one uses: it is not filled in, since the files do not say it for sure.
    [[context]]
    name = "Billing"
    code = "src/billing/mod.rs"

      [[context.component]]
      name = "Invoice"

      [[context.component]]
      name = "BillingTypes"
      code = "src/billing/types/mod.rs"

    [[context]]
    name = "Orders"
    description = "Takes orders from customers."

      [[context.component]]
      name = "Order"
      description = "What is bought."

      [[context.component]]
      name = "Pricing"
      description = "What it costs."
      test = "tests/pricing.rs"

      [[context.component]]
      name = "OrdersTypes"
      code = "src/orders/types.rs"

    # What must hold. Tests carry a criterion's id in their names (ac_1) or texts, and so show that it does.
    # [[story]]
    # title = "A customer sees the total"
    # context = "Billing"
    # criteria = [{ id = "AC-1", text = "Prices add up with tax" }]
    "#);
    assert_eq!(project.runner, Runner::Cargo);
    assert_eq!((project.agent.clone(), project.remote.clone(), project.consent_hash()), (None, None, None));
    for component in &project.components {
        let (name, code, _) = paths(component);
        assert!(root.join(code).is_file(), "{name}: {code}");
    }
}

#[test]
fn the_remote_is_named_when_there_is_one() {
    for (remote, expected) in
        [("origin", Some("origin")), ("my-fork", Some("my-fork")), ("a b\"", None), ("--force", None)]
    {
        let (_dir, root) = folder(SHOP);
        let report = init(&root, &InitFacts { remote: Some(remote.to_owned()) }).unwrap();
        assert_eq!(Project::load(&root).unwrap().remote.as_deref(), expected);
        assert_eq!(report.notes.len(), usize::from(expected.is_none()), "{:?}", report.notes);
    }
}

#[test]
fn what_is_there_is_left_alone() {
    let (_dir, root) = folder(&[SHOP, &[("callboard.toml", "mine")]].concat());
    let error = init(&root, &InitFacts::default()).unwrap_err();
    assert!(matches!(error, InitError::AlreadyThere { .. }));
    assert_eq!(error.to_string(), format!("{root}/callboard.toml is there already\nhint: edit it, or delete it first"));
    assert_eq!(std::fs::read_to_string(root.join("callboard.toml")).unwrap(), "mine");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let (_dir, root) = folder(SHOP);
    std::os::unix::fs::symlink("elsewhere.toml", root.join("callboard.toml")).unwrap();
    assert!(matches!(init(&root, &InitFacts::default()), Err(InitError::AlreadyThere { .. })));
    assert!(!root.join("elsewhere.toml").exists());
}

#[test]
fn another_kind_of_project_is_told_what_is_supported() {
    let (_dir, root) = folder(&[("package.json", "{}")]);
    let error = init(&root, &InitFacts::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{root} has no Cargo.toml\nhint: `callboard init` knows Rust projects with cargo; for another project write \
             callboard.toml by hand, with tests = \"custom\" and a [runner] whose commands write JUnit XML"
        )
    );
    assert!(!root.join("callboard.toml").exists());
}

#[test]
fn a_broken_manifest_is_said_with_its_line() {
    let (_dir, root) = folder(&[("Cargo.toml", "[package]\nname = \n")]);
    let error = init(&root, &InitFacts::default()).unwrap_err().to_string();
    assert!(error.starts_with("Cargo.toml:2:8: this is not TOML: "), "{error}");
}

/// The commented example must be right too: taking the `# ` away is what it is for.
#[test]
fn without_sub_modules_there_is_an_example() {
    let (_dir, root) = folder(&[
        ("Cargo.toml", "[package]\nname = \"word-count\"\n"),
        ("src/main.rs", ""),
        ("src/count.rs", ""),
        ("src/word_count.rs", ""),
        ("src/words.rs", ""),
    ]);
    let (report, text, project) = written(&root);
    assert_eq!((project.components.len(), report.notes.len()), (0, 1));
    let (before, example) = text.split_once("would be:\n").unwrap();
    let example = example.replace("# ", "").replace("#\n", "\n").replace("What must hold.", "# What must hold.");
    let project = Project::parse(&root, &format!("{before}would be:\n{example}"))
        .unwrap_or_else(|error| panic!("{error}\n{example}"));
    let found: Vec<_> = project.components.iter().map(|one| (&*one.name, one.paths.code.as_deref().unwrap())).collect();
    assert_eq!(found, [("WordCount", "src/main.rs"), ("Count", "src/count.rs"), ("Words", "src/words.rs")]);
    assert_eq!(project.stories.len(), 1);
}

#[test]
fn an_empty_package_and_an_empty_workspace_load() {
    for manifest in [
        "",
        "[package]\n",
        "[workspace]\n",
        "[workspace]\nmembers = [\"none/*\", \"../x\", \"/\", \"*\"]\n",
        "package = 1",
    ] {
        let (_dir, root) = folder(&[("Cargo.toml", manifest)]);
        let (_, _, project) = written(&root);
        assert_eq!(project.name, root.file_name().unwrap());
    }
}

#[test]
fn a_workspace() {
    let (_dir, root) = folder(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\", \"tool\"]\nexclude = [\"crates/old\"]\n"),
        ("crates/shop/Cargo.toml", "[package]\nname = \"shop\"\n"),
        ("crates/shop/src/lib.rs", ""),
        ("crates/shop/src/orders.rs", ""),
        ("crates/shop/src/orders/pricing.rs", ""),
        ("crates/shop/src/orders/total.rs", ""),
        ("crates/shop/tests/pricing.rs", ""),
        ("crates/shop/tests/total.rs", ""),
        ("crates/shop/tests/integration_orders.rs", ""),
        ("crates/desk/Cargo.toml", "[package]\nname = \"front-desk\"\n"),
        ("crates/desk/src/main.rs", ""),
        ("crates/desk/src/orders/mod.rs", ""),
        ("crates/desk/src/orders/view.rs", ""),
        ("crates/old/Cargo.toml", "[package]\nname = \"old\"\n"),
        ("crates/old/src/orders/mod.rs", ""),
        ("crates/old/src/orders/view.rs", ""),
        ("crates/notes/readme.txt", ""),
        ("tool/Cargo.toml", "[package]\nname = \"tool\"\n"),
        ("tool/src/main.rs", ""),
    ]);
    let (_, _, project) = written(&root);
    let found: Vec<_> = project.components.iter().map(paths).collect();
    assert_eq!(
        found,
        [
            ("FrontDeskOrders", "crates/desk/src/orders/mod.rs", "crates/desk/tests/integration_front_desk_orders.rs"),
            ("View", "crates/desk/src/orders/view.rs", "crates/desk/tests/view.rs"),
            ("ShopOrders", "crates/shop/src/orders.rs", "crates/shop/tests/integration_orders.rs"),
            ("Pricing", "crates/shop/src/orders/pricing.rs", "crates/shop/tests/pricing.rs"),
            ("Total", "crates/shop/src/orders/total.rs", "crates/shop/tests/total.rs"),
        ]
    );
    assert_eq!(
        project.worktree.union,
        [
            "crates/desk/src/main.rs",
            "crates/shop/src/lib.rs",
            "tool/src/main.rs",
            "crates/desk/src/orders/mod.rs",
            "crates/shop/src/orders.rs"
        ]
    );
}

#[test]
fn hostile_names_come_out_as_toml() {
    for name in [
        "a\\\"b",
        "x\\ny = 1\\n[z]",
        "ünï ✓",
        "\\u001b[31m",
        "\\\\",
        "'''",
        "a\\u202eb",
        "",
        "   ",
        "]",
        "#",
        &"long".repeat(200),
    ] {
        let (_dir, root) = folder(&[
            ("Cargo.toml", &format!("[package]\nname = \"{name}\"\ndescription = \"{name}\"\n")),
            ("src/lib.rs", ""),
            ("src/überweisung.rs", "//! \"Sends\" \\ money\u{7} ✓\n"),
            ("src/überweisung/r#type.rs", ""),
            ("src/überweisung/a-b.rs", ""),
            ("src/überweisung/a\"b\n.rs", ""),
            ("src/überweisung/Konto.rs", ""),
            ("src/überweisung/konto.rs", ""),
            ("src/überweisung/__.rs", ""),
            ("src/überweisung/überweisung.rs", ""),
        ]);
        let (_, text, project) = written(&root);
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
        let names: Vec<&str> = project.components.iter().map(|one| &*one.name).collect();
        assert_eq!(names.len(), 4, "{names:?}");
        let sends = project.components.iter().find(|one| one.parent.is_none()).unwrap();
        assert_eq!(sends.description, "\"Sends\" \\ money ✓");
        assert_eq!(sends.paths.code.as_deref(), Some("src/überweisung.rs"));
    }
}

#[test]
fn a_context_keeps_its_name_before_a_component() {
    let (_dir, root) = folder(&[
        ("Cargo.toml", "[package]\nname = \"shop\"\n"),
        ("src/error/mod.rs", ""),
        ("src/error/kind.rs", ""),
        ("src/orders/mod.rs", ""),
        ("src/orders/error.rs", ""),
        ("src/orders/kind.rs", ""),
        ("src/orders/orders.rs", ""),
    ]);
    let (_, _, project) = written(&root);
    let names: Vec<&str> = project.components.iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["Error", "ErrorKind", "Orders", "OrdersError", "OrdersKind", "OrdersOrders"]);
}
