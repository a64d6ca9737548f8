//! The report as one HTML file: no script, nothing from elsewhere.
//!
//! Markup is only ever a `&'static str` ([`Page::raw`]); everything else goes through [`Page::text`], which escapes it.

use crate::{
    model::{Answer, Halt, Micros},
    store::CriterionRecord,
    tui,
    workflow::{Sentence, SentenceKind, failure_sentence},
};

use super::{
    Changes, Facts, Holding, Told,
    words::{self, LISTED, PROMPT, ROWS, TEXT, WHOLE, clock, count, cut, line, short, time},
};

const STYLE: &str = include_str!("style.css");

/// The report as HTML.
#[must_use]
pub fn html(facts: &Facts) -> String {
    let mut page = Page::default();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    // Nothing is ever loaded or run, even if something should slip through.
    page.raw(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    let session = &facts.subject.session;
    page.raw("<title>");
    page.text(&format!("{} {}: {}", session.kind, line(&session.component, 200), facts.subject.outcome().as_str()));
    page.raw("</title>\n<style>\n").raw(STYLE).raw("</style>\n<main>\n");
    head(&mut page, facts);
    criteria(&mut page, facts);
    decisions(&mut page, facts);
    timeline(&mut page, facts);
    page.raw("<h2>What happened</h2>\n");
    sentences(&mut page, &facts.story(&facts.subject));
    failures(&mut page, &facts.subject, "h2");
    changes(&mut page, &facts.subject.changes, "h2");
    wishes(&mut page, facts);
    prompts(&mut page, &facts.subject, "h2");
    others(&mut page, facts);
    page.raw("<footer>").text(&format!("Made by callboard on {} UTC. All times are UTC.", time(facts.made_at)));
    page.raw("</footer>\n</main>\n</html>\n");
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
    /// Markup that callboard itself wrote.
    fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.out.push_str(markup);
        self
    }

    /// Anything else. Escaped for elements and for quoted attributes alike.
    fn text(&mut self, text: &str) -> &mut Self {
        for char in tui::clean(text).chars() {
            match char {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                _ => self.out.push(char),
            }
        }
        self
    }

    /// A cell of a table.
    fn cell(&mut self, class: &'static str, text: &str) -> &mut Self {
        self.raw("<td class=\"").raw(class).raw("\">").text(text).raw("</td>")
    }

    /// A name of the code: foreign. It may be broken where its words end.
    fn code(&mut self, name: &str) -> &mut Self {
        self.raw("<code>");
        for part in name.split_inclusive(['_', '/', ':']) {
            self.text(part).raw(if part.ends_with(['_', '/', ':']) { "<wbr>" } else { "" });
        }
        self.raw("</code>")
    }

    fn pill(&mut self, word: &str) -> &mut Self {
        self.raw(" <span class=\"pill ").text(word).raw("\">").text(word).raw("</span>")
    }

    fn heading(&mut self, tag: &'static str, text: &str) -> &mut Self {
        let (open, close) = if tag == "h2" { ("<h2>", "</h2>\n") } else { ("<h3>", "</h3>\n") };
        self.raw(open).text(text).raw(close)
    }

    fn pre(&mut self, text: &str, bytes: usize) -> &mut Self {
        self.raw("<pre>").text(&cut(text, bytes)).raw("</pre>\n")
    }

    fn more(&mut self, left: usize, one: &str, many: &str) {
        if left > 0 {
            let what = if left == 1 { one } else { many };
            self.raw("<p class=\"note\">").text(&format!("and {left} more {what}")).raw("</p>\n");
        }
    }
}

