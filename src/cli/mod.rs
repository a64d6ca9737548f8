//! The command line: clap types, one call per command, and the JSON contract (`output`).

mod act;
mod args;
mod board;
mod catalogue;
mod confine;
mod demo;
mod doctor;
mod engine;
mod error;
mod follow;
mod input;
mod manual;
mod mcp;
mod next;
mod output;
mod place;
mod print;
mod report;
mod run;
mod session;
mod setup;
mod show;
mod takeover;
mod tool;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Color, Command};
use error::CliError;

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return unparsed(&error),
    };
    match args.global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    if args.global.verbose > 0 && !has_board(&args) {
        engine::log_to_stderr(args.global.verbose);
    }
    match dispatch(&args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print::error(&error.to_string());
            ExitCode::from(error.code())
        }
    }
}

/// Whether the board takes the terminal, so that nothing else may write there.
const fn has_board(args: &Args) -> bool {
    match &args.command {
        None => true,
        Some(Command::Demo(demo)) => !demo.headless,
        Some(_) => false,
    }
}

/// Help that was asked for, or what is wrong with what was typed.
fn unparsed(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that has gone away is no error.
        error.print().unwrap_or_default();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    print::error(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
    ExitCode::from(2)
}

fn dispatch(args: &Args) -> Result<u8, CliError> {
    let global = &args.global;
    match &args.command {
        None => board::open(global),
        Some(Command::Init(_)) => setup::init(global),
        Some(Command::Trust(it)) => setup::trust(global, it),
        Some(Command::Doctor(it)) => doctor::doctor(global, it),
        Some(Command::Demo(it)) => demo::demo(global, it),
        Some(Command::New(it)) => session::new(global, it),
        Some(Command::Ls(it)) => session::ls(global, it),
        Some(Command::Show(it)) => show::show(global, it),
        Some(Command::Events(it)) => show::events(global, it),
        Some(Command::Inbox(it)) => show::inbox(global, it),
        Some(Command::Next(it)) => next::next(global, it),
        Some(Command::Why(it)) => show::why(global, it),
        Some(Command::Preview(it)) => show::preview(global, it),
        Some(Command::Run(it)) => run::run(global, it),
        Some(Command::Advance(it)) => act::advance(global, it),
        Some(Command::Retry(it)) => act::retry(global, it),
        Some(Command::Say(it)) => act::say(global, it),
        Some(Command::Interrupt(it)) => act::interrupt(global, it),
        Some(Command::Cancel(it)) => act::cancel(global, it),
        Some(Command::Reactivate(it)) => act::reactivate(global, it),
        Some(Command::Takeover(it)) => takeover::takeover(global, it),
        Some(Command::Mode(it)) => act::mode(global, it),
        Some(Command::Approve(it)) => act::approve(global, it),
        Some(Command::Refuse(it)) => act::refuse(global, it),
        Some(Command::Override(it)) => act::override_(global, it),
        Some(Command::Criterion(it)) => catalogue::criterion(global, &it.what),
        Some(Command::Component(it)) => catalogue::component(global, &it.what),
        Some(Command::Story(it)) => catalogue::story(global, &it.what),
        Some(Command::Mcp(it)) => mcp::mcp(global, it),
        Some(Command::Tool(it)) => tool::tool(global, it),
        Some(Command::Allow(it)) => act::permit(global, it, true),
        Some(Command::Deny(it)) => act::permit(global, it, false),
        Some(Command::Workflow(it)) => setup::workflow(it),
        Some(Command::Report(it)) => report::report(global, it),
        Some(Command::Engine(it)) => engine::engine(global, it),
        Some(Command::Confine(it)) => confine::confine(it),
        Some(Command::Completions(it)) => manual::completions(it),
        Some(Command::Man(it)) => manual::man(it),
    }
}
