//! Taking over a session's conversation in the terminal.

use std::{io::IsTerminal as _, os::unix::process::ExitStatusExt as _, process::ExitStatus};

use crate::{
    engine::{Refused, Takeover},
    model::{IntentAction, SessionId},
    store::Store,
    tui,
};

use super::{
    act::submit,
    args::{self, Global},
    error::CliError,
    place::Place,
    print,
};

pub(super) fn takeover(global: &Global, args: &args::Takeover) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let store = place.open()?;
    let session = store.find(&args.id)?;
    let takeover = prepare(&place, &store, session)?;
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return Err(CliError::Usage(
            "a conversation is taken over in a terminal, and this is none; `callboard events` shows what was said"
                .into(),
        ));
    }
    print::note(&takeover.argv().join(" "));
    let status = on_record(&place, session, takeover)?;
    Ok(status.code().or_else(|| status.signal().map(|signal| 128 + signal)).map_or(1, code))
}

fn code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(1)
}

fn prepare(place: &Place, store: &Store, session: SessionId) -> Result<Takeover, CliError> {
    Takeover::prepare(store, &place.project()?, session).map_err(|error| match error {
        Refused::No(why) => CliError::Refused(why),
        Refused::Store(error) => error.into(),
    })
}

/// Runs the agent's program, with its begin and its end on record.
fn on_record(place: &Place, session: SessionId, takeover: Takeover) -> Result<ExitStatus, CliError> {
    let (mut store, line) = (place.open()?, takeover.argv().join(" "));
    let mut begun = Ok(());
    let status = takeover.run(|| begun = submit(&mut store, session, IntentAction::TakeOver { line }).map(drop))?;
    begun.and_then(|()| submit(&mut store, session, IntentAction::GiveBack))?;
    Ok(status)
}

/// The same for the board.
pub(super) fn for_the_board(place: Place) -> tui::TakeOver {
    Box::new(move |session| {
        let store = place.open().map_err(|error| error.to_string())?;
        let takeover = prepare(&place, &store, session).map_err(|error| error.to_string())?;
        let (place, line) = (place.clone(), takeover.argv().join(" "));
        Ok(Box::new(move || {
            let status = on_record(&place, session, takeover).map_err(|error| error.to_string())?;
            if status.success() { Ok(format!("{line} has ended")) } else { Err(format!("{line} {}", ended(status))) }
        }))
    })
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "has ended".into(),
    }
}
