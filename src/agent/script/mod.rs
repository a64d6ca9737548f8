//! The `script` agent: built in and deterministic. It plays a scenario file, in which the first turn that matches the
//! moment is taken, each once unless it says more.

mod files;
mod parse;
mod scenario;

pub use files::{apply, delete, safe_path};
pub use parse::parse;
pub use scenario::{Body, Call, End, Matcher, Moment, Part, Scenario, ScenarioError, ScenarioErrorKind, Turn, Write};
