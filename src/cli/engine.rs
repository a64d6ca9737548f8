//! The engine from the command line: run it, look at it, stop it, and start one in the background when there is none.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    engine::{
        self, Ended, Holder, Lock, Options,
        client::{self, Stopped},
        process::Grace,
    },
    model::{Scope, SessionId},
    project::Settings,
};

use super::{
    args::{Engine, EngineCommand, Global},
    error::CliError,
    output, place, print,
};

/// An engine that was started in the background ends after so long without anything to do.
const IDLE: Duration = Duration::from_secs(60);
/// So long `engine stop` waits for the engine's end.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// With this set, no command starts an engine in the background.
const NO_ENGINE: &str = "CALLBOARD_NO_ENGINE";

pub(super) fn engine(global: &Global, args: &Engine) -> Result<u8, CliError> {
    let store = place::store_path(global)?;
    match args.what {
        None | Some(EngineCommand::Status) => Ok(status(&store, args.json)),
        Some(EngineCommand::Run { background }) => run(global, store, background),
        Some(EngineCommand::Stop) => stop(&store, args.json),
    }
}

fn status(store: &Utf8Path, as_json: bool) -> u8 {
    let holder = engine::holder(store);
    if as_json {
        print::json(&json!({
            "alive": holder.is_some(), "store": store, "pid": holder.as_ref().map(|holder| holder.pid),
            "since": holder.as_ref().map(|holder| output::time(holder.since)),
            "foreground": holder.as_ref().map(|holder| holder.foreground),
        }));
    } else {
        match &holder {
            Some(holder) => print::line(&format!(
                "an engine (process {}) is at work on {store} since {}",
                holder.pid,
                output::time(holder.since)
            )),
            None => print::line(&format!("no engine is at work on {store}")),
        }
    }
    u8::from(holder.is_none())
}

fn stop(store: &Utf8Path, as_json: bool) -> Result<u8, CliError> {
    let said = |stopped: bool| match (as_json, stopped) {
        (true, _) => print::json(&json!({"stopped": stopped, "store": store})),
        (false, true) => print::line("the engine has stopped"),
        (false, false) => print::line(&format!("no engine is at work on {store}")),
    };
    match client::stop(store, STOP_LIMIT) {
        Ok(Stopped::None) => said(false),
        Ok(Stopped::Ended) => said(true),
        Ok(Stopped::Told(holder)) => {
            return Err(CliError::Failed(format!(
                "the engine (process {}) was told, but has not ended yet",
                holder.pid
            )));
        }
        Err(error) => return Err(CliError::Failed(format!("the engine cannot be told: {error}"))),
    }
    Ok(0)
}

fn run(global: &Global, store: Utf8PathBuf, background: bool) -> Result<u8, CliError> {
    if background {
        client::detach();
    }
    let Some(_lock) = lock(&store, false)? else {
        if background {
            return Ok(0);
        }
        return Err(CliError::Refused("another engine is at work on this store (`callboard engine status`)".into()));
    };
    log_to_stderr(global.verbose);
    let settings = place::settings()?;
    let idle = background.then_some(IDLE);
    let ended = drive(options(store, settings, None, idle), std::future::pending())?;
    Ok(u8::from(ended == Ended::Settled))
}

/// How an engine is run, with the ordinary graces.
pub(super) fn options(
    store: Utf8PathBuf,
    settings: Settings,
    only: Option<(Scope, SessionId)>,
    idle: Option<Duration>,
) -> Options {
    let grace = Grace { interrupt: Duration::from_secs(3), terminate: Duration::from_secs(3) };
    let program = std::env::current_exe().ok().map(|program| program.display().to_string());
    Options { store, only, idle, settings, grace, program }
}

/// The lock of the store; `None` when another engine has it.
pub(super) fn lock(store: &Utf8Path, foreground: bool) -> Result<Option<Lock>, CliError> {
    let holder =
        Holder { pid: std::process::id(), since: engine::now(), version: env!("CARGO_PKG_VERSION").into(), foreground };
    Lock::acquire(store, &holder)
        .map_err(|error| CliError::Failed(format!("the lock beside {store} cannot be taken: {error}")))
}

/// Runs an engine in this process until it ends, `stop` resolves, or a signal tells it to.
pub(super) fn drive(options: Options, stop: impl Future<Output = ()>) -> Result<Ended, CliError> {
    // One thread: what the engine does itself is little, and each hand-over to another thread costs more than it. What blocks
    // (git, starting processes, rendering) has threads of its own, and so has the store.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Failed(format!("no runtime: {error}")))?;
    let ended = runtime.block_on(async {
        let mut term = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = async {
            tokio::select! {
                () = stop => {}
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        Ok::<_, CliError>(engine::run(options, stop).await?)
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    ended
}

/// Whether no command may start an engine in the background.
pub(super) fn is_unwanted() -> bool {
    std::env::var_os(NO_ENGINE).is_some()
}

/// Starts an engine in the background when there is none.
pub(super) fn ensure(store: &Utf8Path) -> Result<(), CliError> {
    if is_unwanted() || engine::holder(store).is_some() {
        return Ok(());
    }
    let failed = |what: &str, error: std::io::Error| {
        CliError::Failed(format!(
            "no engine could be started in the background: {what}: {error}; try `callboard engine run`"
        ))
    };
    let program = std::env::current_exe().map_err(|error| failed("this program is not found", error))?;
    client::start(&program, store).map_err(|error| failed("it did not start", error))
}

/// Says on standard error what is done.
pub(super) fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => "callboard=info",
        1 => "callboard=debug",
        _ => "callboard=trace",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("CALLBOARD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    // Fails only when one is set already, which then does as well.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init()
        .unwrap_or_default();
}
