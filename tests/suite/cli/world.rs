//! A person's machine: a home, a project, a store, and `callboard`.

use std::{
    fs,
    process::{Command, Stdio},
};

use callboard::{model::Scope, store::Store};
use camino::Utf8PathBuf;
use serde_json::Value;

use crate::machine::Machine;
pub(crate) use crate::machine::{Engine, until};

const TOML: &str = include_str!("../../data/cli/callboard.toml");
const RUN: &str = include_str!("../../data/cli/run.sh");
const AGENT: &str = include_str!("../../data/cli/agent.sh");

pub(crate) struct World {
    machine: Machine,
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
        let machine = Machine::new();
        let folder = machine.root.clone();
        fs::create_dir(folder.join("shop")).unwrap();
        Self { machine, project: folder.join("shop"), store: folder.join("callboard.db"), folder }
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
        self.machine.command(program, &self.project)
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
