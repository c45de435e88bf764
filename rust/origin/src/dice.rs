//! Chance that can be repeated: every request has dice of its own, made from the seed and its place in the
//! order of arrival. So the n-th request of two runs meets the same fate, without a lock around a shared rng.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// The draws of one request.
pub(crate) struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// Dice for the request that was the `ordinal`-th to arrive.
    pub(crate) fn of(seed: u64, ordinal: u64) -> Self {
        // The odd constant spreads neighbouring ordinals over the whole range, so that seed 1, request 2 and
        // seed 2, request 1 have nothing in common.
        Self(Xoshiro256PlusPlus::seed_from_u64(seed ^ ordinal.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// Evenly distributed in `[0, 1)`.
    pub(crate) fn share(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// Normally distributed around 0 with deviation 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_request_give_the_same_draws() {
        assert_eq!(Dice::of(7, 3).share(), Dice::of(7, 3).share());
        assert_ne!(Dice::of(7, 3).share(), Dice::of(7, 4).share());
        assert_ne!(Dice::of(7, 3).share(), Dice::of(8, 3).share());
    }

    #[test]
    fn shares_of_successive_requests_are_even() {
        let below = (1..=20_000).filter(|n| Dice::of(1, *n).share() < 0.1).count();
        assert!((1_850..2_150).contains(&below), "{below} of 20,000 draws were below 0.1");
    }
}
