//! A person goes on with the agent's conversation in its own program, and comes back.

use super::term::{Term, callboard};
use crate::cli::world::World;

/// Breaks when it is talked with; by hand, it shows what it was told and waits for a line. `raw`: it ends without putting the
/// terminal back.
const CLAUDE: &str = r#"[ "$1" = --resume ] || { echo broken >&2; exit 1; }
echo "TALKING $# $1 in $(pwd) ${CALLBOARD_DB:-alone}"
read -r line
case $line in
raw) stty raw -echo; exit 3 ;;
*) echo "it got <$line>" ;;
esac
"#;

fn scene() -> (World, String, String) {
    let world = World::trusted();
    let path = world.claude(CLAUDE);
    let args = ["component_coding", "Pricing", "--base", "main", "--mode", "manual", "--agent", "claude"];
    let id = world.session(&args);
    (world, path, id)
}

/// Until an attempt at its agent's step has failed.
fn with_a_conversation(term: &mut Term) {
    // The footer offers what works by the newest state of the session.
    let stands = |term: &Term, text: &str| {
        term.until(text, |screen| screen.contents().contains(text) && screen.contents().contains(" a advance "));
    };
    term.press("6", "History");
    term.keys("a");
    stands(term, "A worktree was made");
    term.keys("a");
    stands(term, "before its turn was over");
}

#[test]
fn there_and_back() {
    let (world, path, id) = scene();
    let mut term = Term::open(callboard(&world, &[]).env("PATH", &path));
    term.shows("● engine");
    term.press("t", "take over: its agent has no conversation yet");
    with_a_conversation(&mut term);

    term.press("t", "TALKING 2 --resume in ");
    term.until("the terminal is lent", |screen| !screen.alternate_screen() && !screen.hide_cursor());
    assert_eq!(term.line_discipline(), term.before);
    let shown = term.contents().replace('\n', "");
    let worktree = world.json(&["show", &id])["worktree"].as_str().unwrap().to_owned();
    assert!(shown.contains(&format!("in {worktree} alone")), "{shown}");
    let said = world.fails(1, &["advance", &id]);
    assert!(said.contains("taken over in a terminal"), "{said}");
    // Every key is the program's.
    term.press("qcjA\r", "took over: claude --resume");
    let written = String::from_utf8(term.written()).unwrap();
    assert!(written.contains("it got <qcjA>"), "{written}");
    assert_eq!(world.json(&["show", &id])["status"], "active");
    let report = world.ok(&["report", &id]);
    for what in ["took its conversation over with claude --resume", "gave its conversation back"] {
        assert!(report.contains(what), "{what}: {report}");
    }

    // Ctrl-C ends the program, not the board, which has its keys again. What was said before is still there.
    let talks = |term: &mut Term, count: usize| {
        term.press("X", "X does nothing here");
        term.keys("t");
        term.until("it talks again", |screen| screen.contents().matches("TALKING").count() == count);
    };
    talks(&mut term, 2);
    term.press("\x03", "was ended by signal 2");
    talks(&mut term, 3);
    term.press("raw\r", "exited with code 3");
    term.keys("q");
    assert_eq!(term.ended(), 0);
    term.is_given_back();

    let mut term = Term::open(callboard(&world, &["takeover", &id]).env("PATH", &path));
    term.shows("TALKING 2 --resume in ");
    term.keys("raw\r");
    assert_eq!(term.ended(), 3);
}

#[test]
fn a_program_that_is_not_there() {
    let (world, path, id) = scene();
    let mut term = Term::open(callboard(&world, &[]).env("PATH", &path));
    term.shows("● engine");
    with_a_conversation(&mut term);
    let nowhere = world.folder.join("nowhere");
    let mut term = Term::open(callboard(&world, &["takeover", &id]).env("PATH", &nowhere));
    term.shows("npm install --global @anthropic-ai/claude-code");
    assert_eq!(term.ended(), 1);
}
