//! A project whose tests are lines of text, the machine of the person who works on it, and what its agents play.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use callboard::{
    model::{EventKind, Scope, SessionId, Step},
    store::Store,
};
use camino::{Utf8Path, Utf8PathBuf};

use crate::machine::Machine;

/// A project whose tests are lines `NAME TOKEN FILE`: a test passes when its file has its token.
pub(crate) struct Shop {
    machine: Machine,
    pub(crate) folder: Utf8PathBuf,
}

pub(crate) const TOML: &str = r#"
[project]
name = "shop"
tests = "custom"
agent = "player"

# No test waits for an agent that fails.
[limits]
longest_pause = 0

[paths]
code = "src/{path}.txt"
test = "tests/{name}.t"
integration_test = "tests/{name}_together.t"

[runner]
files = ["sh", "run.sh", "{report}", "{file}"]
suite = ["sh", "run.sh", "{report}"]

[reactivation]
policy = "accept"

[agents.player]
protocol = "script"
scenario = "scenario.toml"

[[context]]
name = "Orders"
kind = "context"
  [[context.component]]
  name = "Cart"
  kind = "module"
  [[context.component]]
  name = "Tax"
  kind = "module"

[[context]]
name = "Billing"
kind = "context"
  [[context.component]]
  name = "Rounding"
  kind = "module"

[[story]]
title = "A customer sees the total"
context = "Orders"
criteria = [{ id = "AC-1", text = "It weighs and taxes" }]
"#;

const RUN: &str = r#"
report=$1; shift
[ $# = 0 ] && set -- tests/*.t
n=0 bad=0 out=""
for file; do
  while read -r name token in; do
    n=$((n+1))
    if grep -qsw -- "$token" "$in"; then
      out="$out<testcase name=\"$name\" file=\"$file\"/>"
    else
      bad=$((bad+1))
      out="$out<testcase name=\"$name\" file=\"$file\"><failure message=\"no $token in $in\">no</failure></testcase>"
    fi
  done < "$file"
done
printf '<testsuite name="all" tests="%s" failures="%s">%s</testsuite>\n' $n $bad "$out" > "$report"
echo "$n tests, $bad bad"
[ $bad = 0 ]
"#;

/// What every scenario begins with: the components are written, the joining code and its test too.
pub(crate) const BEGINNING: &str = r#"
[[turn]]
component = "Cart"
step = "generate_implementation"
write = [{ path = "src/orders/cart.txt", content = "price\n" }]

[[turn]]
component = "Tax"
step = "generate_implementation"
write = [{ path = "src/orders/tax.txt", content = "rate\n" }]

[[turn]]
step = "generate_integration_tests"
write = [{ path = "tests/orders_together.t", content = "ac_1_weighs weight src/orders/cart.txt\n" }]
"#;

/// The joining code is written and breaks nothing.
pub(crate) const JOINED: &str = r#"
[[turn]]
step = "generate_context"
write = [{ path = "src/orders.txt", content = "joined\n" }]
"#;

/// Cart is asked for what the integration test misses.
pub(crate) const WAKE_CART: &str = r#"
[[turn]]
step = "fix_integration_test_failures"
iteration = 1
call = [{ tool = "reactivate_session", arguments = { component = "Cart", reason = "It weighs nothing.", context = "Add a weight." } }]
"#;

/// Cart adds it.
pub(crate) const WEIGHED: &str = r#"
[[turn]]
component = "Cart"
step = "fix_test_failures"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]
"#;

impl Shop {
    /// The project, with components that are written already and an integration session that is not begun.
    pub(crate) fn new(scenario: &[&str]) -> (Self, SessionId) {
        Self::with(TOML, &[&[BEGINNING], scenario].concat(), |_| {})
    }

    /// The same with another configuration, another beginning, and more files.
    pub(crate) fn with(toml: &str, scenario: &[&str], write: impl FnOnce(&Self)) -> (Self, SessionId) {
        let shop = Self::founded(toml, scenario, write);
        let coding = shop.session("context_coding");
        assert_eq!(shop.run(coding), 0, "{}", shop.story());
        let integration = shop.session("integration");
        (shop, integration)
    }

    /// The project with a session of this kind that is not begun, and nothing else.
    pub(crate) fn of(kind: &str, toml: &str, scenario: &[&str], write: impl FnOnce(&Self)) -> (Self, SessionId) {
        let shop = Self::founded(toml, scenario, write);
        let id = shop.session(kind);
        (shop, id)
    }

