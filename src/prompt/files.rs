//! A project's own templates and rules. A project is a repository that somebody may have cloned from anywhere: only plain
//! files of a sane size inside it are read, never what a symbolic link points at.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
};

use camino::Utf8Path;

use super::{PromptError, PromptErrorKind};

/// No template and no rule is longer.
pub(super) const MAX_FILE: u64 = 64 * 1024;
/// No folder of rules holds more entries.
const MAX_ENTRIES: usize = 1_000;

/// The text of `relative` under `root`, or `None` when there is no such file.
pub(super) fn read(root: &Utf8Path, relative: &str) -> Result<Option<String>, PromptError> {
    if !is_there(root, relative, Wanted::File)? {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(root.join(relative))
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(relative, &format!("cannot be read: {e}"), "check its permissions"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(unreadable(
            relative,
            &format!("is longer than {MAX_FILE} bytes"),
            "a prompt names files instead of holding them; shorten it",
        ));
    }
    let text = String::from_utf8(bytes)
        .map_err(|e| unreadable(relative, &format!("is not UTF-8: {e}"), "save it as UTF-8 text"))?;
    Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}

/// The names of the `.md` files in the folder `relative` under `root`, sorted; none when there is no such folder.
pub(super) fn list(root: &Utf8Path, relative: &str) -> Result<Vec<String>, PromptError> {
    if !is_there(root, relative, Wanted::Folder)? {
        return Ok(Vec::new());
    }
    let failed = |e: std::io::Error| unreadable(relative, &format!("cannot be listed: {e}"), "check its permissions");
    let mut names = Vec::new();
    for (count, entry) in fs::read_dir(root.join(relative)).map_err(failed)?.enumerate() {
        if count == MAX_ENTRIES {
            return Err(unreadable(
                relative,
                &format!("has more than {MAX_ENTRIES} entries"),
                "keep only rules in this folder",
            ));
        }
        let name = entry.map_err(failed)?.file_name().into_string().map_err(|name| {
            unreadable(relative, &format!("holds {name:?}, which is not UTF-8"), "give it another name")
        })?;
        if name.ends_with(".md") && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    File,
    Folder,
}

/// Whether `relative` is there, looking at every part of it without following any link.
fn is_there(root: &Utf8Path, relative: &str, wanted: Wanted) -> Result<bool, PromptError> {
    let mut path = root.to_owned();
    let mut parts = relative.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let meta = match fs::symlink_metadata(&path) {
            Ok(meta) => meta,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(false),
            Err(e) => return Err(unreadable(relative, &format!("cannot be read: {e}"), "check its permissions")),
        };
        if meta.is_symlink() {
            let shown = path.strip_prefix(root).map_or(relative, Utf8Path::as_str);
            return Err(unreadable(shown, "is a symbolic link", "put a plain file or folder in its place"));
        }
        let is_last = parts.peek().is_none();
        if is_last && wanted == Wanted::File && !meta.is_file() {
            return Err(unreadable(relative, "is not a plain file", "remove it, or put a text file in its place"));
        }
        if (!is_last || wanted == Wanted::Folder) && !meta.is_dir() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn unreadable(file: &str, message: &str, hint: &str) -> PromptError {
    PromptError {
        kind: PromptErrorKind::Unreadable,
        file: file.to_owned(),
        line: None,
        message: message.to_owned(),
        hint: hint.to_owned(),
    }
}
