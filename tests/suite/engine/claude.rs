//! Claude Code, the real program, with a model that is none.

use callboard::model::{AgentFailure, Cause, EventKind, HaltReason, IntentAction, Lasts, Step};

use super::{
    lab::Shape,
    real::{self, Kind, Real, good, mend, rule, say, write_code, writes},
};
use crate::model::{Act, Fail};

const CLAUDE: Kind = Kind { preset: "claude", program: "claude" };

fn with(more: &str) -> Option<Real> {
    Real::new(CLAUDE, more, Shape::default())
}

#[test]
fn a_session_comes_to_its_end_over_a_fix_in_one_conversation() {
    let Some(real) = with("") else { return };
    let id = real::fixes_in_one_conversation(&real);
    // Two requests, each of 100 tokens beside 40 from the cache, and 20 that were written.
    for at in [1, 3] {
        let usage = real.report(id, at).usage.unwrap();
        assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (280, 80, 40));
        assert_eq!(usage.cost_microdollars, Some(1616), "each attempt has its own cost");
    }
}

#[test]
fn what_nobody_allowed_is_not_done() {
    let Some(real) = with("") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let outside = lab.root.join("outside");
    let turns = vec![
        vec![Act::Think("Shall I?".into()), Act::Shell(format!("touch {outside}"))],
        vec![Act::Write { path: outside.to_string(), content: "x".into() }],
        vec![writes("Alpha", "one\n")],
        vec![say("I could not.")],
    ];
    model.rules(vec![rule(&write_code("Alpha"), turns)]);
    lab.engine();
    // In this mode nobody is asked.
    let id = lab.session_with("component_coding", "Alpha", &["--mode", "agentic"]);
    lab.completes(id);
    assert!(!outside.exists());
    let events = real.events(id, 2);
    let denied = |kind: &EventKind| match kind {
        EventKind::Permission { tool, allowed: false, .. } => Some(tool.clone()),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(denied).collect::<Vec<_>>(), ["Bash", "Write"], "{events:?}");
    let thought = |kind: &EventKind| match kind {
        EventKind::AgentThought { text } => Some(text.clone()),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(thought).collect::<String>(), "Shall I?\n", "{events:?}");
    assert!(model.asked()[1].heard("Nobody is here to allow this"), "the agent is told");
}

