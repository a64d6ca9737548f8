//! The sessions tool from the command line: one call, with the JSON that an agent gets.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};

use crate::{
    agent::command,
    engine::{self, socket},
    model::SessionId,
    store::Watch,
    tool::{
        self, Begun, Caller, Reply, Then, Tool,
        wire::{Asked, Told},
    },
};

use super::{
    act,
    args::{self, AsSession, Global, LIST},
    engine::is_unwanted,
    error::CliError,
    input,
    place::Place,
    print,
};

/// So many bytes of arguments are taken.
const ARGUMENTS: u64 = 1024 * 1024;
/// Where an agent's environment says which store its session is in.
const STORE: &str = engine::process::STORE_MARKER;

pub(super) fn tool(global: &Global, args: &args::Tool) -> Result<u8, CliError> {
    if args.name == LIST {
        list(args.json);
        return Ok(0);
    }
    let Some(tool) = tool::find(&args.name) else { return Err(CliError::Usage(tool::unknown(&args.name))) };
    match Way::find(global, &args.caller)?.call(tool, arguments(&args.arguments)?)? {
        Reply::Done(value) => print::json(&value),
        Reply::Refused(why) => return Err(CliError::Refused(why)),
    }
    Ok(0)
}

fn list(as_json: bool) {
    if as_json {
        print::json(&tool::listing());
        return;
    }
    let rows: Vec<Vec<print::Cell>> =
        tool::TOOLS.iter().map(|tool| vec![tool.name.into(), tool.about.into()]).collect();
    print::table(&rows);
}

fn arguments(given: &str) -> Result<Map<String, Value>, CliError> {
    let text = match given {
        "-" => String::from_utf8_lossy(&input::read(Utf8Path::new("-"), "arguments", ARGUMENTS)?).into_owned(),
        text => text.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        CliError::Usage(format!("--arguments must be a JSON object like '{{\"session\": \"…\"}}': {error}"))
    })
}

/// How calls come to be carried out.
pub(super) enum Way {
    /// On the record, as the agent of this session.
    Record(Box<Place>, SessionId),
    /// By the engine, which knows whose agent it is. What was said of that goes with the call: who is mistaken shall learn it.
    Socket(Utf8PathBuf, Option<String>),
}

impl Way {
    /// How, and as whose agent, the tool is used.
    pub(super) fn find(global: &Global, caller: &AsSession) -> Result<Self, CliError> {
        let said = caller.session.clone().filter(|session| !session.is_empty());
        // Whoever names a store means that one, also where an agent's environment names a socket.
        let usual = || global.store.is_none().then(|| variable(command::SOCKET)).flatten();
        if let Some(socket) = caller.socket.clone().or_else(|| usual().map(Into::into)) {
            return Ok(Self::Socket(socket, said));
        }
        let said = said.ok_or_else(|| {
            let why = "whose agent is calling? name its session with --session ID, or in CALLBOARD_SESSION_ID";
            CliError::Usage(why.into())
        })?;
        let mut global = global.clone();
        if global.store.is_none() {
            global.store = variable(STORE).map(Into::into);
        }
        let mut place = Place::find(&global)?;
        // What an agent asks for is asked by no person.
        place.scope.user.clear();
        let session = place.open()?.find(&said)?;
        Ok(Self::Record(Box::new(place), session))
    }

    /// Has one call of a tool carried out.
    pub(super) fn call(&self, tool: &Tool, arguments: Map<String, Value>) -> Result<Reply, CliError> {
        match self {
            Self::Record(place, session) => call(place, *session, tool, arguments),
            Self::Socket(path, session) => {
                let asked = Asked { tool: tool.name.to_owned(), arguments, session: session.clone() };
                match socket::ask(path, &asked)? {
                    Told::Done(value) => Ok(Reply::Done(value)),
                    Told::Refused(why) => Ok(Reply::Refused(why)),
                    Told::Failed(why) => Err(CliError::Failed(why)),
                }
            }
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Carries out one call of a tool on the record.
fn call(place: &Place, session: SessionId, tool: &Tool, arguments: Map<String, Value>) -> Result<Reply, CliError> {
    let mut store = place.open()?;
    let caller = Caller::of(&store, session)?;
    let project = place.project().map_err(|error| error.to_string());
    let project = project.as_ref().map_err(String::as_str);
    let Begun { changes, then } = tool::begin(&store, project, &caller, tool, arguments, engine::now())?;
    let watch = Watch::new(&place.store).ok();
    store.apply(&changes)?;
    let (intent, words) = match then {
        Then::Tell(reply) => return Ok(reply),
        Then::Wait { intent, words } => (intent, words),
    };
    let nobody = is_unwanted() && engine::holder(&place.store).is_none();
    let answer = if nobody { None } else { act::answer(place, &store, watch.as_ref(), intent)? };
    let (changes, reply) = tool::end(&caller, &words, answer, engine::now());
    store.apply(&changes)?;
    Ok(reply)
}
