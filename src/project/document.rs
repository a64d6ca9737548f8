//! Reading a TOML document without giving up at the first problem: every value knows where it stands, and a value that is
//! not there or not right is noted and left out.

use std::{cell::RefCell, ops::Range};

use camino::{Utf8Path, Utf8PathBuf};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::{ConfigError, Problem},
    near::did_you_mean,
};

/// Problems that are kept; a file with more is not read to its end by anybody.
const MAX_PROBLEMS: usize = 50;

/// A value and the bytes of the text where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<T> At<T> {
    pub(super) const fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// At these bytes of the document.
    Span(Range<usize>),
    /// On a line of another file.
    Line(Utf8PathBuf, u32),
}

/// A text that is being read, and what was found wrong with it so far.
pub(super) struct Document<'t> {
    file: &'t Utf8Path,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    /// Parses `text`. A text that is not TOML has only that problem.
    pub(super) fn parse(file: &'t Utf8Path, text: &'t str) -> Result<(Self, DeTable<'t>), ConfigError> {
        let document = Self { file, text, problems: RefCell::default() };
        match DeTable::parse(text) {
            Ok(table) => Ok((document, table.into_inner())),
            Err(error) => {
                let said = error.message().trim().replace('\n', ", ").replace(char::is_control, " ");
                let message = format!("this is not TOML: {said}");
                document.problem(
                    &error.span().unwrap_or_default(),
                    message,
                    "https://toml.io/en/v1.0.0 says what a TOML file looks like",
                );
                Err(ConfigError { problems: document.into_problems() })
            }
        }
    }

    /// Notes that something is wrong at these bytes.
    pub(super) fn problem(&self, span: &Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let (line, column) = position(self.text, span.start);
        self.note(Problem {
            file: self.file.to_owned(),
            line: Some(line),
            column: Some(column),
            message: message.into(),
            hint: hint.into(),
        });
    }

    /// Notes that something is wrong at this place.
    pub(super) fn problem_at(&self, place: &Place, message: impl Into<String>, hint: impl Into<String>) {
        match place {
            Place::Span(span) => self.problem(span, message, hint),
            Place::Line(file, line) => self.note(Problem {
                file: file.clone(),
                line: Some(*line),
                column: None,
                message: message.into(),
                hint: hint.into(),
            }),
        }
    }

    /// Notes a problem.
    pub(super) fn note(&self, problem: Problem) {
        if !self.is_full() {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Whether so much is wrong that nothing more is noted: a hostile file must not take long to refuse.
    pub(super) fn is_full(&self) -> bool {
        self.problems.borrow().len() >= MAX_PROBLEMS
    }

    /// What a place is called in a message about another place.
    pub(super) fn line_of(&self, place: &Place) -> String {
        match place {
            Place::Span(span) => format!("line {}", position(self.text, span.start).0),
            Place::Line(file, line) => format!("{file}:{line}"),
        }
    }

    /// Everything that was noted, in the order of the lines.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems.dedup();
        problems
    }

    /// The value of what was read, unless something was noted.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        let file = self.file;
        match (value, self.into_problems()) {
            (Some(value), problems) if problems.is_empty() => Ok(value),
            (_, problems) if problems.is_empty() => {
                Err(ConfigError::whole(file, "cannot be read", "`callboard init` writes one that can"))
            }
            (_, problems) => Err(ConfigError { problems }),
        }
    }

    /// The value that `check` makes of `text`; what it refuses is noted.
    pub(super) fn check<T, R>(
        &self,
        text: At<T>,
        check: impl FnOnce(T) -> Result<R, (String, String)>,
    ) -> Option<At<R>> {
        match check(text.value) {
            Ok(value) => Some(At::new(value, text.span)),
            Err((message, hint)) => {
                self.problem(&text.span, message, hint);
                None
            }
        }
    }
}

