//! The driver: drain what arrived, then draw.

use std::{
    io::{IsTerminal as _, stdin, stdout},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};

use crossterm::event::Event;

use crate::model::{Micros, SessionId};

use super::{
    App, Message, Options, TakeOver, TuiError,
    terminal::{Keyboard, Screen, go_on, is_from_the_keyboard, read_keys, read_signals},
    update::Effect,
};

/// What is not a key draws at most once in so many microseconds.
const FRAME: Micros = 16_000;
/// What moves with the time moves so often.
const TICK: Micros = 1_000_000;
/// How long after the order to stop the process may still be running.
const STOPS: Duration = Duration::from_millis(200);
/// So many messages at most are taken in before a frame is drawn.
const BATCH: usize = 512;

/// Shows the board until the person leaves it. What is asked of the engine is written before this returns; nothing that runs
/// is stopped.
///
/// # Errors
/// When there is no terminal, when it or the store fails, and when a signal ends the board. The terminal is given back in
/// every case.
pub fn run(options: Options, take_over: &TakeOver) -> Result<(), TuiError> {
    if !(stdout().is_terminal() && stdin().is_terminal()) {
        return Err(TuiError::NoTerminal);
    }
    let now = options.now;
    let mut app = App::open(options, crossterm::terminal::size()?)?;
    let (news, messages) = channel();
    // Before the terminal is taken: a signal that comes in between would leave it as it is then.
    read_signals(news.clone())?;
    let mut screen = Screen::take()?;
    let keyboard = read_keys(news.clone())?;
    let driver =
        Driver { app: &mut app, screen: &mut screen, keyboard, take_over, now, drawn: 0, ticked: now(), dirty: false };
    let ended = driver.run(news, &messages);
    // First the terminal, then whatever the worker still has to write.
    drop(screen);
    drop(app);
    ended
}

struct Driver<'a> {
    app: &'a mut App,
    screen: &'a mut Screen,
    keyboard: Keyboard,
    take_over: &'a TakeOver,
    now: fn() -> Micros,
    drawn: Micros,
    ticked: Micros,
    dirty: bool,
}

/// Whether the board goes on.
enum Flow {
    On,
    Off,
}