fn head(page: &mut Page, facts: &Facts) {
    let told = &facts.subject;
    let session = &told.session;
    page.raw("<p class=\"eyebrow\">").text(&line(&facts.project, 200)).raw(" · ").text(session.kind.as_str());
    page.raw("</p>\n<h1>").text(&line(&session.component, 200)).pill(told.outcome().as_str()).raw("</h1>\n");
    page.raw("<p class=\"lead\">").text(&line(&told.outcome_sentence(), TEXT)).raw("</p>\n<dl>");
    let (from, to) = facts.span();
    let mut fact = |name: &'static str, value: String| {
        if !value.is_empty() {
            page.raw("<div><dt>").raw(name).raw("</dt><dd>").text(&line(&value, 300)).raw("</dd></div>");
        }
    };
    fact("Asked for by", told.asked_by(&facts.names).unwrap_or_default());
    fact("Began", time(from));
    fact("Took", tui::exact(to - from));
    if !facts.criteria.is_empty() {
        fact("Criteria", format!("{} of {} satisfied", facts.standing("satisfied"), facts.criteria.len()));
    }
    fact("Last tests", told.tests().map(words::tests).unwrap_or_default());
    if told.changes.all > 0 {
        fact("Changes", words::counted(&told.changes));
    }
    fact("Branch", session.branch.clone().unwrap_or_default());
    fact("Agent", session.agent.clone().unwrap_or_default());
    fact("Session", session.id.to_string());
    page.raw("</dl>\n");
}

fn criteria(page: &mut Page, facts: &Facts) {
    if facts.criteria.is_empty() {
        return;
    }
    page.raw("<h2>Acceptance criteria</h2>\n<div class=\"wide\"><table><thead><tr><th>Criterion</th><th>Standing</th>");
    page.raw("<th>Shown by</th><th>Commit</th></tr></thead><tbody>\n");
    let mut story = None;
    for criterion in facts.criteria.iter().take(ROWS) {
        if story != Some(&criterion.story) {
            page.raw("<tr class=\"story\"><td colspan=\"4\">").text(&line(&criterion.story, TEXT)).raw("</td></tr>\n");
            story = Some(&criterion.story);
        }
        page.raw("<tr><td><code>").text(&line(&criterion.id, 100)).raw("</code> ");
        page.text(&line(&criterion.text, TEXT)).raw("</td><td class=\"fit ").text(criterion.standing()).raw("\">");
        page.text(criterion.standing());
        if criterion.said.is_some() {
            page.raw("<br><span class=\"note\">by hand</span>");
        }
        page.raw("</td><td>");
        shown_by(page, criterion);
        let commit = criterion.shown.as_ref().map(|shown| short(&shown.commit)).unwrap_or_default();
        page.raw("</td><td class=\"fit\"><code>").text(&line(&commit, 40)).raw("</code></td></tr>\n");
    }
    page.raw("</tbody></table></div>\n");
    page.more(facts.criteria.len().saturating_sub(ROWS), "criterion", "criteria");
}

fn shown_by(page: &mut Page, criterion: &CriterionRecord) {
    if let Some(said) = &criterion.said {
        page.text(&format!("{}: {}", line(&said.user, 200), line(&said.note, TEXT)));
        page.raw("<br><span class=\"note\">").text(&time(said.at)).raw("</span><br>");
    }
    match &criterion.shown {
        Some(shown) if shown.tests.is_empty() => page.raw("<span class=\"note\">no test carries its id</span>"),
        Some(shown) => {
            for test in shown.tests.iter().take(LISTED) {
                page.code(&line(test, 300)).raw("<br>");
            }
            let left = shown.tests.len().saturating_sub(LISTED);
            if left > 0 {
                page.raw("<span class=\"note\">and ").text(&left.to_string()).raw(" more</span>");
            }
            page
        }
        None if criterion.said.is_none() => page.raw("<span class=\"note\">nothing yet</span>"),
        None => page,
    };
}

