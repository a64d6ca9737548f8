//! Tests of the engine: real repositories, real processes, real stores, mostly driven by the real program, since only that
//! can be killed. Every file is about one promise.

mod agents;
mod cargo;
mod crash;
mod flows;
mod halts;
mod hosted;
mod intents;
mod lab;
mod limits;
mod scopes;
mod store;
