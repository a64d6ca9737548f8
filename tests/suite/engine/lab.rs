//! A project with a store, an agent and a test runner of its own, and the real program at work on it.
//!
//! The agent and the runner are shell scripts. A test file has one test a line, `NAME TOKEN`, which passes when the component's
//! code has the token in it; the token `-` always passes, and the line `syntax error` does not compile. What a script does at
//! a step can be replaced by a file in `acts/`.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use callboard::{
    engine,
    model::{
        Answer, Cause, Event, Halt, Intent, IntentAction, IntentId, Interaction, Scope, Session, SessionId, Status,
        Step,
    },
    store::{Change, SessionFilter, Store},
};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process};

/// Whatever takes longer never happens.
const LIMIT: Duration = Duration::from_secs(120);

pub(super) const EMAIL: &str = "ada@example.com";

const AGENT: &str = r#"#!/bin/sh
name=$(printf %s "$CALLBOARD_COMPONENT" | tr A-Z a-z)
at="$name-$CALLBOARD_STEP"
printf '+ agent %s %s %s %s %s\n' "$name" "$CALLBOARD_STEP" "$CALLBOARD_GENERATION" "$CALLBOARD_ITERATION" "$CALLBOARD_CONVERSATION_ID" >> "$LAB/log"
if [ -e "$LAB/acts/$at.raw" ]; then . "$LAB/acts/$at.raw"; exit; fi
cat > "$LAB/prompts/$at-$CALLBOARD_GENERATION-$CALLBOARD_ITERATION"
hold() { printf '= agent %s\n' "$at" >> "$LAB/log"; while [ -e "$LAB/hold/$1" ]; do sleep 0.02; done; }
if [ -e "$LAB/acts/$at" ]; then . "$LAB/acts/$at"
elif [ -e "$LAB/acts/any-$CALLBOARD_STEP" ]; then . "$LAB/acts/any-$CALLBOARD_STEP"
else
  mkdir -p tests src/shop
  case $CALLBOARD_STEP in
    generate_tests_and_fixtures) printf 'adds one\nrejects two\n' > "tests/$name.t" ;;
    generate_implementation) printf 'one two\n' > "src/shop/$name.txt" ;;
    fix_compilation_errors) printf 'more%s_%s three\n' "$CALLBOARD_GENERATION" "$CALLBOARD_ITERATION" >> "tests/$name.t" ;;
    *) printf 'one two three %s\n' "$CALLBOARD_ITERATION" >> "src/shop/$name.txt" ;;
  esac
fi
code=$?
printf -- '- agent %s\n' "$name" >> "$LAB/log"
exit $code
"#;

const TESTS: &str = r#"#!/bin/sh
lab=$1 report=$2 file=$3
name=$(basename "$file" .t)
printf '+ tests %s %s\n' "$name" "$PWD" >> "$lab/log"
hold() { printf '= tests %s\n' "$name" >> "$lab/log"; while [ -e "$lab/hold/$1" ]; do sleep 0.02; done; }
[ -e "$lab/acts/tests-$name" ] && . "$lab/acts/tests-$name"
[ -e "$lab/acts/tests-any" ] && . "$lab/acts/tests-any"
out="" bad=0 n=0
if [ -e "$file" ]; then
  while read -r case token; do
    [ -n "$case" ] || continue
    if [ "$case" = syntax ]; then echo "$file:1:1: error: expected an expression"; printf -- '- tests %s\n' "$name" >> "$lab/log"; exit 2; fi
    n=$((n+1))
    if [ "$token" = - ] || grep -qsw -- "$token" "src/shop/$name.txt"; then
      out="$out<testcase classname=\"$name\" name=\"$case\" file=\"$file\"/>"
    else
      bad=$((bad+1))
      out="$out<testcase classname=\"$name\" name=\"$case\" file=\"$file\"><failure message=\"$token is missing\">$token is missing</failure></testcase>"
    fi
  done < "$file"
fi
printf '<testsuites><testsuite name="%s" tests="%s" failures="%s">%s</testsuite></testsuites>\n' "$name" "$n" "$bad" "$out" > "$report"
printf -- '- tests %s\n' "$name" >> "$lab/log"
[ $bad = 0 ]
"#;

/// How a project differs from the plain one.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) components: Vec<&'static str>,
    /// Lines of `[limits]`.
    pub(super) limits: String,
    /// Lines of `[worktree]`.
    pub(super) worktree: String,
    /// Lines of `[agents.sh]` instead of the usual ones.
    pub(super) agent: Option<String>,
    /// Lines of `[runner]` instead of the usual ones.
    pub(super) runner: Option<String>,
    pub(super) remote: bool,
    pub(super) trust: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            components: vec!["Alpha", "Beta", "Gamma", "Delta", "Epsilon"],
            limits: String::new(),
            worktree: String::new(),
            agent: None,
            runner: None,
            remote: true,
            trust: true,
        }
    }
}