/// The line and column of a byte, both counted from 1, the column in characters.
pub(super) fn position(text: &str, byte: usize) -> (u32, u32) {
    let end = (0..=byte.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    let before = text[..end].strip_prefix('\u{feff}').unwrap_or(&text[..end]);
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// One table of the document and the keys that it may have.
#[derive(Clone)]
pub(super) struct Table<'d> {
    pub(super) doc: &'d Document<'d>,
    /// As the file writes it: `[limits]`, `[[context]]`.
    pub(super) name: String,
    pub(super) span: Range<usize>,
    table: &'d DeTable<'d>,
}

impl<'d> Table<'d> {
    /// A table that may have these keys and no others.
    pub(super) fn new(
        doc: &'d Document<'d>,
        name: impl Into<String>,
        span: Range<usize>,
        table: &'d DeTable<'d>,
        keys: &[&str],
    ) -> Self {
        let name = name.into();
        for key in table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            if doc.is_full() {
                break;
            }
            let message = format!("unknown key {:?} in {name}", key.get_ref());
            doc.problem(&key.span(), message, did_you_mean(key.get_ref(), "known keys", keys.iter().copied()));
        }
        Self { doc, name, span, table }
    }

    /// Whether the key is there at all, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the key stands; the table itself when it is not there.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// A string.
    pub(super) fn text(&self, key: &str) -> Option<At<String>> {
        self.typed(key, "a string", &format!("put it in quotes: {key} = \"…\""), string)
    }

    /// A string that must be there.
    pub(super) fn required_text(&self, key: &str, hint: &str) -> Option<At<String>> {
        if !self.has(key) {
            self.doc.problem(&self.span, format!("{} has no `{key}`", self.name), hint);
        }
        self.text(key)
    }

    /// A whole number.
    pub(super) fn integer(&self, key: &str) -> Option<At<i64>> {
        self.typed(key, "a whole number", &format!("write it without quotes and point: {key} = 4"), integer)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &str) -> Option<At<bool>> {
        self.typed(key, "true or false", &format!("write it without quotes: {key} = true"), DeValue::as_bool)
    }

    /// A value of whatever type.
    pub(super) fn value(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.get(key)
    }

    /// An array of strings; `None` when it is not there or no array.
    pub(super) fn texts(&self, key: &str) -> Option<At<Vec<At<String>>>> {
        let hint = format!("put it in brackets, each string in quotes: {key} = [\"a\", \"b\"]");
        let array = self.typed(key, "an array of strings", &hint, DeValue::as_array)?;
        let texts = array.value.iter().filter_map(|item| self.item(key, item)).collect();
        Some(At::new(texts, array.span))
    }

    fn item(&self, key: &str, item: &Spanned<DeValue<'_>>) -> Option<At<String>> {
        let text = string(item.get_ref());
        if text.is_none() {
            let message = format!("`{key}` is an array of strings, found {} in it", article(item.get_ref()));
            self.doc.problem(&item.span(), message, "put it in quotes");
        }
        text.map(|text| At::new(text, item.span()))
    }

    /// A table in this one, with the keys that it may have.
    pub(super) fn table(&self, key: &str, keys: &[&str]) -> Option<Table<'d>> {
        let table = self.sub_table(key)?;
        Some(Table::new(self.doc, format!("[{key}]"), table.span, table.value, keys))
    }

    /// The entries of a table in this one whose keys are names, in the order of the names.
    pub(super) fn entries(&self, key: &str) -> Vec<(At<String>, &'d Spanned<DeValue<'d>>)> {
        self.sub_table(key).map_or_else(Vec::new, |table| entries(table.value))
    }

    fn sub_table(&self, key: &str) -> Option<At<&'d DeTable<'d>>> {
        self.typed(key, "a table", &format!("write [{key}] on a line of its own"), DeValue::as_table)
    }

    /// An array of tables (`[[key]]`), with the keys that each may have.
    pub(super) fn tables(&self, key: &str, name: &str, keys: &[&str]) -> Vec<Table<'d>> {
        let hint = format!("write {name} on a line of its own");
        let Some(array) = self.typed(key, "an array of tables", &hint, DeValue::as_array) else {
            return Vec::new();
        };
        let found = array.value.iter().filter_map(|item| {
            let table = item.get_ref().as_table();
            if table.is_none() {
                let message = format!("`{key}` must be an array of tables, found {} in it", article(item.get_ref()));
                self.doc.problem(&item.span(), message, &hint);
            }
            table.map(|table| Table::new(self.doc, name, item.span(), table, keys))
        });
        found.collect()
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        hint: &str,
        take: impl FnOnce(&'d DeValue<'d>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.table.get(key)?;
        let taken = take(value.get_ref());
        if taken.is_none() {
            let message = format!("`{key}` in {} must be {expected}, found {}", self.name, article(value.get_ref()));
            self.doc.problem(&value.span(), message, hint);
        }
        taken.map(|taken| At::new(taken, value.span()))
    }
}

/// The entries of a table whose keys are names.
pub(super) fn entries<'d>(table: &'d DeTable<'d>) -> Vec<(At<String>, &'d Spanned<DeValue<'d>>)> {
    table.iter().map(|(key, value)| (At::new(key.get_ref().to_string(), key.span()), value)).collect()
}

/// The string in a value.
pub(super) fn string(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The whole number in a value, as far as 64 bits hold it.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// What a value is, for people.
pub(super) fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_lines_and_characters() {
        let text = "\u{feff}a = 1\nbü = 2\r\n\nend";
        let at = |needle: &str| position(text, text.find(needle).unwrap());
        assert_eq!(at("a ="), (1, 1));
        assert_eq!(at("= 2"), (2, 4));
        assert_eq!(at("end"), (4, 1));
        assert_eq!(position(text, usize::MAX), (4, 4));
        assert_eq!(position("ü", 1), (1, 1));
        assert_eq!(position("", 7), (1, 1));
    }
}
