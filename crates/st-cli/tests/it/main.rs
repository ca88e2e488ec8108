//! The command itself: what it prints, what it writes, what it leaves behind.

mod bad_input;
mod encode;
mod interrupted;
mod models;
mod runtime;
mod search;
mod support;
