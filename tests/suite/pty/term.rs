//! A terminal with a program in it.

use std::{
    io::{Read as _, Write},
    process::Command,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use vt100::{Parser, Screen};

use crate::cli::world::World;

/// So long the screen is waited for before the test gives up.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Shown {
    parser: Parser,
    written: Vec<u8>,
    closing: bool,
    gone: bool,
}

#[derive(Default)]
struct Glass {
    shown: Mutex<Shown>,
    changed: Condvar,
}

/// A terminal with a program in it. What the program writes is always read.
pub(super) struct Term {
    glass: Arc<Glass>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Option<Box<dyn Write + Send>>,
    /// Held so that the terminal can be looked at after its program has ended.
    slave: Option<Box<dyn SlavePty + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// The line discipline before the program began.
    pub(super) before: String,
}

/// The board of this world, which starts an engine behind it.
pub(super) fn board(world: &World) -> Term {
    Term::open(&mut callboard(world, &[]))
}

/// `callboard` as the board starts it: engines in the background are welcome.
pub(super) fn callboard(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.command(arguments);
    command.env_remove("CALLBOARD_NO_ENGINE");
    command
}

impl Term {
    pub(super) fn open(command: &mut Command) -> Self {
        let pty = native_pty_system().openpty(size(120, 40)).unwrap();
        let before = format!("{:?}", pty.master.get_termios().unwrap());
        let mut builder = CommandBuilder::new(command.get_program());
        builder.env_clear();
        builder.args(command.get_args());
        builder.cwd(command.get_current_dir().unwrap());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                builder.env(name, value);
            }
        }
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC")] {
            builder.env(name, value);
        }
        let child = pty.slave.spawn_command(builder).unwrap();
        let glass = Arc::new(Glass::default());
        glass.shown.lock().unwrap().parser.screen_mut().set_size(40, 120);
        let theirs = Arc::clone(&glass);
        let mut reader = pty.master.try_clone_reader().unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            loop {
                let read = reader.read(&mut bytes).unwrap_or(0);
                let mut shown = theirs.shown.lock().unwrap_or_else(PoisonError::into_inner);
                let last = read == 0 || shown.closing;
                if last {
                    drop(reader);
                    shown.gone = true;
                    theirs.changed.notify_all();
                    return;
                }
                shown.parser.process(&bytes[..read]);
                shown.written.extend_from_slice(&bytes[..read]);
                theirs.changed.notify_all();
            }
        });
        let keyboard = Some(pty.master.take_writer().unwrap());
        Self { glass, child, keyboard, slave: Some(pty.slave), master: Some(pty.master), before }
    }

    /// Types.
    pub(super) fn keys(&mut self, keys: impl AsRef<[u8]>) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(keys.as_ref()).unwrap();
        keyboard.flush().unwrap();
    }

    /// Types, and waits until the screen shows it.
    pub(super) fn press(&mut self, keys: &str, text: &str) {
        self.keys(keys);
        self.shows(text);
    }

    fn wait(&self, what: &str, is: impl Fn(&Shown) -> bool) {
        let end = Instant::now() + LIMIT;
        let mut shown = self.glass.shown.lock().unwrap();
        while !is(&shown) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not in time: {what}\n{}", shown.parser.screen().contents());
            shown = self.glass.changed.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits until the screen is so.
    pub(super) fn until(&self, what: &str, is: impl Fn(&Screen) -> bool) {
        self.wait(what, |shown| is(shown.parser.screen()));
    }

    pub(super) fn shows(&self, text: &str) {
        self.until(&format!("{text:?} is shown"), |screen| screen.contents().contains(text));
    }

    pub(super) fn hides(&self, text: &str) {
        self.until(&format!("{text:?} is not shown"), |screen| !screen.contents().contains(text));
    }

    /// Does something, and waits until the program has written these bytes after it.
    pub(super) fn answers(&mut self, bytes: &str, act: impl FnOnce(&mut Self)) {
        let before = self.written().len();
        act(self);
        self.wait(&format!("{bytes:?} is written"), |shown| {
            shown.written[before..].windows(bytes.len()).any(|window| window == bytes.as_bytes())
        });
    }

    pub(super) fn contents(&self) -> String {
        self.glass.shown.lock().unwrap().parser.screen().contents()
    }

    /// Every byte that the program wrote.
    pub(super) fn written(&self) -> Vec<u8> {
        self.glass.shown.lock().unwrap().written.clone()
    }

    pub(super) fn resize(&mut self, width: u16, height: u16) {
        // The picture of one cell is of no interest; that the program lives through it is.
        let mut shown = self.glass.shown.lock().unwrap();
        shown.parser.screen_mut().set_size(height.max(4), width.max(8));
        drop(shown);
        self.master.as_ref().unwrap().resize(size(width, height)).unwrap();
    }

    pub(super) fn line_discipline(&self) -> String {
        format!("{:?}", self.master.as_ref().unwrap().get_termios().unwrap())
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits for the program's end, and for everything that it wrote; answers its exit code.
    pub(super) fn ended(&mut self) -> u32 {
        let end = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.contents());
            std::thread::yield_now();
        };
        status.exit_code()
    }

    /// Whether the terminal is as the program found it, once everything that it wrote is read.
    pub(super) fn is_given_back(&self) {
        self.until("the terminal is given back", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        });
        assert_eq!(self.line_discipline(), self.before);
    }

    /// Closes the terminal under its program.
    pub(super) fn close(&mut self) {
        self.glass.shown.lock().unwrap().closing = true;
        // Whatever the program answers wakes the reader up, which then lets its end go.
        self.keys("\x0c");
        self.wait("the reader lets go", |shown| shown.gone);
        self.slave = None;
        self.keyboard = None;
        self.master = None;
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap_or_default();
        }
    }
}

const fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