impl Driver<'_> {
    fn run(mut self, news: Sender<Message>, messages: &Receiver<Message>) -> Result<(), TuiError> {
        self.draw()?;
        self.app.start(news)?;
        loop {
            let mut urgent = false;
            match self.wait(messages) {
                Ok(message) => {
                    let drained = std::iter::once(message).chain(messages.try_iter().take(BATCH)).collect::<Vec<_>>();
                    for message in drained {
                        urgent |= matches!(message, Message::Terminal(_));
                        if let Flow::Off = self.take(message, messages)? {
                            return Ok(());
                        }
                    }
                    self.dirty = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(TuiError::Lost("nothing can arrive any more".into()));
                }
            }
            let now = (self.now)();
            if self.app.is_moving() && since(now, self.ticked) >= TICK {
                self.ticked = now;
                self.app.tick();
                self.dirty = true;
            }
            if self.dirty && (urgent || since(now, self.drawn) >= FRAME) {
                self.draw()?;
            }
        }
    }

    /// Waits for a message; at most until the next frame or tick is due, and for ever when none is.
    fn wait(&self, messages: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        let now = (self.now)();
        let due = if self.dirty {
            FRAME - since(now, self.drawn)
        } else if self.app.is_moving() {
            TICK - since(now, self.ticked)
        } else {
            return messages.recv().map_err(|_| RecvTimeoutError::Disconnected);
        };
        messages.recv_timeout(Duration::from_micros(u64::try_from(due).unwrap_or(0)))
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        self.screen.draw(|frame| self.app.draw(frame))?;
        self.drawn = (self.now)();
        self.dirty = false;
        Ok(())
    }

    fn take(&mut self, message: Message, messages: &Receiver<Message>) -> Result<Flow, TuiError> {
        match &message {
            Message::Signal(signal) => return Err(TuiError::Signal(*signal)),
            Message::Lost(what) => return Err(TuiError::Lost(what.clone())),
            Message::Continued => {
                self.resume()?;
                return Ok(Flow::On);
            }
            Message::Terminal(_)
            | Message::Fresh
            | Message::Asked { .. }
            | Message::NotAsked { .. }
            | Message::Answered { .. }
            | Message::TakenOver(_) => {}
        }
        for effect in self.app.take(message) {
            match effect {
                Effect::Quit => return Ok(Flow::Off),
                Effect::Copy(text) => self.screen.copy(&text)?,
                Effect::Redraw => self.screen.forget()?,
                Effect::Suspend => {
                    if let Flow::Off = self.suspend(messages)? {
                        return Ok(Flow::Off);
                    }
                }
                Effect::TakeOver(session) => {
                    if let Flow::Off = self.lend(session, messages)? {
                        return Ok(Flow::Off);
                    }
                }
                Effect::Ask(_) => {}
            }
        }
        Ok(Flow::On)
    }

    /// Stops until the shell says to go on. Where there is no shell to say so, the order to stop does nothing.
    fn suspend(&mut self, messages: &Receiver<Message>) -> Result<Flow, TuiError> {
        self.screen.stop()?;
        let mut missed = Vec::new();
        while let Ok(message) = messages.recv_timeout(STOPS) {
            match message {
                Message::Continued => break,
                other @ (Message::Terminal(_)
                | Message::Fresh
                | Message::Asked { .. }
                | Message::NotAsked { .. }
                | Message::Answered { .. }
                | Message::TakenOver(_)
                | Message::Signal(_)
                | Message::Lost(_)) => missed.push(other),
            }
        }
        self.resume()?;
        for message in missed {
            if let Flow::Off = self.take(message, messages)? {
                return Ok(Flow::Off);
            }
        }
        Ok(Flow::On)
    }

    /// Gives the terminal to the agent's own program until it ends.
    fn lend(&mut self, session: SessionId, messages: &Receiver<Message>) -> Result<Flow, TuiError> {
        let ended = match (self.take_over)(session) {
            Err(why) => Err(why),
            Ok(program) => match self.keyboard.rest() {
                Err(why) => Err(why),
                Ok(_resting) => {
                    let modes = self.screen.lend()?;
                    let ended = program();
                    modes.restore();
                    self.resume()?;
                    ended
                }
            },
        };
        let missed = meanwhile(messages)?;
        for message in std::iter::once(Message::TakenOver(ended)).chain(missed) {
            if let Flow::Off = self.take(message, messages)? {
                return Ok(Flow::Off);
            }
        }
        Ok(Flow::On)
    }

    fn resume(&mut self) -> Result<(), TuiError> {
        self.screen.resume()?;
        let (width, height) = crossterm::terminal::size()?;
        self.app.take(Message::Terminal(Event::Resize(width, height)));
        self.dirty = true;
        Ok(())
    }
}

/// What arrived while another program had the terminal. What the keyboard sent to everybody in it was that program's, and so
/// was being stopped and going on.
fn meanwhile(messages: &Receiver<Message>) -> Result<Vec<Message>, TuiError> {
    let theirs = |message: &Message| match message {
        Message::Continued => true,
        Message::Signal(signal) => is_from_the_keyboard(*signal),
        Message::Terminal(_)
        | Message::Fresh
        | Message::Asked { .. }
        | Message::NotAsked { .. }
        | Message::Answered { .. }
        | Message::TakenOver(_)
        | Message::Lost(_) => false,
    };
    let mut missed: Vec<Message> = messages.try_iter().filter(|message| !theirs(message)).collect();
    // The signal that ended the program may still be on its way to us, but not behind this one.
    go_on()?;
    while let Ok(message) = messages.recv_timeout(STOPS) {
        if matches!(message, Message::Continued) {
            break;
        }
        missed.extend(Some(message).filter(|message| !theirs(message)));
    }
    Ok(missed)
}

/// How long ago something was; a clock that was set back makes it just now.
fn since(now: Micros, then: Micros) -> Micros {
    (now - then).max(0)
}
