//! Files that an agent has callboard read and write: those of its worktree, and no others.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::agent::{
    script::safe_path,
    talk::{Access, FileRequest},
};

/// No file that is read is longer.
const LONGEST: u64 = 4 << 20;

/// Whether all of these files, relative to the worktree, are in it, and no link leads out.
#[must_use]
pub fn are_inside(worktree: &Utf8Path, paths: &[String]) -> bool {
    paths.iter().all(|path| safe_path(worktree, path).is_ok())
}

/// Where a command is to run: the folder that this one really is, if it is in the worktree.
///
/// # Errors
/// Why it cannot run there, for the agent.
pub fn folder(worktree: &Utf8Path, folder: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let real = |path: &Utf8Path| path.canonicalize_utf8().map_err(|error| format!("{path}: {error}"));
    let (inside, found) = (real(worktree)?, real(folder)?);
    if !found.starts_with(&inside) {
        return Err(format!("{folder} is not in {worktree}"));
    }
    if found.is_dir() { Ok(found) } else { Err(format!("{folder} is no folder")) }
}

/// Carries out a request. Answers what a file holds that was read.
///
/// # Errors
/// Why it was not carried out, for the agent.
pub fn serve(worktree: &Utf8Path, request: &FileRequest) -> Result<Option<String>, String> {
    let path = Utf8PathBuf::from(&request.path);
    let relative = path.strip_prefix(worktree).map_err(|_| format!("{path} is not in {worktree}"))?;
    let file = safe_path(worktree, relative.as_str()).map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| format!("{path}: {error}");
    match &request.access {
        Access::Read { line, limit } => {
            let mut bytes = Vec::new();
            match File::open(&file).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)) {
                // Empty, as in an editor that opens it: Gemini CLI reads a file before it makes it, and gives up at any error.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                read => drop(read.map_err(failed)?),
            }
            if bytes.len() as u64 > LONGEST {
                return Err(format!("{path} is longer than {LONGEST} bytes"));
            }
            let text = String::from_utf8(bytes).map_err(|_| format!("{path} is no text"))?;
            Ok(Some(part(text, *line, *limit)))
        }
        Access::Write { content } => {
            let folder = file.parent().unwrap_or(worktree);
            fs::create_dir_all(folder).and_then(|()| fs::write(&file, content)).map_err(failed)?;
            Ok(None)
        }
    }
}

fn part(text: String, line: Option<usize>, limit: Option<usize>) -> String {
    if line.is_none() && limit.is_none() {
        return text;
    }
    let skipped = line.unwrap_or(1).saturating_sub(1);
    text.split_inclusive('\n').skip(skipped).take(limit.unwrap_or(usize::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Access, FileRequest, part, serve};

    #[test]
    fn a_file_that_is_not_there_is_empty_and_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let root = camino::Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let request = |access| FileRequest { key: "1".into(), path: root.join("new/a.txt").into(), access };
        let read = request(Access::Read { line: None, limit: None });
        assert_eq!(serve(&root, &read), Ok(Some(String::new())));
        assert_eq!(serve(&root, &request(Access::Write { content: "one\n".into() })), Ok(None));
        assert_eq!(serve(&root, &read), Ok(Some("one\n".into())));
    }

    #[test]
    fn lines_are_counted_from_one() {
        let text = || "one\ntwo\nthree".to_owned();
        assert_eq!(part(text(), None, None), "one\ntwo\nthree");
        assert_eq!(part(text(), Some(2), Some(1)), "two\n");
        assert_eq!(part(text(), Some(0), Some(1)), "one\n");
        assert_eq!(part(text(), Some(3), None), "three");
        assert_eq!(part(text(), Some(9), Some(9)), "");
    }
}
