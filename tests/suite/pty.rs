//! The real program in a pseudo-terminal: a person types, and looks at the screen.

mod demo;
mod ends;
mod foreign;
mod keys;
mod spoken;
mod takeover;
mod term;
