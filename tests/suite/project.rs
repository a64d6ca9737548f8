//! Tests of `project`.

mod errors;
mod init;
mod load;
mod properties;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

/// A folder that goes when the test ends, with these files in it.
fn folder(files: &[(&str, &str)]) -> (TempDir, Utf8PathBuf) {
    let dir = TempDir::new().unwrap();
    let root = Utf8Path::from_path(dir.path()).unwrap().canonicalize_utf8().unwrap();
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    (dir, root)
}

/// The smallest configuration, and what comes after it.
fn minimal(rest: &str) -> String {
    format!("[project]\nname = \"p\"\ntests = \"cargo\"\n{rest}")
}
