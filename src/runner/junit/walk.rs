//! A walk through JUnit XML, event by event: any nesting of suites, any root, several documents one after the other, and of
//! a document that was cut off whatever stands before the cut. Nothing is expanded, and nothing is trusted: test cases are
//! counted, the totals of the suites are not read.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use crate::runner::text::{self, Clip};

/// Deeper is not a report.
const MAX_DEPTH: usize = 1_000;
/// So many properties of a test case are kept.
const MAX_PROPERTIES: usize = 20;
/// So much of an attribute is looked at.
const MAX_ATTRIBUTE: usize = 8 * 1024;

/// A test case as it stands in the report.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) class: String,
    /// The name of the suite around it.
    pub(super) suite: String,
    /// Its own `file`, else that of a suite around it.
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) skipped: bool,
    pub(super) failure: Option<Outcome>,
    pub(super) error: Option<Outcome>,
    /// The values of its properties.
    pub(super) properties: Vec<String>,
    /// What it printed, both ways.
    pub(super) output: Clip,
    time_ms: u64,
}

/// A `<failure>` or an `<error>`.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) message: String,
    /// The `type` attribute.
    pub(super) kind: String,
    pub(super) text: Clip,
}

/// What the report is as a whole.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// It has suites or test cases.
    pub(super) is_junit: bool,
    /// Every element was closed.
    pub(super) closed: bool,
    /// A suite has an error that belongs to no test case.
    pub(super) suite_error: bool,
    /// By the outermost suites' account, else by the test cases'.
    pub(super) duration_ms: u64,
}

/// What an element is, for the text in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Suite,
    Case,
    Failure,
    Error,
    Output,
    /// `<properties>` of a test case.
    Properties,
    /// With everything in it: `<flakyFailure>`, `<properties>` of a suite, an error of a suite.
    Ignored,
    Other,
}

#[derive(Debug, Default)]
struct Suite {
    name: String,
    file: Option<String>,
    timed: bool,
}

struct Walk<'w> {
    stack: Vec<Kind>,
    suites: Vec<Suite>,
    cases: Vec<Case>,
    document: Document,
    suites_ms: u64,
    cases_ms: u64,
    each: &'w mut dyn FnMut(Case),
}

/// Walks through the report and gives each test case away as soon as it is closed. One that is open when the report breaks
/// off is given away if it had failed by then.
pub(super) fn walk(xml: &str, each: &mut dyn FnMut(Case)) -> Document {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.allow_dangling_amp = true;
    let document = Document::default();
    let mut walk =
        Walk { stack: Vec::new(), suites: Vec::new(), cases: Vec::new(), document, suites_ms: 0, cases_ms: 0, each };
    let ended = loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                if walk.stack.len() >= MAX_DEPTH {
                    break false;
                }
                walk.open(&element);
            }
            Ok(Event::End(_)) => walk.close(),
            Ok(Event::Text(text)) => walk.text(&text),
            Ok(Event::CData(text)) => walk.text(&text),
            Ok(Event::GeneralRef(name)) => walk.text(&unescape(&format!("&{};", text::head(&name, 16)))),
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Empty(_)) => {}
            Ok(Event::Eof) => break walk.stack.is_empty(),
            Err(_) => break false,
        }
    };
    walk.document.closed = ended;
    for case in std::mem::take(&mut walk.cases) {
        if case.failure.is_some() || case.error.is_some() {
            (walk.each)(case);
        }
    }
    walk.document.duration_ms = if walk.suites_ms > 0 { walk.suites_ms } else { walk.cases_ms };
    walk.document
}