fn decisions(page: &mut Page, facts: &Facts) {
    let halts =
        || facts.all().flat_map(|(_, told)| told.halts.iter().map(move |(halt, holding)| (told, halt, holding)));
    let all = halts().count();
    if all == 0 {
        return;
    }
    page.raw("<h2>Stops and decisions</h2>\n");
    for (told, halt, holding) in halts().take(ROWS / 6) {
        page.raw("<div class=\"card\"><h3>").text(&halt.reason.as_str().replace('_', " "));
        if told.session.id != facts.subject.session.id {
            page.raw(" in ").text(&line(&format!("{} {}", told.session.kind, told.session.component), 200));
        }
        page.raw("</h3>\n<p>").text(&line(&halt.message, TEXT)).raw("</p>\n");
        let evidence = words::evidence(halt);
        if !evidence.tests.is_empty() {
            page.raw("<div class=\"wide\"><table><thead><tr><th>Test</th><th>Belongs to</th><th>Said</th></tr></thead><tbody>");
            for test in evidence.tests.iter().take(ROWS / 6) {
                let place = [&test.context, &test.component].into_iter().flatten();
                let place: Vec<String> = place.map(|name| line(name, 200)).collect();
                page.raw("<tr><td>").code(&line(&test.name, 300)).raw("</td>").cell("", &place.join(" / "));
                page.raw("<td>").text(&line(&test.message, 600)).raw("</td></tr>\n");
            }
            page.raw("</tbody></table></div>\n");
        }
        if !evidence.files.is_empty() {
            page.raw("<p class=\"note\">Changed here, and theirs or used by them: ")
                .text(&words::list(&evidence.files));
            page.raw("</p>\n");
        }
        if !evidence.patch.is_empty() {
            page.raw("<details open><summary>What was changed in these files</summary>");
            page.pre(&evidence.patch, PROMPT).raw("</details>\n");
        }
        if !evidence.whole.is_empty() {
            page.raw("<details><summary>Evidence</summary>").pre(&evidence.whole, PROMPT / 4).raw("</details>\n");
        }
        decision(page, halt, holding.as_ref());
        page.raw("</div>\n");
    }
    page.more(all.saturating_sub(ROWS / 6), "stop", "stops");
}

fn decision(page: &mut Page, halt: &Halt, holding: Option<&Holding>) {
    let Some(decision) = &halt.decision else {
        page.raw("<p class=\"halted\">Nobody has decided yet.</p>\n");
        return;
    };
    page.raw("<p><strong>").text(&line(&decision.user, 200)).raw("</strong> ");
    page.text(words::verdict(decision.verdict)).raw(" <span class=\"note\">").text(&time(decision.at));
    page.raw("</span></p>\n");
    if let Some(note) = decision.note.as_ref().filter(|note| !note.trim().is_empty()) {
        page.raw("<blockquote>").text(&cut(note, TEXT)).raw("</blockquote>\n");
    }
    page.raw("<p class=\"note\">");
    if let Some(holding) = holding {
        page.raw(if *holding == Holding::Void { "<span class=\"void\">" } else { "<span>" });
        page.text(&line(&holding.sentence(), TEXT)).raw("</span> ");
    }
    page.raw("Decided on <code>").text(&line(&decision.evidence_hash, 100)).raw("</code></p>\n");
}

fn timeline(page: &mut Page, facts: &Facts) {
    let (from, to) = facts.span();
    page.raw("<h2>Timeline</h2>\n<div class=\"lanes\">\n");
    for (bond, told) in facts.all() {
        let name = match bond {
            None => format!("{} {}", told.session.kind, told.session.component),
            Some(_) => told.session.component.clone(),
        };
        page.raw("<div class=\"name\">").text(&line(&name, 60)).raw("</div><div class=\"lane\">");
        for bar in told.bars(facts.made_at).iter().filter(|bar| bar.from < to && bar.to >= from).take(ROWS) {
            let (left, width) = (share(bar.from, from, to), share(bar.to, from, to) - share(bar.from, from, to));
            page.raw("<b class=\"").raw(bar.sort.as_str()).raw(if bar.bad { " bad" } else { "" });
            page.raw("\" style=\"left:").text(&format!("{left:.2}%;width:{width:.2}%")).raw("\" title=\"");
            let how = if bar.bad { ", ended badly" } else { "" };
            page.text(&format!("{}: {}{how}", bar.step, tui::exact(bar.to - bar.from))).raw("\"></b>");
        }
        for (halt, _) in told.halts.iter().filter(|(halt, _)| (from..=to).contains(&halt.at)).take(ROWS) {
            let left = share(halt.at, from, to);
            page.raw("<b class=\"stop\" style=\"left:").text(&format!("{left:.2}%")).raw("\" title=\"stopped\"></b>");
        }
        page.raw("</div>\n");
    }
    page.raw("<div></div><div class=\"axis\"><span>").text(&clock(from)).raw("</span><span>");
    page.text(&tui::exact(to - from)).raw("</span><span>").text(&clock(to)).raw("</span></div>\n</div>\n");
    page.raw("<div class=\"key\"><span><b class=\"agent\"></b>agent</span><span><b class=\"tests\"></b>tests</span>");
    page.raw("<span><b class=\"tests bad\"></b>tests that failed</span><span><b class=\"children\"></b>children at work</span>");
    page.raw("<span><b class=\"other\"></b>git, checks</span><span><b class=\"stop\"></b>stopped for a person</span></div>\n");
    page.more(facts.left_out, "session", "sessions");
}

