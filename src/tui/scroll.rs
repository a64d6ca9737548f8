//! Where a pane stands in its lines. A position names a line, so it stays where it is while lines come and go; only the
//! lines near it are wrapped, so that a long text costs no more than a short one.

use super::text::{Key, Line, Row, wrap};
use std::sync::Arc;

/// Where a pane stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// At the first line.
    Top,
    /// At the last line, whatever comes.
    Tail,
    /// With this row of this line on top.
    At {
        /// The line.
        key: Key,
        /// Which of its rows.
        row: usize,
    },
}

/// A pane's lines and the room that it has for them.
#[derive(Debug, Clone, Copy)]
pub struct Port<'a> {
    /// The lines, keys growing.
    pub lines: &'a [Arc<Line>],
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Port<'_> {
    /// The rows to draw.
    #[must_use]
    pub fn rows(&self, position: Position) -> Vec<Row> {
        let (mut line, skip) = self.top(position);
        let mut rows: Vec<Row> = Vec::with_capacity(self.height);
        let mut skip = skip;
        while rows.len() < self.height && line < self.lines.len() {
            rows.extend(wrap(&self.lines[line], self.width).into_iter().skip(skip));
            skip = 0;
            line += 1;
        }
        rows.truncate(self.height);
        rows
    }

    /// The position so many rows further down, or up when negative.
    #[must_use]
    pub fn moved(&self, position: Position, by: isize) -> Position {
        let (mut line, mut row) = self.top(position);
        if self.lines.is_empty() {
            return position;
        }
        let mut left = by.unsigned_abs();
        if by < 0 {
            while left > row && line > 0 {
                left -= row + 1;
                line -= 1;
                row = self.rows_of(line) - 1;
            }
            row = row.saturating_sub(left);
            return self.named(line, row);
        }
        while left > 0 && line < self.lines.len() {
            let here = self.rows_of(line) - row;
            if left < here {
                row += left;
                break;
            }
            left -= here;
            line += 1;
            row = 0;
        }
        if (line, row) >= self.last_top() { Position::Tail } else { self.named(line, row) }
    }

    /// Whether everything fits.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.last_top() == (0, 0)
    }

    /// How many lines are above the first that is shown.
    #[must_use]
    pub fn above(&self, position: Position) -> usize {
        self.top(position).0
    }

    fn named(&self, line: usize, row: usize) -> Position {
        match self.lines.get(line) {
            Some(_) if (line, row) == (0, 0) => Position::Top,
            Some(found) => Position::At { key: found.key, row },
            None => Position::Tail,
        }
    }

    /// The first line that is shown, and its first row that is.
    fn top(&self, position: Position) -> (usize, usize) {
        match position {
            Position::Top => (0, 0),
            Position::Tail => self.last_top(),
            Position::At { key, row } => {
                let line = self.lines.partition_point(|line| line.key < key);
                let row = match self.lines.get(line) {
                    Some(found) if found.key == key => row.min(self.rows_of(line) - 1),
                    Some(_) | None => 0,
                };
                (line, row).min(self.last_top())
            }
        }
    }

    /// The top when the last row is at the bottom.
    fn last_top(&self) -> (usize, usize) {
        let mut left = self.height.max(1);
        for line in (0..self.lines.len()).rev() {
            let rows = self.rows_of(line);
            if rows >= left {
                return (line, rows - left);
            }
            left -= rows;
        }
        (0, 0)
    }

    fn rows_of(&self, line: usize) -> usize {
        self.lines.get(line).map_or(1, |line| wrap(line, self.width).len())
    }
}
