//! A project in a temporary folder, with a store beside it.

use std::{cell::RefCell, fs, process::Command};

use callboard::{
    engine,
    model::{Generation, Mode, Origin, Scope, Session, SessionId, SessionKind, Step},
    project::{Project, Settings},
    store::{Change, Store},
};
use camino::{Utf8Path, Utf8PathBuf};

/// The folder is removed when this is dropped.
pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) store: Utf8PathBuf,
    pub(crate) scope: Scope,
    pub(crate) base: String,
    record: RefCell<Store>,
}

/// How the project of a benchmark is configured.
pub(crate) struct Config<'a> {
    pub(crate) components: usize,
    pub(crate) agents: u32,
    pub(crate) tests: u32,
    pub(crate) iterations: u32,
    /// The agent's command line.
    pub(crate) agent: &'a [&'a str],
    /// The test command; `{file}` and `{report}` as in `callboard.toml`.
    pub(crate) runner: &'a [&'a str],
}

impl World {
    /// A repository with one commit: a context with so many components, each with a test file that is at the same time a
    /// report which says that it passed.
    pub(crate) fn new(config: &Config<'_>) -> Self {
        let folder = tempfile::Builder::new().prefix("callboard-bench-").tempdir().unwrap();
        let base = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let (root, store) = (base.join("shop"), base.join("data/callboard.db"));
        fs::create_dir_all(root.join("tests")).unwrap();
        fs::create_dir_all(root.join("src")).unwrap();
        fs::create_dir_all(base.join("data")).unwrap();
        fs::write(root.join("callboard.toml"), toml(config)).unwrap();
        for nth in 0..config.components {
            fs::write(root.join(format!("tests/part{nth}_test.xml")), REPORT).unwrap();
            fs::write(root.join(format!("src/part{nth}.rs")), format!("//! Part {nth}.\n").repeat(20)).unwrap();
        }
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        git(&root, &["config", "user.name", "Bench"]);
        git(&root, &["config", "user.email", "bench@example.org"]);
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "-m", "Begin"]);
        let commit = callboard::git::Repo::open(&root).unwrap().head().unwrap().commit;
        let scope = Scope { account: "local".into(), project: root.to_string(), user: "bench@example.org".into() };
        let record = RefCell::new(Store::open(&store, scope.clone()).unwrap());
        let world = Self { _folder: folder, root, store, scope, base: commit, record };
        world.agree();
        world
    }

    /// The folder that everything is in.
    pub(crate) fn folder(&self) -> &Utf8Path {
        self.root.parent().unwrap()
    }

    fn apply(&self, changes: &[Change]) {
        self.record.borrow_mut().apply(&changes.to_vec()).unwrap();
    }

    /// Makes the project known to the store, with a person's consent to its commands.
    fn agree(&self) {
        let project = Project::load_with(&self.root, &Settings::default()).unwrap();
        let mut changes = engine::catalogue(&project);
        let hash = project.consent_hash();
        changes.extend(hash.map(|hash| Change::Consent { hash, user: "bench".into(), at: engine::now() }));
        self.apply(&changes);
    }

    /// A session that begins with `start`. With a worktree: as `initialize` would have left it.
    pub(crate) fn session(&self, kind: SessionKind, component: &str, start: Step, worktree: bool) -> SessionId {
        let at = engine::now();
        let session = Session::new(kind, component, Mode::Agentic, at);
        let id = session.id;
        let generation = Generation { number: 1, start, context: String::new(), origin: Origin::New, opened_at: at };
        let mut changes = vec![Change::NewSession(Box::new(session), generation)];
        if worktree {
            let (branch, folder) = (format!("callboard/bench/{id}"), self.folder().join("trees").join(id.to_string()));
            let repo = callboard::git::Repo::open(&self.root).unwrap();
            let prepared = repo.prepare(&folder, &branch, &self.base).unwrap();
            changes.push(Change::Prepared {
                session: id,
                branch,
                worktree: prepared.worktree,
                base_commit: self.base.clone(),
            });
        }
        self.apply(&changes);
        id
    }
}

pub(crate) fn git(root: &Utf8Path, arguments: &[&str]) {
    let done = Command::new("git").args(arguments).current_dir(root).status().unwrap();
    assert!(done.success(), "git {arguments:?} in {root}");
}

const REPORT: &str = "<testsuites>\n  <testsuite name=\"part\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"0.001\">\n    \
    <testcase classname=\"part\" name=\"adds_up\" time=\"0.001\"/>\n  </testsuite>\n</testsuites>\n";

fn toml(config: &Config<'_>) -> String {
    let list =
        |words: &[&str]| format!("[{}]", words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", "));
    let suite: Vec<&str> = config.runner.iter().copied().filter(|word| *word != "{file}").collect();
    let mut text = format!(
        "[project]\nname = \"shop\"\ndescription = \"A shop, to measure with.\"\ntests = \"custom\"\nagent = \"nobody\"\n\n\
         [paths]\ncode = \"src/{{name}}.rs\"\ntest = \"tests/{{name}}_test.xml\"\n\n\
         [runner]\nfiles = {}\nsuite = {}\n\n\
         [limits]\nagents = {}\ntests = {}\niterations = {}\nsame_failures = 0\nlongest_pause = 0\n\n\
         [agents.nobody]\nprotocol = \"command\"\ncommand = {}\n\n\
         [[context]]\nname = \"Shop\"\nkind = \"context\"\ndescription = \"All of it.\"\n",
        list(config.runner),
        list(&suite),
        config.agents,
        config.tests,
        config.iterations,
        list(config.agent),
    );
    for nth in 0..config.components {
        text.push_str(&format!(
            "  [[context.component]]\n  name = \"part{nth}\"\n  kind = \"module\"\n  description = \"One part of it.\"\n"
        ));
    }
    text
}
