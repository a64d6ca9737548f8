//! gitattributes(5): which files a conversion may touch, and the file that brings the union merge.

use std::{env, fs, path::Path};

use camino::{Utf8Path, Utf8PathBuf};
use git2::{AttrCheckFlags, AttrValue, Repository};
use sha2::{Digest as _, Sha256};

use super::{GitError, error::Doing};

/// What the attributes of a worktree may do to its files. Told from the words in the attributes files: too much is
/// harmless, since each file is asked about then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Attributes {
    /// A filter driver or another encoding, which only the user's `git` runs.
    pub(super) drivers: bool,
    /// `$Id$`, which libgit2 does as git does.
    ident: bool,
    /// Line ends.
    pub(super) lines: bool,
}

impl Attributes {
    /// What an attributes file with this text may do.
    pub(super) fn of(text: &[u8]) -> Self {
        let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
        Self {
            drivers: has(b"filter=") || has(b"working-tree-encoding"),
            ident: has(b"ident"),
            lines: has(b"text") || has(b"eol") || has(b"crlf"),
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            drivers: self.drivers || other.drivers,
            ident: self.ident || other.ident,
            lines: self.lines || other.lines,
        }
    }

    /// What the attributes outside the project may do: the user's, the machine's, the repository's `info/attributes`.
    pub(super) fn outside(repository: &Repository) -> Self {
        let lines = repository.config().is_ok_and(|config| {
            config
                .get_string("core.autocrlf")
                .is_ok_and(|value| !matches!(value.as_str(), "false" | "no" | "off" | "0"))
        });
        let info = repository.commondir().join("info/attributes");
        let machine = Path::new("/etc/gitattributes");
        [Some(info), users(repository), Some(machine.into())]
            .into_iter()
            .flatten()
            .filter_map(|file| fs::read(file).ok())
            .fold(Self { drivers: false, ident: false, lines }, |all, text| all.or(Self::of(&text)))
    }
}

/// Whether the file passes through a filter driver or another encoding.
pub(super) fn has_driver(repository: &Repository, path: &Path) -> bool {
    is_set(repository, path, "filter") || is_set(repository, path, "working-tree-encoding")
}

fn is_set(repository: &Repository, path: &Path, name: &str) -> bool {
    let value = repository.get_attr_bytes(path, name, AttrCheckFlags::FILE_THEN_INDEX);
    match value.map(AttrValue::from_bytes) {
        Ok(AttrValue::String(_) | AttrValue::Bytes(_)) => true,
        Ok(AttrValue::True | AttrValue::False | AttrValue::Unspecified) => false,
        // Unreadable attributes are for the user's git to complain about.
        Err(_) => true,
    }
}

/// Writes the attributes for a merge: the user's own, then the union driver for these patterns. A setting replaces the
/// user's file, so it is carried over; the project's `.gitattributes` is above both.
pub(super) fn write_union(
    repository: &Repository,
    patterns: &[String],
    folder: &Utf8Path,
) -> Result<Utf8PathBuf, GitError> {
    let mut text = users(repository).and_then(|file| fs::read(file).ok()).unwrap_or_default();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    for pattern in patterns {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern).trim_start_matches('/');
        if pattern.is_empty() || pattern.contains(['\n', '\r', '\0']) || pattern.split('/').any(|part| part == "..") {
            return Err(GitError::BadPath {
                path: pattern.into(),
                hint: "`union` takes files as they stand below the root, `*` and `**` allowed".into(),
            });
        }
        let quoted = pattern.replace('\\', "\\\\").replace('"', "\\\"");
        text.extend_from_slice(format!("\"/{quoted}\" merge=union\n").as_bytes());
    }
    fs::create_dir_all(folder).doing(|| format!("making {folder}"))?;
    let name: String = Sha256::digest(&text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join(format!("union-{name}.gitattributes"));
    // Named after its content: a merge that runs at the same time reads the same text, however often it is written.
    if !fs::read(&file).is_ok_and(|there| there == text) {
        let new = folder.join(format!("union-{name}.{}-{:?}.new", std::process::id(), std::thread::current().id()));
        fs::write(&new, &text).doing(|| format!("writing {new}"))?;
        fs::rename(&new, &file).doing(|| format!("writing {file}"))?;
    }
    Ok(file)
}

/// The user's own attributes file, where git looks for it.
fn users(repository: &Repository) -> Option<std::path::PathBuf> {
    if let Ok(file) = repository.config().and_then(|config| config.get_path("core.attributesFile")) {
        return Some(file);
    }
    let folder = match env::var_os("XDG_CONFIG_HOME") {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => Path::new(&env::var_os("HOME")?).join(".config"),
    };
    Some(folder.join("git/attributes"))
}
