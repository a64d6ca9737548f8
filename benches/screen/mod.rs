//! A program in a terminal of its own, read as it writes.

use std::{
    io::{Read as _, Write as _},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// So long anything may take to be seen.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the terminal shows, and when that was read.
struct Shown {
    parser: vt100::Parser,
    at: Instant,
    gone: bool,
}

pub(crate) struct Screen {
    pub(crate) begun: Instant,
    child: Box<dyn Child + Send + Sync>,
    keys: Mutex<Box<dyn std::io::Write + Send>>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Screen {
    pub(crate) fn open(program: &str, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let pair =
            native_pty_system().openpty(PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in env {
            command.env(name, value);
        }
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = Mutex::new(pair.master.take_writer().unwrap());
        let begun = Instant::now();
        let shown = Shown { parser: vt100::Parser::new(40, 120, 0), at: begun, gone: false };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let theirs = Arc::clone(&shown);
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let length = reader.read(&mut buffer).unwrap_or(0);
                let at = Instant::now();
                let mut shown = theirs.0.lock().unwrap();
                shown.parser.process(&buffer[..length]);
                shown.at = at;
                shown.gone = length == 0;
                theirs.1.notify_all();
                if length == 0 {
                    return;
                }
            }
        });
        Self { begun, child, keys, shown, _terminal: pair.master }
    }

    /// Waits until the screen shows something; answers when it was read.
    pub(crate) fn wait(&self, shows: impl Fn(&str) -> bool) -> Instant {
        let (lock, changed) = &*self.shown;
        let mut shown = lock.lock().unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            let text = shown.parser.screen().contents();
            if shows(&text) {
                return shown.at;
            }
            assert!(!shown.gone && Instant::now() < until, "it is not shown:\n{text}");
            shown = changed.wait_timeout(shown, Duration::from_millis(100)).unwrap().0;
        }
    }

    /// Types a key so many times, and another one to undo it; milliseconds from each key to the frame that shows it.
    pub(crate) fn keys(&self, times: usize, key: &str, undo: &str, shows: impl Fn(&str) -> bool) -> Vec<f64> {
        (0..times)
            .map(|nth| {
                let typed = Instant::now();
                self.type_keys(key);
                let seen = self.wait(&shows);
                self.type_keys(undo);
                self.wait(|text| !shows(text));
                // Not in step with anything that the program does.
                thread::sleep(Duration::from_millis(10 + (nth as u64 * 7) % 23));
                seen.saturating_duration_since(typed).as_secs_f64() * 1e3
            })
            .collect()
    }

    fn type_keys(&self, keys: &str) {
        let mut writer = self.keys.lock().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Processor ticks and voluntary context switches of all its threads so far.
    pub(crate) fn cost(&self) -> (u32, u32) {
        let folder = format!("/proc/{}", self.pid());
        let stat = std::fs::read_to_string(format!("{folder}/stat")).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1;
        let ticks = fields.split_ascii_whitespace().skip(11).take(2).map(|field| field.parse::<u32>().unwrap()).sum();
        let tasks = std::fs::read_dir(format!("{folder}/task")).unwrap();
        let switches = tasks
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok())
            .filter_map(|status| {
                status
                    .lines()
                    .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u32>().ok())
            })
            .sum();
        (ticks, switches)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}
