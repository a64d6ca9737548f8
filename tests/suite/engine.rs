//! Tests of the engine: real repositories, real processes, real stores, mostly driven by the real program, since only that
//! can be killed. Every file is about one promise.

mod acp;
mod agents;
mod asked;
mod cargo;
mod claude;
mod codex;
mod crash;
mod fake;
mod flows;
mod halts;
mod hosted;
mod intents;
mod lab;
mod limits;
mod messages;
mod modes;
mod opencode;
mod protocol;
pub(crate) mod real;
mod sandbox;
mod scopes;
mod sdk;
mod store;
mod terminals;
