//! The window on a session's events.

use callboard::{
    model::{Event, EventKind, PlanItem, PlanState, SessionId, Usage},
    tui::{AROUND, EVENTS, Span, Window},
};

use super::scene::{NOW, edit, err, noted, out, said};

fn event(n: u64, kind: EventKind) -> Event {
    Event { session_id: SessionId::from_u128(1), n, interaction: 1, at: NOW, kind }
}

fn window(kinds: Vec<EventKind>) -> Vec<((u64, u32), String)> {
    let mut window = Window::new(SessionId::from_u128(1));
    let events: Vec<Event> = (1..).zip(kinds).map(|(n, kind)| event(n, kind)).collect();
    window.add(&events);
    let text = |line: &callboard::tui::Line| line.runs.iter().map(|(_, text)| text.as_str()).collect::<String>();
    window.show(events.len() as u64).lines.iter().map(|line| (line.key, text(line))).collect()
}

#[test]
fn pieces_of_a_stream_follow_each_other() {
    let lines = window(vec![said("Hel"), said("lo.\nWor"), said("ld.\n"), said("Again.")]);
    assert_eq!(lines, [((1, 0), "Hello.".into()), ((2, 0), "World.".into()), ((4, 0), "Again.".into())]);
}

#[test]
fn streams_do_not_mix() {
    let lines = window(vec![out("out"), err("err"), out("put\n"), said("said"), edit("a.rs"), said("more")]);
    let text: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(text, ["  out", "! err", "  put", "said", "✎ a.rs", "more"]);
}

#[test]
fn what_an_agent_does_is_shown_with_what_came_of_it() {
    let diff = "-old\n+new\u{1b}[2J\n".to_owned();
    let item = |text: &str, state| PlanItem { text: text.into(), state };
    let items = vec![item("read", PlanState::Done), item("write", PlanState::Active), item("test", PlanState::Pending)];
    let permission = |allowed| EventKind::Permission {
        tool: "Bash".into(),
        title: "rm\u{1b}]x\u{7}".into(),
        allowed,
        by: "ada".into(),
    };
    let usage = Usage { input_tokens: 12, cached_tokens: 3, output_tokens: 4, cost_microdollars: Some(1_234_567) };
    let lines = window(vec![
        EventKind::AgentThought { text: "Hm".into() },
        EventKind::AgentThought { text: "m.\n".into() },
        EventKind::ToolEnd { tool: "Bash".into(), ok: true, text: "one\ntwo".into() },
        EventKind::ToolEnd { tool: "Bash".into(), ok: false, text: "no\u{1b}[31m".into() },
        EventKind::FileEdit { path: "a.rs".into(), diff },
        EventKind::Plan { items },
        permission(true),
        permission(false),
        EventKind::Usage(usage),
    ]);
    let text: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
    let wanted = [
        "~ Hmm.",
        "✓ Bash one",
        "✗ Bash no",
        "✎ a.rs",
        "  -old",
        "  +new",
        "☰ plan, 1 of 3 done",
        "  ✓ read",
        "  ▸ write",
        "  · test",
        "? allowed Bash rm␛]x␇ (ada)",
        "? denied Bash rm␛]x␇ (ada)",
        "Σ 12 tokens in (3 of them cached), 4 out, $1.2345",
    ];
    assert_eq!(text, wanted);
    assert!(lines.is_sorted_by(|(a, _), (b, _)| a < b), "{lines:?}");
}

#[test]
fn empty_lines_are_lines() {
    let lines = window(vec![said("a\n\nb\n"), said(""), said("\n"), noted("n")]);
    let text: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(text, ["a", "", "b", "", "» n"]);
}

#[test]
fn much_text_is_cut_and_says_so() {
    let lines = window(vec![out(&"x".repeat(100_000))]);
    assert!(lines.iter().map(|(_, text)| text.len()).sum::<usize>() < 10_000);
    assert!(lines.iter().any(|(_, text)| text.contains("more bytes")), "{lines:?}");
}

/// Puts into the window what it wants to have, of `total` events.
fn feed(window: &mut Window, span: Span, total: u64) -> u64 {
    let Some((after, at_most)) = window.wants(span, total) else { return 0 };
    let events: Vec<Event> =
        (after + 1..=total.min(after + u64::from(at_most))).map(|n| event(n, said(&format!("event {n}\n")))).collect();
    window.add(&events);
    events.len() as u64
}

#[test]
fn the_tail_reads_what_is_new_and_forgets_what_is_old() {
    let mut window = Window::new(SessionId::from_u128(1));
    assert_eq!(feed(&mut window, Span::Tail, 10), 10);
    assert_eq!(feed(&mut window, Span::Tail, 10), 0);
    assert_eq!(feed(&mut window, Span::Tail, 13), 3);
    // However much was written meanwhile, so much is read.
    assert_eq!(feed(&mut window, Span::Tail, 5_000_000), u64::from(EVENTS));
    let live = window.show(5_000_000);
    assert_eq!((live.first, live.last), (5_000_000 - u64::from(EVENTS) + 1, 5_000_000));
    for total in (5_000_050..5_003_000).step_by(50) {
        assert_eq!(feed(&mut window, Span::Tail, total), 50);
        assert!(window.show(total).lines.len() <= EVENTS as usize);
    }
}

#[test]
fn scrolling_back_reads_what_is_older_and_only_then() {
    let mut window = Window::new(SessionId::from_u128(1));
    let total = 100_000;
    feed(&mut window, Span::Tail, total);
    assert_eq!(feed(&mut window, Span::Around(total - 300), total), 0);
    // What is written while the person reads does not move the window.
    assert_eq!(feed(&mut window, Span::Around(total - 300), total + 5_000), 0);
    assert_eq!(feed(&mut window, Span::Around(total - 990), total), u64::from(AROUND));
    let live = window.show(total);
    assert!(live.first < total - 990 && total - 990 < live.last);
    assert_eq!(feed(&mut window, Span::Around(total - 990), total), 0);
    let mut at = total - 990;
    let mut reads = 0;
    while at > 1 {
        at -= 1;
        reads += u64::from(feed(&mut window, Span::Around(at), total) > 0);
        let live = window.show(total);
        assert!(live.first <= at && at <= live.last, "{at} is not in {}..{}", live.first, live.last);
    }
    assert!(reads < 2 * total / u64::from(AROUND) * 2, "{reads} reads");
    assert_eq!(feed(&mut window, Span::Tail, total), u64::from(EVENTS));
}

#[test]
fn large_events_do_not_fill_the_memory() {
    let mut window = Window::new(SessionId::from_u128(1));
    for n in 1..=500 {
        window.add(&[event(n, out(&format!("{}\n", "line\n".repeat(10_000))))]);
    }
    let bytes: usize = window.show(500).lines.iter().flat_map(|line| &line.runs).map(|(_, text)| text.len()).sum();
    assert!(bytes < 2 << 20, "{bytes} bytes");
}
