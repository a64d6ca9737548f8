//! What an agent writes is shown, and does nothing to the terminal.

use std::collections::BTreeSet;

use super::term::board;
use crate::cli::world::World;

const AGENT: &str = r#"cat > /dev/null
printf 'one\033]0;owned\007\033[6n\033[?1003h\033c\033[5i\033Pq\033\\two\n'
printf '\302\233?1003h\342\200\256evil\000 \010\016three\r\n'
printf 'x%.0s' $(seq 10000); echo
echo the end
exit 9
"#;

#[test]
fn nothing_of_an_agent_is_a_control_sequence() {
    let world = World::trusted();
    world.write("agent.sh", AGENT);
    world.commit_all("An agent with manners");
    world.session(&["component_test", "Pricing", "--base", "main"]);
    let mut term = board(&world);
    term.shows("● engine");
    term.press("2", "evil");
    for pane in ["1", "3", "4", "5", "6", "2"] {
        term.answers("\x1b[?2026l", |term| term.keys(pane));
    }
    term.keys("q");
    assert_eq!(term.ended(), 0);
    term.is_given_back();
    let written = String::from_utf8(term.written()).unwrap();
    let mut kinds = BTreeSet::new();
    let mut rest = written.chars();
    while let Some(char) = rest.next() {
        if char == '\x1b' {
            assert_eq!(rest.next(), Some('['), "only CSI sequences are the board's");
            let sequence: String = rest.sequence();
            kinds.insert(sequence);
        } else {
            assert!(!char.is_control() || matches!(char, '\r' | '\n'), "{char:?}");
            assert!(!('\u{202a}'..='\u{202e}').contains(&char) && !('\u{2066}'..='\u{2069}').contains(&char));
        }
    }
    for sequence in &kinds {
        let ours = ["?1049h", "?1049l", "?2004h", "?2004l", "?25h", "?25l", "?2026h", "?2026l", "2J"];
        assert!(ours.contains(&sequence.as_str()) || sequence.ends_with(['m', 'H']), "{sequence:?}");
    }
}

trait Sequence {
    fn sequence(&mut self) -> String;
}

impl Sequence for std::str::Chars<'_> {
    /// The rest of a CSI sequence, with its last byte.
    fn sequence(&mut self) -> String {
        let mut sequence = String::new();
        for char in self {
            sequence.push(char);
            if ('@'..='~').contains(&char) {
                break;
            }
        }
        sequence
    }
}
