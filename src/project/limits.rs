//! `[limits]`: what the file states, over what holds where it states nothing.

use std::time::Duration;

use crate::model::Limits;

use super::{
    document::{At, Table, article, integer, string},
    value,
};

/// More of anything at once is a slip of the finger.
const MOST: i64 = 1_000;

const KEYS: &[&str] =
    &["agents", "tests", "iterations", "same_failures", "longest_pause", "step_timeout", "inactivity", "output"];

/// The limits that a file states. What it does not state is left to whoever comes below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatedLimits {
    /// Agent processes at once.
    pub agents: Option<u32>,
    /// Test processes at once.
    pub tests: Option<u32>,
    /// How often a loop may go round.
    pub iterations: Option<u32>,
    /// Test runs with the same failures; 0: never asked.
    pub same_failures: Option<u32>,
    /// Seconds that are waited at most before an agent that failed at once is tried again; 0: none.
    pub longest_pause: Option<u32>,
    /// How long a step may take.
    pub step_timeout: Option<Duration>,
    /// How long a process may be silent.
    pub inactivity: Option<Duration>,
    /// Bytes of output kept of one process.
    pub output: Option<u64>,
}

impl StatedLimits {
    /// These limits, and those of `base` where nothing is stated.
    #[must_use]
    pub fn over(&self, base: &Limits) -> Limits {
        Limits {
            agents: self.agents.unwrap_or(base.agents),
            tests: self.tests.unwrap_or(base.tests),
            iterations: self.iterations.unwrap_or(base.iterations),
            same_failures: self.same_failures.unwrap_or(base.same_failures),
            longest_pause: self.longest_pause.unwrap_or(base.longest_pause),
            step_timeout: self.step_timeout.unwrap_or(base.step_timeout),
            inactivity: self.inactivity.unwrap_or(base.inactivity),
            output: self.output.unwrap_or(base.output),
        }
    }
}

/// Reads `[limits]`, if it is there.
pub(super) fn read(top: &Table<'_>) -> StatedLimits {
    let Some(table) = top.table("limits", KEYS) else { return StatedLimits::default() };
    StatedLimits {
        agents: count(&table, "agents", 1),
        tests: count(&table, "tests", 1),
        iterations: count(&table, "iterations", 1),
        same_failures: count(&table, "same_failures", 0),
        longest_pause: count(&table, "longest_pause", 0),
        step_timeout: duration(&table, "step_timeout"),
        inactivity: duration(&table, "inactivity"),
        output: size(&table, "output"),
    }
}

fn count(table: &Table<'_>, key: &str, least: i64) -> Option<u32> {
    let found = table.integer(key)?;
    if found.value < least || found.value > MOST {
        let message = format!("`{key}` must be between {least} and {MOST}, found {}", found.value);
        let default = "leave the line out for the default";
        table.doc.problem(&found.span, message, default);
        return None;
    }
    u32::try_from(found.value).ok()
}

fn duration(table: &Table<'_>, key: &str) -> Option<Duration> {
    let value = table.value(key)?;
    let Some(text) = string(value.get_ref()) else {
        let message = format!("`{key}` must be a duration, found {}", article(value.get_ref()));
        table.doc.problem(&value.span(), message, format!("write it with its unit, in quotes: {key} = \"30m\""));
        return None;
    };
    table.doc.check(At::new(text, value.span()), |text| value::duration(&text)).map(|at| at.value)
}

fn size(table: &Table<'_>, key: &str) -> Option<u64> {
    let value = table.value(key)?;
    let text = string(value.get_ref()).or_else(|| integer(value.get_ref()).map(|bytes| bytes.to_string()));
    let Some(text) = text else {
        let message = format!("`{key}` must be a size, found {}", article(value.get_ref()));
        table.doc.problem(&value.span(), message, format!("write it like {key} = \"64MiB\", or as a number of bytes"));
        return None;
    };
    table.doc.check(At::new(text, value.span()), |text| value::size(&text)).map(|at| at.value)
}
