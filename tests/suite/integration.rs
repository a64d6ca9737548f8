//! Integration sessions with the real program: the demo's story row by row, and what it does not show.

mod crash;
mod criteria;
mod demo;
mod designs;
mod many;
mod order;
mod outside;
mod redesigns;
mod rows;
mod shop;
mod woken;

pub(crate) use shop::{BEGINNING, JOINED, Shop, TOML, WAKE_CART, WEIGHED, open};

pub(crate) use crate::machine::until;
