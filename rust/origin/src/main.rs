//! origin
fn main() {}
