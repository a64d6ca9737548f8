//! What can be typed.

use std::{ffi::OsString, path::PathBuf};

use camino::Utf8PathBuf;
use clap::{
    Args as ClapArgs, Parser, Subcommand, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};

use crate::{
    model::{Mode, SessionKind, Status},
    runner,
    tool::TOOLS,
    workflow,
};

/// Words of the design: the help lists them, and one that is nearly right is suggested.
fn words<T>(all: &'static [T], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + std::str::FromStr<Err: std::error::Error + Send + Sync + 'static> + Send + Sync + 'static,
{
    parsed(all.iter().map(move |it| PossibleValue::new(word(*it))))
}

fn parsed<T>(words: impl IntoIterator<Item = PossibleValue>) -> impl TypedValueParser<Value = T>
where
    T: Clone + std::str::FromStr<Err: std::error::Error + Send + Sync + 'static> + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// Every kind of session.
fn kinds() -> impl TypedValueParser<Value = SessionKind> {
    parsed(SessionKind::ALL.iter().map(|kind| PossibleValue::new(kind.as_str())))
}

/// What `tool` takes.
pub(super) const LIST: &str = "ls";

fn tools() -> PossibleValuesParser {
    PossibleValuesParser::new(std::iter::once(LIST).chain(TOOLS.iter().map(|tool| tool.name)))
}

/// A terminal board for driving AI coding sessions as checked workflows.
///
/// Without a command it opens the board on the project of the current folder.
#[derive(Debug, Parser)]
#[command(name = "callboard", version, max_term_width = 100)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What every command takes.
#[derive(Debug, Clone, ClapArgs)]
pub(super) struct Global {
    /// The project's folder; without it, the nearest one upwards that has a callboard.toml
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) project: Option<Utf8PathBuf>,
    /// The store's file; without it, callboard.db in the user's data directory
    #[arg(long, global = true, value_name = "FILE", env = "CALLBOARD_DB")]
    pub(super) store: Option<Utf8PathBuf>,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Say more of what is done; twice: even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a callboard.toml by looking at the repository
    Init(Nothing),
    /// Try it all in a small project of its own: no key, no network, no agent needed
    Demo(Demo),
    /// Check that everything callboard needs is there
    Doctor(Json),
    /// Agree that the commands in callboard.toml are run on this machine
    Trust(Trust),
    /// Make a session and start it; prints its id
    New(New),
    /// List sessions
    Ls(Ls),
    /// Show a session
    Show(One),
    /// Show what happened in a session
    Events(Events),
    /// Drive a session and its children in the foreground
    Run(One),
    /// Start the next step of a manual session
    Advance(One),
    /// Try again what failed or was halted
    Retry(One),
    /// Turn a finished session active again, its conversation resumed
    Reactivate(Reactivate),
    /// Say something to a session's agent, now or with its next prompt
    Say(Say),
    /// End the step that a session is at; nothing follows by itself then
    Interrupt(One),
    /// End a session and everything that it started
    Cancel(One),
    /// Go on with a session's conversation yourself, in its agent's own program
    Takeover(Takeover),
    /// Change what makes a session's next step start
    Mode(SetMode),
    /// Close a halted session as failed, or grant what a session's agent asks for
    Approve(Approve),
    /// Refuse what a session's agent asks for
    Refuse(Approve),
    /// Go on in spite of a halt, for a reason that goes on the record
    Override(Override),
    /// Allow what a session's agent asks
    Allow(Permit),
    /// Deny what a session's agent asks
    Deny(Permit),
    /// List what waits for a person
    Inbox(Json),
    /// Say what is the most useful thing to do now
    Next(Json),
    /// Explain why a session stands where it stands
    Why(One),
    /// Show what a session would do next: the exact prompt or command
    Preview(One),
    /// List acceptance criteria and how they stand, or say by hand how one does
    Criterion(Criterion),
    /// List components, or show one
    Component(Component),
    /// List user stories
    Story(Story),
    /// Be the sessions tool of a session's agent: an MCP server on standard input and output
    Mcp(Mcp),
    /// Call the sessions tool as a session's agent does; `ls` lists what there is
    Tool(Tool),
    /// Show a workflow's table
    Workflow(Workflow),
    /// Write a document about a session for its reviewer, or read what a test runner printed
    Report(Report),
    /// Run, look at or stop the engine of the store
    Engine(Engine),
    /// Confine itself and become another program: how the engine starts one that may write in a few places only
    #[command(hide = true)]
    Confine(Confine),
    /// Print what makes a shell complete callboard's commands
    Completions(Completions),
    /// Print the manual page
    Man(Man),
}