/// Where a time lies on the timeline, in percent.
#[expect(clippy::cast_precision_loss, reason = "a hundredth of a percent is all that can be seen")]
fn share(at: Micros, from: Micros, to: Micros) -> f64 {
    ((at - from) as f64 / (to - from).max(1) as f64 * 100.0).clamp(0.0, 100.0)
}

fn sentences(page: &mut Page, story: &[Sentence]) {
    let (first, last, left) = words::ends(story);
    page.raw("<ol>\n");
    for (at, sentence) in first.iter().chain(last).enumerate() {
        if at == first.len() && left > 0 {
            page.raw("<li><span></span><small></small><i></i><span class=\"note\">").text(&count(
                left,
                "sentence",
                "sentences",
            ));
            page.raw(" left out</span></li>\n");
        }
        page.raw("<li class=\"").raw(sentence.kind.as_str()).raw("\"><time>").text(&clock(sentence.at));
        page.raw("</time><small>").text(&sentence.seq.map(|seq| format!("#{seq}")).unwrap_or_default());
        page.raw("</small><i>").raw(glyph(sentence.kind)).raw("</i><span>").text(&line(&sentence.sentence, TEXT));
        page.raw("</span></li>\n");
    }
    page.raw("</ol>\n");
}

const fn glyph(kind: SentenceKind) -> &'static str {
    match kind {
        SentenceKind::Began => "▸",
        SentenceKind::Woke => "→",
        SentenceKind::Running => "●",
        SentenceKind::Good | SentenceKind::Warned => "✓",
        SentenceKind::Bad => "✗",
        SentenceKind::Halted => "◆",
        SentenceKind::Decided => "▸",
        SentenceKind::Ended => "■",
    }
}

fn failures(page: &mut Page, told: &Told, tag: &'static str) {
    if told.ledger.is_empty() {
        return;
    }
    page.heading(tag, "Failures on the way");
    page.raw("<div class=\"wide\"><table><thead><tr><th>State</th><th>What became of it</th></tr></thead><tbody>\n");
    for row in words::failures(told) {
        let (class, state) = match (row.state.is_failing(), row.was_red_before()) {
            (true, true) => ("fit", "was red before"),
            (true, false) => ("fit bad", row.state.as_str()),
            (false, _) => ("fit good", row.state.as_str()),
        };
        page.raw("<tr><td class=\"")
            .raw(class)
            .raw("\">")
            .raw(state)
            .raw("</td><td>")
            .text(&line(&failure_sentence(row), TEXT));
        page.raw("<details><summary>").text(&line(&place(row), 300)).raw("</summary>").pre(&row.message, TEXT);
        page.raw("</details></td></tr>\n");
    }
    page.raw("</tbody></table></div>\n");
    page.more(told.ledger.len().saturating_sub(ROWS), "failure", "failures");
}

fn place(row: &crate::workflow::LedgerRow) -> String {
    match (&row.file, row.line) {
        (Some(file), Some(line)) => format!("What it said last, at {file}:{line}"),
        (Some(file), None) => format!("What it said last, in {file}"),
        (None, _) => "What it said last".to_owned(),
    }
}

