//! What a scenario does to files: inside the worktree, and nowhere else.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::{Body, ScenarioError, ScenarioErrorKind, Write};

/// No file that a scenario brings is longer.
const MAX_SOURCE: u64 = 16 * 1024 * 1024;

/// Where `path` is inside the worktree. It may name a plain file, or one that is not there yet.
///
/// # Errors
///
/// When it is absolute, goes up, leads through a symbolic link, ends at something that is no plain file, or is git's own.
pub fn safe_path(worktree: &Utf8Path, path: &str) -> Result<Utf8PathBuf, ScenarioError> {
    let refused = |why: &str| ScenarioError {
        kind: ScenarioErrorKind::Path,
        line: None,
        message: format!("{path:?} {why}"),
        hint: "name a file inside the folder by a relative path without .. and links".to_owned(),
    };
    if path.chars().any(char::is_control) {
        return Err(refused("has a control character in it"));
    }
    if path.ends_with('/') {
        return Err(refused("names a folder"));
    }
    let mut names = Vec::new();
    for component in Utf8Path::new(path).components() {
        match component {
            Utf8Component::Normal(name) if is_git(name) => return Err(refused("is git's own")),
            Utf8Component::Normal(name) => names.push(name),
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => return Err(refused("goes up with ..")),
            Utf8Component::RootDir | Utf8Component::Prefix(_) => return Err(refused("is absolute")),
        }
    }
    let Some(last) = names.pop() else { return Err(refused("names no file")) };
    let mut full = worktree.to_owned();
    for name in names {
        full.push(name);
        match fs::symlink_metadata(&full) {
            Ok(meta) if meta.is_symlink() => return Err(refused("leads through a symbolic link")),
            Ok(meta) if !meta.is_dir() => return Err(refused("leads through a file")),
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(refused(&format!("cannot be looked at: {e}"))),
        }
    }
    full.push(last);
    match fs::symlink_metadata(&full) {
        Ok(meta) if meta.is_symlink() => Err(refused("is a symbolic link")),
        Ok(meta) if !meta.is_file() => Err(refused("is no plain file")),
        Err(e) if e.kind() != ErrorKind::NotFound => Err(refused(&format!("cannot be looked at: {e}"))),
        Ok(_) | Err(_) => Ok(full),
    }
}

/// Whether a file system somewhere takes this name for `.git`: case, trailing dots and blanks, the short name, characters
/// that HFS+ ignores.
fn is_git(name: &str) -> bool {
    let is_ignored = |c: &char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let name: String = name.chars().filter(|c| !is_ignored(c)).collect();
    let name = name.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    name == ".git" || name == "git~1"
}

/// Writes one file, with the folders that it needs, and gives back where. `scenario_dir` is where the scenario's own
/// files are: nothing outside it is read.
///
/// # Errors
///
/// When one of the paths may not be used, or a file cannot be read or written.
pub fn apply(worktree: &Utf8Path, write: &Write, scenario_dir: &Utf8Path) -> Result<Utf8PathBuf, ScenarioError> {
    let target = safe_path(worktree, &write.path)?;
    let bytes = match &write.body {
        Body::Content(text) => text.as_bytes().to_vec(),
        Body::Source(source) => read(&safe_path(scenario_dir, source)?, source)?,
    };
    let parent = target.parent().unwrap_or(worktree);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&target, bytes))
        .map_err(|e| failed("write", &write.path, &e, "check the folder's permissions and the space on the disk"))?;
    Ok(target)
}

/// Deletes one file, and gives back where it was.
///
/// # Errors
///
/// When the path may not be used, or there is no such file, or it cannot be deleted.
pub fn delete(worktree: &Utf8Path, path: &str) -> Result<Utf8PathBuf, ScenarioError> {
    let target = safe_path(worktree, path)?;
    fs::remove_file(&target)
        .map_err(|e| failed("delete", path, &e, "delete what an earlier step or the repository has put there"))?;
    Ok(target)
}

fn read(file: &Utf8Path, source: &str) -> Result<Vec<u8>, ScenarioError> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(MAX_SOURCE + 1).read_to_end(&mut bytes))
        .and_then(|_| {
            if bytes.len() as u64 > MAX_SOURCE {
                return Err(io::Error::other(format!("it is longer than {MAX_SOURCE} bytes")));
            }
            Ok(())
        })
        .map_err(|e| failed("read", source, &e, "source names a file beside the scenario"))?;
    Ok(bytes)
}

fn failed(what: &str, path: &str, error: &io::Error, hint: &str) -> ScenarioError {
    ScenarioError {
        kind: ScenarioErrorKind::Io,
        line: None,
        message: format!("cannot {what} {path:?}: {error}"),
        hint: hint.to_owned(),
    }
}
