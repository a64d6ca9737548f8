//! Every command of the README is run, or at least understood: line after line, in a project of the kind that it speaks of.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::{blocks, file, text};

/// What needs an engine in the background, which would outlive the test.
const ONLY_UNDERSTOOD: &[&str] =
    &["advance", "retry", "cancel", "reactivate", "mode", "approve", "refuse", "override", "demo"];

/// A folder with the reader's project in it, an agent and an editor for it, and nothing of this machine's user.
struct Reader {
    _folder: tempfile::TempDir,
    root: PathBuf,
    /// Where the reader stands.
    here: PathBuf,
    /// The session that was made last.
    id: String,
}

impl Reader {
    fn new(agent: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let kiosk = root.join("kiosk");
        for (path, content) in [
            ("Cargo.toml", "[package]\nname = \"kiosk\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
            ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"kiosk\"\nversion = \"0.1.0\"\n"),
            (".gitignore", "/target\n"),
            ("src/lib.rs", "pub mod orders;\n"),
            ("src/orders/mod.rs", "//! What a customer takes home.\n\npub mod cart;\n"),
            (
                "src/orders/cart.rs",
                "//! Adds prices up.\n\npub fn total(prices: &[u32]) -> u32 {\n    prices.iter().sum()\n}\n",
            ),
            (
                "tests/cart_test.rs",
                "#[test]\nfn adds_up() {\n    assert_eq!(kiosk::orders::cart::total(&[1, 2]), 3);\n}\n",
            ),
        ] {
            write(&kiosk.join(path), content, 0o644);
        }
        // The README's agent, and an editor that names it as the README says.
        write(&root.join("bin/claude"), "#!/bin/sh\ncat > /dev/null\necho 'The tests are good as they are.'\n", 0o755);
        write(&root.join("agent.toml"), agent.split_once("[agents").map_or("", |(_, rest)| rest), 0o644);
        let name = agent.lines().find(|line| line.starts_with("agent = ")).unwrap();
        let editor = format!(
            "#!/bin/sh\nsed -i 's/^# agent = .*/{name}/' \"$1\"\nprintf '[agents' >> \"$1\"\ncat '{}' >> \"$1\"\n",
            root.join("agent.toml").display()
        );
        write(&root.join("bin/editor"), &editor, 0o755);
        write(&root.join("home/.gitconfig"), "[user]\nname = Ada\nemail = ada@example.com\n", 0o644);
        fs::create_dir(root.join("callboard")).unwrap();
        let reader = Self { here: root.join("callboard"), root, _folder: folder, id: String::new() };
        for line in ["git init --quiet --initial-branch=main", "git add --all", "git commit --quiet --message=Begin"] {
            good(line, &reader.sh(&kiosk, line));
        }
        reader
    }

    fn sh(&self, folder: &Path, line: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_callboard")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(folder).env_clear();
        for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        let user =
            |folder: &str| std::env::var_os("HOME").map(|home| Path::new(&home).join(folder)).unwrap_or_default();
        if std::env::var_os("CARGO_HOME").is_none() {
            command.env("CARGO_HOME", user(".cargo"));
        }
        if std::env::var_os("RUSTUP_HOME").is_none() {
            command.env("RUSTUP_HOME", user(".rustup"));
        }
        command
            .env("PATH", format!("{}:{}:{path}", self.root.join("bin").display(), program.display()))
            .env("HOME", self.root.join("home"))
            .env("EDITOR", self.root.join("bin/editor"))
            .env("CALLBOARD_NO_ENGINE", "1")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }

    fn types(&mut self, line: &str) {
        let line = line.split(" #").next().unwrap_or(line).trim().replace("ID", &self.id);
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["cd", folder] => self.here = self.here.join(folder).canonicalize().unwrap(),
            // What is running this test, and what would build everything once more: the arguments are understood by cargo.
            ["cargo", "test"] | ["cargo", "install", "--path", ".", "--locked"] => {}
            ["cargo", "run", "--", rest @ ..] => self.understands(rest.first().copied()),
            ["callboard"] => {
                let output = self.sh(&self.here, &line);
                assert_eq!(output.status.code(), Some(2), "{output:?}");
                assert!(String::from_utf8_lossy(&output.stderr).contains("needs a terminal"), "{output:?}");
            }
            ["callboard", "trust"] => drop(good(&line, &self.sh(&self.here, "callboard trust --yes"))),
            ["callboard", "new", ..] => self.id = good(&line, &self.sh(&self.here, &line)).trim().to_owned(),
            ["callboard", command, ..] if ONLY_UNDERSTOOD.contains(command) => {
                let output = self.sh(&self.here, &format!("{line} --help"));
                good(&line, &output);
            }
            ["callboard" | "$EDITOR", ..] => drop(good(&line, &self.sh(&self.here, &line))),
            [..] => panic!("the README has a command that this test knows nothing of: {line}"),
        }
    }

    fn understands(&self, command: Option<&str>) {
        let line = format!("callboard {} --help", command.unwrap_or_default());
        good(&line, &self.sh(&self.here, &line));
    }
}

fn write(path: &Path, content: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn good(line: &str, output: &Output) -> String {
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn every_command_of_the_readme_works() {
    let readme = text("README.md");
    let agents = blocks(&readme, "toml");
    let [agent] = agents.as_slice() else { panic!("one example of an agent") };
    let mut reader = Reader::new(agent);
    let commands = blocks(&readme, "sh").concat();
    assert!(commands.lines().count() > 10, "{commands}");
    for line in commands.lines() {
        reader.types(line);
    }
}

#[test]
fn the_set_up_is_two_commands() {
    let readme = text("README.md");
    let (_, rest) = readme.split_once("\n## See it\n").unwrap();
    let (section, _) = rest.split_once("\n## ").unwrap();
    assert_eq!(blocks(section, "sh"), ["cargo run -- demo\n", "cargo test\n"]);
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in [
        "README.md",
        "CHANGELOG.md",
        "docs/configuration.md",
        "docs/notices.md",
        "docs/sessions-tool.md",
        "docs/workflows.md",
    ] {
        let all = text(document);
        for target in all.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                let path = file(document).parent().unwrap().join(target);
                assert!(path.exists(), "{document} links to {target}, which is not there");
            }
        }
    }
}
