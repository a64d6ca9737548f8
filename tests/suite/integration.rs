//! Integration sessions with the real program: the demo's story row by row, and what it does not show.

mod crash;
mod designs;
mod many;
mod order;
mod rows;

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use callboard::{
    model::{
        Answer, CriterionState, EventKind, HaltId, HaltReason, Intent, IntentAction, IntentId, Placement, ResultStatus,
        Scope, Seen, SessionId, SessionKind, Status, Step, Verdict,
    },
    store::{Change, Store},
};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::cli::world::{Engine, ran};

/// So long a condition is waited for before the test gives up.
const LIMIT: Duration = Duration::from_secs(120);

/// A project whose tests are lines `NAME TOKEN FILE`: a test passes when its file has its token.
pub(crate) struct Shop {
    _folder: tempfile::TempDir,
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
    fn of(kind: &str, toml: &str, scenario: &[&str], write: impl FnOnce(&Self)) -> (Self, SessionId) {
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
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        fs::create_dir(root.join("home")).unwrap();
        let config = "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n";
        fs::write(root.join("home/.gitconfig"), config).unwrap();
        Self { _folder: folder, folder: root }
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
        let mut command = Command::new(program);
        let home = std::env::var("HOME").unwrap_or_default();
        command.env_clear().env("HOME", self.folder.join("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_CONFIG_GLOBAL", self.folder.join("home/.gitconfig")).env("CALLBOARD_NO_ENGINE", "1");
        command.env("CARGO_NET_OFFLINE", "true").stdin(Stdio::null()).current_dir(&self.folder);
        for (name, otherwise) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            command.env(name, std::env::var(name).unwrap_or(format!("{home}/{otherwise}")));
        }
        for name in ["PATH", "RUSTUP_TOOLCHAIN"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
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

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "{what} never happens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_demo_tells_the_whole_story() {
    let shop = Shop::empty();
    let mut demo = shop.command(env!("CARGO_BIN_EXE_callboard"));
    let output = demo.args(["demo", "--headless", "--json", "demo"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["complete"], true);
    let of = |kind: &str, component: &str| {
        let sessions = report["sessions"].as_array().unwrap();
        sessions.iter().find(|it| it["kind"] == kind && it["component"] == component).unwrap()
    };
    let integration = of("integration", "Orders");
    let interactions = integration["interactions"].as_array().unwrap();
    let rows: Vec<(&str, u64, &str, Option<&str>)> = interactions
        .iter()
        .map(|it| {
            let result = &it["result"];
            let status = result["status"].as_str().unwrap();
            (it["step"].as_str().unwrap(), it["iteration"].as_u64().unwrap(), status, result["cause"].as_str())
        })
        .collect();
    let expected = [
        ("initialize", 1, "ok", None),
        ("generate_integration_tests", 1, "ok", None),
        ("generate_context", 1, "ok", None),
        ("run_integration_tests", 1, "error", Some("failed")),
        ("fix_integration_test_failures", 1, "ok", None),
        ("run_integration_tests", 2, "error", Some("failed")),
        ("fix_integration_test_failures", 2, "ok", None),
        ("run_integration_tests", 3, "ok", None),
        ("run_test_suite", 1, "error", Some("failures_outside")),
        ("fix_test_failures", 1, "ok", None),
        ("run_test_suite", 2, "ok", None),
        ("validate_acceptance_criteria", 1, "error", Some("failed")),
        ("generate_integration_tests", 2, "ok", None),
        ("generate_context", 2, "ok", None),
        ("run_integration_tests", 4, "ok", None),
        ("run_test_suite", 3, "ok", None),
        ("validate_acceptance_criteria", 2, "ok", None),
        ("finalize", 1, "ok", None),
    ];
    assert_eq!(rows, expected);
    let failures = |at: usize| -> Vec<(&str, &str, &str)> {
        let listed = interactions[at]["result"]["data"]["failures"].as_array().unwrap();
        let text = |it: &'static str, failure: usize| listed[failure][it].as_str().unwrap();
        // Tests run side by side: which fails first is not said.
        let mut all: Vec<_> =
            (0..listed.len()).map(|at| (text("name", at), text("context", at), text("placement", at))).collect();
        all.sort_unstable();
        all
    };
    let (ac_1, ac_3) = ("ac_1_the_summary_adds_up", "ac_3_tax_is_due_on_the_goods_and_on_shipping");
    assert_eq!(failures(3), [(ac_1, "Orders", "inside"), (ac_3, "Orders", "inside")]);
    assert_eq!(failures(5), [(ac_1, "Orders", "inside")]);
    let (invoice, rounding) =
        ("the_last_instalment_takes_what_rounding_left_over", "exactly_half_a_cent_goes_to_the_even_cent");
    assert_eq!(failures(8), [(rounding, "Billing", "outside"), (invoice, "Billing", "outside")]);

    // The person's word is on record, with what it was given on.
    let halt = &integration["halt"];
    assert_eq!(halt["reason"], "architectural_failure");
    assert_eq!(halt["evidence"]["about"]["contexts"], serde_json::json!(["Billing"]));
    assert_eq!(halt["evidence"]["about"]["files"], serde_json::json!(["src/billing/rounding.rs"]));
    let decision = &halt["decision"];
    assert_eq!((&decision["verdict"], &decision["user"]), (&"override".into(), &"ada@example.com".into()));
    assert!(decision["note"].as_str().unwrap().contains("Billing"), "{decision}");
    assert_eq!(decision["evidence_hash"].as_str().unwrap().len(), 64);

    // What each agent was told.
    let prompt = |at: usize| interactions[at]["command"]["prompt"].as_str().unwrap();
    for wanted in [invoice, rounding, "**outside this context**, component `Invoice` of `Billing`"] {
        assert!(prompt(9).contains(wanted), "{wanted} is missing in {}", prompt(9));
    }
    assert!(prompt(12).contains("## What is still missing"), "{}", prompt(12));
    assert!(
        prompt(12)
            .contains("> AC-5 (An order that a voucher pays in full still costs its shipping): no test carries its id")
    );

    // The one session that was woken, in the same conversation.
    let cart = of("component_coding", "Cart");
    assert_eq!((&cart["generation"], &cart["status"]), (&2.into(), &"complete".into()));
    let woken: Vec<&Value> =
        cart["interactions"].as_array().unwrap().iter().filter(|it| it["generation"] == 2).collect();
    let steps: Vec<&str> = woken.iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["fix_test_failures", "run_tests", "finalize"]);
    let told = woken[0]["command"]["prompt"].as_str().unwrap();
    for wanted in ["a cart does not know what its goods weigh", "Failing: ac_1_the_summary_adds_up", "Cart::weigh"] {
        assert!(told.contains(wanted), "{wanted} is missing in {told}");
    }
    assert_eq!(woken[0]["command"]["conversation_id"], cart["conversation_id"]);
    let at = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    assert!(at(woken[2], "completed_at") <= at(&interactions[7], "started_at"), "it was waited for");

    let criteria: Vec<(&str, &str, &str)> = report["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let shown = &it["shown"];
            (it["id"].as_str().unwrap(), shown["state"].as_str().unwrap(), shown["commit"].as_str().unwrap())
        })
        .collect();
    let commit = integration["commit"].as_str().unwrap();
    assert_eq!(criteria, ["AC-1", "AC-2", "AC-3", "AC-4", "AC-5"].map(|id| (id, "satisfied", commit)));

    // One merge, one commit, pushed once; Billing and the checkout are as they were.
    let folder = shop.folder.join("demo");
    let git = |arguments: &[&str]| {
        let output = shop.command("git").arg("-C").arg(folder.join("shop")).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (branch, base) = (integration["branch"].as_str().unwrap(), integration["base_commit"].as_str().unwrap());
    let subjects = git(&["log", "--topo-order", "--format=%s", &format!("{base}..{branch}")]);
    assert_eq!(subjects, "Integrate Orders\nMerge: Implement Cart\nImplement Cart\n");
    let files = git(&["diff", "--name-only", base, branch]);
    assert_eq!(files, "src/orders/cart.rs\nsrc/orders/mod.rs\ntests/orders_integration_test.rs\n");
    assert_eq!(git(&["ls-remote", "origin", &format!("refs/heads/{branch}")]).split_whitespace().next(), Some(commit));
    assert_eq!(git(&["status", "--porcelain"]), "");
    let store = open(&folder.join("callboard.db"), &folder.join("shop"));
    let halts = store.halts(integration["id"].as_str().unwrap().parse().unwrap()).unwrap();
    assert_eq!(halts.iter().map(|halt| halt.reason).collect::<Vec<_>>(), [HaltReason::ArchitecturalFailure]);
}

#[test]
fn what_was_red_before_does_not_halt() {
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let suite = shop.store().last_result(id, Step::RunTestSuite).unwrap().unwrap();
    assert_eq!(suite.status, ResultStatus::Warning);
    let run = suite.test_run().unwrap();
    let placed: Vec<_> =
        run.failures.iter().map(|it| (it.name.as_str(), it.context.as_deref(), it.placement)).collect();
    assert_eq!(placed, [("is_old", Some("Billing"), Some(Placement::PreExisting))]);
    let base = shop.store().session(id).unwrap().base_commit.unwrap();
    assert_eq!(shop.store().base_runs(&base, &["is_old".into()]).unwrap(), [("is_old".to_owned(), true)]);
    assert!(shop.store().halts(id).unwrap().is_empty());
    assert!(suite.output.is_some_and(|output| fs::metadata(&output.path).is_ok_and(|it| it.len() == output.kept)));
}

#[test]
fn what_was_shown_is_stale_when_the_checkout_moves_on() {
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let standing = || {
        let criteria: Value = serde_json::from_str(&shop.ok(&["criterion", "ls", "--json"])).unwrap();
        criteria[0]["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!(standing(), "satisfied", "the checkout does not have the work yet");
    shop.git(&["merge", "--quiet", "--ff-only", &shop.store().session(id).unwrap().branch.unwrap()]);
    assert_eq!(standing(), "satisfied");
    shop.write("notes.txt", "nothing that was tested\n");
    shop.git(&["add", "--all"]);
    shop.git(&["commit", "--quiet", "--message", "Note"]);
    assert_eq!(standing(), "satisfied");
    shop.write("src/orders/cart.txt", "price\nweight\ncolour\n");
    shop.git(&["commit", "--quiet", "--all", "--message", "Colour"]);
    assert_eq!(standing(), "stale");
    assert!(shop.ok(&["report", &id.to_string()]).contains("| stale |"), "{}", shop.ok(&["report", &id.to_string()]));
    // A person's word wins, until it is taken back.
    shop.ok(&["criterion", "set", "AC-1", "satisfied", "--note", "looked at it"]);
    assert_eq!(standing(), "satisfied");
    shop.ok(&["criterion", "unset", "AC-1"]);
    assert_eq!(standing(), "stale");
}

/// The joining code changes what Billing has.
const BREAKS_BILLING: &str = r#"
[[turn]]
step = "generate_context"
write = [{ path = "src/orders.txt", content = "joined\n" }, { path = "src/billing/rounding.txt", content = "up\n" }]
"#;

#[test]
fn approve_closes_and_nothing_happens_after_the_halt() {
    let (shop, id) = Shop::new(&[BREAKS_BILLING, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let session = shop.store().session(id).unwrap();
    assert_eq!(session.status, Status::Failed, "at once");
    let halt = shop.store().last_halt(id).unwrap().unwrap();
    assert_eq!(halt.reason, HaltReason::ArchitecturalFailure);
    let placed = shop.store().last_result(id, Step::RunTestSuite).unwrap().unwrap();
    let placed: Vec<_> =
        placed.test_run().unwrap().failures.iter().map(|it| (it.name.clone(), it.placement.unwrap())).collect();
    let expected = [("rounds".to_owned(), Placement::Outside), ("is_old".to_owned(), Placement::PreExisting)];
    assert_eq!(placed, expected, "what was red before is told apart from what broke");
    assert_eq!(halt.evidence["about"]["files"], serde_json::json!(["src/billing/rounding.txt"]));
    let next = shop.ok(&["preview", &id.to_string()]);
    assert_eq!(
        next,
        "next: halt\nbut: halted (architectural_failure): tests outside Orders broke: rounds in Billing; changed here, \
         and theirs or used by them: src/billing/rounding.txt. Approve closes it as failed; override, with a note, \
         opens fix_test_failures.\n"
    );
    let shown = shop.ok(&["show", &id.to_string()]);
    let told = |line: &str| shown.lines().any(|it| it.split_whitespace().collect::<Vec<_>>().join(" ") == line);
    assert!(told("new rounds outside, Billing tests/rounding.t"), "{shown}");
    assert!(told("was red before is_old Billing tests/rounding.t"), "{shown}");
    let report = shop.ok(&["report", &id.to_string()]);
    assert!(report.contains("- rounds (outside, Billing) failed in #"), "{report}");
    assert!(report.contains("- is_old (was red before, Billing) failed in #"), "{report}");
    let branch = session.branch.clone().unwrap();
    let (steps, tip) = (shop.steps(id), shop.git(&["rev-parse", &branch]));

    shop.ask(&["approve", &id.to_string(), "--note", "Billing is not ours"]);
    assert_eq!(shop.run(id), 1, "{}", shop.story());
    assert_eq!(shop.store().session(id).unwrap().status, Status::Failed);
    let decision = shop.store().last_halt(id).unwrap().unwrap().decision.unwrap();
    assert_eq!((decision.verdict, decision.note.as_deref()), (Verdict::Approve, Some("Billing is not ours")));
    assert_eq!((shop.steps(id), shop.git(&["rev-parse", &branch])), (steps, tip));
    assert!(session.worktree.unwrap().join("src/orders.txt").is_file(), "the worktree is kept");
    assert_eq!(shop.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_decision_is_about_what_was_seen() {
    let (shop, id) = Shop::new(&[BREAKS_BILLING, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let halt = shop.store().last_halt(id).unwrap().unwrap();
    let ask = |action: IntentAction| {
        let intent = IntentId::generate();
        let asked = Intent { id: intent, session_id: id, user: "ada@example.com".into(), action, at: 1 };
        shop.store().apply(&vec![Change::Ask(asked)]).unwrap();
        shop.run(id);
        match shop.store().answer(intent).unwrap() {
            Some(Answer::Refused { why }) => why,
            other => panic!("{other:?}"),
        }
    };
    let approve = |seen: Seen| IntentAction::Approve { note: None, seen: Some(seen) };
    let other = ask(approve(Seen { halt: HaltId::generate(), content: None }));
    assert!(other.contains("an earlier halt"), "{other}");
    // Somebody writes into the worktree between the look and the decision.
    let worktree = shop.store().session(id).unwrap().worktree.unwrap();
    let tree = callboard::git::Tree::open(&worktree).unwrap();
    let content = tree.content_hash(&["src/billing/rounding.txt".into()]).unwrap();
    fs::write(worktree.join("src/billing/rounding.txt"), "down\n").unwrap();
    let changed = ask(approve(Seen { halt: halt.id, content: Some(content) }));
    assert!(changed.contains("has changed since it was shown"), "{changed}");
    // Nor is the decision got round.
    let context = "Mended by hand.".to_owned();
    let woken = ask(IntentAction::Reactivate { context, requester: None, redesign: false });
    assert!(woken.contains("approve or override that first"), "{woken}");
    assert!(shop.store().last_halt(id).unwrap().unwrap().decision.is_none());
    // What was decided waits for nobody any more.
    let waits = || shop.ok(&["inbox", "--json"]).trim() != "[]";
    assert!(waits());
    shop.ask(&["approve", &id.to_string()]);
    assert_eq!(shop.run(id), 1, "{}", shop.story());
    assert!(!waits(), "{}", shop.ok(&["inbox"]));
    // What it was decided on can still be read, whatever becomes of the worktree.
    fs::remove_dir_all(&worktree).unwrap();
    let report = shop.ok(&["report", &id.to_string()]);
    assert!(report.contains("-even") && report.contains("+up"), "{report}");
}

#[test]
fn a_persons_word_on_a_criterion_wins() {
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, WEIGHED]);
    shop.ok(&["criterion", "set", "AC-1", "unmet", "--note", "It weighs the wrong thing."]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let told = shop.prompt(id, Step::GenerateIntegrationTests, 2);
    assert!(told.contains("a person says that it is not met: It weighs the wrong thing."), "{told}");

    let unmarked = BEGINNING.replace("ac_1_weighs", "weighs");
    let (shop, id) = Shop::with(TOML, &[&unmarked, JOINED, WAKE_CART, WEIGHED], |_| {});
    shop.ok(&["criterion", "set", "AC-1", "satisfied", "--note", "Seen on the scales."]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let criteria: Value = serde_json::from_str(&shop.ok(&["criterion", "ls", "--json"])).unwrap();
    assert_eq!(criteria[0]["standing"], "satisfied");
    assert_eq!(criteria[0]["said"]["note"], "Seen on the scales.");
    assert_eq!(criteria[0]["shown"]["state"], "untested", "the tests show what they show: {criteria}");
    assert!(shop.ok(&["report", &id.to_string()]).contains("by a person's word: AC-1"));
}

#[test]
fn a_session_that_is_woken_and_fails_is_news() {
    let refused = r#"
[[turn]]
component = "Cart"
step = "fix_test_failures"
write = [{ path = "src/orders/cart.txt", content = "price\nforbidden\n" }]

[[turn]]
step = "fix_integration_test_failures"
iteration = 2
prompt = "The session of Cart, which was woken for this one, failed: the commit was refused"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]
"#;
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, refused]);
    shop.hook("pre-commit", "if git diff --cached | grep -q '^+forbidden'; then echo 'forbidden word' >&2; exit 1; fi");
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let cart = shop.coding("Cart");
    let woken = shop.store().session(cart).unwrap();
    assert_eq!((woken.status, woken.generation), (Status::Failed, 2));
    let prompt = shop.prompt(id, Step::FixIntegrationTestFailures, 2);
    assert!(prompt.contains("forbidden word"), "{prompt}");
    let log = shop.git(&["log", "--format=%s", &shop.store().session(id).unwrap().branch.unwrap()]);
    assert_eq!(log.matches("Merge: Implement Cart").count(), 1, "what failed is not merged: {log}");
}

#[test]
fn those_who_would_wait_for_each_other_are_refused() {
    let back = r#"
[[turn]]
component = "Cart"
step = "fix_test_failures"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]
call = [{ tool = "reactivate_session", arguments = { session = "ORDERS", reason = "Ask me again." } }]
"#;
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, back]);
    let scenario = shop.project().join("scenario.toml");
    let text = fs::read_to_string(&scenario).unwrap().replace("ORDERS", &id.to_string());
    fs::write(scenario, text).unwrap();
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let notes = shop.notes(shop.coding("Cart"));
    assert!(notes.iter().any(|note| note.contains("integration Orders → component_coding Cart")), "{notes:?}");
    assert_eq!(shop.store().session(id).unwrap().generation, 1);
}

#[test]
fn all_who_were_woken_are_waited_for() {
    let both = r#"
[[turn]]
step = "fix_integration_test_failures"
iteration = 1
call = [
  { tool = "reactivate_session", arguments = { component = "Cart", reason = "It weighs nothing." } },
  { tool = "reactivate_session", arguments = { component = "Tax", reason = "It knows no country." } },
]

[[turn]]
component = "Cart"
step = "fix_test_failures"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]

[[turn]]
component = "Tax"
step = "fix_test_failures"
write = [{ path = "src/orders/tax.txt", content = "rate\ncountry\n" }]
"#;
    let (shop, id) = Shop::new(&[JOINED, both]);
    // Tax ends when it is let: its commit waits for a file.
    let let_go = shop.folder.join("let-go");
    shop.hook(
        "pre-commit",
        &format!("git diff --cached --name-only | grep -q tax || exit 0; until [ -e {let_go} ]; do sleep 0.05; done"),
    );
    let mut run = shop.start(id);
    let (store, tax) = (shop.store(), shop.coding("Tax"));
    until("Cart is done and Tax is not", || {
        store.session(shop.coding("Cart")).is_ok_and(|it| it.generation == 2 && it.status == Status::Complete)
    });
    let shown = || serde_json::from_str::<Value>(&shop.ok(&["show", &id.to_string(), "--json"])).unwrap();
    until("it waits", || shown()["next"] == "waiting");
    assert_eq!(shown()["waiting_on"], serde_json::json!([tax]));
    fs::write(&let_go, "").unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0), "{}", shop.story());
    let ended = store.interactions(tax, 0).unwrap().last().unwrap().completed_at.unwrap();
    let interactions = store.interactions(id, 0).unwrap();
    let again = interactions.iter().filter(|it| it.step == Step::RunIntegrationTests).nth(1).unwrap();
    assert!(again.started_at >= ended);
    let branch = store.session(id).unwrap().branch.unwrap();
    assert_eq!(shop.git(&["show", &format!("{branch}:src/orders/tax.txt")]), "rate\ncountry\n");
    let criteria = store.criteria(Some("Orders")).unwrap();
    assert_eq!(criteria[0].shown.as_ref().unwrap().state, CriterionState::Satisfied);
}

#[test]
fn a_waking_attempt_that_is_cut_off_wakes_once() {
    let slow = WAKE_CART.replace("iteration = 1", "iteration = 1\ndelay_ms = 800");
    let (shop, id) = Shop::new(&[JOINED, &slow, WEIGHED]);
    let mut run = shop.start(id);
    let (store, cart) = (shop.store(), shop.coding("Cart"));
    until("Cart is complete again", || {
        store.session(cart).is_ok_and(|it| it.generation == 2 && it.status == Status::Complete)
    });
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let fixes: Vec<String> = shop.steps(id).into_iter().filter(|step| step.starts_with("fix")).collect();
    assert_eq!(fixes, ["fix_integration_test_failures:interrupted", "fix_integration_test_failures"]);
    assert_eq!(store.session(cart).unwrap().generation, 2);
    assert!(store.halts(id).unwrap().is_empty());
}

#[test]
fn a_merge_that_is_cut_off_takes_nothing_of_the_session_with_it() {
    let joined = r#"
[[turn]]
step = "generate_context"
write = [{ path = "src/orders.txt", content = "joined\n" }, { path = "src/orders/tax.txt", content = "rate\njoined\n" }]
"#;
    let (shop, id) = Shop::new(&[joined, WAKE_CART, WEIGHED]);
    let flag = shop.folder.join("merging");
    shop.hook("pre-merge-commit", &format!("[ -e {flag} ] && exit 0; touch {flag}; sleep 60"));
    let mut run = shop.start(id);
    until("Cart is merged", || flag.is_file());
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let branch = shop.store().session(id).unwrap().branch.unwrap();
    let show = |file: &str| shop.git(&["show", &format!("{branch}:{file}")]);
    assert_eq!((show("src/orders/tax.txt"), show("src/orders.txt")), ("rate\njoined\n".into(), "joined\n".into()));
    assert_eq!(show("src/orders/cart.txt"), "price\nweight\n");
    let log = shop.git(&["log", "--first-parent", "--format=%s", "-2", &branch]);
    assert_eq!(log, "Integrate Orders\nMerge: Implement Cart\n");
}

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

const CARGO: &str = r#"
[project]
name = "shop"
tests = "cargo"
agent = "player"

[paths]
code = "src/{path}.rs"
test = "tests/{name}_test.rs"
integration_test = "tests/{name}_together_test.rs"

[agents.player]
protocol = "script"
scenario = "scenario.toml"

[[context]]
name = "Orders"
kind = "context"
code = "src/orders/mod.rs"
  [[context.component]]
  name = "Cart"
  kind = "module"

[[context]]
name = "Billing"
kind = "context"
code = "src/billing/mod.rs"
  [[context.component]]
  name = "Rounding"
  kind = "module"
"#;

/// The joining code wants another signature of what Billing has; Billing's own test does not compile any more.
const ANOTHER_SIGNATURE: &str = r##"
[[turn]]
component = "Cart"
step = "generate_implementation"
write = [{ path = "src/orders/cart.rs", content = "pub fn lines() -> u64 { 1 }\n" }]

[[turn]]
step = "generate_integration_tests"
write = [{ path = "tests/orders_together_test.rs", content = "#[test]\nfn it_adds_up() { assert_eq!(shop::orders::total(3), 2) }\n" }]

[[turn]]
step = "generate_context"
write = [
  { path = "src/orders/mod.rs", content = "pub mod cart;\npub fn total(cents: u64) -> u64 { crate::billing::rounding::half(cents, true) }\n" },
  { path = "src/billing/rounding.rs", content = "pub fn half(cents: u64, up: bool) -> u64 { if up { cents.div_ceil(2) } else { cents / 2 } }\n" },
]
"##;

#[test]
fn a_test_elsewhere_that_does_not_compile_any_more_halts() {
    let (shop, id) = Shop::with(CARGO, &[ANOTHER_SIGNATURE], |shop| {
        shop.write("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        shop.write(".gitignore", "target\n");
        shop.write("src/lib.rs", "pub mod billing;\npub mod orders;\n");
        shop.write("src/orders/mod.rs", "pub mod cart;\n");
        shop.write("src/orders/cart.rs", "pub fn lines() -> u64 { 1 }\n");
        shop.write("src/billing/mod.rs", "pub mod rounding;\n");
        shop.write("src/billing/rounding.rs", "pub fn half(cents: u64) -> u64 { cents / 2 }\n");
        shop.write("tests/cart_test.rs", "#[test]\nfn keeps() { assert_eq!(shop::orders::cart::lines(), 1) }\n");
        shop.write(
            "tests/rounding_test.rs",
            "#[test]\nfn rounds() { assert_eq!(shop::billing::rounding::half(3), 1) }\n",
        );
    });
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let halt = shop.store().last_halt(id).unwrap().unwrap();
    assert_eq!(halt.reason, HaltReason::ArchitecturalFailure, "{}", shop.story());
    let about = &halt.evidence["about"];
    assert_eq!(about["contexts"], serde_json::json!(["Billing"]));
    assert_eq!(about["files"], serde_json::json!(["src/billing/rounding.rs"]));
    assert_eq!(about["tests"][0]["name"], "tests/rounding_test.rs does not compile");
    assert_eq!(about["tests"][0]["component"], "Rounding");
    let run = shop.store().last_result(id, Step::RunTestSuite).unwrap().unwrap();
    assert_eq!(run.test_run().unwrap().compile_errors[0].placement, Some(Placement::Outside));
    // It compiled where the branch began: that was looked at, not believed.
    let base = shop.store().session(id).unwrap().base_commit.unwrap();
    let known = shop.store().base_runs(&base, &["tests/rounding_test.rs does not compile".into()]).unwrap();
    assert_eq!(known, [("tests/rounding_test.rs does not compile".to_owned(), false)]);
}
