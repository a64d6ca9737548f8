//! A component with the real `cargo test` and the script agent: tests that do not compile, tests that hold, code that fails.

use super::lab::{Lab, Shape};
use crate::confine::is_possible;

const SCENARIO: &str = r##"
[[turn]]
step = "generate_tests_and_fixtures"
say = ["Writing the tests."]
write = [
  { path = "src/shop/alpha.rs", content = "pub fn add(_: i32, _: i32) -> i32 {\n    todo!()\n}\n" },
  { path = "tests/alpha_test.rs", content = "#[test]\nfn adds() {\n    assert_eq!(lab::shop::alpha::sum(1, 2), 3);\n}\n" },
]
[[turn]]
step = "fix_compilation_errors"
write = [{ path = "tests/alpha_test.rs", content = "#[test]\nfn adds() {\n    assert_eq!(lab::shop::alpha::add(1, 2), 3);\n}\n" }]
[[turn]]
step = "generate_implementation"
write = [{ path = "src/shop/alpha.rs", content = "pub fn add(a: i32, b: i32) -> i32 {\n    a - b\n}\n" }]
[[turn]]
kind = "component_coding"
step = "fix_test_failures"
prompt = "adds"
write = [{ path = "src/shop/alpha.rs", content = "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n" }]
"##;

const CONFIG: &str = r#"
[project]
name = "lab"
tests = "cargo"
agent = "script"
[paths]
code = "src/{path}.rs"
test = "tests/{name}_test.rs"
[agents.script]
protocol = "script"
scenario = "scenario.toml"
[[context]]
name = "Shop"
kind = "context"
[[context.component]]
name = "Alpha"
kind = "module"
"#;

/// A crate with a component to be made, and a script that makes it.
fn crate_with(config: &str) -> Lab {
    let lab = Lab::with(Shape { trust: false, ..Shape::default() });
    lab.write("project/callboard.toml", config);
    lab.write("project/scenario.toml", SCENARIO);
    lab.write(
        "project/Cargo.toml",
        "[package]\nname = \"lab\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    );
    lab.write("project/Cargo.lock", "version = 4\n\n[[package]]\nname = \"lab\"\nversion = \"0.1.0\"\n");
    lab.write("project/src/lib.rs", "pub mod shop {\n    pub mod alpha;\n}\n");
    lab.write("project/.gitignore", "target\n");
    lab.git(&["add", "--all"]);
    lab.git(&["commit", "--quiet", "--message", "a crate"]);
    lab
}

fn run(lab: &Lab, id: callboard::model::SessionId) {
    let mut command = lab.callboard(&["run", &id.to_string()]);
    // The toolchain is the machine's; without its home a rustup proxy finds none.
    let home = std::env::var("HOME").unwrap_or_default();
    for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
        command.env(name, std::env::var(name).unwrap_or_else(|_| format!("{home}/{folder}")));
    }
    assert_eq!(lab.exit(lab.spawn(command)), Some(0), "{}", lab.story());
}

#[test]
fn tests_and_code_come_about_with_cargo() {
    let lab = crate_with(CONFIG);
    let tests = lab.session("component_test", "Alpha");
    run(&lab, tests);
    let wanted = ["run_tests:could_not_run", "fix_compilation_errors", "run_tests", "finalize"];
    assert_eq!(lab.steps(tests)[2..], wanted);
    let code = lab.session("component_coding", "Alpha");
    run(&lab, code);
    assert_eq!(lab.steps(code)[2..], ["run_tests:failed", "fix_test_failures", "run_tests", "finalize"]);
    assert_eq!(lab.commits(&lab.branch(code)), ["Implement Alpha", "Test Alpha"]);
}

#[test]
fn cargo_works_confined_and_offline() {
    if !is_possible() {
        return;
    }
    let lab = crate_with(&CONFIG.replacen(
        "[[context]]",
        "[sandbox]\nmode = \"worktree\"\nnetwork = \"off\"\n[[context]]",
        1,
    ));
    lab.write(
        "project/build.rs",
        &format!("fn main() {{\n    std::fs::write({:?}, \"x\").unwrap_err();\n}}\n", lab.root.join("outside")),
    );
    lab.git(&["add", "--all"]);
    lab.git(&["commit", "--quiet", "--message", "a build script that reaches out"]);
    let tests = lab.session("component_test", "Alpha");
    run(&lab, tests);
    assert_eq!(lab.steps(tests)[2..], ["run_tests:could_not_run", "fix_compilation_errors", "run_tests", "finalize"]);
    assert!(!lab.root.join("outside").exists());
}
