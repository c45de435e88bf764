//! The library's allocator: a row is some thirty small pieces of memory, made by one thread and freed by another, which
//! that of the C library is slow at. The JVM keeps its own.

use std::ffi::{c_int, c_long};
use std::sync::Once;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

// SAFETY: a function of mimalloc's C interface (mimalloc.h), which the crate compiles in; `mi_option_t` is an enumeration.
unsafe extern "C" {
    fn mi_option_set_default(option: c_int, value: c_long);
}

/// `mi_option_purge_delay` of mimalloc's version 2.
const PURGE_DELAY: c_int = 15;

/// So long a page that is free stays with the process. A batch's memory is free for longer than the 10 ms that are usual before the
/// next one wants it, and the kernel has cleared other pages for it meanwhile.
const PURGE_AFTER_MS: c_long = 1_000;

/// Sets the allocator up, once; `MIMALLOC_PURGE_DELAY` in the environment of the JVM has the last word.
pub(crate) fn set_up() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // SAFETY: the option exists, and nobody else sets options of this allocator, which only this library uses. It is read
        // without a lock by whoever frees a page: an aligned word, old or new.
        unsafe { mi_option_set_default(PURGE_DELAY, PURGE_AFTER_MS) };
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    // SAFETY: as above.
    unsafe extern "C" {
        fn mi_option_get(option: c_int) -> c_long;
    }

    #[test]
    fn the_option_is_the_one_that_is_10_unless_it_is_set() {
        // SAFETY: the option exists.
        let get = || unsafe { mi_option_get(PURGE_DELAY) };
        assert_eq!(get(), 10);
        set_up();
        assert_eq!(get(), PURGE_AFTER_MS);
    }
}
