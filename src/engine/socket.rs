//! Sockets by which a confined process reaches its engine: it cannot write the record, but it may connect.
//!
//! The system takes names of 107 bytes at most, and a store may lie deeper than that. So whoever makes or opens a socket opens
//! its folder, and names the socket by that.

use std::{
    fs::{DirBuilder, File},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::{
        fd::AsRawFd as _,
        unix::{
            fs::DirBuilderExt as _,
            net::{UnixListener, UnixStream},
        },
    },
    time::Duration,
};

use camino::Utf8Path;
use rustix::fs::{Mode, OFlags};

use crate::tool::wire::{Asked, LONGEST, Told};

/// So long an answer is waited for: longer than the engine takes for one.
const ANSWER: Duration = Duration::from_secs(120);
/// The longest answer, in bytes: more than a tool ever says.
const LONGEST_ANSWER: u64 = 16 << 20;

/// Makes a socket in a folder of its own, which is made for it and which no other user may enter.
///
/// # Errors
/// When it cannot be made, or the folder is there.
pub(super) fn listen(socket: &Utf8Path) -> io::Result<UnixListener> {
    let (folder, _) = parts(socket)?;
    if let Some(above) = folder.parent() {
        std::fs::create_dir_all(above)?;
    }
    DirBuilder::new().mode(0o700).create(folder)?;
    by_its_folder(socket, UnixListener::bind)
}

/// Makes a call over a socket, and waits for what comes back. A call that was sent is never sent again: it may be on record.
///
/// # Errors
/// When nobody listens there, or whoever does ends before it has answered.
pub fn ask(socket: &Utf8Path, asked: &Asked) -> io::Result<Told> {
    let mut line = serde_json::to_vec(asked)?;
    line.push(b'\n');
    if line.len() > LONGEST {
        return Err(io::Error::other(format!("a call has at most {LONGEST} bytes, this one has {}", line.len())));
    }
    let mut stream = by_its_folder(socket, UnixStream::connect).map_err(|error| {
        io::Error::new(error.kind(), format!("nobody answers at {socket} any more, the step has ended: {error}"))
    })?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    // Whoever answers before it has read everything says why in its answer.
    let sent = stream.write_all(&line);
    let mut answer = Vec::new();
    let read = BufReader::new(stream.take(LONGEST_ANSWER)).read_until(b'\n', &mut answer);
    if answer.last() == Some(&b'\n') {
        return Ok(serde_json::from_slice(&answer)?);
    }
    let why = sent.and(read.map(drop)).err().map_or_else(String::new, |error| format!(" ({error})"));
    Err(io::Error::other(format!(
        "the engine has not answered{why}; what was asked for may be on record, and get_reactivation_status says so"
    )))
}

/// Names a socket by its open folder.
fn by_its_folder<T>(socket: &Utf8Path, act: impl FnOnce(String) -> io::Result<T>) -> io::Result<T> {
    let (folder, name) = parts(socket)?;
    let folder: File =
        rustix::fs::open(folder.as_std_path(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?
            .into();
    act(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
}

fn parts(socket: &Utf8Path) -> io::Result<(&Utf8Path, &str)> {
    let parts = socket.parent().filter(|folder| !folder.as_str().is_empty()).zip(socket.file_name());
    parts.ok_or_else(|| io::Error::other(format!("expected a socket in a folder, found {socket:?}")))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        os::unix::fs::PermissionsExt as _,
        thread,
    };

    use camino::{Utf8Path, Utf8PathBuf};
    use serde_json::{Map, json};

    use super::{LONGEST, ask, listen};
    use crate::tool::wire::{Asked, Told};

    fn asked() -> Asked {
        Asked { tool: "get_session".into(), arguments: Map::new(), session: None }
    }

    /// A socket in a folder whose name is longer than a socket's may be.
    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let socket = Utf8Path::from_path(folder.path()).unwrap().join("deep".repeat(50)).join("own").join("tool");
        (folder, socket)
    }

    #[test]
    fn a_socket_may_lie_deep_and_nobody_else_gets_in() {
        let (_folder, socket) = place();
        let listener = listen(&socket).unwrap();
        let mode = socket.parent().unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(listen(&socket).is_err(), "one that is there is another's");
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            (&stream).write_all(b"{\"done\": {\"id\": 7}}\n").unwrap();
            line
        });
        assert_eq!(ask(&socket, &asked()).unwrap(), Told::Done(json!({"id": 7})));
        assert_eq!(Asked::read(server.join().unwrap().as_bytes()), Ok(asked()));
        let gone = ask(&socket, &asked()).unwrap_err().to_string();
        assert!(gone.contains("the step has ended"), "{gone}");
    }

    #[test]
    fn a_call_that_nobody_answered_is_not_made_again() {
        let (_folder, socket) = place();
        let listener = listen(&socket).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0]).unwrap();
            drop(stream);
            listener.set_nonblocking(true).unwrap();
            listener
        });
        let why = ask(&socket, &asked()).unwrap_err().to_string();
        assert!(why.contains("has not answered") && why.contains("get_reactivation_status"), "{why}");
        assert!(server.join().unwrap().accept().is_err(), "it was called once");
    }

    #[test]
    fn what_is_too_long_is_not_sent() {
        let arguments = Map::from_iter([("reason".to_owned(), json!("x".repeat(LONGEST)))]);
        let why = ask(Utf8Path::new("/no/such/tool"), &Asked { arguments, ..asked() }).unwrap_err().to_string();
        assert!(why.contains("at most 1048576 bytes"), "{why}");
        assert!(ask(Utf8Path::new("tool"), &asked()).unwrap_err().to_string().contains("in a folder"));
    }
}
