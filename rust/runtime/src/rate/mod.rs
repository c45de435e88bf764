//! The rate limit: a slot of its own for every attempt, in the order of asking.
//!
//! Who keeps the schedule is the driver's decision ([`Keeper`]): this process where nobody else sends, the driver for a
//! cluster ([`lease`]), or each process its static share where the driver cannot be asked. A slot is spent when the
//! request is written to the socket; retries, repeats and redirects each spend one.

pub(crate) mod announced;
mod counts;
pub mod lease;
mod limit;
mod limits;
mod pacer;
mod run_limits;
mod slot;
mod steering;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub use counts::RateStats;
use counts::{Held, RateCounts};
use lease::Line;
pub use limit::{Keeper, Limit};
pub use limits::Limits;
pub use pacer::{Moment, Pacer};
pub(crate) use run_limits::RunLimits;
use slot::Era;
pub use slot::Slot;
pub use steering::Steering;

/// Holds attempts back so that no more than the limit reach the socket in a second. Without a limit it lets all pass,
/// but for pauses that the server asks for.
#[derive(Debug)]
pub struct RateLimiter {
    zero: Instant,
    /// Nanoseconds since `zero` until which the server wants silence; 0 for none.
    held: AtomicU64,
    schedule: Schedule,
    /// Counts the changes of the rate from outside.
    eras: watch::Sender<u64>,
    counts: Arc<RateCounts>,
}

#[derive(Debug)]
enum Schedule {
    Unlimited,
    Own(Mutex<Own>),
    Leased(Arc<Line>),
}

/// A schedule that this process keeps.
#[derive(Debug)]
struct Own {
    pacer: Pacer,
    limit: Limit,
    /// Attempts per second in place of the limit's own.
    steered: Option<f64>,
    /// For a share: the tasks that can run at once in the cluster, and those that run here.
    tasks: Option<(u32, u32)>,
}

impl Own {
    fn per_second(&self) -> f64 {
        self.steered.unwrap_or(self.limit.per_second)
    }

    fn adjust(&mut self) {
        if let Some((all, here)) = self.tasks {
            let share = f64::from(here.clamp(1, all.max(1))) / f64::from(all.max(1));
            self.pacer.set(self.per_second() * share, 1);
        }
    }
}

impl RateLimiter {
    /// A limit of attempts per second that this process keeps alone; none means unlimited.
    pub fn new(per_second: Option<f64>) -> Self {
        per_second.map_or_else(Self::unlimited, |per_second| {
            Self::own(Limit { name: String::new(), per_second, burst: 1 })
        })
    }

    /// No limit.
    pub fn unlimited() -> Self {
        Self::with(Schedule::Unlimited)
    }

    /// A limit that this process keeps alone.
    pub fn own(limit: Limit) -> Self {
        let pacer = Pacer::new(limit.per_second, limit.burst);
        Self::with(Schedule::Own(Mutex::new(Own { pacer, limit, steered: None, tasks: None })))
    }

    /// A limit of which this process has a share for each of its running tasks.
    pub fn share(limit: Limit) -> Self {
        let pacer = Pacer::new(limit.per_second, 1);
        Self::with(Schedule::Own(Mutex::new(Own { pacer, limit, steered: None, tasks: Some((1, 0)) })))
    }

    /// A limit that the driver keeps.
    pub fn leased(line: Arc<Line>) -> Self {
        Self::with(Schedule::Leased(line))
    }

    fn with(schedule: Schedule) -> Self {
        Self {
            zero: Instant::now(),
            held: AtomicU64::new(0),
            schedule,
            eras: watch::Sender::new(0),
            counts: Arc::default(),
        }
    }

    /// Counts its slots among these.
    fn counted(self, counts: &Arc<RateCounts>) -> Self {
        Self { counts: counts.clone(), ..self }
    }

    /// Spends the next free slot, which may lie ahead. Waits for the driver where that keeps the limit. Once for each
    /// attempt; a slot is never given back.
    pub async fn reserve(&self) -> Slot {
        match &self.schedule {
            Schedule::Unlimited => match self.held_until() {
                None => Slot::any(),
                Some(until) => Slot::at(until),
            },
            Schedule::Own(own) => {
                // Before the schedule is looked at: a slot of an era that ends meanwhile is worth nothing.
                let era = Era::of(&self.eras);
                let now = self.zero.elapsed();
                let mut own = lock(own);
                let at = self.zero + own.pacer.reserve(now, 1);
                let interval = own.pacer.interval();
                drop(own);
                self.counts.granted(1);
                Slot::within(at, interval, era, Held::of(&self.counts))
            }
            Schedule::Leased(line) => line.slot().await,
        }
    }

    /// What [`RateLimiter::reserve`] would give, when there is neither limit nor pause.
    pub(crate) fn free_slot(&self) -> Option<Slot> {
        let free = matches!(self.schedule, Schedule::Unlimited) && self.held_until().is_none();
        free.then(Slot::any)
    }

    /// Spends the next free slot and waits for it.
    pub async fn pass(&self) {
        loop {
            let mut slot = self.reserve().await;
            slot.arrive().await;
            if !self.is_lost(&slot) {
                slot.spend();
                return;
            }
        }
    }

    /// Whether a slot must not be used any more: a lease that has lapsed, one of a rate that was changed, or one within a
    /// pause that the server has asked for since.
    pub fn is_lost(&self, slot: &Slot) -> bool {
        slot.is_lost() || self.held_until().is_some_and(|until| slot.is_before(until))
    }

