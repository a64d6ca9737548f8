//! A board without a terminal: keys go in, pictures come out.

use std::{fmt::Write as _, sync::LazyLock};

use callboard::{
    model::{Limits, SessionId},
    store::Store,
    tui::{App, Colors, Effect, Message, Options},
};
use camino::{Utf8Path, Utf8PathBuf};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, style::Style};
use tempfile::TempDir;

use super::scene::{self, Cast, Scene};

/// A store in a folder of its own.
pub(super) struct Shelf {
    _folder: TempDir,
    pub(super) path: Utf8PathBuf,
}

impl Shelf {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("callboard.db");
        Self { _folder: folder, path }
    }

    pub(super) fn scene(&self) -> Scene {
        Scene::new(&self.path)
    }

    pub(super) fn options(&self, engine: bool) -> Options {
        Options {
            store: Store::open(&self.path, scene::scope()).unwrap(),
            project: "shop".into(),
            now: scene::now,
            zone: jiff::tz::TimeZone::UTC,
            colors: Colors::Sixteen,
            limits: Limits::default(),
            engine: Box::new(move || engine),
            start: Box::new(|| {}),
        }
    }

    pub(super) fn board(&self, size: (u16, u16)) -> Board {
        Board { app: App::open(self.options(true), size).unwrap() }
    }
}

/// The shop's scene, written once, and who plays in it.
static SHOP: LazyLock<(Vec<u8>, Cast)> = LazyLock::new(|| {
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let cast = scene::shop(&mut scene);
    assert!(scene.at.get() <= scene::NOW, "it ends {} s after now", (scene.at.get() - scene::NOW) / scene::SECOND);
    // The last connection to close brings everything into the one file.
    drop(scene);
    (std::fs::read(&shelf.path).unwrap(), cast)
});

/// A store with the shop's scene.
pub(super) fn shop() -> (Shelf, Cast) {
    let shelf = Shelf::new();
    std::fs::write(&shelf.path, &SHOP.0).unwrap();
    (shelf, SHOP.1)
}

pub(super) struct Board {
    pub(super) app: App,
}

/// The key that is written so: `j`, `Enter`, `Ctrl-D`, `Alt-Enter`.
pub(super) fn key(name: &str) -> KeyEvent {
    let (modifiers, base) = match name.split_once('-') {
        Some(("Ctrl", base)) => (KeyModifiers::CONTROL, base.to_lowercase()),
        Some(("Alt", base)) => (KeyModifiers::ALT, base.to_owned()),
        _ => (KeyModifiers::NONE, name.to_owned()),
    };
    let named = match base.to_lowercase().as_str() {
        "enter" => Some(KeyCode::Enter),
        "esc" => Some(KeyCode::Esc),
        "tab" => Some(KeyCode::Tab),
        "backspace" => Some(KeyCode::Backspace),
        "space" => Some(KeyCode::Char(' ')),
        "up" => Some(KeyCode::Up),
        "down" => Some(KeyCode::Down),
        "left" => Some(KeyCode::Left),
        "right" => Some(KeyCode::Right),
        "pgup" => Some(KeyCode::PageUp),
        "pgdn" => Some(KeyCode::PageDown),
        _ => None,
    };
    let code = named.unwrap_or_else(|| KeyCode::Char(base.chars().next().unwrap()));
    let shift = matches!(code, KeyCode::Char(char) if char.is_ascii_uppercase());
    KeyEvent::new(code, if shift { modifiers | KeyModifiers::SHIFT } else { modifiers })
}

impl Board {
    /// Presses keys, named and separated by spaces; answers what reaches outside.
    pub(super) fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.split_whitespace().flat_map(|name| self.app.take(Message::Terminal(Event::Key(key(name))))).collect()
    }

    /// Types a text, character by character.
    pub(super) fn write(&mut self, text: &str) {
        for char in text.chars() {
            let code = if char == '\n' { KeyCode::Enter } else { KeyCode::Char(char) };
            self.app.take(Message::Terminal(Event::Key(KeyEvent::new(code, KeyModifiers::NONE))));
        }
    }

    pub(super) fn resize(&mut self, width: u16, height: u16) {
        self.app.take(Message::Terminal(Event::Resize(width, height)));
    }

    /// Goes to a session, wherever it is in the tree.
    pub(super) fn go(&mut self, session: SessionId) {
        let App { model, snapshot, .. } = &mut self.app;
        model.select(snapshot, session);
        self.app.tick();
    }

    pub(super) fn selected(&self) -> Option<SessionId> {
        self.app.model.selected
    }

    pub(super) fn notice(&self) -> String {
        self.app.model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default()
    }

    fn buffer(&self) -> Buffer {
        let (width, height) = self.app.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| self.app.draw(frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// What is on the screen, as text.
    pub(super) fn text(&self) -> String {
        lines(&self.buffer(), |cell| cell.symbol().to_owned())
    }

    /// The same with a letter for each cell's style, and what the letters mean.
    pub(super) fn picture(&self) -> String {
        let buffer = self.buffer();
        let (width, height) = self.app.model.size;
        let mut styles: Vec<Style> = vec![Style::reset()];
        let letters = lines(&buffer, |cell| {
            let style = cell.style();
            let at = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            let plain = at == 0 || buffer_default(style);
            if plain { " ".into() } else { char::from(b'a' + (at as u8 - 1)).to_string() }
        });
        let mut out = format!("── {width}×{height}\n{}\n── styles\n{letters}\n", self.text());
        for (at, style) in styles.iter().enumerate().skip(1).filter(|(_, style)| !buffer_default(**style)) {
            writeln!(out, "{} {}", char::from(b'a' + (at as u8 - 1)), describe(*style)).unwrap();
        }
        out
    }

    /// The picture at the three sizes that every pane is looked at.
    pub(super) fn pictures(&mut self) -> String {
        [(80, 24), (120, 40), (40, 12)]
            .into_iter()
            .map(|(width, height)| {
                self.resize(width, height);
                self.picture()
            })
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn buffer_default(style: Style) -> bool {
    describe(style).is_empty()
}

fn describe(style: Style) -> String {
    use ratatui::style::Color::Reset;
    let mut out = Vec::new();
    out.extend(style.fg.filter(|color| *color != Reset).map(|color| color.to_string()));
    out.extend(style.bg.filter(|color| *color != Reset).map(|color| format!("on {color}")));
    out.extend(style.add_modifier.iter_names().map(|(name, _)| name.to_lowercase()));
    out.join(" ")
}

fn lines(buffer: &Buffer, mut of: impl FnMut(&ratatui::buffer::Cell) -> String) -> String {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let line: String = (area.left()..area.right()).map(|x| of(&buffer[(x, y)])).collect();
            line.trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}
