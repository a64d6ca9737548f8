//! The report as Markdown, as forges show it in a pull request.
//!
//! Foreign text is escaped ([`text`]) or stands in a fence that is longer than any run of backticks within ([`fence`]).

use crate::{
    model::{Answer, Halt},
    store::CriterionRecord,
    tui,
    workflow::{Sentence, SentenceKind, failure_sentence},
};

use super::{
    Changes, Facts, Holding, Told,
    words::{self, PROMPT, ROWS, TEXT, WHOLE, clock, count, cut, line, short, time},
};

/// The report as Markdown.
#[must_use]
pub fn markdown(facts: &Facts) -> String {
    let mut page = Page::default();
    head(&mut page, facts);
    criteria(&mut page, facts);
    decisions(&mut page, facts);
    page.put("\n## What happened\n\n");
    sentences(&mut page, &facts.story(&facts.subject));
    failures(&mut page, &facts.subject, "##");
    changes(&mut page, &facts.subject.changes, "##");
    timeline(&mut page, facts);
    wishes(&mut page, facts);
    prompts(&mut page, &facts.subject, "##");
    others(&mut page, facts);
    page.put(&format!("\n---\n\nMade by callboard on {} UTC. All times are UTC.\n", time(facts.made_at)));
    page.out
}

/// A page that is being written.
#[derive(Default)]
struct Page {
    out: String,
    /// Bytes of prompts so far.
    prompts: usize,
}

impl Page {
    /// Markdown: what is foreign in it has gone through [`text`] or [`fence`].
    fn put(&mut self, markdown: &str) {
        self.out.push_str(markdown);
    }

    fn row(&mut self, cells: &[String]) {
        self.put(&format!("| {} |\n", cells.join(" | ")));
    }

    fn table(&mut self, heads: &[&str]) {
        self.put(&format!("| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(heads.len())));
    }

    fn folded(&mut self, summary: &str, body: &str) {
        self.put(&format!("<details><summary>{}</summary>\n\n{}\n</details>\n", escaped(summary), fence(body)));
    }

    fn more(&mut self, left: usize, one: &str, many: &str) {
        if left > 0 {
            self.put(&format!("\nand {left} more {}\n", if left == 1 { one } else { many }));
        }
    }
}

/// A foreign text on one line, so that nothing in it is Markdown or HTML. What is harmless where it stands stays as it is:
/// the page is read as text, too.
fn text(foreign: &str, bytes: usize) -> String {
    let foreign = line(foreign, bytes);
    let mut out = String::new();
    let mut before = None;
    let mut rest = foreign.chars().peekable();
    while let Some(char) = rest.next() {
        let is_word = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
        let after = rest.peek().copied();
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', char]),
            '_' if !is_word(before) || !is_word(after) => out.push_str("\\_"),
            // Forges tell people who are named, and link to what is numbered. The comment keeps the two apart.
            '@' | '#' if !is_word(before) && is_word(after) => {
                out.push(char);
                out.push_str("<!-- -->");
            }
            // They begin lists, headings and rules.
            '-' | '+' | '=' | '#' if before.is_none() => out.extend(['\\', char]),
            '.' | ')' if out.chars().all(|char| char.is_ascii_digit()) => out.extend(['\\', char]),
            _ => out.push(char),
        }
        before = Some(char);
    }
    out
}

/// A foreign text within HTML.
fn escaped(foreign: &str) -> String {
    let html = line(foreign, 600).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    html.replace('@', "@<!-- -->").replace('#', "#<!-- -->")
}

/// A foreign text in a fence that nothing in it closes.
fn fence(foreign: &str) -> String {
    let longest = foreign.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest.max(2) + 1);
    format!("{ticks}text\n{}\n{ticks}\n", foreign.trim_end_matches('\n'))
}

/// A foreign text as a quotation.
fn quote(foreign: &str, bytes: usize) -> String {
    cut(foreign, bytes).lines().map(|line| format!("> {}\n", text(line, bytes))).collect::<Vec<_>>().join("> \n")
}

