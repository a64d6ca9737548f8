//! What a Rust project has: its crates, and of each the modules and the tests.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use super::InitError;
use crate::project::{document::Document, file, path::inside};

/// Members of a workspace that are looked at.
const MAX_CRATES: usize = 300;

/// Entries of a folder that are looked at.
const MAX_ENTRIES: usize = 2_000;

/// A crate. Paths are relative to the project's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crate {
    /// Empty for the root itself.
    pub(super) dir: Utf8PathBuf,
    pub(super) name: String,
    pub(super) description: String,
    /// `src/lib.rs` or `src/main.rs`.
    pub(super) root: Option<Utf8PathBuf>,
    /// The modules right below the crate's root, by name.
    pub(super) modules: Vec<Module>,
    /// The names of `tests/*.rs`, without `.rs`.
    pub(super) tests: BTreeSet<String>,
}

/// A module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) name: String,
    pub(super) file: Utf8PathBuf,
    /// The first sentence of its documentation.
    pub(super) description: String,
    /// By name. Their own sub-modules are not looked at.
    pub(super) children: Vec<Module>,
}

/// The crates of a project, the root's own first, then by folder.
pub(super) fn scan(root: &Utf8Path) -> Result<Vec<Crate>, InitError> {
    let Some(manifest) = manifest(root, Utf8Path::new(""))? else {
        return Err(InitError::NotSupported { root: root.to_owned() });
    };
    let mut found: Vec<Crate> = scan_crate(root, Utf8Path::new(""), &manifest).into_iter().collect();
    for dir in members(root, &manifest) {
        if let Some(manifest) = self::manifest(root, &dir)? {
            found.extend(scan_crate(root, &dir, &manifest));
        }
    }
    Ok(found)
}

fn manifest(root: &Utf8Path, dir: &Utf8Path) -> Result<Option<Table>, InitError> {
    let shown = dir.join("Cargo.toml");
    let Some(text) = file::text(&root.join(&shown), &shown).map_err(InitError::Manifest)? else { return Ok(None) };
    Document::parse(&shown, &text).map_err(InitError::Manifest)?;
    Ok(text.parse().ok())
}

fn scan_crate(root: &Utf8Path, dir: &Utf8Path, manifest: &Table) -> Option<Crate> {
    let package = manifest.get("package")?;
    let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let src = dir.join("src");
    let crate_root =
        ["lib.rs", "main.rs"].map(|name| src.join(name)).into_iter().find(|file| root.join(file).is_file());
    let mut modules = modules(root, &src, true);
    modules.retain(|module| !matches!(module.name.as_str(), "lib" | "main" | "bin"));
    let tests = names(&root.join(dir).join("tests"));
    let tests = tests.iter().filter_map(|name| name.strip_suffix(".rs")).map(str::to_owned).collect();
    Some(Crate {
        dir: dir.to_owned(),
        name: text("name"),
        description: text("description"),
        root: crate_root,
        modules,
        tests,
    })
}

/// The folders of a workspace's members. Patterns are read as far as people use them: `*` for a whole part of the path.
fn members(root: &Utf8Path, manifest: &Table) -> Vec<Utf8PathBuf> {
    let list = |key: &str| -> Vec<String> {
        let list = manifest.get("workspace").and_then(|workspace| workspace.get(key)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let excluded: BTreeSet<Utf8PathBuf> =
        list("exclude").iter().filter_map(|path| inside(path).ok()).map(Into::into).collect();
    let mut found = BTreeSet::new();
    for pattern in list("members").iter().filter_map(|pattern| inside(pattern).ok()) {
        found.extend(expand(root, &pattern));
    }
    found.into_iter().filter(|dir| !excluded.contains(dir)).take(MAX_CRATES).collect()
}

fn expand(root: &Utf8Path, pattern: &str) -> Vec<Utf8PathBuf> {
    let mut found = vec![Utf8PathBuf::new()];
    for part in pattern.split('/') {
        found = found
            .iter()
            .flat_map(|dir| match part.split_once('*') {
                None => vec![dir.join(part)],
                Some((before, after)) => {
                    let fits = |name: &String| {
                        name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
                    };
                    names(&root.join(dir)).into_iter().filter(fits).map(|name| dir.join(name)).collect()
                }
            })
            .filter(|dir| root.join(dir).is_dir())
            .take(MAX_CRATES)
            .collect();
    }
    found
}

/// The modules whose files are in this folder: `x.rs`, or `x/mod.rs`.
fn modules(root: &Utf8Path, dir: &Utf8Path, with_children: bool) -> Vec<Module> {
    let mut files: BTreeMap<String, Utf8PathBuf> = BTreeMap::new();
    for name in names(&root.join(dir)) {
        let (module, file) = match name.strip_suffix(".rs") {
            Some(module) => (module.to_owned(), dir.join(&name)),
            None => (name.clone(), dir.join(&name).join("mod.rs")),
        };
        if is_module(&module) && root.join(&file).is_file() {
            files.entry(module).or_insert(file);
        }
    }
    let module = |(name, file): (String, Utf8PathBuf)| Module {
        children: if with_children { modules(root, &dir.join(&name), false) } else { Vec::new() },
        description: description(&root.join(&file)),
        name,
        file,
    };
    files.into_iter().map(module).collect()
}

/// Whether a file of this name is a module of the product: an identifier, and not its unit tests.
fn is_module(name: &str) -> bool {
    let is_identifier = !name.starts_with(|c: char| c.is_numeric())
        && name.contains(char::is_alphanumeric)
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_identifier && !matches!(name, "mod" | "tests" | "test")
}

/// The first sentence of a module's documentation.
fn description(path: &Utf8Path) -> String {
    let Ok(Some(text)) = file::text(path, path) else { return String::new() };
    let lines = text.lines().map(str::trim_start).skip_while(|line| line.is_empty() || line.starts_with("#!"));
    let paragraph: Vec<&str> =
        lines.map_while(|line| line.strip_prefix("//!")).map(str::trim).take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |end| end + 1);
    paragraph[..end].chars().filter(|c| !c.is_control()).take(200).collect::<String>().trim().to_owned()
}

/// What is in a folder, by name; nothing when it is no folder.
fn names(dir: &Utf8Path) -> Vec<String> {
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(Result::ok).map(|entry| entry.file_name().to_owned()).take(MAX_ENTRIES).collect();
    names.sort();
    names
}
