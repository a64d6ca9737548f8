//! Which cargo targets a list of test files stands for. Cargo's own layout decides (tests/x.rs, tests/x/main.rs, src/…); the
//! disk is not looked at.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::runner::{Plan, RunnerError, Target};

/// Whatever the user's own settings are: plain text, whole words, and output kept for the tests that fail.
const ENV: [(&str, &str); 6] = [
    ("CARGO_TERM_COLOR", "never"),
    ("CARGO_TERM_PROGRESS_WHEN", "never"),
    ("CARGO_TERM_QUIET", "false"),
    ("CARGO_TERM_VERBOSE", "false"),
    ("RUST_BACKTRACE", "0"),
    ("RUST_TEST_NOCAPTURE", "0"),
];

/// Where the tests of one file are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    /// The workspace member's directory; empty: the root package.
    member: String,
    /// `--test x`, `--lib` …
    target: Vec<String>,
    /// The module path, if the file is not the target's root.
    module: Option<String>,
}

/// The command for the given files, or for the whole workspace.
pub(in crate::runner) fn plan(target: Target<'_>, worktree: &Utf8Path) -> Result<Plan, RunnerError> {
    let mut argv = ["cargo", "test", "--no-fail-fast", "--color=never"].map(str::to_owned).to_vec();
    if let Target::Files(files) = target {
        let places = files.iter().map(|file| place(file)).collect::<Result<Vec<_>, _>>()?;
        if places.is_empty() {
            return Err(RunnerError::NoFiles);
        }
        argv.extend(arguments(&places));
    }
    let mut env = ENV.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    // A target folder that the user shares between projects would be shared between worktrees too: cargo takes their
    // packages for the same, and one session would run the tests that another one built.
    env.push(("CARGO_TARGET_DIR".to_owned(), worktree.join("target").into_string()));
    Ok(Plan { argv, env, report: None })
}

fn arguments(places: &[Place]) -> Vec<String> {
    let mut argv = Vec::new();
    let members: BTreeSet<&str> = places.iter().map(|place| place.member.as_str()).collect();
    if members.contains("") && members.len() > 1 {
        // The root package has no name here. The targets are looked for everywhere.
        argv.push("--workspace".to_owned());
    } else {
        for member in members.into_iter().filter(|member| !member.is_empty()) {
            let name = member.rsplit('/').next().unwrap_or(member);
            argv.extend(["-p".to_owned(), name.to_owned()]);
        }
    }
    let mut targets: Vec<&Vec<String>> = Vec::new();
    for place in places {
        if !targets.contains(&&place.target) {
            targets.push(&place.target);
        }
    }
    argv.extend(targets.into_iter().flatten().cloned());
    // A filter goes to every binary of the command, so one is given only if each file has one.
    let filters: Option<BTreeSet<String>> = places.iter().map(|place| place.module.clone()).collect();
    match filters.map(Vec::from_iter).as_deref() {
        Some([one]) => argv.push(one.clone()),
        Some(many) => {
            argv.push("--".to_owned());
            argv.extend(many.iter().cloned());
        }
        None => {}
    }
    argv
}

fn place(file: &str) -> Result<Place, RunnerError> {
    let wrong = || RunnerError::NotATarget { file: file.to_owned() };
    let stem = file.strip_suffix(".rs").ok_or_else(wrong)?;
    let parts: Vec<&str> = stem.split('/').collect();
    if parts.iter().any(|part| part.is_empty() || part.starts_with(['.', '-']) || part.chars().any(char::is_control)) {
        return Err(wrong());
    }
    let root =
        parts.iter().position(|part| matches!(*part, "tests" | "src" | "benches" | "examples")).ok_or_else(wrong)?;
    let (member, rest) = parts.split_at(root);
    let (target, module) = match rest {
        ["tests", name] => (named("--test", name), None),
        ["tests", name, module @ ..] => (named("--test", name), path(module)),
        ["benches", name, ..] => (named("--bench", name), None),
        ["examples", name, ..] => (named("--example", name), None),
        ["src", "main"] => (vec!["--bins".to_owned()], None),
        ["src", "bin", name] => (named("--bin", name), None),
        ["src", "bin", name, module @ ..] => (named("--bin", name), path(module)),
        ["src", "lib"] => (vec!["--lib".to_owned()], None),
        ["src", module @ ..] if !module.is_empty() => (vec!["--lib".to_owned()], path(module)),
        _ => return Err(wrong()),
    };
    Ok(Place { member: member.join("/"), target, module })
}

fn named(flag: &str, name: &str) -> Vec<String> {
    vec![flag.to_owned(), name.to_owned()]
}

/// `orders/pricing` and `orders/pricing/mod` → `orders::pricing::`; `main` is the root itself.
fn path(module: &[&str]) -> Option<String> {
    let module = module.strip_suffix(&["mod"]).unwrap_or(module);
    (!module.is_empty() && module != ["main"]).then(|| format!("{}::", module.join("::")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(files: &[&str]) -> String {
        let plan = plan(Target::Files(files), "/w".into()).unwrap();
        plan.argv.join(" ").replace("cargo test --no-fail-fast --color=never ", "")
    }

    #[test]
    fn files_become_targets() {
        for (files, want) in [
            (&["tests/pricing_test.rs"][..], "--test pricing_test"),
            (&["tests/a.rs", "tests/b.rs", "tests/a.rs"], "--test a --test b"),
            (&["tests/suite/main.rs"], "--test suite"),
            (&["tests/suite/runner.rs"], "--test suite runner::"),
            (&["cart/tests/x.rs"], "-p cart --test x"),
            (&["crates/cart/tests/x.rs", "crates/mail/tests/x.rs"], "-p cart -p mail --test x"),
            (&["tests/a.rs", "cart/tests/x.rs"], "--workspace --test a --test x"),
            (&["src/orders/pricing.rs"], "--lib orders::pricing::"),
            (&["src/orders/mod.rs", "src/billing.rs"], "--lib -- billing:: orders::"),
            (&["src/orders.rs", "tests/a.rs"], "--lib --test a"),
            (&["src/lib.rs"], "--lib"),
            (&["src/main.rs"], "--bins"),
            (&["src/bin/tool.rs"], "--bin tool"),
            (&["src/bin/tool/main.rs"], "--bin tool"),
            (&["src/tests/a.rs"], "--lib tests::a::"),
        ] {
            assert_eq!(line(files), want, "{files:?}");
        }
    }

    #[test]
    fn the_whole_project_has_no_target() {
        let plan = plan(Target::Suite, "/w".into()).unwrap();
        assert_eq!(plan.argv.join(" "), "cargo test --no-fail-fast --color=never");
        assert!(plan.env.contains(&("RUST_BACKTRACE".to_owned(), "0".to_owned())));
    }

    #[test]
    fn other_files_are_refused() {
        for file in [
            "tests/a.py",
            "a.rs",
            "docs/a.rs",
            "/tests/a.rs",
            "../tests/a.rs",
            "tests/-a.rs",
            "tests/.rs",
            "src.rs",
            "tests.rs",
            "src/",
            "",
        ] {
            assert!(matches!(plan(Target::Files(&[file]), "/w".into()), Err(RunnerError::NotATarget { .. })), "{file}");
        }
        assert_eq!(plan(Target::Files(&[]), "/w".into()), Err(RunnerError::NoFiles));
    }
}
