//! Latencies in few bytes: a histogram whose buckets widen with the time.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// Each doubling of the time is cut into so many buckets: the middle of one is at most 6.25 % off.
const PER_DOUBLING: u64 = 8;

/// Longer times count as this one, about 18 minutes; in microseconds.
const LONGEST: u64 = (1 << 30) - 1;

/// One more than [`bucket`] of [`LONGEST`]: a bucket's number fits in a byte.
const BUCKETS: usize = 224;

/// How many answers took how long. Two of them add up without loss.
#[derive(Clone, PartialEq, Eq)]
pub struct Latencies {
    counts: Box<[u64; BUCKETS]>,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]) }
    }
}

impl std::fmt::Debug for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.filled()).finish()
    }
}

impl Latencies {
    /// Counts one answer. Allocates nothing.
    pub fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST).min(LONGEST);
        self.counts[bucket(micros)] += 1;
    }

    /// Adds all answers of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
            *count += more;
        }
    }

    /// The buckets that are not empty, with their counts.
    pub fn filled(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }
}

/// The bucket of a time in microseconds: linear below 8, then 8 buckets for each doubling.
fn bucket(micros: u64) -> usize {
    if micros < PER_DOUBLING {
        return micros as usize;
    }
    let doubling = u64::from(micros.ilog2());
    let part = (micros >> (doubling - 3)) & (PER_DOUBLING - 1);
    ((doubling - 2) * PER_DOUBLING + part) as usize
}

/// Pairs of bucket and count, of those that are not empty.
impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.filled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gap_and_none_is_wider_than_an_eighth_of_its_times() {
        let mut first = vec![0];
        for micros in 1..(1 << 20) {
            let number = bucket(micros);
            assert!(number == first.len() - 1 || number == first.len(), "{micros} is in {number}");
            if number == first.len() {
                first.push(micros);
            }
        }
        for pair in first.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            assert!((to - from) * PER_DOUBLING <= from.max(PER_DOUBLING), "{from}..{to}");
        }
        assert_eq!(bucket(LONGEST), BUCKETS - 1);
    }

    #[test]
    fn merged_histograms_count_what_both_have_counted() {
        let (mut one, mut other) = (Latencies::default(), Latencies::default());
        one.add(Duration::from_millis(20));
        other.add(Duration::from_millis(20));
        other.add(Duration::from_secs(86_400));
        one.merge(&other);
        let expected = [(bucket(20_000), 2), (BUCKETS - 1, 1)];
        assert_eq!(one.filled().collect::<Vec<_>>(), expected);
        assert_eq!(serde_json::to_string(&one).unwrap(), format!("[[{},2],[223,1]]", bucket(20_000)));
    }
}
