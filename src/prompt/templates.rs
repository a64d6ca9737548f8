//! The built-in templates by name. A template's name is its path under `assets/prompts/`, and under `.callboard/prompts/`.

use crate::model::{SessionKind, Step};

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../assets/prompts/", $name)))),+]
    };
}

/// Pieces that several prompts share. Each is rendered first; templates of steps find it under `parts`.
pub(super) const PARTS: &[(&str, &str)] = templates![
    "parts/about.md",
    "parts/conduct.md",
    "parts/failures.md",
    "parts/reactivation.md",
    "parts/rules.md",
    "parts/sessions.md",
    "parts/stories.md",
];

/// One per agent step.
pub(super) const STEPS: &[(&str, &str)] = templates![
    "component_design/generate_component_design.md",
    "component_design/revise_design.md",
    "component_test/generate_tests_and_fixtures.md",
    "component_test/fix_compilation_errors.md",
    "component_coding/generate_implementation.md",
    "component_coding/fix_test_failures.md",
    "integration/generate_integration_tests.md",
    "integration/generate_context.md",
    "integration/fix_integration_test_failures.md",
    "integration/fix_test_failures.md",
];

/// The name and the built-in text of the template of this step, if an agent performs it in sessions of this kind.
pub(super) fn step_template(kind: SessionKind, step: Step) -> Option<(&'static str, &'static str)> {
    let wanted = format!("{kind}/{step}.md");
    STEPS.iter().find(|(name, _)| *name == wanted).copied()
}
