//! The commands, one file each. A command is a struct of its arguments with a method `run`.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod journal;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod send;