impl Walk<'_> {
    fn open(&mut self, element: &BytesStart<'_>) {
        let name = element.name();
        let name: &str = name.as_ref();
        let name = name.rsplit_once(':').map_or(name, |(_, local)| local);
        let kind = match self.stack.last() {
            Some(kind @ (Kind::Failure | Kind::Error | Kind::Output | Kind::Ignored)) => *kind,
            Some(Kind::Suite | Kind::Case | Kind::Other) | None => match name {
                "testsuites" | "testsuite" => self.open_suite(element),
                "testcase" => self.open_case(element),
                "failure" | "error" | "skipped" => self.open_outcome(name, element),
                "system-out" | "system-err" => Kind::Output,
                "properties" if matches!(self.stack.last(), Some(Kind::Case)) => Kind::Properties,
                "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" | "properties" => Kind::Ignored,
                _ => Kind::Other,
            },
            Some(Kind::Properties) => {
                self.property(element);
                Kind::Ignored
            }
        };
        self.stack.push(kind);
    }

    fn open_suite(&mut self, element: &BytesStart<'_>) -> Kind {
        self.document.is_junit = true;
        let outer = self.suites.last();
        let mut suite = Suite {
            name: String::new(),
            file: outer.and_then(|outer| outer.file.clone()),
            timed: outer.is_some_and(|outer| outer.timed),
        };
        let mut time = None;
        attributes(element, |name, value| match name {
            "name" => suite.name = text::cap(&value, text::NAME),
            "file" | "filepath" => suite.file = Some(value),
            "time" => time = Some(milliseconds(&value)),
            _ => {}
        });
        if let Some(time) = time.filter(|_| !suite.timed) {
            self.suites_ms = self.suites_ms.saturating_add(time);
            suite.timed = true;
        }
        self.suites.push(suite);
        Kind::Suite
    }

    fn open_case(&mut self, element: &BytesStart<'_>) -> Kind {
        self.document.is_junit = true;
        let mut case = Case::default();
        if let Some(suite) = self.suites.last() {
            case.suite.clone_from(&suite.name);
            case.file.clone_from(&suite.file);
        }
        attributes(element, |name, value| match name {
            "name" => case.name = text::cap(&value, text::NAME),
            "classname" => case.class = text::cap(&value, text::NAME),
            "file" | "filepath" => case.file = Some(value),
            "line" => case.line = value.replace(',', "").parse().ok(),
            "time" => case.time_ms = milliseconds(&value),
            "status" | "result" => {
                case.skipped |= matches!(&*value, "notrun" | "disabled" | "skipped" | "ignored" | "suppressed")
            }
            _ => {}
        });
        self.cases.push(case);
        Kind::Case
    }

    fn property(&mut self, element: &BytesStart<'_>) {
        let Some(case) = self.cases.last_mut().filter(|case| case.properties.len() < MAX_PROPERTIES) else { return };
        attributes(element, |name, value| {
            if name == "value" && !value.is_empty() {
                case.properties.push(text::cap(&value, text::NAME));
            }
        });
    }

    fn open_outcome(&mut self, name: &str, element: &BytesStart<'_>) -> Kind {
        let Some(case) = self.cases.last_mut() else {
            self.document.suite_error |= name != "skipped";
            return Kind::Ignored;
        };
        let (kind, slot) = match name {
            "failure" => (Kind::Failure, &mut case.failure),
            "error" => (Kind::Error, &mut case.error),
            _ => {
                case.skipped = true;
                return Kind::Ignored;
            }
        };
        let more = slot.is_some();
        let outcome = slot.get_or_insert_default();
        attributes(element, |name, value| match name {
            "message" if more => outcome.text.push_line(&format!("\n{value}")),
            "message" => outcome.message = text::cap(&value, text::MESSAGE),
            "type" if !more => outcome.kind = text::cap(&value, text::NAME),
            _ => {}
        });
        kind
    }

    fn text(&mut self, text: &str) {
        let Some(case) = self.cases.last_mut() else { return };
        match self.stack.last() {
            Some(Kind::Failure) => case.failure.iter_mut().for_each(|outcome| outcome.text.push(text)),
            Some(Kind::Error) => case.error.iter_mut().for_each(|outcome| outcome.text.push(text)),
            Some(Kind::Output) => case.output.push(text),
            Some(Kind::Suite | Kind::Case | Kind::Properties | Kind::Ignored | Kind::Other) | None => {}
        }
    }

    fn close(&mut self) {
        match self.stack.pop() {
            Some(Kind::Suite) => drop(self.suites.pop()),
            Some(Kind::Case) => {
                if let Some(case) = self.cases.pop() {
                    self.cases_ms = self.cases_ms.saturating_add(case.time_ms);
                    (self.each)(case);
                }
            }
            Some(Kind::Failure | Kind::Error | Kind::Output | Kind::Properties | Kind::Ignored | Kind::Other)
            | None => {}
        }
    }
}

/// Each attribute's name and clean value. What is not well-formed is passed over.
fn attributes(element: &BytesStart<'_>, mut each: impl FnMut(&str, String)) {
    for attribute in element.attributes().with_checks(false).flatten() {
        let name: &str = attribute.key.as_ref();
        each(name, text::clean(&unescape(text::head(&attribute.value, MAX_ATTRIBUTE))));
    }
}

/// The text with XML's five entities and character references resolved; any other stays as it is. Also characters that XML
/// does not allow are resolved (bats writes `&#27;`): cleaning takes them out later.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let found =
            text::head(after, 12).find(';').and_then(|end| Some((entity(after.get(..end)?)?, after.get(end + 1..)?)));
        let Some((char, after)) = found else {
            out.push('&');
            rest = after;
            continue;
        };
        out.push(char);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
        }
    }
}

/// Seconds, written in any way: `0.5`, `1,234.5`, empty.
fn milliseconds(text: &str) -> u64 {
    let seconds: f64 = text.replace(',', "").trim().parse().unwrap_or(0.0);
    std::time::Duration::try_from_secs_f64(seconds)
        .map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_resolved_leniently() {
        for (given, want) in [
            ("a &lt;b&gt; &amp;amp; &quot;&apos;", "a <b> &amp; \"'"),
            ("&#65;&#x42;&#27;", "AB\u{1b}"),
            ("&nope; & &; &#xD800; &#99999999999;", "&nope; & &; \u{fffd} &#99999999999;"),
        ] {
            assert_eq!(unescape(given), want);
        }
    }

    #[test]
    fn times_are_read_leniently() {
        for (given, want) in
            [("0.5", 500), ("1,234.5", 1_234_500), ("", 0), ("-3", 0), ("NaN", 0), ("inf", 0), ("1e30", 0)]
        {
            assert_eq!(milliseconds(given), want, "{given}");
        }
    }
}
