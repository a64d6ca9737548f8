//! A session as one document for whoever reviews it: what was asked for, what came of it, what people decided, how it went.
//!
//! `cli` collects [`Facts`] from the record and from git; [`markdown`] and [`html`] make a document of them and of nothing else.
//! Both are bounded, whatever the facts hold, and nothing foreign can become markup in them or a control character.

mod facts;
mod html;
mod markdown;
mod words;

pub use facts::{Bond, Changes, Facts, Holding, Told};
pub use html::html;
pub use markdown::markdown;