fn head(page: &mut Page, facts: &Facts) {
    let told = &facts.subject;
    let session = &told.session;
    let outcome = told.outcome().as_str();
    page.put(&format!("# {}: {} — {outcome}\n\n", text(&session.component, 200), text(session.kind.as_str(), 60)));
    page.put(&format!("{}\n\n", text(&told.outcome_sentence(), TEXT)));
    let (from, to) = facts.span();
    page.table(&["", ""]);
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            page.row(&[name.to_owned(), text(&value, 300)]);
        }
    };
    fact("Project", facts.project.clone());
    fact("Asked for by", told.asked_by(&facts.names).unwrap_or_default());
    fact("Began", format!("{} UTC, took {}", time(from), tui::exact(to - from)));
    if !facts.criteria.is_empty() {
        fact("Criteria", format!("{} of {} satisfied", facts.standing("satisfied"), facts.criteria.len()));
    }
    fact("Last tests", told.tests().map(words::tests).unwrap_or_default());
    fact("Branch", session.branch.clone().unwrap_or_default());
    fact("Agent", session.agent.clone().unwrap_or_default());
    fact("Session", session.id.to_string());
}

fn criteria(page: &mut Page, facts: &Facts) {
    if facts.criteria.is_empty() {
        return;
    }
    page.put("\n## Acceptance criteria\n\n");
    page.table(&["Story", "Criterion", "Standing", "Shown by", "Commit"]);
    for criterion in facts.criteria.iter().take(ROWS) {
        let commit = criterion.shown.as_ref().map(|shown| text(&short(&shown.commit), 40)).unwrap_or_default();
        let by_hand = if criterion.said.is_some() { " (by hand)" } else { "" };
        page.row(&[
            text(&criterion.story, TEXT),
            format!("**{}** {}", text(&criterion.id, 100), text(&criterion.text, TEXT)),
            format!("{}{by_hand}", criterion.standing()),
            shown_by(criterion),
            commit,
        ]);
    }
    page.more(facts.criteria.len().saturating_sub(ROWS), "criterion", "criteria");
}