fn changes(page: &mut Page, changes: &Changes, tag: &'static str) {
    if changes.range.is_none() && changes.note.is_none() {
        return;
    }
    page.heading(tag, "Changes");
    if let Some((from, to)) = &changes.range {
        page.raw("<p class=\"note\"><code>").text(&line(&short(from), 40)).raw("</code> to <code>");
        page.text(&line(&short(to), 40)).raw("</code>: ");
        page.text(&words::counted(changes)).raw("</p>\n");
    }
    if let Some(note) = &changes.note {
        page.raw("<p class=\"note\">").text(&line(note, TEXT)).raw("</p>\n");
    }
    if changes.files.is_empty() {
        return;
    }
    page.raw("<div class=\"wide\"><table><thead><tr><th>File</th><th class=\"num\">+</th><th class=\"num\">−</th></tr></thead><tbody>\n");
    for file in changes.files.iter().take(ROWS) {
        page.raw("<tr><td>").code(&words::path(&file.path, 600));
        if let Some(from) = &file.from {
            page.raw(" <span class=\"note\">was ").text(&words::path(from, 600)).raw("</span>");
        }
        page.raw("</td>");
        match file.lines {
            Some((came, went)) => page.cell("num good", &came.to_string()).cell("num bad", &went.to_string()),
            None => page.cell("num", words::no_lines(file)).cell("num", ""),
        };
        page.raw("</tr>\n");
    }
    page.raw("</tbody></table></div>\n");
    page.more(changes.all.saturating_sub(changes.files.len().min(ROWS)), "file", "files");
}

fn wishes(page: &mut Page, facts: &Facts) {
    let asked = &facts.subject.asked;
    if asked.is_empty() {
        return;
    }
    page.raw(
        "<h2>Who asked for what</h2>\n<div class=\"wide\"><table><thead><tr><th>When</th><th>Who</th><th>What</th>",
    );
    page.raw("<th>Answer</th></tr></thead><tbody>\n");
    for (intent, answer) in asked.iter().take(ROWS) {
        let (what, words) = words::wish(&intent.action);
        page.raw("<tr>")
            .cell("fit", &time(intent.at))
            .cell("", &words::who(intent, &facts.names))
            .raw("<td>")
            .text(&what);
        if let Some(words) = words.filter(|words| !words.trim().is_empty()) {
            page.raw("<blockquote>").text(&cut(words, TEXT)).raw("</blockquote>");
        }
        page.raw("</td>");
        match answer {
            None => page.cell("", "none yet"),
            Some(Answer::Done) => page.cell("", "done"),
            Some(Answer::Asked) => page.cell("", "a person is asked"),
            Some(Answer::Refused { why }) => page.cell("bad", &line(&format!("refused: {why}"), TEXT)),
        };
        page.raw("</tr>\n");
    }
    page.raw("</tbody></table></div>\n");
}

fn prompts(page: &mut Page, told: &Told, tag: &'static str) {
    let sent: Vec<_> = told.interactions.iter().filter_map(words::prompt).collect();
    if sent.is_empty() {
        return;
    }
    page.heading(tag, "Prompts");
    let mut shown = 0;
    for (it, agent, prompt) in &sent {
        if page.prompts >= words::PROMPTS {
            break;
        }
        page.prompts += prompt.len().min(PROMPT);
        page.raw("<details><summary>").text(&format!("#{} {}, attempt {}, to ", it.seq, it.step, it.iteration));
        page.text(&line(agent, 100)).raw("</summary>").pre(prompt, PROMPT).raw("</details>\n");
        shown += 1;
    }
    page.more(sent.len() - shown, "prompt", "prompts");
}

fn others(page: &mut Page, facts: &Facts) {
    if facts.others.is_empty() {
        return;
    }
    page.raw("<h2>Children and woken sessions</h2>\n");
    let mut shown = 0;
    for (bond, told) in &facts.others {
        if page.out.len() > WHOLE {
            break;
        }
        let session = &told.session;
        page.raw("<details class=\"session\"><summary>").text(&line(&session.component, 200));
        page.raw(" <span class=\"note\">").text(session.kind.as_str()).raw(", ").raw(bond.as_str()).raw("</span>");
        page.pill(told.outcome().as_str()).raw("</summary>\n<p>").text(&line(&told.outcome_sentence(), TEXT));
        page.raw("</p>\n<p class=\"note\">").text(&line(session.branch.as_deref().unwrap_or("no branch yet"), 300));
        page.raw(" · ").text(&session.id.to_string()).raw("</p>\n");
        sentences(page, &facts.story(told));
        failures(page, told, "h3");
        changes(page, &told.changes, "h3");
        prompts(page, told, "h3");
        page.raw("</details>\n");
        shown += 1;
    }
    page.more(facts.left_out + facts.others.len() - shown, "session", "sessions");
}
