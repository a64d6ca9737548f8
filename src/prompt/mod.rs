//! The prompts of agent steps, from templates and rules.