#[test]
fn a_person_answers_what_is_asked() {
    let Some(real) = with("") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let touch = |name: &str| vec![Act::Shell(format!("touch {}/{name}", lab.root))];
    let turns = vec![
        touch("a"),
        touch("b"),
        touch("c"),
        touch("d"),
        touch("d"),
        vec![writes("Alpha", "none\n")],
        vec![say("So.")],
    ];
    let again = vec![
        touch("e"),
        vec![Act::Write { path: lab.root.join("f").into(), content: "x".into() }],
        touch("d"),
        vec![writes("Alpha", "one\n")],
    ];
    model.rules(vec![rule(&write_code("Alpha"), turns), rule(&mend("Alpha"), again)]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let short = id.to_string();

    // Denied this once.
    let first = real.asked(id);
    assert_eq!((first.tool.as_str(), first.title.as_str()), ("Bash", format!("touch {}/a", lab.root).as_str()));
    let inbox = lab.ok(&["inbox"]);
    assert!(inbox.contains("a word") && inbox.contains("Bash: touch"), "{inbox}");
    let (code, said) = lab.output(&["allow", &short, "--question", "00000000"]);
    assert!(code == 1 && said.contains("asks something else now"), "{said}");
    assert!(lab.ok(&["show", &short]).contains(&format!("(question {})", first.id.short())));
    lab.ok(&["deny", &short, "--question", &first.id.short()]);
    // Allowed this once; then denied for good; then allowed as often as the tool is used in this session.
    lab.wait("the next", |store| store.question(id).unwrap().is_some_and(|next| next.id != first.id));
    lab.ok(&["allow", &short]);
    lab.wait("it is done", |_| lab.root.join("b").exists());
    let third = real.asked(id);
    assert!(third.title.ends_with("/c"), "{}", third.title);
    lab.ok(&["deny", &short, "--always"]);
    lab.wait("the next", |store| store.question(id).unwrap().is_some_and(|next| next.id != third.id));
    lab.ok(&["allow", &short, "--session"]);
    // What is asked in the next attempt is another tool's: the word for this one still holds.
    lab.wait("another tool", |store| store.question(id).unwrap().is_some_and(|next| next.tool == "Write"));
    let late = IntentAction::Permit { id: first.id, allow: true, lasts: Lasts::Once };
    assert!(lab.refused(id, late).contains("does not wait for this word"));
    lab.ok(&["deny", &short]);
    lab.completes(id);
    let there = ["a", "b", "c", "d", "e", "f"].map(|name| lab.root.join(name).exists());
    assert_eq!(there, [false, true, false, true, true, false], "{}", lab.story());
    assert_eq!(lab.open().board_row(id).unwrap().asks, 0);
    let told = |kind: &EventKind| match kind {
        EventKind::Permission { allowed, by, .. } => Some((*allowed, by.clone())),
        _ => None,
    };
    let told: Vec<(bool, String)> = real.events(id, 2).iter().filter_map(told).collect();
    let (ada, before) = (super::lab::EMAIL.to_owned(), format!("{}, before", super::lab::EMAIL));
    assert_eq!(told, [(false, ada.clone()), (true, ada.clone()), (false, ada.clone()), (true, ada), (true, before)]);
    // What was said for ever is a rule that can be read, and holds in other sessions without a question.
    let rule = lab.read("home/.config/callboard/config.toml");
    let wanted = format!(
        "\n# {}, in session {id}\n[[permission]]\nproject = \"{}\"\nagent = \"sh\"\ntool = \"Bash\"\nexactly = \"touch {}/c\"\nallow = false\n",
        super::lab::EMAIL,
        lab.project,
        lab.root
    );
    assert_eq!(rule, wanted);
    real.tests(&["Beta"], &["one"]);
    let longer = |name: &str| vec![Act::Shell(format!("touch {0}/{name}\ntouch {0}/g", lab.root))];
    let turns = vec![touch("c"), longer("c"), longer("h"), vec![writes("Beta", "one\n")]];
    model.rules(vec![real::rule(&write_code("Beta"), turns)]);
    let other = lab.session("component_coding", "Beta");
    let more = real.asked(other);
    assert_eq!(more.title, format!("touch {}/h", lab.root));
    assert_eq!(more.detail, format!("touch {0}/h\ntouch {0}/g", lab.root), "all of it is shown");
    lab.ok(&["deny", &other.to_string()]);
    lab.completes(other);
    let told = |kind: &EventKind| match kind {
        EventKind::Permission { by, .. } => Some(by.clone()),
        _ => None,
    };
    let told: Vec<String> = real.events(other, 2).iter().filter_map(told).collect();
    let rule = format!("your rule: deny Bash \"touch {}/c\"", lab.root);
    assert_eq!(told, [rule.clone(), rule, super::lab::EMAIL.to_owned()]);
}

#[test]
fn rules_of_the_configuration_answer_before_a_person_does() {
    let Some(real) = with("") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let config = lab.read("project/callboard.toml");
    let rules = format!(
        "\n[[permission]]\ntool = \"Bash\"\nlike = \"touch {0}/*\"\nallow = true\n\n[[permission]]\nagent = \"sh\"\ntool = \"Bash\"\nexactly = \"touch {0}/b\"\nallow = false\n",
        lab.root
    );
    lab.write("project/callboard.toml", &(config + &rules));
    let shell = |line: &str| vec![Act::Shell(line.replace("ROOT", lab.root.as_str()))];
    let turns = || {
        vec![
            shell("touch ROOT/a"),
            shell("touch ROOT/b"),
            shell("touch ROOT/x; touch ROOT/y"),
            vec![writes("Alpha", "one\n")],
        ]
    };
    model.rules(vec![rule(&write_code("Alpha"), turns())]);
    lab.engine();
    // What the file allows, nobody has agreed to yet: it counts for nothing, and neither does its agent.
    let id = lab.session_with("component_coding", "Alpha", &["--mode", "agentic"]);
    assert!(lab.halt_of(id).message.contains("callboard trust"));
    let shown = lab.ok(&["trust", "--yes"]);
    assert!(shown.contains(&format!("every agent may use Bash, like: \"touch {}/*\"", lab.root)), "{shown}");
    lab.done(id, IntentAction::Retry);
    lab.completes(id);
    let there = ["a", "b", "x", "y"].map(|name| lab.root.join(name).exists());
    assert_eq!(there, [true, false, false, false], "{}", lab.story());
    let by = |kind: &EventKind| match kind {
        EventKind::Permission { allowed, by, .. } => Some((*allowed, by.split(':').next().unwrap().to_owned())),
        _ => None,
    };
    let by: Vec<(bool, String)> = real
        .events(id, lab.history(id).iter().rfind(|it| it.step == Step::GenerateImplementation).unwrap().seq)
        .iter()
        .filter_map(by)
        .collect();
    let of = "the project's rule".to_owned();
    assert_eq!(by, [(true, of.clone()), (false, of), (false, "permissions = \"deny\"".into())]);
}

#[test]
fn no_answer_in_time_is_a_no() {
    let shape = Shape { limits: "inactivity = \"4s\"".into(), ..Shape::default() };
    let Some(real) = Real::new(CLAUDE, "", shape) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let outside = lab.root.join("outside");
    let turns = vec![vec![Act::Shell(format!("touch {outside}"))], vec![writes("Alpha", "one\n")], vec![say("So.")]];
    model.rules(vec![rule(&write_code("Alpha"), turns)]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    assert!(!outside.exists());
    let late =
        |kind: &EventKind| matches!(kind, EventKind::Permission { allowed: false, by, .. } if by.contains("in time"));
    assert!(real.events(id, 2).iter().any(late), "{:?}", real.events(id, 2));
}

#[test]
fn a_question_ends_with_its_attempt() {
    let Some(real) = with("") else { return };
    let Real { lab, model } = &real;
    model.rules(vec![rule(&write_code("Alpha"), vec![vec![Act::Shell(format!("touch {}/x", lab.root))]])]);
    let engine = lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let first = real.asked(id);
    lab.kill(engine);
    lab.engine();
    // The attempt that follows asks anew.
    lab.wait("it asks anew", |store| store.question(id).unwrap().is_some_and(|next| next.id != first.id));
    lab.done(id, IntentAction::Cancel);
    assert_eq!((lab.open().question(id).unwrap(), lab.open().board_row(id).unwrap().asks), (None, 0));
    lab.nobody_left();
}

#[test]
fn what_the_project_allows_is_done() {
    let Some(real) = with("permissions = \"allow\"") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let outside = lab.root.join("outside");
    let shell = Act::Shell(format!("mkdir -p src/shop; echo 'one two' > src/shop/alpha.txt; touch {outside}"));
    model.rules(vec![rule(&write_code("Alpha"), vec![vec![shell], vec![say("Done.")]])]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    assert!(outside.exists(), "{}", lab.story());
    let allowed =
        |kind: &EventKind| matches!(kind, EventKind::Permission { tool, allowed: true, .. } if tool == "Bash");
    assert!(real.events(id, 2).iter().any(allowed), "{:?}", real.events(id, 2));
}

#[test]
fn a_killed_engine_is_followed_by_one_that_resumes() {
    real::resumes_after_a_killed_engine(CLAUDE);
}

#[test]
fn a_conversation_that_is_gone_is_begun_anew() {
    real::begins_anew_when_all_is_forgotten(CLAUDE, ".claude/projects");
}

#[test]
fn an_agent_that_is_killed_is_told_and_tried_again() {
    real::a_killed_agent_is_told(CLAUDE);
}

#[test]
fn a_cancelled_agent_is_gone_with_its_tool() {
    real::a_cancelled_agent_is_gone(CLAUDE);
}

#[test]
fn eight_at_once_do_not_mix() {
    real::eight_do_not_mix(CLAUDE);
}

#[test]
fn a_rate_limit_that_passes_is_waited_out_in_sight() {
    let Some(real) = with("") else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    model.rules(vec![good("Alpha").failing(Fail { retry_after: Some(1), ..Fail::times(429, 1) })]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    assert!(real.notes(id, 2).contains("429"), "{}", real.notes(id, 2));
}

#[test]
fn each_way_of_failing_is_told_apart() {
    let limited = Fail { retry_after: Some(1), ..Fail::times(429, 0) };
    real::fails(CLAUDE, &Fail::times(500, 0), AgentFailure::Overloaded, Cause::Overloaded, "500");
    real::fails(CLAUDE, &limited, AgentFailure::Quota, Cause::Quota, "no more for now");
    real::fails(CLAUDE, &Fail::times(401, 0), AgentFailure::LoggedOut, Cause::AgentUnavailable, "log in");
    real::fails(CLAUDE, &Fail::times(400, 0), AgentFailure::Rejected, Cause::Failed, "400");
}

#[test]
fn a_program_that_is_not_there_or_is_another_one_says_so() {
    let Some(real) = with("") else { return };
    let lab = &real.lab;
    lab.engine();
    for (command, reason, words) in [
        ("command = [\"no-such-claude\"]", HaltReason::AgentUnavailable, "no-such-claude"),
        ("command = [\"sh\", \"-c\", \"echo hello; exit 3\"]", HaltReason::IterationLimit, "is it the right program?"),
    ] {
        let agent = format!("preset = \"claude\"\n{command}\n");
        lab.configure(&Shape { agent: Some(agent), limits: "iterations = 1".into(), ..Shape::default() });
        lab.ok(&["trust", "--yes"]);
        let id = lab.session("component_coding", "Alpha");
        let halt = lab.halt_of(id);
        assert_eq!(halt.reason, reason);
        assert!(halt.message.contains(words), "{}", halt.message);
    }
}
