//! The terminal: taken, and given back on every way out.

use std::{
    io::{self, BufWriter, Stdout, Write as _, stdout},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use crossterm::{
    clipboard::CopyToClipboard,
    cursor::{Hide, Show},
    event::{self, DisableBracketedPaste, EnableBracketedPaste},
    execute, queue,
    terminal::{
        BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode,
    },
};
use ratatui::{Frame, Terminal, backend::CrosstermBackend};
use rustix::{
    process::{Signal, getpid, kill_current_process_group, kill_process},
    termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
};
use tokio::signal::unix::{SignalKind, signal};

use super::Message;

/// One frame is written at once.
const FRAME: usize = 64 * 1024;

/// The terminal while it is the board's. Dropping it gives it back.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    taken: Arc<AtomicBool>,
}

impl Screen {
    /// Takes the terminal, and sees to it that a panic gives it back before it says anything.
    pub(super) fn take() -> io::Result<Self> {
        let taken = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&taken);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back(&theirs);
            before(panic);
        }));
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME, stdout()));
        enter(&taken)?;
        let terminal = Terminal::new(backend).inspect_err(|_| give_back(&taken))?;
        Ok(Self { terminal, taken })
    }

    /// Draws a frame, in one piece where the terminal knows how.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(draw)?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.terminal.backend_mut().flush()
    }

    /// Forgets what was drawn, so that the next frame draws everything.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        // Not `clear`: it asks the terminal where the cursor is, and the answer would go to the thread that reads keys.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Puts a text into the clipboard of whoever sits at the terminal.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Gives the terminal to the shell and stops, with everything that was started with this process.
    pub(super) fn stop(&mut self) -> io::Result<()> {
        give_back(&self.taken);
        kill_current_process_group(Signal::TSTP)?;
        Ok(())
    }

    /// Gives the terminal to a program that this process waits for.
    pub(super) fn lend(&mut self) -> io::Result<Modes> {
        give_back(&self.taken);
        Ok(Modes(tcgetattr(io::stdin())?))
    }

    /// Takes the terminal again, whatever the shell made of it.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        enter(&self.taken)?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back(&self.taken);
    }
}

/// The terminal's modes before it was lent. A program that was ended may not have put them back.
pub(super) struct Modes(Termios);

impl Modes {
    /// Puts them back. A terminal that is gone has none.
    pub(super) fn restore(&self) {
        tcsetattr(io::stdin(), OptionalActions::Now, &self.0).unwrap_or_default();
    }
}

/// So long the keyboard's thread has to let go.
const LETS_GO: Duration = Duration::from_secs(1);

/// The thread that waits for keys. It never ends, but it can be made to rest.
pub(super) struct Keyboard(Sender<Rest>);

/// Tells the keyboard's thread to rest: it says that it does, and goes on once the other end of `over` is dropped.
struct Rest {
    begun: Sender<()>,
    over: Receiver<()>,
}

/// While this lives, nothing reads the terminal.
pub(super) struct Resting {
    _over: Sender<()>,
}

impl Keyboard {
    /// Has the thread rest, so that another program gets the keys.
    ///
    /// # Errors
    /// Why it does not.
    pub(super) fn rest(&self) -> Result<Resting, String> {
        let (begun, begins) = channel();
        let (ends, over) = channel();
        self.0.send(Rest { begun, over }).map_err(|_| "nothing reads the keyboard any more".to_owned())?;
        // It waits for an event. That the size changed is one, also when it did not.
        kill_process(getpid(), Signal::WINCH).map_err(|error| error.to_string())?;
        let why = "the keyboard is still being read, a key may have come in half; press any key, then try again";
        begins.recv_timeout(LETS_GO).map_err(|_| why.to_owned())?;
        Ok(Resting { _over: ends })
    }
}

fn enter(taken: &AtomicBool) -> io::Result<()> {
    taken.store(true, Ordering::SeqCst);
    let entered = enable_raw_mode().and_then(|()| execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide));
    entered.inspect_err(|_| give_back(taken))
}

/// Gives the terminal back, once. It may be gone already: then there is nobody to tell.
fn give_back(taken: &AtomicBool) {
    if taken.swap(false, Ordering::SeqCst) {
        execute!(stdout(), EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, Show)
            .unwrap_or_default();
        disable_raw_mode().unwrap_or_default();
    }
}

/// Starts the thread that waits for keys. It ends with the process.
pub(super) fn read_keys(news: Sender<Message>) -> io::Result<Keyboard> {
    let (rests, asked) = channel::<Rest>();
    let read = move || {
        loop {
            let message = match event::read() {
                Ok(event) => Message::Terminal(event),
                Err(error) => Message::Lost(format!("the terminal cannot be read: {error}")),
            };
            let last = matches!(message, Message::Lost(_));
            if news.send(message).is_err() || last {
                return;
            }
            for rest in asked.try_iter() {
                // Whoever asked may have given up meanwhile.
                if rest.begun.send(()).is_ok() {
                    rest.over.recv().unwrap_or_default();
                }
            }
        }
    };
    std::thread::Builder::new().name("board-keys".into()).spawn(read)?;
    Ok(Keyboard(rests))
}

/// Whether a signal is one that a key sends to every program in the terminal's foreground.
pub(super) const fn is_from_the_keyboard(signal: i32) -> bool {
    signal == Signal::INT.as_raw()
}

/// Tells this process to go on, which it does anyway: a mark in the line of signals.
pub(super) fn go_on() -> io::Result<()> {
    Ok(kill_process(getpid(), Signal::CONT)?)
}

/// Starts the thread that waits for signals.
pub(super) fn read_signals(news: Sender<Message>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut hangup, mut interrupt, mut terminate, mut goes_on) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
        )
    };
    let wait = async move {
        loop {
            let message = tokio::select! {
                // Whoever sees that the process goes on has seen what came before.
                biased;
                Some(()) = hangup.recv() => Message::Signal(Signal::HUP.as_raw()),
                Some(()) = interrupt.recv() => Message::Signal(Signal::INT.as_raw()),
                Some(()) = terminate.recv() => Message::Signal(Signal::TERM.as_raw()),
                Some(()) = goes_on.recv() => Message::Continued,
                else => return,
            };
            if news.send(message).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("board-signals".into()).spawn(move || runtime.block_on(wait)).map(drop)
}
