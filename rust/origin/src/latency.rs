//! How long an answer takes: `none`, `fixed:20ms`, `uniform:5ms..50ms` or `lognormal:p50=20ms,p99=200ms`.

use std::str::FromStr;
use std::time::Duration;

use crate::dice::Dice;
use crate::duration;

/// The time between reading a request and answering it. Timers have a resolution of one millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Latency {
    /// Answers at once.
    #[default]
    None,
    /// Always the same.
    Fixed(Duration),
    /// Evenly between two bounds.
    Uniform(Duration, Duration),
    /// As real services are: half of the answers within `p50`, all but one in a hundred within `p99`.
    LogNormal {
        /// The median.
        p50: Duration,
        /// The 99th percentile.
        p99: Duration,
    },
}

/// How many deviations the 99th percentile of a normal distribution lies above its median.
const DEVIATIONS_AT_P99: f64 = 2.326_347_874;

impl Latency {
    /// Draws the latency of one request.
    pub(crate) fn draw(&self, dice: &mut Dice) -> Duration {
        match *self {
            Self::None => Duration::ZERO,
            Self::Fixed(time) => time,
            Self::Uniform(low, high) => low + (high - low).mul_f64(dice.share()),
            Self::LogNormal { p50, p99 } => {
                let sigma = (p99.as_secs_f64() / p50.as_secs_f64()).ln() / DEVIATIONS_AT_P99;
                let seconds = p50.as_secs_f64() * (sigma * dice.normal()).exp();
                Duration::try_from_secs_f64(seconds).unwrap_or(p99)
            }
        }
    }
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a latency: write none, fixed:20ms, uniform:5ms..50ms or lognormal:p50=20ms,p99=200ms"
            )
        };
        if text == "none" {
            return Ok(Self::None);
        }
        let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            "fixed" => Ok(Self::Fixed(duration::parse(rest)?)),
            "uniform" => {
                let (low, high) = rest.split_once("..").ok_or_else(wrong)?;
                let (low, high) = (duration::parse(low)?, duration::parse(high)?);
                if low > high {
                    return Err(format!("`{text}`: the lower bound is above the upper one, swap them"));
                }
                Ok(Self::Uniform(low, high))
            }
            "lognormal" => {
                let (p50, p99) = rest.split_once(',').ok_or_else(wrong)?;
                let p50 = duration::parse(p50.trim().strip_prefix("p50=").ok_or_else(wrong)?)?;
                let p99 = duration::parse(p99.trim().strip_prefix("p99=").ok_or_else(wrong)?)?;
                if p50.is_zero() || p99 < p50 {
                    return Err(format!("`{text}`: p50 must be above 0 and not above p99"));
                }
                Ok(Self::LogNormal { p50, p99 })
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!("none".parse(), Ok(Latency::None));
        assert_eq!("fixed:20ms".parse(), Ok(Latency::Fixed(ms(20))));
        assert_eq!("uniform:5ms..50ms".parse(), Ok(Latency::Uniform(ms(5), ms(50))));
        let lognormal = Latency::LogNormal { p50: ms(20), p99: ms(200) };
        assert_eq!("lognormal:p50=20ms,p99=200ms".parse(), Ok(lognormal));
    }

    #[test]
    fn what_is_not_a_latency_is_refused_with_the_forms_that_are() {
        for text in ["", "20ms", "gauss:1ms", "uniform:5ms", "uniform:50ms..5ms", "lognormal:p50=0ms,p99=1ms"]
        {
            assert!(text.parse::<Latency>().is_err(), "{text}");
        }
        assert!("20ms".parse::<Latency>().unwrap_err().contains("write none, fixed:20ms"));
    }

    #[test]
    fn a_lognormal_has_the_percentiles_it_was_given() {
        let latency = Latency::LogNormal { p50: ms(20), p99: ms(200) };
        let draws: Vec<Duration> = (1..=20_000).map(|n| latency.draw(&mut Dice::of(3, n))).collect();
        let within = |limit| draws.iter().filter(|d| **d <= limit).count();
        assert!((9_700..10_300).contains(&within(ms(20))), "{} within p50", within(ms(20)));
        assert!((19_740..19_860).contains(&within(ms(200))), "{} within p99", within(ms(200)));
    }

    #[test]
    fn a_uniform_latency_stays_within_its_bounds() {
        let latency = Latency::Uniform(ms(5), ms(50));
        assert!((1..1_000).all(|n| (ms(5)..=ms(50)).contains(&latency.draw(&mut Dice::of(3, n)))));
    }
}
