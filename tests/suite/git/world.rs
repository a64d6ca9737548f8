//! A user's repository with a data folder beside it, and a `git` that sees no configuration but theirs.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Stdio},
};

use callboard::{
    git::{CommitOutcome, Invocation, MergeOutcome, Prepared, Repo, Staged, Tree},
    model::Exit,
};
use camino::{Utf8Path, Utf8PathBuf};

pub(crate) struct World {
    _folder: tempfile::TempDir,
    /// The user's checkout.
    pub(crate) project: Utf8PathBuf,
    /// Where worktrees go.
    pub(crate) data: Utf8PathBuf,
    home: Utf8PathBuf,
}

impl World {
    /// A repository with one commit that has `README.md`.
    pub(crate) fn new() -> Self {
        let world = Self::unborn(&["init", "--quiet", "--initial-branch=main"]);
        world.write("README.md", "hello\n");
        world.commit_all("first");
        world
    }

    /// A repository without a commit.
    pub(crate) fn unborn(init: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let world = Self {
            project: root.join("project"),
            data: root.join("data/worktrees"),
            home: root.join("home"),
            _folder: folder,
        };
        for folder in [&world.project, &world.home] {
            fs::create_dir_all(folder).unwrap();
        }
        world.git(init);
        // libgit2 in this process reads the machine's configuration; the repository's own is above it.
        for (name, value) in [
            ("user.name", "Ada"),
            ("user.email", "ada@example.com"),
            ("commit.gpgSign", "false"),
            ("core.autocrlf", "false"),
            ("core.excludesFile", "/dev/null"),
            ("core.attributesFile", "/dev/null"),
            ("core.hooksPath", ".git/hooks"),
        ] {
            world.git(&["config", name, value]);
        }
        let hooks = world.project.join(".git/hooks");
        world.git(&["config", "core.hooksPath", hooks.as_str()]);
        world
    }

    pub(crate) fn repo(&self) -> Repo {
        Repo::open(&self.project).unwrap()
    }

    pub(crate) fn worktree(&self, name: &str) -> Utf8PathBuf {
        self.data.join(name)
    }

    pub(crate) fn prepare(&self, name: &str) -> Prepared {
        self.repo().prepare(&self.worktree(name), &format!("callboard/component_test/{name}"), "main").unwrap()
    }

    pub(crate) fn tree(&self, name: &str) -> Tree {
        Tree::open(&self.prepare(name).worktree).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.project.join(path), text);
    }

    pub(crate) fn commit_all(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    pub(crate) fn hook(&self, name: &str, script: &str) {
        let file = self.project.join(".git/hooks").join(name);
        write(&file, &format!("#!/bin/sh\n{script}\n"));
        executable(&file);
    }

    /// Runs `git` in the project; it must succeed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.project, arguments)
    }

    pub(crate) fn git_in(&self, folder: &Utf8Path, arguments: &[&str]) -> String {
        let argv: Vec<String> = ["git"].iter().chain(arguments).map(|&part| part.to_owned()).collect();
        let (exit, output) =
            self.run(&Invocation { argv: argv.clone(), directory: folder.into(), env: Vec::new(), stdin: None });
        assert_eq!(exit.code(), Some(0), "{argv:?}: {output}");
        output
    }

    /// Runs an invocation as the engine does: with a clean environment. Both streams in one.
    pub(crate) fn run(&self, invocation: &Invocation) -> (Exit, String) {
        let mut command = Command::new(&invocation.argv[0]);
        command
            .args(&invocation.argv[1..])
            .current_dir(&invocation.directory)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.home.join(".gitconfig"))
            .envs(invocation.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A hook that refuses ends git before it reads.
        stdin.write_all(invocation.stdin.as_deref().unwrap_or_default()).ok();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (Exit::Code { code: output.status.code().unwrap() }, String::from_utf8_lossy(&text).into_owned())
    }

    /// Stages and commits a session's work as the engine does.
    pub(crate) fn commit(&self, tree: &Tree, message: &str) -> CommitOutcome {
        match tree.stage_all().unwrap() {
            Staged::Done { .. } => {}
            Staged::UseGit { add, .. } => {
                let (exit, output) = self.run(&add);
                assert_eq!(exit.code(), Some(0), "{output}");
            }
        }
        let (exit, output) = self.run(&tree.commit(message));
        tree.committed(&exit, &output).unwrap()
    }

    pub(crate) fn merge(&self, tree: &Tree, branch: &str, union: &[&str]) -> MergeOutcome {
        let union: Vec<String> = union.iter().map(|&file| file.to_owned()).collect();
        let merge = tree.merge(branch, &format!("Merge {branch}"), &union, &self.data.join("attributes")).unwrap();
        let (exit, output) = self.run(&merge);
        tree.merged(&exit, &output).unwrap()
    }

    /// A remote, and the path of its bare repository.
    pub(crate) fn remote(&self, name: &str) -> Utf8PathBuf {
        let bare = self.home.join(format!("{name}.git"));
        self.git(&["init", "--quiet", "--bare", bare.as_str()]);
        self.git(&["remote", "add", name, bare.as_str()]);
        bare
    }

    /// Everything of the user's that must stay as it is, to the byte and to the time of the last write.
    pub(crate) fn fingerprint(&self) -> BTreeMap<String, (i64, i64, Vec<u8>)> {
        let mut seen = BTreeMap::new();
        for name in ["index", "HEAD", "refs/stash", "logs/refs/stash", "logs/HEAD", "config", "info/exclude"] {
            record(&self.project.join(".git").join(name), &mut seen);
        }
        record_folder(&self.project, &mut seen);
        seen
    }
}

pub(crate) fn write(file: &Utf8Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

pub(crate) fn executable(file: &Utf8Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn record(file: &Utf8Path, seen: &mut BTreeMap<String, (i64, i64, Vec<u8>)>) {
    if let Ok(metadata) = fs::symlink_metadata(file) {
        let bytes = fs::read(file).unwrap_or_default();
        seen.insert(file.to_string(), (metadata.mtime(), metadata.mtime_nsec(), bytes));
    }
}

fn record_folder(folder: &Utf8Path, seen: &mut BTreeMap<String, (i64, i64, Vec<u8>)>) {
    for entry in folder.read_dir_utf8().unwrap().flatten() {
        if entry.file_name() == ".git" {
            continue;
        }
        record(entry.path(), seen);
        if Path::new(entry.path()).is_dir() {
            record_folder(entry.path(), seen);
        }
    }
}
