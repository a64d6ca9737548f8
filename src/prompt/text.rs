//! Foreign text: cleaned, shortened, and wrapped so that it cannot leave its place in a prompt.

/// So much a line break may cost at most once the text is quoted or indented.
const LINE_COST: usize = 4;
/// Longer runs of backticks than this are not fenced but indented.
const MAX_FENCE: usize = 12;

/// The text without terminal escape sequences and control characters; line ends are `\n`, tabs stay.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Skips the rest of an escape sequence whose ESC was just taken. One that never ends takes its line with it, no more.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            while let Some(c) = chars.next_if(|c| *c != '\n') {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        }
        Some(']') => {
            while let Some(c) = chars.next_if(|c| *c != '\n') {
                if c == '\u{7}' {
                    break;
                }
                if c == '\u{1b}' {
                    chars.next_if(|c| *c == '\\');
                    break;
                }
            }
        }
        Some(c) if !c.is_control() => {
            chars.next();
        }
        Some(_) | None => {}
    }
}

/// How many bytes the text takes at most once it is quoted or indented.
pub(super) fn cost(text: &str) -> usize {
    text.len() + LINE_COST * (1 + text.bytes().filter(|b| *b == b'\n').count())
}

/// The text cleaned, without blank lines at its ends, and with its middle left out where it costs more than `max`: what
/// went wrong is said at the beginning of most messages and at the end of the others.
#[must_use]
pub fn clip(text: &str, max: usize) -> String {
    let text = clean(text);
    let text = text.trim_matches('\n').trim_end();
    if cost(text) <= max {
        return text.to_owned();
    }
    let head = prefix(text.chars(), max / 3 * 2);
    let tail = prefix(text[head..].chars().rev(), max / 3);
    let left_out = text.len() - head - tail;
    format!("{}\n[… {left_out} bytes left out …]\n{}", &text[..head], &text[text.len() - tail..])
}

/// Bytes of the longest run of characters from the start that costs at most `max`.
fn prefix(chars: impl Iterator<Item = char>, max: usize) -> usize {
    let (mut bytes, mut spent) = (0, 0);
    for c in chars {
        spent += c.len_utf8() + if c == '\n' { LINE_COST } else { 0 };
        if spent > max {
            break;
        }
        bytes += c.len_utf8();
    }
    bytes
}

/// The text on one line, at most `max` bytes of it.
#[must_use]
pub fn inline(text: &str, max: usize) -> String {
    let cleaned = clean(&text[..text.floor_char_boundary(8 * max)]);
    let mut out = String::new();
    for word in cleaned.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > max {
            out.truncate(prefix(out.chars(), max));
            out.push('…');
            break;
        }
    }
    out
}

/// The text on one line as Markdown code.
pub(super) fn code(text: &str) -> String {
    let text = inline(text, 300);
    let run = longest_run(&text);
    if run == 0 {
        return format!("`{text}`");
    }
    if run > 4 {
        return format!("`{}`", text.replace('`', "'"));
    }
    let fence = "`".repeat(run + 1);
    format!("{fence} {text} {fence}")
}

/// The text as a fenced block whose fence it does not contain.
pub(super) fn fenced(text: &str) -> String {
    let text = clean(text);
    let run = longest_run(&text);
    if run > MAX_FENCE {
        return prefixed(&text, "    ");
    }
    let fence = "`".repeat(3.max(run + 1));
    format!("{fence}text\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// The text as a Markdown quote: every line of it is marked.
pub(super) fn quote(text: &str) -> String {
    prefixed(&clean(text), "> ")
}

fn prefixed(text: &str, prefix: &str) -> String {
    let lines: Vec<String> =
        text.trim_end_matches('\n').split('\n').map(|line| format!("{prefix}{line}").trim_end().to_owned()).collect();
    lines.join("\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// The text with at most one blank line in a row, none at its start, one line break at its end, and no blanks at the end
/// of a line.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines() {
        let line = line.trim_end();
        let is_blank = line.is_empty();
        out.push_str(line);
        if !(is_blank && blank) {
            out.push('\n');
        }
        blank = is_blank;
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clean_takes_away_what_a_terminal_would_obey() {
        for (raw, expected) in [
            ("\u{1b}[31merror\u{1b}[0m: no", "error: no"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("one\r\ntwo\rthree", "one\ntwo\nthree"),
            ("bell\u{7} null\0 tab\tstays", "bell null tab\tstays"),
            ("never ends \u{1b}[1;2\nnext", "never ends \nnext"),
            ("\u{9b}31mC1", "31mC1"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(clean(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        let text = format!("first\n{}\nlast", "x".repeat(1_000));
        let short = clip(&text, 200);
        assert!(short.starts_with("first\nxxx"), "{short}");
        assert!(short.ends_with("xxx\nlast"), "{short}");
        assert!(short.contains("bytes left out"), "{short}");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("a"), "```text\na\n```");
        assert_eq!(fenced("```\n# no\n```"), "````text\n```\n# no\n```\n````");
        assert_eq!(fenced(&"`".repeat(20)), format!("    {}", "`".repeat(20)));
    }

    #[test]
    fn code_stays_on_its_line() {
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("``````"), "`''''''`");
    }

    #[test]
    fn tidy_leaves_no_runs_of_blank_lines() {
        assert_eq!(tidy("\n\n a\n \n\n\nb \n\n"), " a\n\nb\n");
        assert_eq!(tidy(""), "\n");
    }

    fn wild() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof!["[`\n\r> #]{1,9}", "\\PC{0,20}", any::<String>()], 0..20)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_leaves_its_fence(text in wild()) {
            let block = fenced(&text);
            let mut lines = block.split('\n');
            let open = lines.next().unwrap_or_default();
            if let Some(fence) = open.strip_suffix("text").filter(|f| !f.is_empty() && f.chars().all(|c| c == '`')) {
                let closing: Vec<usize> = lines.clone().enumerate()
                    .filter(|(_, l)| l.trim_start().starts_with(fence)).map(|(i, _)| i).collect();
                prop_assert_eq!(closing, vec![lines.count() - 1]);
            } else {
                prop_assert!(block.lines().all(|l| l.is_empty() || l.starts_with("    ")));
            }
        }

        #[test]
        fn every_line_of_a_quote_is_marked(text in wild()) {
            prop_assert!(quote(&text).split('\n').all(|l| l.starts_with('>')));
        }

        #[test]
        fn a_clipped_text_costs_what_it_may(text in wild(), max in 60_usize..400) {
            let short = clip(&text, max);
            prop_assert!(cost(&short) <= max + 80, "{} of {max}", cost(&short));
            prop_assert!(quote(&short).len() <= cost(&short));
            prop_assert!(inline(&text, max).len() <= max + 3);
            prop_assert!(!code(&text).contains('\n'));
        }

        #[test]
        fn tidy_twice_is_tidy_once(text in wild()) {
            let once = tidy(&text);
            prop_assert_eq!(tidy(&once), once.clone());
            prop_assert!(!once.contains("\n\n\n"));
        }
    }
}
