//! The table of tools.

use serde_json::{Map, Value, json};

use crate::{
    model::{SessionKind, Status, Step},
    prompt::inline,
};

use super::{
    argument::{Argument, Is},
    ask,
    call::{Call, Run, Stop},
    look,
};

/// A name, an id.
const NAME: usize = 300;
/// A sentence or two.
const REASON: usize = 4 * 1024;
/// What an agent has to tell another one.
const LETTER: usize = 64 * 1024;

/// A step of a kind of session.
pub(super) type At = (SessionKind, Step);

/// A tool.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the agent.
    pub about: &'static str,
    /// What it takes.
    pub arguments: &'static [Argument],
    /// The steps whose agents may call it; `None`: whoever may call at all, at any time.
    pub steps: Option<&'static [At]>,
    /// What to do where it may not be called.
    pub instead: &'static str,
    pub(super) run: fn(&Call<'_>) -> Result<Run, Stop>,
}

impl Tool {
    /// Whether it may be called in a session of this kind, in this step.
    #[must_use]
    pub fn may(&self, kind: SessionKind, step: Option<Step>) -> bool {
        self.steps.is_none_or(|steps| steps.iter().any(|at| (at.0, Some(at.1)) == (kind, step)))
    }
}

const FIXES: &[At] =
    &[(SessionKind::Integration, Step::FixIntegrationTestFailures), (SessionKind::Integration, Step::FixTestFailures)];

const INTEGRATION: &[At] = &[
    (SessionKind::Integration, Step::GenerateIntegrationTests),
    (SessionKind::Integration, Step::GenerateContext),
    (SessionKind::Integration, Step::FixIntegrationTestFailures),
    (SessionKind::Integration, Step::FixTestFailures),
];

const TELL: &str =
    "mend what is yours to mend, and say at the end of your answer which component has to change, and how";

fn kinds() -> Vec<&'static str> {
    SessionKind::ALL.iter().map(|kind| kind.as_str()).collect()
}

fn component_kinds() -> Vec<&'static str> {
    SessionKind::ALL.iter().filter(|kind| !kind.is_for_context()).map(|kind| kind.as_str()).collect()
}

fn statuses() -> Vec<&'static str> {
    Status::ALL.iter().map(|status| status.as_str()).collect()
}

const fn text(name: &'static str, most: usize, about: &'static str) -> Argument {
    Argument { name, about, is: Is::Text(most), required: false }
}

const fn flag(name: &'static str, about: &'static str) -> Argument {
    Argument { name, about, is: Is::Flag, required: false }
}

const fn word(name: &'static str, words: fn() -> Vec<&'static str>, about: &'static str) -> Argument {
    Argument { name, about, is: Is::Word(words), required: false }
}

const fn required(argument: Argument) -> Argument {
    Argument { required: true, ..argument }
}

const SESSION: Argument = text(
    "session",
    NAME,
    "The session: its id, or a beginning or ending of it that no other has; without it, your own.",
);

