//! The terminal: taken, and given back on every way out.

use std::{
    io::{self, BufWriter, Stdout, Write as _, stdout},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
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
use rustix::process::{Signal, kill_current_process_group};
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

/// Starts the thread that waits for keys. It ends with the process: nothing can interrupt a read of the terminal.
pub(super) fn read_keys(news: Sender<Message>) -> io::Result<()> {
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
        }
    };
    std::thread::Builder::new().name("board-keys".into()).spawn(read).map(drop)
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