pub(super) struct Lab {
    _folder: tempfile::TempDir,
    pub(super) root: Utf8PathBuf,
    pub(super) project: Utf8PathBuf,
    pub(super) store: Utf8PathBuf,
    children: RefCell<Vec<Child>>,
}

impl Lab {
    pub(super) fn new() -> Self {
        Self::with(Shape::default())
    }

    pub(super) fn with(shape: Shape) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let lab = Self {
            project: root.join("project"),
            store: root.join("data/callboard.db"),
            root,
            children: RefCell::default(),
            _folder: folder,
        };
        for name in ["project", "home", "acts", "hold", "prompts", "tmp"] {
            fs::create_dir_all(lab.root.join(name)).unwrap();
        }
        lab.write("log", "");
        lab.write("agent.sh", AGENT);
        lab.write("tests.sh", TESTS);
        lab.write(
            "home/.gitconfig",
            &format!("[user]\n\tname = Ada\n\temail = {EMAIL}\n[init]\n\tdefaultBranch = main\n"),
        );
        lab.git(&["init", "--quiet"]);
        lab.write("project/README.md", "a shop\n");
        lab.write("project/.gitignore", "ignored/\n.env\n");
        lab.configure(&shape);
        lab.git(&["add", "--all"]);
        lab.git(&["commit", "--quiet", "--message", "first"]);
        if shape.remote {
            lab.git(&["init", "--quiet", "--bare", lab.root.join("remote.git").as_str()]);
            lab.git(&["remote", "add", "origin", lab.root.join("remote.git").as_str()]);
        }
        if shape.trust {
            lab.ok(&["trust", "--yes"]);
        }
        lab
    }

    /// Writes callboard.toml.
    pub(super) fn configure(&self, shape: &Shape) {
        let root = &self.root;
        let agent = shape.agent.clone().unwrap_or_else(|| {
            format!("protocol = \"command\"\ncommand = [\"sh\", \"{root}/agent.sh\"]\nenv = {{ LAB = \"{root}\" }}\n")
        });
        let runner = shape.runner.clone().unwrap_or_else(|| {
            format!(
                "files = [\"sh\", \"{root}/tests.sh\", \"{root}\", \"{{report}}\", \"{{file}}\"]\nsuite = [\"sh\", \"{root}/tests.sh\", \"{root}\", \"{{report}}\"]\n"
            )
        });
        let mut text = format!(
            "[project]\nname = \"lab\"\ntests = \"custom\"\nagent = \"sh\"\n{}\n[paths]\ndesign = \"docs/{{path}}.md\"\n\
             code = \"src/{{path}}.txt\"\ntest = \"tests/{{name}}.t\"\n[limits]\n{}\n[runner]\n{runner}\n[agents.sh]\n{agent}\n\
             [worktree]\n{}\n[[context]]\nname = \"Shop\"\nkind = \"context\"\n",
            if shape.remote { "remote = \"origin\"" } else { "" },
            // No test waits for an agent that fails, unless it is about that.
            if shape.limits.contains("longest_pause") {
                shape.limits.clone()
            } else {
                format!("longest_pause = 0\n{}", shape.limits)
            },
            shape.worktree,
        );
        for (at, name) in shape.components.iter().enumerate() {
            let priority = 100 - at;
            text += &format!("[[context.component]]\nname = \"{name}\"\nkind = \"module\"\npriority = {priority}\n");
        }
        self.write("project/callboard.toml", &text);
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    /// Replaces what the agent or the runner does: `alpha-run…`, `any-STEP`, `tests-alpha`, `tests-any`.
    pub(super) fn act(&self, name: &str, script: &str) {
        self.write(&format!("acts/{name}"), script);
    }

    pub(super) fn no_act(&self, name: &str) {
        fs::remove_file(self.root.join("acts").join(name)).unwrap();
    }

    /// Makes `hold NAME` in an act wait until [`Lab::release`].
    pub(super) fn hold(&self, name: &str) {
        self.write(&format!("hold/{name}"), "");
    }

    pub(super) fn release(&self, name: &str) {
        fs::remove_file(self.root.join("hold").join(name)).unwrap();
    }

    pub(super) fn hook(&self, name: &str, script: &str) {
        executable(&self.project.join(".git/hooks").join(name), script);
    }

    pub(super) fn remote_hook(&self, name: &str, script: &str) {
        executable(&self.root.join("remote.git/hooks").join(name), script);
    }

    /// Lines that the scripts wrote.
    pub(super) fn log(&self) -> Vec<String> {
        self.read("log").lines().map(str::to_owned).collect()
    }

    pub(super) fn logged(&self, start: &str) -> usize {
        self.log().iter().filter(|line| line.starts_with(start)).count()
    }

    /// The most scripts of a kind (`agent`, `tests`) that were at work at once.
    pub(super) fn most_at_once(&self, kind: &str) -> i32 {
        let (mut now, mut most) = (0, 0);
        for line in self.log() {
            if line.starts_with(&format!("+ {kind}")) {
                now += 1;
            } else if line.starts_with(&format!("- {kind}")) {
                now -= 1;
            }
            most = most.max(now);
        }
        most
    }

    fn clean(&self, mut command: Command) -> Command {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.root.join("home"))
            .env("TMPDIR", self.root.join("tmp"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.root.join("home/.gitconfig"))
            .current_dir(&self.project)
            .stdin(Stdio::null());
        command
    }

    /// The program, on this project and this store, with these arguments; it starts no engine in the background.
    pub(super) fn callboard(&self, arguments: &[&str]) -> Command {
        let mut command = self.clean(Command::new(env!("CARGO_BIN_EXE_callboard")));
        command.env("CALLBOARD_NO_ENGINE", "1");
        command.args(["--store", self.store.as_str(), "--project", self.project.as_str()]).args(arguments);
        command
    }

    pub(super) fn output(&self, arguments: &[&str]) -> (i32, String) {
        ended(self.callboard(arguments).output().unwrap())
    }

    /// Runs a command to its end.
    pub(super) fn finish(&self, mut command: Command) -> (i32, String) {
        ended(command.output().unwrap())
    }

    /// Runs a shell script as a person would.
    pub(super) fn shell(&self, folder: &Utf8Path, script: &str) {
        let (code, said) = self.finish({
            let mut command = self.clean(Command::new("sh"));
            command.args(["-c", script]).current_dir(folder);
            command
        });
        assert_eq!(code, 0, "{script}: {said}");
    }

    /// Runs the program, which must end well.
    pub(super) fn ok(&self, arguments: &[&str]) -> String {
        let (code, said) = self.output(arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        said
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.project, arguments)
    }

    pub(super) fn git_in(&self, folder: &Utf8Path, arguments: &[&str]) -> String {
        let (code, said) = ended(self.clean(Command::new("git")).args(arguments).current_dir(folder).output().unwrap());
        assert_eq!(code, 0, "git {arguments:?}: {said}");
        said
    }

    /// Makes a session; no engine is started for it.
    pub(super) fn session(&self, kind: &str, component: &str) -> SessionId {
        self.session_with(kind, component, &[])
    }

    pub(super) fn session_with(&self, kind: &str, component: &str, more: &[&str]) -> SessionId {
        self.ok(&[&["new", kind, component], more].concat()).trim().parse().unwrap()
    }

    pub(super) fn scope(&self) -> Scope {
        Scope { account: "local".into(), project: self.project.to_string(), user: EMAIL.into() }
    }

    pub(super) fn open(&self) -> Store {
        Store::open(&self.store, self.scope()).unwrap()
    }

    /// An engine of the store, which lives until it is ended, or the test is over.
    pub(super) fn engine(&self) -> u32 {
        let pid = self.spawn(self.callboard(&["engine", "run"]));
        self.wait("the engine works", |_| engine::holder(&self.store).is_some_and(|holder| holder.pid == pid));
        pid
    }

    pub(super) fn spawn(&self, mut command: Command) -> u32 {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.root.join("engine.log")).unwrap();
        command.stderr(log.try_clone().unwrap()).stdout(log);
        let child = command.spawn().unwrap();
        let pid = child.id();
        self.children.borrow_mut().push(child);
        pid
    }

    /// Ends a child by `kill -9` and waits until it is gone.
    pub(super) fn kill(&self, pid: u32) {
        self.signal(pid, Signal::KILL);
        self.exit(pid);
    }

    pub(super) fn signal(&self, pid: u32, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
    }

    /// Waits for a child; its exit code.
    pub(super) fn exit(&self, pid: u32) -> Option<i32> {
        let mut children = self.children.borrow_mut();
        let at = children.iter().position(|child| child.id() == pid).unwrap();
        let mut child = children.remove(at);
        drop(children);
        let begin = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begin.elapsed() < LIMIT, "{pid} does not end\n{}", self.story());
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Ends an engine as `engine stop` does.
    pub(super) fn stop(&self, pid: u32) {
        self.signal(pid, Signal::TERM);
        self.exit(pid);
    }

    /// Waits until something is so.
    pub(super) fn wait(&self, what: &str, mut is_so: impl FnMut(&Store) -> bool) {
        let begin = Instant::now();
        let store = self.open();
        while !is_so(&store) {
            assert!(begin.elapsed() < LIMIT, "never: {what}\n{}", self.story());
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Waits for a line of the scripts.
    pub(super) fn sees(&self, start: &str) {
        self.wait(start, |_| self.logged(start) > 0);
    }

    /// Waits until a session has ended, and says how.
    pub(super) fn end_of(&self, id: SessionId) -> Status {
        self.wait("it ends", |store| {
            let row = store.board_row(id).unwrap();
            assert!(row.halt.is_none(), "halted\n{}", self.story());
            row.status.is_terminal()
        });
        self.open().session(id).unwrap().status
    }

    /// Waits until a session is complete.
    pub(super) fn completes(&self, id: SessionId) {
        let status = self.end_of(id);
        assert_eq!(status, Status::Complete, "{}", self.story());
    }

    /// Waits until a parent's child for this component (in lower case) is complete.
    pub(super) fn completes_in(&self, parent: SessionId, name: &str) {
        let children = self.open().children(parent).unwrap();
        let child = children.iter().find(|child| child.component.to_lowercase() == name).unwrap();
        self.completes(child.id);
    }

    /// Waits until a session is halted.
    pub(super) fn halt_of(&self, id: SessionId) -> Halt {
        self.wait("it halts", |store| {
            let row = store.board_row(id).unwrap();
            assert!(row.halt.is_some() || !row.status.is_terminal(), "{} is over\n{}", id, self.story());
            row.halt.is_some()
        });
        self.open().last_halt(id).unwrap().unwrap()
    }

    /// Waits until an attempt at this step is being made.
    pub(super) fn at_step(&self, id: SessionId, step: Step) {
        self.wait(step.as_str(), |store| {
            store.interactions(id, 0).unwrap().last().is_some_and(|last| last.step == step && last.result.is_none())
        });
    }

    pub(super) fn ask(&self, id: SessionId, action: IntentAction) -> IntentId {
        let intent = IntentId::generate();
        let asked = Intent { id: intent, session_id: id, user: EMAIL.into(), action, at: engine::now() };
        self.open().apply(&vec![Change::Ask(asked)]).unwrap();
        intent
    }

    pub(super) fn answer(&self, intent: IntentId) -> Answer {
        let mut answer = None;
        self.wait("an answer", |store| {
            answer = store.answer(intent).unwrap();
            answer.is_some()
        });
        answer.unwrap()
    }

    /// Asks the engine for something, which it does.
    pub(super) fn done(&self, id: SessionId, action: IntentAction) {
        let answer = self.answer(self.ask(id, action.clone()));
        assert_eq!(answer, Answer::Done, "{action:?}\n{}", self.story());
    }

    /// Asks the engine for something, which it refuses; why.
    pub(super) fn refused(&self, id: SessionId, action: IntentAction) -> String {
        match self.answer(self.ask(id, action)) {
            Answer::Refused { why } => why,
            Answer::Done | Answer::Asked => panic!("it was not refused\n{}", self.story()),
        }
    }

    pub(super) fn get(&self, id: SessionId) -> Session {
        self.open().session(id).unwrap()
    }

    pub(super) fn history(&self, id: SessionId) -> Vec<Interaction> {
        self.open().interactions(id, 0).unwrap()
    }

    /// The attempts of a session as `step` or `step:cause`; `step?` is pending.
    pub(super) fn steps(&self, id: SessionId) -> Vec<String> {
        self.history(id).iter().map(in_short).collect()
    }

    /// The attempts that were cut off, as steps.
    pub(super) fn cut_off(&self, id: SessionId) -> Vec<Step> {
        let cut = |it: &Interaction| it.result.as_ref().is_some_and(|result| result.cause == Some(Cause::Interrupted));
        self.history(id).iter().filter(|it| cut(it)).map(|it| it.step).collect()
    }

    /// The message of the newest result.
    pub(super) fn message(&self, id: SessionId) -> String {
        let history = self.history(id);
        history.last().and_then(|last| last.result.clone()).and_then(|result| result.error_message).unwrap_or_default()
    }

    pub(super) fn events(&self, id: SessionId) -> Vec<Event> {
        self.open().events(id, 0, 1_000_000).unwrap()
    }

    /// A session's child for a component.
    pub(super) fn child(&self, parent: SessionId, component: &str) -> SessionId {
        let mut found = None;
        self.wait(component, |store| {
            found = store.children(parent).unwrap().into_iter().find(|child| child.component == component);
            found.is_some()
        });
        found.unwrap().id
    }

    /// Everything about every session, for a person who looks at a test that failed.
    pub(super) fn story(&self) -> String {
        let store = self.open();
        let mut text = String::new();
        for (session, row) in store.sessions(SessionFilter::default()).unwrap() {
            let (id, kind, component, status) = (session.id, session.kind, &session.component, session.status);
            text += &format!("{id} {kind} {component} {status} {} halt {:?}\n", session.mode, row.halt);
            for it in store.interactions(id, 0).unwrap() {
                let message = it.result.as_ref().and_then(|result| result.error_message.clone()).unwrap_or_default();
                text += &format!("    {} {} {}\n", it.seq, in_short(&it), message.replace('\n', " | "));
            }
        }
        text + &self.read("engine.log") + &self.read("log")
    }

    /// The processes of this store's steps that are alive.
    pub(super) fn processes(&self) -> Vec<u32> {
        let wanted = format!("CALLBOARD_STORE={}", self.store);
        marked(wanted.as_bytes())
    }

    /// Waits until no process of a step is left.
    pub(super) fn nobody_left(&self) {
        self.wait("nobody is left", |_| self.processes().is_empty());
    }

    /// Commits that a branch has and the checkout has not, newest first, as `SUBJECT`.
    pub(super) fn commits(&self, branch: &str) -> Vec<String> {
        let range = format!("main..{branch}");
        self.git(&["log", "--format=%s", "--topo-order", &range]).lines().map(str::to_owned).collect()
    }

    pub(super) fn branch(&self, id: SessionId) -> String {
        self.get(id).branch.unwrap()
    }

    pub(super) fn worktree(&self, id: SessionId) -> Utf8PathBuf {
        self.get(id).worktree.unwrap()
    }

    /// The branch's commit in the remote; empty when it has none.
    pub(super) fn pushed(&self, branch: &str) -> String {
        let refs = self.git_in(
            &self.root.join("remote.git"),
            &["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")],
        );
        refs.trim().to_owned()
    }

    pub(super) fn tip(&self, branch: &str) -> String {
        self.git(&["rev-parse", &format!("refs/heads/{branch}")]).trim().to_owned()
    }

    /// Everything of the user's that must stay as it is, to the byte and to the time of the last write.
    pub(super) fn checkout(&self) -> BTreeMap<String, (i64, i64, Vec<u8>)> {
        let mut seen = BTreeMap::new();
        for name in
            ["index", "HEAD", "refs/stash", "logs/refs/stash", "logs/HEAD", "config", "info/exclude", "refs/heads/main"]
        {
            record(&self.project.join(".git").join(name), &mut seen);
        }
        record_folder(&self.project, &mut seen);
        seen
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.root);
        }
        for mut child in self.children.borrow_mut().drain(..) {
            child.kill().ok();
            child.wait().ok();
        }
        // An engine that a command started in the background is nobody's child.
        if let Some(holder) = engine::holder(&self.store).filter(|holder| holder.pid != std::process::id()) {
            end(holder.pid);
        }
        for _ in 0..200 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            left.into_iter().for_each(end);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn end(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::KILL).ok();
    }
}

pub(super) fn in_short(it: &Interaction) -> String {
    match &it.result {
        None => format!("{}?", it.step),
        Some(result) => match result.cause {
            None => it.step.to_string(),
            Some(cause) => format!("{}:{cause}", it.step),
        },
    }
}

/// Living processes with this entry in their environment.
pub(super) fn marked(entry: &[u8]) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|one| one == entry) && is_alive(*pid)
    })
    .collect()
}

pub(super) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

fn ended(output: Output) -> (i32, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

pub(super) fn executable(file: &Utf8Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn record(file: &Utf8Path, seen: &mut BTreeMap<String, (i64, i64, Vec<u8>)>) {
    if let Ok(metadata) = fs::symlink_metadata(file) {
        let bytes = fs::read(file).unwrap_or_default();
        seen.insert(file.to_string(), (metadata.mtime(), metadata.mtime_nsec(), bytes));
    }
}

fn record_folder(folder: &Utf8Path, seen: &mut BTreeMap<String, (i64, i64, Vec<u8>)>) {
    for entry in folder.read_dir_utf8().unwrap().flatten().filter(|entry| entry.file_name() != ".git") {
        record(entry.path(), seen);
        if entry.path().is_dir() {
            record_folder(entry.path(), seen);
        }
    }
}
