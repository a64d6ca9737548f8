//! A person's machine: a home, a project, a store, and `callboard`.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use callboard::{model::Scope, store::Store};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

const TOML: &str = include_str!("../../data/cli/callboard.toml");
const RUN: &str = include_str!("../../data/cli/run.sh");
const AGENT: &str = include_str!("../../data/cli/agent.sh");
/// So long a condition is waited for before the test gives up.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) folder: Utf8PathBuf,
    pub(crate) project: Utf8PathBuf,
    pub(crate) store: Utf8PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    /// An empty project folder, and nothing else.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let world =
            Self { project: root.join("shop"), store: root.join("callboard.db"), folder: root, _folder: folder };
        for folder in ["shop", "home"] {
            fs::create_dir(world.folder.join(folder)).unwrap();
        }
        let config = "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n";
        fs::write(world.folder.join("home/.gitconfig"), config).unwrap();
        world
    }

    /// A project with a context of two components, committed; its agent and its tests are shell scripts.
    pub(crate) fn new() -> Self {
        let world = Self::empty();
        world.write("callboard.toml", TOML);
        world.write("run.sh", RUN);
        world.write("agent.sh", AGENT);
        world.git(&["init", "--quiet"]);
        world.commit_all("Begin");
        world
    }

    /// The same, with consent to its commands.
    pub(crate) fn trusted() -> Self {
        let world = Self::new();
        world.ok(&["trust", "--yes"]);
        world
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.project.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.project.join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, &text.replacen(from, to, 1));
    }

    pub(crate) fn commit_all(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn hermetic(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.project).env_clear().env("HOME", self.folder.join("home"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", self.folder.join("home/.gitconfig"));
        command.env("CALLBOARD_NO_ENGINE", "1").env("CARGO_NET_OFFLINE", "true").stdin(Stdio::null());
        // The toolchain is the machine's: without a home of its own, rustup would look for one below ours.
        let home = std::env::var("HOME").unwrap_or_default();
        for (name, otherwise) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            command.env(name, std::env::var(name).unwrap_or(format!("{home}/{otherwise}")));
        }
        for name in ["PATH", "RUSTUP_TOOLCHAIN"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.hermetic("git").args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// `callboard` in the project, with this world's store.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_callboard"), arguments)
    }

    /// The same with a copy of the program.
    pub(crate) fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.hermetic(program);
        command.env("CALLBOARD_DB", &self.store).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// What a command that must end well prints.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.out
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        let out = self.ok(&arguments);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
    }

    /// What a command that must end with this code says on standard error; it prints nothing.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        refused(code, self.run(arguments))
    }

    /// A new session's id.
    pub(crate) fn session(&self, arguments: &[&str]) -> String {
        self.ok(&[&["new"], arguments].concat()).trim().to_owned()
    }

    /// A `PATH` on which `claude` is this shell script.
    pub(crate) fn claude(&self, script: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = self.folder.join("bin");
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("claude");
        fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        format!("{folder}:{}", std::env::var("PATH").unwrap_or_default())
    }

    /// An engine that runs until it is dropped.
    pub(crate) fn engine(&self) -> Engine {
        self.engine_with(&[])
    }

    /// The same with these variables.
    pub(crate) fn engine_with(&self, env: &[(&str, &str)]) -> Engine {
        Engine::start(|arguments| {
            let mut command = self.command(arguments);
            command.envs(env.iter().copied());
            command
        })
    }

    pub(crate) fn open(&self) -> Store {
        let scope = Scope { account: "local".into(), project: self.project.to_string(), user: String::new() };
        Store::open(&self.store, scope).unwrap()
    }

    /// Waits until a session says so.
    pub(crate) fn wait(&self, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        until(what, || {
            last = self.json(&["show", id]);
            is(&last)
        });
        last
    }
}

impl Drop for World {
    /// No engine outlives its test.
    fn drop(&mut self) {
        self.command(&["engine", "stop"]).stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
    }
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn refused(code: i32, ran: Ran) -> String {
    assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{ran:?}");
    let Some(said) = ran.err.strip_prefix("callboard: ") else { panic!("{ran:?}") };
    assert!(!said.chars().any(|char| char.is_control() && char != '\n'), "{said:?}");
    said.trim_end().to_owned()
}

pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::yield_now();
    }
}

/// An engine that runs until it is dropped.
pub(crate) struct Engine(Child);

impl Engine {
    /// Starts one, and waits until it is at work. `callboard` makes a command of the program from its arguments.
    pub(crate) fn start(callboard: impl Fn(&[&str]) -> Command) -> Self {
        let mut run = callboard(&["engine", "run"]);
        let engine = Self(run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        until("the engine is at work", || ran(&mut callboard(&["engine", "status"])).code == 0);
        engine
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::TERM).ok();
        self.0.wait().ok();
    }
}
