//! Opening the board.

use std::io::IsTerminal as _;

use crate::{engine, tui};

use super::{
    args::{Color, Global},
    engine::ensure,
    error::CliError,
    place::Place,
    setup, takeover,
};

pub(super) fn open(global: &Global) -> Result<u8, CliError> {
    at(&Place::find(global)?, global)
}

/// Refuses to go on without a terminal. `instead`: what does without one.
pub(super) fn needs_terminal(instead: &str) -> Result<(), CliError> {
    if std::io::stdout().is_terminal() && std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(CliError::Usage(format!("the board needs a terminal; {instead}")))
}

/// Opens the board of a project, with an engine behind it.
pub(super) fn at(place: &Place, global: &Global) -> Result<u8, CliError> {
    needs_terminal("`callboard ls` and `callboard --help` do not")?;
    let project = place.project()?;
    setup::ask_before_the_board(place, &project)?;
    let store = place.open()?;
    ensure(&place.store)?;
    let (lock, beside) = (place.store.clone(), place.store.clone());
    let options = tui::Options {
        store,
        project: project.name,
        limits: project.limits,
        now: engine::now,
        engine: Box::new(move || engine::holder(&lock).is_some()),
        start: Box::new(move || {
            if let Err(error) = ensure(&beside) {
                tracing::warn!("no engine could be started: {error}");
            }
        }),
        zone: jiff::tz::TimeZone::system(),
        colors: match global.color {
            Color::Always => tui::Colors::Sixteen,
            Color::Never => tui::Colors::None,
            Color::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => tui::Colors::None,
            Color::Auto => tui::Colors::Sixteen,
        },
    };
    match tui::run(options, &takeover::for_the_board(place.clone())) {
        Ok(()) => Ok(0),
        Err(tui::TuiError::Signal(signal)) => Ok(ended_by(signal)),
        Err(
            error @ (tui::TuiError::NoTerminal
            | tui::TuiError::Terminal(_)
            | tui::TuiError::Store(_)
            | tui::TuiError::Lost(_)),
        ) => Err(CliError::Failed(error.to_string())),
    }
}

/// The exit code of a program that a signal ended, as shells have it.
fn ended_by(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}
