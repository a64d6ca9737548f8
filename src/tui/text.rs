//! Lines of styled text, and wrapping them.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// What a piece of text is; the theme decides how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Text.
    Plain,
    /// Less important than what is around it.
    Dim,
    /// More important.
    Strong,
    /// It went well.
    Good,
    /// It did not.
    Bad,
    /// A person should look.
    Warn,
    /// At work.
    Busy,
    /// A heading.
    Title,
    /// A key.
    Key,
    /// What an agent says.
    Agent,
    /// A tool that it uses, a file that it writes.
    Tool,
    /// A program that is run.
    Command,
    /// What a program prints.
    Output,
    /// What a program prints as an error.
    Stderr,
    /// What callboard itself says.
    Note,
}

/// Names a line so that it is found again when lines were added or dropped around it. Grows from line to line.
pub(super) type Key = (u64, u32);

/// One line before it is wrapped. Its text is clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub key: Key,
    /// Its text in pieces.
    pub runs: Vec<(Tone, String)>,
    /// By how many columns its second and further rows are indented.
    pub hang: usize,
    /// What stands there instead of spaces.
    pub lead: Option<(Tone, &'static str)>,
}

impl Line {
    /// A line without text.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self { key, runs: Vec::new(), hang: 0, lead: None }
    }

    /// The line with more text.
    #[must_use]
    pub fn with(mut self, tone: Tone, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.runs.push((tone, text));
        }
        self
    }

    /// The line with a mark before it, and before each of its further rows.
    #[must_use]
    pub fn marked(self, tone: Tone, mark: &'static str) -> Self {
        Self { hang: super::clean::width(mark), lead: Some((tone, mark)), ..self.with(tone, mark) }
    }

    /// The line with its further rows indented.
    #[must_use]
    pub const fn hanging(mut self, hang: usize) -> Self {
        self.hang = hang;
        self
    }
}

/// What a pane shows.
pub type Lines = Vec<Arc<Line>>;

/// Collects lines, numbering them.
#[derive(Debug, Default)]
pub(super) struct Page {
    first: u64,
    lines: Lines,
}

impl Page {
    /// A page whose lines are numbered from here on, so that others can stand before them.
    pub(super) const fn from(first: u64) -> Self {
        Self { first, lines: Lines::new() }
    }

    /// Adds a line.
    pub(super) fn add(&mut self, make: impl FnOnce(Line) -> Line) {
        let key = (self.first + self.lines.len() as u64, 0);
        self.lines.push(Arc::new(make(Line::new(key))));
    }

    /// Adds each line of a text, all in one tone and indented.
    pub(super) fn text(&mut self, tone: Tone, indent: usize, text: &str) {
        for line in text.lines() {
            self.add(|it| it.with(Tone::Plain, " ".repeat(indent)).with(tone, line).hanging(indent));
        }
    }

    /// Adds an empty line, unless there is none before it or the last is empty already.
    pub(super) fn gap(&mut self) {
        if self.lines.last().is_some_and(|last| !last.runs.is_empty()) {
            self.add(|it| it);
        }
    }

    /// The lines.
    #[must_use]
    pub(super) fn done(self) -> Lines {
        self.lines
    }
}

/// One row of the screen.
pub(super) type Row = Vec<(Tone, String)>;

/// The rows that a line takes in so many columns: at least one. Words stay whole where they fit.
#[must_use]
pub fn wrap(line: &Line, columns: usize) -> Vec<Row> {
    let columns = columns.max(1);
    // A double-width character must still fit beside it.
    let hang = if columns < 2 * line.hang + 2 { 0 } else { line.hang };
    let cells: Vec<(Tone, &str, usize)> = line
        .runs
        .iter()
        .flat_map(|(tone, text)| text.graphemes(true).map(|grapheme| (*tone, grapheme, grapheme.width())))
        .collect();
    let mut rows = Vec::new();
    let mut start = 0;
    loop {
        let room = if rows.is_empty() { columns } else { columns - hang };
        let (end, next) = break_at(&cells, start, room);
        let mut row: Row = Vec::new();
        if !rows.is_empty() && hang > 0 {
            row.push(line.lead.map_or_else(|| (Tone::Plain, " ".repeat(hang)), |(tone, lead)| (tone, lead.to_owned())));
        }
        for (tone, grapheme, _) in &cells[start..end] {
            match row.last_mut() {
                Some((last, text)) if last == tone => text.push_str(grapheme),
                Some(_) | None => row.push((*tone, (*grapheme).to_owned())),
            }
        }
        rows.push(row);
        if next >= cells.len() {
            return rows;
        }
        start = next;
    }
}

/// Where a row that begins at `start` ends, and where the next one begins.
fn break_at(cells: &[(Tone, &str, usize)], start: usize, room: usize) -> (usize, usize) {
    let mut used = 0;
    let mut space = None;
    let mut words = false;
    for (at, (_, grapheme, width)) in cells.iter().enumerate().skip(start) {
        if used + width > room {
            return match space {
                _ if *grapheme == " " => (at, at + 1),
                Some(space) => (space, space + 1),
                // A cell that is wider than the room is put there all the same: otherwise there would be no end.
                None => (at.max(start + 1), at.max(start + 1)),
            };
        }
        used += width;
        if *grapheme == " " {
            // Indentation is no place to break at.
            space = if words { Some(at) } else { space };
        } else {
            words = true;
        }
    }
    (cells.len(), cells.len())
}
