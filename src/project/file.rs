//! Reading files that somebody else wrote: with a cap, and only files that end.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{document::position, error::ConfigError};

/// A configuration of a thousand components has about a tenth of this.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// The text of a file, called `shown` in messages; `None` when there is no such file.
pub(super) fn text(path: &Utf8Path, shown: &Utf8Path) -> Result<Option<String>, ConfigError> {
    let bytes = match bytes(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let hint = format!("see whether {path} is a file that you may read");
            return Err(ConfigError::whole(shown, format!("cannot be read: {error}"), hint));
        }
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ConfigError::whole(
            shown,
            "is larger than 1 MiB",
            "no file of this kind needs so much: shorten it",
        ));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| not_utf8(&error, shown))
}

/// One byte more than may be, to tell that there is more. Other things than files (pipes, devices) might never end.
fn bytes(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let file = fs::metadata(path)?;
    if !file.is_file() {
        return Err(io::Error::other("this is not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the content of a file is, and its folder, which is made if it is not there.
fn place(path: &Utf8Path) -> io::Result<(Utf8PathBuf, Utf8PathBuf)> {
    // A link that leads to nothing yet is followed, too.
    let linked = || {
        let target = Utf8PathBuf::from_path_buf(fs::read_link(path).ok()?).ok()?;
        Some(path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target)))
    };
    let path = path.canonicalize_utf8().ok().or_else(linked).unwrap_or_else(|| path.to_owned());
    let folder = path.parent().unwrap_or(Utf8Path::new("/")).to_owned();
    fs::create_dir_all(&folder)?;
    Ok((path, folder))
}

/// While what this answers lives, no other process that asks for it changes the file.
pub(super) fn alone(path: &Utf8Path) -> io::Result<fs::File> {
    let folder = fs::File::open(place(path)?.1)?;
    folder.lock()?;
    Ok(folder)
}

/// Makes a text the content of a file: all of it, or none. A link stays one, and nobody may read it who could not before.
pub(super) fn replace(path: &Utf8Path, text: &str) -> io::Result<()> {
    let (path, _) = place(path)?;
    let fresh = path.with_extension(format!("toml.{}", std::process::id()));
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        if let Ok(before) = fs::metadata(&path) {
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&fresh, &path)
    };
    let done = write();
    if done.is_err() {
        fs::remove_file(&fresh).unwrap_or_default();
    }
    done
}

fn not_utf8(error: &std::string::FromUtf8Error, shown: &Utf8Path) -> ConfigError {
    let good = error.utf8_error().valid_up_to();
    let (line, column) = position(&String::from_utf8_lossy(&error.as_bytes()[..good]), good);
    let mut config = ConfigError::whole(shown, "is not UTF-8 text", "save the file as UTF-8");
    for problem in &mut config.problems {
        (problem.line, problem.column) = (Some(line), Some(column));
    }
    config
}

/// The nearest folder, from this one up, that has a `callboard.toml`.
#[must_use]
pub fn find_root(from: &Utf8Path) -> Option<Utf8PathBuf> {
    let absolute = camino::absolute_utf8(from).ok()?;
    absolute.ancestors().find(|folder| folder.join(super::FILE).is_file()).map(Utf8Path::to_owned)
}