/// Every tool, in the order in which agents see them.
pub const TOOLS: &[Tool] = &[
    Tool {
        name: "list_sessions",
        about: "The project's sessions, the newest first: what each is for, how far it is, and whether it needs a person.",
        arguments: &[
            word("status", statuses, "Only sessions with this status."),
            word("kind", kinds, "Only sessions of this kind."),
            text("component", NAME, "Only sessions of this component or context."),
        ],
        steps: None,
        instead: "",
        run: look::list_sessions,
    },
    Tool {
        name: "get_session",
        about: "One session: where it stands, its last attempts with what went wrong, and what it waits for.",
        arguments: &[SESSION],
        steps: None,
        instead: "",
        run: look::get_session,
    },
    Tool {
        name: "get_test_failures",
        about: "What failed when a session's tests ran last: each failure with its message, its place, and the component it belongs to.",
        arguments: &[SESSION],
        steps: None,
        instead: "",
        run: look::get_test_failures,
    },
    Tool {
        name: "list_components",
        about: "The project's contexts and components: what each is for, its files, what it uses, and which sessions made it.",
        arguments: &[text("context", NAME, "Only this context and its components.")],
        steps: None,
        instead: "",
        run: look::list_components,
    },
    Tool {
        name: "list_stories",
        about: "The user stories with their acceptance criteria, and how each criterion stands.",
        arguments: &[text("component", NAME, "Only stories of this component or context.")],
        steps: None,
        instead: "",
        run: look::list_stories,
    },
    Tool {
        name: "reactivate_session",
        about: "Wakes the session that made a component of your context, when the component itself has to change: its agent goes on \
                in its own conversation with what you tell it. Finish your step afterwards; callboard waits for every session that you \
                woke, merges what they did, and comes back to you.",
        arguments: &[
            text("component", NAME, "The component whose session is to be woken; or name the session."),
            text("session", NAME, "The session that is to be woken; or name the component."),
            required(text("reason", REASON, "Why the component has to change, in a sentence or two.")),
            text(
                "context",
                LETTER,
                "What its agent needs to know: the failing tests with their messages, what the component should offer, how it fits in.",
            ),
            flag(
                "redesign",
                "Whether the component's design itself is wrong: then it is designed anew first, and coded anew on that design.",
            ),
        ],
        steps: Some(FIXES),
        instead: TELL,
        run: ask::reactivate_session,
    },
    Tool {
        name: "create_session",
        about: "Makes a session for a component of your context that has none of this kind: component_coding for code that is missing, \
                component_test for tests, component_design for a design. Finish your step afterwards, as with reactivate_session.",
        arguments: &[
            required(text("component", NAME, "The component.")),
            required(word("kind", component_kinds, "What is to be made.")),
            required(text("reason", REASON, "Why, in a sentence or two.")),
            text("context", LETTER, "What its agent needs to know."),
        ],
        steps: Some(FIXES),
        instead: TELL,
        run: ask::create_session,
    },
    Tool {
        name: "report_architectural_issue",
        about: "Says that the architecture itself is wrong, in a way that no component of your context can mend: two contexts contradict \
                each other, a dependency points the wrong way. When your step ends, your session stops for a person. Not for failing \
                tests, and not for a component of your own context: that is what reactivate_session is for.",
        arguments: &[
            required(text("summary", REASON, "What is wrong, in a sentence or two.")),
            text(
                "details",
                LETTER,
                "What shows it: files, tests, the designs that contradict each other; what you would change.",
            ),
        ],
        steps: Some(INTEGRATION),
        instead: "finish what you can, and say at the end of your answer what is wrong: a person reads it",
        run: ask::report_architectural_issue,
    },
    Tool {
        name: "get_reactivation_status",
        about: "What became of everything that your session asked for: asked (a person has not answered), refused, at_work, resolved, \
                could_not (with why), recorded.",
        arguments: &[],
        steps: None,
        instead: "",
        run: ask::get_reactivation_status,
    },
];

/// The tool of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// What is said of a name that no tool has.
#[must_use]
pub fn unknown(name: &str) -> String {
    let known: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    format!("there is no tool {:?}; known: {}", inline(name, NAME), known.join(", "))
}

/// The JSON schema of a tool's arguments.
#[must_use]
pub fn schema(tool: &Tool) -> Map<String, Value> {
    let properties: Map<String, Value> =
        tool.arguments.iter().map(|argument| (argument.name.to_owned(), argument.schema())).collect();
    let required: Vec<&str> =
        tool.arguments.iter().filter(|argument| argument.required).map(|argument| argument.name).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), Value::Object(properties));
    schema.insert("required".into(), json!(required));
    schema.insert("additionalProperties".into(), json!(false));
    schema
}

/// The table as JSON.
#[must_use]
pub fn listing() -> Value {
    let steps =
        |steps: &[At]| -> Vec<Value> { steps.iter().map(|(kind, step)| json!({"kind": kind, "step": step})).collect() };
    let row = |tool: &Tool| {
        json!({
            "name": tool.name, "description": tool.about, "input_schema": schema(tool),
            "steps": tool.steps.map(steps),
        })
    };
    Value::Array(TOOLS.iter().map(row).collect())
}