    fn founded(toml: &str, scenario: &[&str], write: impl FnOnce(&Self)) -> Self {
        let shop = Self::empty();
        let project = shop.project();
        fs::create_dir(&project).unwrap();
        shop.write("callboard.toml", toml);
        shop.write("scenario.toml", &scenario.concat());
        if toml.contains("run.sh") {
            shop.write("run.sh", RUN);
            shop.write("tests/cart.t", "prices price src/orders/cart.txt\n");
            shop.write("tests/tax.t", "rates rate src/orders/tax.txt\n");
            let rounding = "rounds even src/billing/rounding.txt\nis_old never src/billing/rounding.txt\n";
            shop.write("tests/rounding.t", rounding);
            shop.write("src/billing/rounding.txt", "even\n");
        }
        write(&shop);
        shop.git(&["init", "--quiet"]);
        shop.git(&["add", "--all"]);
        shop.git(&["commit", "--quiet", "--message", "Begin"]);
        shop.ok(&["trust", "--yes"]);
        shop
    }

    pub(crate) fn empty() -> Self {
        let machine = Machine::new();
        Self { folder: machine.root.clone(), machine }
    }

    pub(crate) fn project(&self) -> Utf8PathBuf {
        self.folder.join("shop")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        self.machine.command(program, &self.folder)
    }

    pub(crate) fn callboard(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_callboard"));
        let store = self.folder.join("callboard.db");
        command.args(["--project", self.project().as_str(), "--store", store.as_str()]).args(arguments);
        command
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.callboard(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.command("git").args(arguments).current_dir(self.project()).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn session(&self, kind: &str) -> SessionId {
        self.ok(&["new", kind, "Orders"]).trim().parse().unwrap()
    }

    /// Drives a session to its end; the exit code.
    pub(crate) fn run(&self, id: SessionId) -> i32 {
        self.callboard(&["run", &id.to_string()]).output().unwrap().status.code().unwrap()
    }

    pub(crate) fn start(&self, id: SessionId) -> Child {
        self.callboard(&["run", &id.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Asks something of the engine that runs next.
    pub(crate) fn ask(&self, arguments: &[&str]) {
        let output = self.callboard(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("stays on record"), "{arguments:?}: {said}");
    }

    pub(crate) fn store(&self) -> Store {
        open(&self.folder.join("callboard.db"), &self.project())
    }

    /// The coding session of a component.
    pub(crate) fn coding(&self, component: &str) -> SessionId {
        self.store().sessions_of(component).unwrap().first().unwrap().id
    }

    pub(crate) fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.project().join(".git/hooks").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The attempts of a session as `step`, `step:cause`, or `step?` while it is pending.
    pub(crate) fn steps(&self, id: SessionId) -> Vec<String> {
        let interactions = self.store().interactions(id, 0).unwrap();
        let short = |(step, cause): (Step, Option<Option<callboard::model::Cause>>)| match cause {
            None => format!("{step}?"),
            Some(None) => step.to_string(),
            Some(Some(cause)) => format!("{step}:{cause}"),
        };
        interactions.iter().map(|it| short((it.step, it.result.as_ref().map(|result| result.cause)))).collect()
    }

    /// The prompt of the `nth` attempt at a step.
    pub(crate) fn prompt(&self, id: SessionId, step: Step, nth: usize) -> String {
        let interactions = self.store().interactions(id, 0).unwrap();
        let it = interactions.iter().filter(|it| it.step == step).nth(nth - 1).unwrap();
        let callboard::model::Command::Agent { prompt, .. } = &it.command else { panic!("{step} has no prompt") };
        prompt.clone()
    }

    pub(crate) fn notes(&self, id: SessionId) -> Vec<String> {
        let events = self.store().events(id, 0, 10_000).unwrap();
        let note = |kind| if let EventKind::Note { text } = kind { Some(text) } else { None };
        events.into_iter().filter_map(|event| note(event.kind)).collect()
    }

    pub(crate) fn story(&self) -> String {
        let mut text = String::new();
        for (session, _) in self.store().sessions(Default::default()).unwrap() {
            text += &format!("{} {} {}\n", session.kind, session.component, session.status);
            for it in self.store().interactions(session.id, 0).unwrap() {
                let result = it.result.map(|result| (result.cause, result.error_message));
                text += &format!("  {} {} {result:?}\n", it.seq, it.step);
            }
        }
        text
    }
}

pub(crate) fn open(store: &Utf8Path, project: &Utf8Path) -> Store {
    let scope = Scope { account: "local".into(), project: project.to_string(), user: String::new() };
    Store::open(store, scope).unwrap()
}