#[derive(Debug, ClapArgs)]
pub(super) struct Nothing {}

#[derive(Debug, ClapArgs)]
pub(super) struct Json {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct One {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Takeover {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: String,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Demo {
    /// Without the board; halts are overridden; ends well only if every session ends complete
    #[arg(long)]
    pub(super) headless: bool,
    /// Print JSON (with --headless)
    #[arg(long, requires = "headless")]
    pub(super) json: bool,
    /// The folder to make; without it, a new one below the current folder
    #[arg(value_name = "FOLDER")]
    pub(super) folder: Option<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Trust {
    /// Agree without being asked
    #[arg(short, long)]
    pub(super) yes: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct New {
    /// What is to be done
    #[arg(value_name = "KIND", value_parser = kinds())]
    pub(super) kind: SessionKind,
    /// The component or context, as callboard.toml names it
    #[arg(value_name = "COMPONENT")]
    pub(super) component: String,
    /// What makes its steps start
    #[arg(long, default_value = "auto", value_parser = words(Mode::ALL, Mode::as_str))]
    pub(super) mode: Mode,
    /// The agent; without it, the project's
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    /// The commit or branch to start from; without it, the checkout's commit or the context's newest finished branch
    #[arg(long, value_name = "REV")]
    pub(super) base: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Ls {
    /// Only sessions with this status
    #[arg(long, value_parser = words(Status::ALL, Status::as_str))]
    pub(super) status: Option<Status>,
    /// Only sessions of this kind
    #[arg(long, value_parser = words(SessionKind::ALL, SessionKind::as_str))]
    pub(super) kind: Option<SessionKind>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Events {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Go on until the session has ended
    #[arg(long)]
    pub(super) follow: bool,
    /// Print JSON, one event a line
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(override_usage = "callboard reactivate [OPTIONS] <ID> <--context <TEXT>|--context-file <FILE>>
       callboard reactivate [OPTIONS] --component <NAME> <--context <TEXT>|--context-file <FILE>>")]
#[command(group(clap::ArgGroup::new("which").required(true).args(["id", "component"])))]
#[command(group(clap::ArgGroup::new("what").required(true).args(["context", "context_file"])))]
pub(super) struct Reactivate {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: Option<String>,
    /// The component or context, instead of a session: its newest session goes on, or new ones if its design has changed since
    #[arg(long, value_name = "NAME")]
    pub(super) component: Option<String>,
    /// The kind of that session; without it, component_coding, for a context integration
    #[arg(long, value_name = "KIND", requires = "component", conflicts_with = "id", value_parser = kinds())]
    pub(super) kind: Option<SessionKind>,
    /// What its agent should know
    #[arg(long, value_name = "TEXT")]
    pub(super) context: Option<String>,
    /// The same from a file; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) context_file: Option<Utf8PathBuf>,
    /// Design the component anew: new sessions do it, its design first
    #[arg(long)]
    pub(super) redesign: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(override_usage = "callboard say [OPTIONS] <ID> <TEXT|--file <FILE>>")]
#[command(group(clap::ArgGroup::new("what").required(true).args(["text", "file"])))]
pub(super) struct Say {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// What
    #[arg(value_name = "TEXT")]
    pub(super) text: Option<String>,
    /// The same from a file; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<Utf8PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct SetMode {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// The new mode
    #[arg(value_name = "MODE", value_parser = words(Mode::ALL, Mode::as_str))]
    pub(super) mode: Mode,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Approve {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Permit {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Only if this is what it asks now: the question's id, or a beginning or ending of it (`callboard show ID`)
    #[arg(long, value_name = "QUESTION")]
    pub(super) question: Option<String>,
    /// For every use of the tool in this session
    #[arg(long, conflicts_with = "always")]
    pub(super) session: bool,
    /// For exactly this command, or any change to this file, from now on: a rule in your settings
    #[arg(long)]
    pub(super) always: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Override {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(super) note: String,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Criterion {
    #[command(subcommand)]
    pub(super) what: CriterionCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum CriterionCommand {
    /// List criteria and how they stand
    Ls {
        /// Only those of this component or context
        #[arg(long, value_name = "NAME")]
        component: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say by hand how a criterion stands: it wins over every test
    Set {
        /// The criterion's id
        #[arg(value_name = "ID")]
        id: String,
        /// How it stands
        #[arg(value_name = "STATE")]
        state: Said,
        /// Why: it goes on the record
        #[arg(long, value_name = "TEXT")]
        note: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take back what was said by hand: the tests count again
    Unset {
        /// The criterion's id
        #[arg(value_name = "ID")]
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What a person may say of a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Said {
    /// It holds
    Satisfied,
    /// It does not
    Unmet,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Component {
    #[command(subcommand)]
    pub(super) what: ComponentCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ComponentCommand {
    /// List contexts with their components
    Ls(Json),
    /// Show a component or context: its files, its stories, its sessions
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct Story {
    #[command(subcommand)]
    pub(super) what: StoryCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum StoryCommand {
    /// List stories and how many of their criteria are satisfied
    Ls(Json),
}

#[derive(Debug, ClapArgs)]
pub(super) struct Workflow {
    /// The kind of session
    #[arg(value_name = "KIND", value_parser = words(SessionKind::ALL, SessionKind::as_str))]
    pub(super) kind: SessionKind,
    /// How it is written
    #[arg(long, default_value = "table", value_parser = parsed::<workflow::Format>(["table", "mermaid", "json"].map(PossibleValue::new)))]
    pub(super) format: workflow::Format,
}

/// As whose agent the sessions tool is used.
#[derive(Debug, ClapArgs)]
pub(super) struct AsSession {
    /// The session whose agent calls
    #[arg(long, value_name = "ID", env = "CALLBOARD_SESSION_ID")]
    pub(super) session: Option<String>,
    /// The socket on which the engine answers the agent of a session in a sandbox
    #[arg(long, value_name = "FILE", hide = true)]
    pub(super) socket: Option<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Mcp {
    #[command(flatten)]
    pub(super) caller: AsSession,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Tool {
    /// The tool
    #[arg(value_name = "NAME", value_parser = tools())]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) caller: AsSession,
    /// Its arguments, an object; - for standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(super) arguments: String,
    /// Print JSON (with ls; a tool's answer is JSON always)
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Report {
    /// The session: its id, or a beginning or ending of it that no other has
    #[arg(value_name = "ID", required = true)]
    pub(super) id: Option<String>,
    /// How it is written; without it, by the ending of the output's name, else markdown
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Document>,
    /// The file to write; without it, standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<Utf8PathBuf>,
    #[command(subcommand)]
    pub(super) what: Option<ReportCommand>,
}

/// How a report on a session is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Document {
    /// For a pull request
    Markdown,
    /// One page that a browser shows
    Html,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// Print what a test runner wrote as JSON
    Parse {
        /// How it is written
        #[arg(long, value_name = "FORMAT", value_parser = words(&runner::Format::ALL, runner::Format::name))]
        format: runner::Format,
        /// The report; - for standard input
        #[arg(value_name = "FILE")]
        file: Utf8PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct Confine {
    /// A folder or file that may be written
    #[arg(long, value_name = "PATH")]
    pub(super) write: Vec<PathBuf>,
    /// No TCP, neither out nor in
    #[arg(long)]
    pub(super) offline: bool,
    /// The file that says why the program did not start
    #[arg(long, value_name = "FILE")]
    pub(super) refusal: Option<PathBuf>,
    /// The program's file, the name it is called by, and its arguments
    #[arg(last = true, required = true, num_args = 2.., value_name = "PROGRAM NAME [ARGUMENT]")]
    pub(super) program: Vec<OsString>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Man {
    /// The command; without it, callboard itself
    #[arg(value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Engine {
    #[command(subcommand)]
    pub(super) what: Option<EngineCommand>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum EngineCommand {
    /// Be the engine, until told to stop
    Run {
        /// Leave the terminal and end when there is nothing to do: how other commands start one
        #[arg(long, hide = true)]
        background: bool,
    },
    /// Say whether an engine is alive
    Status,
    /// Tell the engine to stop; what it was doing is recorded as interrupted and done again by the next one
    Stop,
}
