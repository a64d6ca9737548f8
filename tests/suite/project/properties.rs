//! What holds for every text, name and tree of modules.

use std::collections::BTreeSet;

use callboard::project::{InitFacts, Project, Settings, init, snake_case};
use camino::Utf8Path;
use proptest::{prelude::*, string::RegexGeneratorStrategy};

use super::{folder, minimal};

fn pattern(regex: &str) -> RegexGeneratorStrategy<String> {
    prop::string::string_regex(regex).unwrap()
}

/// Pieces of configurations, put together at random: deeper into the reader than any text gets.
fn pieces() -> impl Strategy<Value = String> {
    let keys = "name|kind|tests|agent|remote|code|test|design|criteria|id|text|title|context|component|depends_on|protocol|\
                command|env|files|suite|report|copy|union|pass|agents|output|step_timeout|priority|stories";
    let headers = "\\[(project|paths|limits|agents\\.[ab]|worktree|env|runner)\\]|\\[\\[(context|context\\.component|story|story\\.criteria)\\]\\]";
    let values = "\"[abAB{}/.~1m-]{0,6}\"|-?[0-9]{1,3}|\\[\\]|\\[\"[ab{}.]{0,6}\"(, \"[ab]\")?\\]|\\{ (id|a) = \"[a-z]\" \\}|true|1\\.5";
    let key_value = format!("({keys}) = ({values})");
    let line = prop_oneof![pattern(headers), pattern(&key_value)];
    prop::collection::vec(line, 0..30).prop_map(|lines| minimal(&lines.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}|([\\[\\]{}=\",.#\\\\\n a-z0-9_-]){0,200}") {
        drop(Project::parse(Utf8Path::new("/p"), &text));
        drop(Settings::parse(Utf8Path::new("config.toml"), &text));
    }

    #[test]
    fn any_configuration_is_answered(text in pieces()) {
        if let Err(error) = Project::parse(Utf8Path::new("/p"), &text) {
            prop_assert!(!error.problems.is_empty());
        }
        drop(Settings::parse(Utf8Path::new("config.toml"), &text));
    }

    #[test]
    fn snake_case_stays(name in "\\PC{0,40}|[A-Za-z0-9_ .]{0,40}") {
        let once = snake_case(&name);
        prop_assert_eq!(snake_case(&once), once.clone());
        prop_assert!(!once.contains(['/', '\\', '.', '\0', ' ']));
    }
}

/// Files of a crate, as modules of any depth, some of them in places where they mean nothing.
fn tree() -> impl Strategy<Value = Vec<String>> {
    let name = pattern("orders|order|ORDERS|o_rder|mod|tests|lib|main|bin|v2|v_2|_x|Überzug|types|order_types|a b|9x");
    let file = prop::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    let folder = pattern("src|tests|crates/one/src|crates/two/src|crates/two/tests");
    let path = (folder, file, pattern("(_test|_integration_test|/mod|)"));
    prop::collection::vec(path.prop_map(|(folder, file, end)| format!("{folder}/{file}{end}.rs")), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_init_writes_loads(files in tree(), name in "\\PC{0,20}", workspace: bool) {
        let quoted = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        let members = if workspace { "[workspace]\nmembers = [\"crates/*\"]\n" } else { "" };
        let manifest = format!("{members}[package]\nname = {quoted}\n");
        let mut all = vec![("Cargo.toml", manifest.as_str())];
        let member = "[package]\nname = \"one\"\n";
        all.extend([("crates/one/Cargo.toml", member), ("crates/two/Cargo.toml", member)]);
        all.extend(files.iter().map(|file| (file.as_str(), "//! A file.\n")));
        let (_dir, root) = folder(&all);
        let report = init(&root, &InitFacts::default()).unwrap();
        let project = Project::load(&root).unwrap();
        prop_assert_eq!(project.components.len(), report.contexts.len() + report.components);
        for component in &project.components {
            prop_assert!(root.join(component.paths.code.as_ref().unwrap()).is_file());
        }
        for file in &project.worktree.union {
            prop_assert!(root.join(file).is_file());
        }
        let codes: BTreeSet<_> = project.components.iter().map(|one| &one.paths.code).collect();
        prop_assert_eq!(codes.len(), project.components.len());
    }
}
