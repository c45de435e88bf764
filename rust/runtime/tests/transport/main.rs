//! The transport over real sockets.
#![allow(clippy::unwrap_used)]

mod seam;
mod support;
