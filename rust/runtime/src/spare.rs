//! Memory of large bodies, kept for the next ones. Runtime threads fill it and Spark's threads let it go: what an allocator
//! gets back from another thread it gives out late, and the kernel takes and clears it meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Smaller bodies are left to the allocator.
const LARGE: usize = 64 * 1024;

/// No more than this lies here unused: what a few response batches let go at once.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Buffers that nobody uses now. Shared by all sessions of a process.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    buffers: Mutex<Buffers>,
}

#[derive(Debug, Default)]
struct Buffers {
    /// The one that was used last comes last.
    free: Vec<Vec<u8>>,
    /// Their capacity.
    bytes: usize,
}

impl Spare {
    /// An empty buffer for so many bytes; its capacity is hardly more.
    pub(crate) fn buffer(self: &Arc<Self>, bytes: usize) -> Buffer {
        if bytes < LARGE {
            return Buffer { bytes: Vec::with_capacity(bytes), home: None };
        }
        let fits = |buffer: &Vec<u8>| (bytes..=bytes + bytes / 8).contains(&buffer.capacity());
        let found = {
            let mut buffers = self.buffers();
            let found = buffers.free.iter().rposition(fits).map(|place| buffers.free.remove(place));
            buffers.bytes -= found.as_ref().map_or(0, Vec::capacity);
            found
        };
        let bytes = found.unwrap_or_else(|| Vec::with_capacity(bytes));
        Buffer { bytes, home: Some(self.clone()) }
    }

    fn take_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = self.buffers();
        buffers.bytes += buffer.capacity();
        buffers.free.push(buffer);
        let mut gone = 0;
        while buffers.bytes > MOST_BYTES {
            buffers.bytes -= buffers.free[gone].capacity();
            gone += 1;
        }
        let gone: Vec<_> = buffers.free.drain(..gone).collect();
        // Given back to the allocator outside of the lock.
        drop(buffers);
        drop(gone);
    }

    /// Gives all back to the allocator.
    pub(crate) fn clear(&self) {
        let free = std::mem::take(&mut *self.buffers());
        drop(free);
    }

    fn buffers(&self) -> std::sync::MutexGuard<'_, Buffers> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer that a body is read into.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Where it goes when the body is gone.
    home: Option<Arc<Spare>>,
}

impl Buffer {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn extend(&mut self, data: &[u8]) {
        if data.len() > self.bytes.capacity() - self.bytes.len() {
            // It outgrows what it was taken for: up to half of it may stay unused, and it is cut to size instead of kept.
            self.home = None;
        }
        self.bytes.extend_from_slice(data);
    }

    /// The body.
    pub(crate) fn freeze(mut self) -> Bytes {
        if self.home.is_some() {
            return Bytes::from_owner(self);
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.shrink_to_fit();
        bytes.into()
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.take_back(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(spare: &Arc<Spare>, bytes: usize) -> Bytes {
        let mut buffer = spare.buffer(bytes);
        assert!(buffer.is_empty(), "nothing of an earlier body is in it");
        buffer.extend(&vec![7; bytes]);
        buffer.freeze()
    }

    #[test]
    fn a_large_body_is_read_into_the_memory_of_one_that_is_gone() {
        let spare = Arc::new(Spare::default());
        let first = filled(&spare, 1_000_000);
        let place = first.as_ptr();
        let part = first.slice(5..10);
        drop(first);
        assert_ne!(filled(&spare, 1_000_000).as_ptr(), place, "a part of it is in use");
        drop(part);
        assert_eq!(filled(&spare, 1_000_000).as_ptr(), place);
        assert_ne!(filled(&spare, 500_000).as_ptr(), place, "too large for that");
    }

    #[test]
    fn a_buffer_that_outgrew_its_size_is_not_kept() {
        let spare = Arc::new(Spare::default());
        let mut buffer = spare.buffer(100_000);
        buffer.extend(&[7; 100_000]);
        buffer.extend(&[7]);
        assert_eq!(buffer.freeze().len(), 100_001);
        assert_eq!(spare.buffers().bytes, 0);
    }

    #[test]
    fn what_lies_unused_is_bounded_and_can_be_given_up() {
        let spare = Arc::new(Spare::default());
        let bodies: Vec<_> = (0..40).map(|number| filled(&spare, 900_000 + number * 1_000)).collect();
        assert_eq!(spare.buffers().bytes, 0);
        drop(bodies);
        let kept = spare.buffers().bytes;
        assert!((MOST_BYTES - 1_000_000..=MOST_BYTES).contains(&kept), "{kept} bytes");
        assert_eq!(kept, spare.buffers().free.iter().map(Vec::capacity).sum::<usize>());
        spare.clear();
        assert_eq!(spare.buffers().bytes, 0);
    }
}
