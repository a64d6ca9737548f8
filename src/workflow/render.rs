//! A workflow's table for people and programs: `callboard workflow KIND`.

use std::{fmt::Write as _, str::FromStr};

use serde_json::json;

use crate::model::{SessionKind, Step, UnknownWord};

use super::table::{self, Then};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns of text.
    Table,
    /// A Mermaid state diagram.
    Mermaid,
    /// JSON.
    Json,
}

impl FromStr for Format {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "table" => Ok(Self::Table),
            "mermaid" => Ok(Self::Mermaid),
            "json" => Ok(Self::Json),
            _ => Err(UnknownWord { found: text.to_owned(), expected: vec!["table", "mermaid", "json"] }),
        }
    }
}

/// The table of a kind in a format, ending in a newline.
#[must_use]
pub fn render(kind: SessionKind, format: Format) -> String {
    match format {
        Format::Table => as_table(kind),
        Format::Mermaid => as_mermaid(kind),
        Format::Json => as_json(kind),
    }
}

fn ok_text(then: Then) -> &'static str {
    match then {
        Then::Step(step) => step.as_str(),
        Then::Complete => "complete",
    }
}

fn otherwise_text(kind: SessionKind, step: Step, otherwise: Step) -> String {
    if kind == SessionKind::Integration && step == Step::RunTestSuite {
        format!("{otherwise}; outside its context: halt(architectural_failure)")
    } else if step == Step::Finalize {
        "the session fails; a retry finalizes again".to_owned()
    } else if step == otherwise {
        "same".to_owned()
    } else {
        otherwise.to_string()
    }
}

fn as_table(kind: SessionKind) -> String {
    let rows = table::rows(kind);
    let width = rows.iter().map(|row| row.step.as_str().len()).max().unwrap_or(0);
    let ok_width = rows.iter().map(|row| ok_text(row.ok).len()).max().unwrap_or(0);
    let mut out = String::new();
    let mut line = |step: &str, ok: &str, otherwise: &str| {
        let text = format!("{step:width$}  {ok:ok_width$}  {otherwise}");
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line("step", "ok", "otherwise");
    for row in rows {
        let otherwise = otherwise_text(kind, row.step, row.otherwise);
        let waits = if row.waits { "; waits for the sessions that it reactivated" } else { "" };
        line(row.step.as_str(), ok_text(row.ok), &format!("{otherwise}{waits}"));
    }
    out
}

fn as_mermaid(kind: SessionKind) -> String {
    let mut out = format!("stateDiagram-v2\n    [*] --> {}\n", table::first_step(kind));
    for row in table::rows(kind) {
        let to = match row.ok {
            Then::Step(step) => step.as_str(),
            Then::Complete => "[*]",
        };
        write_line(&mut out, &format!("    {} --> {to}: ok", row.step));
        if row.step != Step::Finalize {
            write_line(&mut out, &format!("    {} --> {}: error", row.step, row.otherwise));
        }
    }
    out
}

fn write_line(out: &mut String, line: &str) {
    // Writing to a String cannot fail.
    writeln!(out, "{line}").unwrap_or_default();
}

fn as_json(kind: SessionKind) -> String {
    let rows: Vec<_> = table::rows(kind)
        .iter()
        .map(|row| json!({"step": row.step, "ok": ok_text(row.ok), "otherwise": row.otherwise, "waits": row.waits}))
        .collect();
    let value = json!({
        "kind": kind, "first": table::first_step(kind), "reactivated_at": table::fix_step(kind), "steps": rows,
    });
    format!("{value:#}\n")
}
