//! How the board looks: sixteen colours at most, so that the terminal's own palette decides; or none at all.

use ratatui::style::{Color, Modifier, Style};

use super::text::Tone;

/// The colours that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colors {
    /// The terminal's sixteen.
    #[default]
    Sixteen,
    /// None (`NO_COLOR`): bold, dim and reversed tell what colours would.
    None,
}

/// How a text looks.
#[must_use]
pub fn style(colors: Colors, tone: Tone) -> Style {
    let style = Style::new();
    match colors {
        Colors::Sixteen => match tone {
            Tone::Plain | Tone::Agent => style,
            Tone::Dim | Tone::Output => style.fg(Color::DarkGray),
            Tone::Strong => style.add_modifier(Modifier::BOLD),
            Tone::Good => style.fg(Color::Green),
            Tone::Bad | Tone::Stderr => style.fg(Color::Red),
            Tone::Warn => style.fg(Color::Yellow),
            Tone::Busy | Tone::Key => style.fg(Color::Cyan),
            Tone::Title => style.fg(Color::Blue).add_modifier(Modifier::BOLD),
            Tone::Tool => style.fg(Color::Magenta),
            Tone::Command => style.fg(Color::Blue),
            Tone::Note => style.fg(Color::Yellow),
        },
        Colors::None => match tone {
            Tone::Plain | Tone::Output | Tone::Agent | Tone::Command => style,
            Tone::Dim => style.add_modifier(Modifier::DIM),
            Tone::Strong | Tone::Good | Tone::Busy | Tone::Tool | Tone::Note => style.add_modifier(Modifier::BOLD),
            Tone::Bad | Tone::Warn | Tone::Title | Tone::Key | Tone::Stderr => {
                style.add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED))
            }
        },
    }
}

/// The row that has the keys.
#[must_use]
pub(super) fn chosen(colors: Colors) -> Style {
    match colors {
        Colors::Sixteen => Style::new().fg(Color::Black).bg(Color::Cyan),
        Colors::None => Style::new().add_modifier(Modifier::REVERSED),
    }
}

/// The row that is selected where something else has the keys.
#[must_use]
pub(super) fn marked(colors: Colors) -> Style {
    match colors {
        Colors::Sixteen => Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
        Colors::None => Style::new().add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
    }
}
