//! A person's machine: a folder with a home, and programs that see nothing of the real one.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

/// So long a condition is waited for before the test gives up.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) struct Machine {
    _folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        fs::create_dir(root.join("home")).unwrap();
        let config = "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n";
        fs::write(root.join("home/.gitconfig"), config).unwrap();
        Self { _folder: folder, root }
    }

    pub(crate) fn command(&self, program: &str, folder: &Utf8Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear().env("HOME", self.root.join("home"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", self.root.join("home/.gitconfig"));
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
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "{what} never happens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An engine that runs until it is dropped.
pub(crate) struct Engine(Child);

impl Engine {
    /// Starts one, and waits until it is at work. `callboard` makes a command of the program from its arguments.
    pub(crate) fn start(callboard: impl Fn(&[&str]) -> Command) -> Self {
        let mut run = callboard(&["engine", "run"]);
        let engine = Self(run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        until("the engine is at work", || callboard(&["engine", "status"]).output().unwrap().status.success());
        engine
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        kill_process(Pid::from_child(&self.0), Signal::TERM).ok();
        self.0.wait().ok();
    }
}