    /// The server wants silence for so long: of this process and, through the driver, of all. True when it begins now, false
    /// when there was silence already.
    pub fn hold(&self, pause: Duration) -> bool {
        let begins = self.held_until().is_none();
        let until = self.zero.elapsed() + pause;
        self.held.fetch_max(u64::try_from(until.as_nanos()).unwrap_or(u64::MAX), Ordering::AcqRel);
        match &self.schedule {
            Schedule::Unlimited => {}
            Schedule::Own(own) => lock(own).pacer.hold(until),
            Schedule::Leased(line) => line.hold(pause),
        }
        begins
    }

    /// Another rate from now on, or with none the limit's own again. Attempts that wait for slots get other ones. Of a limit
    /// that this process keeps alone; the driver steers those that it keeps.
    pub(super) fn steer(&self, per_second: Option<f64>) {
        let Schedule::Own(own) = &self.schedule else { return };
        let mut own = lock(own);
        if own.tasks.is_some() || own.steered == per_second {
            return;
        }
        own.steered = per_second;
        let (rate, burst) = (own.per_second(), own.limit.burst);
        own.pacer.restart(rate, burst, self.zero.elapsed());
        drop(own);
        self.eras.send_modify(|era| *era += 1);
    }

    fn held_until(&self) -> Option<Instant> {
        match self.held.load(Ordering::Acquire) {
            0 => None,
            nanos => Some(self.zero + Duration::from_nanos(nanos)).filter(|until| *until > Instant::now()),
        }
    }

    /// Counts a task of this process in, one of `all` that can run at once in the cluster. For a share only.
    pub(crate) fn join(self: &Arc<Self>, all: u32) -> Member {
        self.update(|own| own.tasks = own.tasks.map(|(_, here)| (all, here + 1)));
        Member(self.clone())
    }

    fn update(&self, change: impl FnOnce(&mut Own)) {
        if let Schedule::Own(own) = &self.schedule {
            let mut own = lock(own);
            change(&mut own);
            own.adjust();
        }
    }
}

/// A running task that has a share of a limit, until it is dropped.
#[derive(Debug)]
pub(crate) struct Member(Arc<RateLimiter>);

impl Drop for Member {
    fn drop(&mut self) {
        self.0.update(|own| own.tasks = own.tasks.map(|(all, here)| (all, here.saturating_sub(1))));
    }
}

/// A reservation is one assignment: the schedule is whole even if a holder panicked.
fn lock(own: &Mutex<Own>) -> MutexGuard<'_, Own> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(per_second: f64, burst: u32) -> Limit {
        Limit { name: format!("http://api {per_second}"), per_second, burst }
    }

    async fn passed(limiter: Arc<RateLimiter>, attempts: usize) -> Vec<Duration> {
        let start = Instant::now();
        let waiters: Vec<_> = (0..attempts)
            .map(|_| {
                let limiter = limiter.clone();
                tokio::spawn(async move {
                    limiter.pass().await;
                    Instant::now() - start
                })
            })
            .collect();
        let mut passed = Vec::new();
        for waiter in waiters {
            passed.push(waiter.await.unwrap());
        }
        passed.sort();
        passed
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_of_a_second_holds_more_than_the_limit_and_one() {
        let passed = passed(Arc::new(RateLimiter::own(limit(30.0, 1))), 120).await;
        for (index, at) in passed.iter().enumerate() {
            let within = passed[index..].iter().take_while(|t| **t < *at + Duration::from_secs(1)).count();
            assert!(within <= 31, "{within} attempts within a second from {at:?}");
        }
        let last = passed.last().copied().unwrap_or_default();
        assert!(last >= Duration::from_millis(3960) && last <= Duration::from_millis(4000), "{last:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_grows_and_shrinks_with_the_tasks_that_run_here() {
        let limiter = Arc::new(RateLimiter::share(limit(40.0, 1)));
        let first = limiter.join(4);
        let alone = passed(limiter.clone(), 11).await;
        assert_eq!(alone.last().map(Duration::as_millis), Some(1000));
        let second = limiter.join(4);
        limiter.pass().await;
        let both = passed(limiter.clone(), 21).await;
        assert_eq!(both.last().map(Duration::as_millis), Some(1050));
        drop((first, second));
    }

    #[tokio::test(start_paused = true)]
    async fn another_rate_holds_at_once_for_those_who_wait_already() {
        let limiter = Arc::new(RateLimiter::own(limit(0.1, 1)));
        let waiting = tokio::spawn(passed(limiter.clone(), 21));
        tokio::task::yield_now().await;
        limiter.steer(Some(20.0));
        let times = waiting.await.unwrap();
        let last = times.last().copied().unwrap_or_default();
        assert!(last >= Duration::from_secs(1) && last < Duration::from_millis(1_100), "{last:?}");
        limiter.steer(None);
        let start = Instant::now();
        limiter.pass().await;
        limiter.pass().await;
        assert!(start.elapsed() >= Duration::from_secs(10), "the limit's own rate again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_the_server_asks_for_holds_back_those_who_wait_already() {
        for limiter in [RateLimiter::own(limit(10.0, 1)), RateLimiter::unlimited()] {
            let limiter = Arc::new(limiter);
            limiter.pass().await;
            let waiting = tokio::spawn(passed(limiter.clone(), 3));
            tokio::task::yield_now().await;
            limiter.hold(Duration::from_secs(5));
            let unlimited = matches!(limiter.schedule, Schedule::Unlimited);
            let first = waiting.await.unwrap()[0];
            assert!(unlimited || first >= Duration::from_secs(5), "{first:?}");
            let start = Instant::now();
            limiter.hold(Duration::from_secs(1));
            limiter.pass().await;
            assert!(start.elapsed() >= Duration::from_secs(1));
        }
    }
}
