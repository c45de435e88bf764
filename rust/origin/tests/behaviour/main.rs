//! The origin as its callers meet it: over sockets, in this process and as a program.
// clippy.toml allows this in test functions; here it is for the helpers between them.
#![allow(clippy::unwrap_used)]

mod answers;
mod faults;
mod program;
mod reports;
mod support;
mod tokens;
