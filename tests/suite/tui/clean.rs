//! Foreign bytes: nothing of them may move the cursor, change a colour or turn the reading direction.

use callboard::tui::{clean, clean_line, elide, exposed, visible, width};
use proptest::prelude::*;

use super::{
    board::Shelf,
    scene::{self, said},
};
use callboard::model::{Mode, SessionKind, Step};

#[test]
fn escape_sequences_are_gone() {
    for (foreign, shown) in [
        ("\u{1b}[31mred\u{1b}[0m", "red"),
        ("\u{1b}[2J\u{1b}[1;1Hhome", "home"),
        ("\u{1b}[38;2;1;2;3mrgb", "rgb"),
        ("\u{1b}]0;title\u{7}after", "after"),
        ("\u{1b}]8;;https://example.com\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}]52;c;aGk=\u{7}clip", "clip"),
        ("\u{1b}P1$r0m\u{1b}\\dcs", "dcs"),
        ("\u{1b}(0lines\u{1b}(B", "lines"),
        ("\u{1b}c\u{1b}=reset", "reset"),
        ("\u{9b}31mc1\u{9d}0;t\u{9c}.", "c1."),
        ("\u{1b}", ""),
        ("\u{1b}[", ""),
        ("\u{1b}[12", ""),
        ("a\u{1b}[3\nb", "a\nb"),
        ("\u{1b}\u{1b}[1mtwice", "twice"),
    ] {
        assert_eq!(clean(foreign), shown, "{foreign:?}");
    }
}

#[test]
fn a_command_that_does_not_end_hides_nothing() {
    assert_eq!(clean("\u{1b}]0;an evil title\nthe rest"), "0;an evil title\nthe rest");
    assert_eq!(clean("\u{9d}52;c;\nthe rest"), "52;c;\nthe rest");
}

#[test]
fn what_hides_is_shown_by_name() {
    for (foreign, shown) in [
        ("plain text", "plain text"),
        ("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m"),
        ("access\u{202e}txt.exe\u{2066}", "access<U+202E>txt.exe<U+2066>"),
        ("a\rb\0c\u{7f}d\u{9b}e", "a␍b␀c␡d<U+009B>e"),
        ("zero\u{200b}width\u{feff}", "zero<U+200B>width<U+FEFF>"),
        ("tag\u{e0041} line\u{2028}s", "tag<U+E0041> line<U+2028>s"),
        ("❤\u{fe0f} a\u{fe0f} ❤\u{fe0f}\u{fe0f}", "❤ a<U+FE0F> ❤<U+FE0F>"),
        ("größe 漢字 👩\u{200d}💻", "größe 漢字 👩\u{200d}💻"),
        ("a\nb", "a␊b"),
    ] {
        assert_eq!(visible(foreign), shown, "{foreign:?}");
    }
    assert_eq!(exposed("a \u{1b}];b\n\u{9d}c\u{7}\n"), "a ␛];b\n<U+009D>c␇\n");
}

#[test]
fn controls_tabs_and_returns() {
    for (foreign, shown) in [
        ("a\tb\tc", "a   b   c"),
        ("\tfn main", "    fn main"),
        ("a\r\nb", "a\nb"),
        ("10%\r20%\r30%", "10%\n20%\n30%"),
        ("bell\u{7} back\u{8} null\u{0} del\u{7f}", "bell back null del"),
        ("next\u{85}line\u{2028}separator", "nextline\nseparator"),
        ("page\u{c}break", "page break"),
    ] {
        assert_eq!(clean(foreign), shown, "{foreign:?}");
    }
    assert_eq!(clean_line("  two\n\n  lines\t."), "two lines .");
}

#[test]
fn the_reading_direction_stays() {
    assert_eq!(clean("access\u{202e} txt.exe"), "access txt.exe");
    assert_eq!(clean("\u{2066}a\u{2069}\u{200f}b\u{61c}\u{feff}\u{e0041}"), "ab");
    assert_eq!(clean("שלום"), "שלום");
}

#[test]
fn writing_systems_and_emoji_stay() {
    for text in ["grüße", "日本語", "क्षि", "e\u{301}", "👩\u{200d}👩\u{200d}👧", "ن\u{200c}ه"] {
        assert_eq!(clean(text), text);
    }
    // Marks without end are no writing system.
    let piled = clean(&format!("a{}b", "\u{301}".repeat(1_000)));
    assert_eq!(piled.chars().count(), 6);
    let chained = clean(&"👩\u{200d}".repeat(500));
    assert!(chained.len() < 64, "{}", chained.len());
}

#[test]
fn widths_count_what_is_seen() {
    assert_eq!(width("日本"), 4);
    assert_eq!(width("e\u{301}"), 1);
    assert_eq!(elide("日本語", 5), "日本…");
    assert_eq!(elide("日本語", 4), "日…");
    assert_eq!(elide("abc", 3), "abc");
    assert_eq!(elide("abc", 2), "a…");
    assert_eq!(elide("abc", 0), "");
}

/// Hostile names, prompts, events and messages: what is drawn has no control in any cell.
#[test]
fn nothing_hostile_reaches_a_cell() {
    const EVIL: &str = "\u{1b}[31m\u{1b}]0;x\u{7}e\u{202e}v\u{0}i\u{9b}2Jl\u{301}\t\r";
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let id = scene.session(SessionKind::ComponentCoding, EVIL, None, Mode::Auto);
    scene.prepare(id, "generate_implementation");
    scene.begin(id, Step::GenerateImplementation, scene::agent(EVIL));
    let kinds = [said, scene::out, scene::err, scene::edit, scene::ran, scene::noted];
    scene.events(id, kinds.iter().map(|kind| kind(EVIL)).chain([scene::tool(EVIL, EVIL)]).collect());
    scene.finish(id, callboard::model::StepResult::error(callboard::model::Cause::Failed, EVIL), None);
    scene.ledger(id, &scene::failing(&[(EVIL, EVIL, 1, EVIL)]));
    scene.ledger(id, &scene::broken(&[(EVIL, 1, EVIL)]));
    scene.halt(id, callboard::model::HaltReason::NoProgress, EVIL);
    let mut board = shelf.board((100, 40));
    for keys in ["1", "2", "3", "4", "5", "6", "w", "Esc H", "Esc !", "Esc O", "Esc /"] {
        board.press(keys);
        let text = board.text();
        let bad: Vec<char> =
            text.chars().filter(|char| *char != '\n' && (char.is_control() || *char == '\u{202e}')).collect();
        assert!(bad.is_empty(), "{keys}: {bad:?}\n{text}");
        // What an agent may do is shown with what hides in it, by name.
        let unnamed = text.replace("␛[31m", "").replace("<U+009B>2J", "");
        assert!(!unnamed.contains("[31m") && !unnamed.contains("2J"), "{keys}: {text}");
    }
    board.write(EVIL);
    assert!(!board.text().chars().any(|char| char != '\n' && char.is_control()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cleaned_text_has_no_controls_and_stays_so(text in "(\\PC|\\p{Cc}|\u{1b}|\\[|\\]|[0-9;]|\u{202e}|\u{301}){0,60}") {
        let cleaned = clean(&text);
        prop_assert!(!cleaned.chars().any(|char| char != '\n' && char.is_control()), "{:?}", cleaned);
        prop_assert_eq!(clean(&cleaned), cleaned.clone());
        prop_assert!(!clean_line(&text).contains('\n'));
    }

    #[test]
    fn elided_text_fits(text in "\\PC{0,40}", columns in 0usize..30) {
        prop_assert!(width(&elide(&clean(&text), columns)) <= columns);
    }
}