fn shown_by(criterion: &CriterionRecord) -> String {
    let said = criterion
        .said
        .as_ref()
        .map(|said| format!("{}, {}: {}", text(&said.user, 200), text(&time(said.at), 40), text(&said.note, TEXT)));
    let shown = match &criterion.shown {
        Some(shown) if shown.tests.is_empty() => Some("no test carries its id".to_owned()),
        Some(shown) => Some(text(&words::list(&shown.tests), TEXT)),
        None => None,
    };
    match (said, shown) {
        (Some(said), Some(shown)) => format!("{said}; {shown}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "nothing yet".to_owned(),
    }
}

fn decisions(page: &mut Page, facts: &Facts) {
    let halts =
        || facts.all().flat_map(|(_, told)| told.halts.iter().map(move |(halt, holding)| (told, halt, holding)));
    let all = halts().count();
    if all == 0 {
        return;
    }
    page.put("\n## Stops and decisions\n");
    for (told, halt, holding) in halts().take(ROWS / 6) {
        let mut title = halt.reason.as_str().replace('_', " ");
        if told.session.id != facts.subject.session.id {
            title.push_str(&format!(" in {} {}", told.session.kind, told.session.component));
        }
        page.put(&format!("\n### {}\n\n{}\n\n", text(&title, 300), text(&halt.message, TEXT)));
        let evidence = words::evidence(halt);
        if !evidence.tests.is_empty() {
            page.table(&["Test", "Belongs to", "Said"]);
            for test in evidence.tests.iter().take(ROWS / 6) {
                let place: Vec<&str> =
                    [&test.context, &test.component].into_iter().flatten().map(String::as_str).collect();
                page.row(&[text(&test.name, 300), text(&place.join(" / "), 400), text(&test.message, 600)]);
            }
            page.put("\n");
        }
        if !evidence.files.is_empty() {
            page.put(&format!(
                "Changed here, and theirs or used by them: {}\n\n",
                text(&words::list(&evidence.files), TEXT)
            ));
        }
        if !evidence.patch.is_empty() {
            page.folded("What was changed in these files", &cut(&evidence.patch, PROMPT));
        }
        if !evidence.whole.is_empty() {
            page.folded("Evidence", &cut(&evidence.whole, PROMPT / 4));
        }
        decision(page, halt, holding.as_ref());
    }
    page.more(all.saturating_sub(ROWS / 6), "stop", "stops");
}

fn decision(page: &mut Page, halt: &Halt, holding: Option<&Holding>) {
    let Some(decision) = &halt.decision else {
        page.put("\n**Nobody has decided yet.**\n");
        return;
    };
    let (user, at) = (text(&decision.user, 200), text(&time(decision.at), 40));
    page.put(&format!("\n**{user}** {} ({at}).\n", words::verdict(decision.verdict)));
    if let Some(note) = decision.note.as_ref().filter(|note| !note.trim().is_empty()) {
        page.put(&format!("\n{}", quote(note, TEXT)));
    }
    let holding = holding.map(|holding| format!("{} ", text(&holding.sentence(), TEXT))).unwrap_or_default();
    page.put(&format!("\n{holding}Decided on {}.\n", text(&decision.evidence_hash, 100)));
}

fn sentences(page: &mut Page, story: &[Sentence]) {
    let (first, last, left) = words::ends(story);
    for (at, sentence) in first.iter().chain(last).enumerate() {
        if at == first.len() && left > 0 {
            page.put(&format!("- … {} left out\n", count(left, "sentence", "sentences")));
        }
        let told = text(&sentence.sentence, TEXT);
        let told = match sentence.kind {
            SentenceKind::Halted | SentenceKind::Decided => format!("**{told}**"),
            SentenceKind::Bad => format!("✗ {told}"),
            SentenceKind::Began
            | SentenceKind::Woke
            | SentenceKind::Running
            | SentenceKind::Good
            | SentenceKind::Warned
            | SentenceKind::Ended => told,
        };
        let seq = sentence.seq.map(|seq| text(&format!("#{seq} "), 40)).unwrap_or_default();
        page.put(&format!("- {} {seq}{told}\n", clock(sentence.at)));
    }
}

fn failures(page: &mut Page, told: &Told, level: &str) {
    if told.ledger.is_empty() {
        return;
    }
    page.put(&format!("\n{level} Failures on the way\n\n"));
    for row in words::failures(told) {
        page.put(&format!("- {}\n", text(&failure_sentence(row), TEXT)));
    }
    page.more(told.ledger.len().saturating_sub(ROWS), "failure", "failures");
}

fn changes(page: &mut Page, changes: &Changes, level: &str) {
    if changes.range.is_none() && changes.note.is_none() {
        return;
    }
    page.put(&format!("\n{level} Changes\n\n"));
    if let Some((from, to)) = &changes.range {
        let counted = words::counted(changes);
        page.put(&format!("{} to {}: {counted}\n\n", text(&short(from), 40), text(&short(to), 40)));
    }
    if let Some(note) = &changes.note {
        page.put(&format!("{}\n", text(note, TEXT)));
    }
    if changes.files.is_empty() {
        return;
    }
    if changes.note.is_some() {
        page.put("\n");
    }
    page.table(&["File", "+", "−"]);
    for file in changes.files.iter().take(ROWS) {
        let from =
            file.from.as_ref().map(|from| format!(" (was {})", text(&words::path(from, 600), 600))).unwrap_or_default();
        let (came, went) = file
            .lines
            .map_or((words::no_lines(file).into(), String::new()), |(came, went)| (came.to_string(), went.to_string()));
        page.row(&[format!("{}{from}", text(&words::path(&file.path, 600), 600)), came, went]);
    }
    page.more(changes.all.saturating_sub(changes.files.len().min(ROWS)), "file", "files");
}

/// Who was at work when.
fn timeline(page: &mut Page, facts: &Facts) {
    page.put("\n## Timeline\n\n");
    page.table(&["Session", "From", "To", "Attempts", "Agent", "Tests", "Outcome"]);
    for (bond, told) in facts.all() {
        let bars = told.bars(facts.made_at);
        let took = |sort| {
            let bars = bars.iter().filter(|bar| bar.sort == sort);
            tui::exact(bars.map(|bar| bar.to - bar.from).sum())
        };
        let bond = bond.map(|bond| format!(" ({})", bond.as_str())).unwrap_or_default();
        page.row(&[
            format!("{}{bond}", text(&format!("{} {}", told.session.kind, told.session.component), 300)),
            bars.iter().map(|bar| bar.from).min().map(clock).unwrap_or_default(),
            bars.iter().map(|bar| bar.to).max().map(clock).unwrap_or_default(),
            bars.len().to_string(),
            took(super::facts::Sort::Agent),
            took(super::facts::Sort::Tests),
            told.outcome().as_str().to_owned(),
        ]);
    }
    page.more(facts.left_out, "session", "sessions");
}

fn wishes(page: &mut Page, facts: &Facts) {
    let asked = &facts.subject.asked;
    if asked.is_empty() {
        return;
    }
    page.put("\n## Who asked for what\n\n");
    page.table(&["When", "Who", "What", "Answer"]);
    for (intent, answer) in asked.iter().take(ROWS) {
        let (what, said) = words::wish(&intent.action);
        let said = said.map(|said| format!(": {}", text(said, TEXT))).unwrap_or_default();
        let answer = match answer {
            None => "none yet".to_owned(),
            Some(Answer::Done) => "done".to_owned(),
            Some(Answer::Asked) => "a person is asked".to_owned(),
            Some(Answer::Refused { why }) => format!("refused: {}", text(why, TEXT)),
        };
        page.row(&[
            text(&time(intent.at), 40),
            text(&words::who(intent, &facts.names), 300),
            format!("{what}{said}"),
            answer,
        ]);
    }
}

fn prompts(page: &mut Page, told: &Told, level: &str) {
    let sent: Vec<_> = told.interactions.iter().filter_map(words::prompt).collect();
    if sent.is_empty() {
        return;
    }
    page.put(&format!("\n{level} Prompts\n\n"));
    let mut shown = 0;
    for (it, agent, prompt) in &sent {
        if page.prompts >= words::PROMPTS {
            break;
        }
        page.prompts += prompt.len().min(PROMPT);
        let summary = format!("#{} {}, attempt {}, to {agent}", it.seq, it.step, it.iteration);
        page.folded(&summary, &cut(prompt, PROMPT));
        shown += 1;
    }
    page.more(sent.len() - shown, "prompt", "prompts");
}

fn others(page: &mut Page, facts: &Facts) {
    if facts.others.is_empty() {
        return;
    }
    page.put("\n## Children and woken sessions\n");
    let mut shown = 0;
    for (bond, told) in &facts.others {
        if page.out.len() > WHOLE {
            break;
        }
        let session = &told.session;
        let (name, kind) = (text(&session.component, 200), text(session.kind.as_str(), 60));
        page.put(&format!("\n### {name}: {kind}, {} — {}\n\n", bond.as_str(), told.outcome().as_str()));
        page.put(&format!("{}\n\n", text(&told.outcome_sentence(), TEXT)));
        sentences(page, &facts.story(told));
        failures(page, told, "####");
        changes(page, &told.changes, "####");
        prompts(page, told, "####");
        shown += 1;
    }
    page.more(facts.left_out + facts.others.len() - shown, "session", "sessions");
}
