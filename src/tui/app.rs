//! Model, snapshot and worker together: everything of the board but the terminal.

use std::sync::mpsc::Sender;

use ratatui::Frame;

use crate::{model::Micros, store::StoreError};

use super::{
    Message, Options,
    model::Model,
    reader::{Reader, View},
    snapshot::Snapshot,
    update::{Action, Effect, update},
    view::view,
    worker::Worker,
};

/// So often, in microseconds, it is looked whether the engine is alive.
const PULSE: Micros = 1_000_000;

/// The board without a terminal.
pub struct App {
    /// What the screen remembers.
    pub model: Model,
    /// What the store said last.
    pub snapshot: Snapshot,
    now: fn() -> Micros,
    /// Until it is handed to the worker.
    reader: Option<Reader>,
    worker: Option<Worker>,
    viewed: View,
    pulse: Micros,
}

impl App {
    /// Reads what the first frame shows.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(options: Options, size: (u16, u16)) -> Result<Self, StoreError> {
        let Options { store, project, now, zone, colors, limits, engine, start } = options;
        let mut reader = Reader::new(store, project, (engine, start), limits, now);
        let snapshot = reader.first()?;
        let mut model = Model::new(size, now(), zone, colors);
        model.list(&snapshot);
        model.fill(&snapshot);
        let viewed = model.view(&snapshot);
        let snapshot = reader.looked_at(viewed.clone());
        model.fill(&snapshot);
        model.follow();
        Ok(Self { model, snapshot, now, reader: Some(reader), worker: None, viewed, pulse: 0 })
    }

    /// Starts the worker; until then everything is read at once, and what is asked comes out as an effect. The worker
    /// tells of news through `news`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(&mut self, news: Sender<Message>) -> std::io::Result<()> {
        if let Some(reader) = self.reader.take() {
            self.worker = Some(Worker::start(reader, news)?);
        }
        Ok(())
    }

    /// Takes in a message; answers what only the terminal can do.
    pub fn take(&mut self, message: Message) -> Vec<Effect> {
        match message {
            Message::Terminal(event) => {
                self.look_for_engine();
                self.act(Action::Terminal(event))
            }
            Message::Fresh => {
                let Some(newest) = self.worker.as_ref().and_then(Worker::newest) else { return Vec::new() };
                self.snapshot = newest;
                self.act(Action::Fresh)
            }
            Message::Asked { ticket } => self.act(Action::Asked(ticket)),
            Message::NotAsked { ticket, why } => self.act(Action::NotAsked(ticket, why)),
            Message::Answered { ticket, answer } => self.act(Action::Answered(ticket, answer)),
            Message::TakenOver(ended) => self.act(Action::TakenOver(ended)),
            Message::Lost(what) => self.act(Action::Say(what)),
            Message::Signal(_) | Message::Continued => Vec::new(),
        }
    }

    /// A second went by.
    pub fn tick(&mut self) {
        self.look_for_engine();
        self.act(Action::Tick);
    }

    /// Whether something on the screen moves with the time.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.model.is_moving(&self.snapshot)
    }

    /// Draws everything.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        view(&self.model, &self.snapshot, frame);
    }

    fn look_for_engine(&mut self) {
        let now = (self.now)();
        if (now - self.pulse).abs() >= PULSE {
            self.pulse = now;
            if let Some(worker) = &self.worker {
                worker.pulse();
            }
        }
    }

    fn act(&mut self, action: Action) -> Vec<Effect> {
        let mut outside = Vec::new();
        for effect in update(&mut self.model, &self.snapshot, action, (self.now)()) {
            match (effect, &self.worker) {
                (Effect::Ask(ask), Some(worker)) => worker.ask(ask),
                (
                    effect @ (Effect::Ask(_)
                    | Effect::Copy(_)
                    | Effect::Redraw
                    | Effect::Suspend
                    | Effect::TakeOver(_)
                    | Effect::Quit),
                    _,
                ) => outside.push(effect),
            }
        }
        let view = self.model.view(&self.snapshot);
        if view != self.viewed {
            self.viewed = view.clone();
            match (&self.worker, &mut self.reader) {
                (Some(worker), _) => worker.look(view),
                (None, Some(reader)) => {
                    self.snapshot = reader.looked_at(view);
                    update(&mut self.model, &self.snapshot, Action::Fresh, (self.now)());
                }
                (None, None) => {}
            }
        }
        outside
    }
}
