//! The board: what it draws, what keys do, and the whole of it on a real store.

mod board;
mod clean;
mod drawings;
mod judged;
mod keys;
mod layout;
mod live;
mod scene;
mod stories;
mod text;
