//! Drawing: a function of what the screen remembers and what the store says.

mod keys;
mod overlay;
mod session;
mod status;
mod tree;

use ratatui::{Frame, buffer::Buffer, layout::Rect, style::Style};

use super::{
    clean,
    model::Model,
    snapshot::Snapshot,
    text::{Row, Tone},
    theme::{self, Colors},
};

pub use keys::{footer, help};
pub(super) use overlay::text as overlay_text;

/// Draws everything.
pub fn view(model: &Model, snapshot: &Snapshot, frame: &mut Frame<'_>) {
    let area = frame.area();
    // The size that the layout was made for, and not more than there is.
    let areas = model.areas();
    let mut pen = Pen { buffer: frame.buffer_mut(), bounds: area, colors: model.colors };
    tree::title(&mut pen, areas.title, model, snapshot);
    tree::rows(&mut pen, areas.tree, model, snapshot);
    pen.rule(areas.rule);
    session::draw(&mut pen, model, snapshot);
    status::draw(&mut pen, areas.status, model, snapshot);
    keys::draw(&mut pen, areas.keys, model, snapshot);
    overlay::draw(&mut pen, model, snapshot);
}

/// Writes into a buffer, never outside it.
struct Pen<'a> {
    buffer: &'a mut Buffer,
    bounds: Rect,
    colors: Colors,
}

impl Pen<'_> {
    /// Writes text at a place, at most so many columns of it; answers how many it took.
    fn put(&mut self, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
        if x >= self.bounds.right() || y >= self.bounds.bottom() {
            return 0;
        }
        let room = columns.min(self.bounds.right() - x);
        let (end, _) = self.buffer.set_stringn(x, y, text, usize::from(room), style);
        end - x
    }

    /// Writes the pieces of a row, cut with `…` where they do not fit; `over` replaces their own look.
    fn row(&mut self, area: Rect, line: u16, row: &[(Tone, String)], over: Option<Style>) {
        if line >= area.height {
            return;
        }
        let (mut x, y) = (area.x, area.y + line);
        let total: usize = row.iter().map(|(_, text)| clean::width(text)).sum();
        let mut left = usize::from(area.width);
        let cut = total > left;
        for (tone, text) in row {
            let style = over.unwrap_or_else(|| theme::style(self.colors, *tone));
            let wide = clean::width(text);
            if cut && wide >= left {
                self.put(x, y, area.width, &clean::elide(&format!("{text} "), left), style);
                return;
            }
            x += self.put(x, y, u16::try_from(left).unwrap_or(u16::MAX), text, style);
            left -= wide.min(left);
        }
    }

    /// Writes rows under each other.
    fn rows(&mut self, area: Rect, rows: &[Row]) {
        for (line, row) in (0..area.height).zip(rows) {
            self.row(area, line, row, None);
        }
    }

    /// Gives an area a look.
    fn fill(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.bounds), style);
    }

    /// A line between two parts.
    fn rule(&mut self, area: Rect) {
        let style = theme::style(self.colors, Tone::Dim);
        let sign = if area.width == 1 { "│" } else { "─" };
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.put(x, y, 1, sign, style);
            }
        }
    }

    fn style(&self, tone: Tone) -> Style {
        theme::style(self.colors, tone)
    }
}

/// How many columns a row takes.
fn width(row: &[(Tone, String)]) -> usize {
    row.iter().map(|(_, text)| clean::width(text)).sum()
}
