//! The library's allocator: a row is some thirty small pieces of memory, made by one thread and freed by another, which
//! that of the C library is slow at. The JVM keeps its own.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
