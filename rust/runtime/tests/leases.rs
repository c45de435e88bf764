//! The lease protocol with many executors, on a simulated clock and over a simulated network: the code that runs in
//! driver and executors, without either.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use apisink_runtime::rate::lease::{Ask, Grant, Lease, Lessee, Lessor};
use apisink_runtime::rate::{Limit, Moment, Steering};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Something that happens at a moment.
enum Event {
    /// An executor looks whether there is something to ask.
    Look(usize),
    AskArrives(usize, Ask),
    GrantArrives(usize, Grant),
    /// An attempt would be written now, in a slot that lapses then.
    Send(usize, Moment),
    Dies(usize),
}

struct Cluster {
    limit: Limit,
    /// One way through the network, in milliseconds: from, to.
    delay_ms: (f64, f64),
    /// Rows of each executor.
    rows: Vec<u32>,
    /// Rows in flight of an executor.
    window: u32,
    /// Executors that die then.
    deaths: Vec<(usize, Duration)>,
    /// How late a timer may be, in milliseconds.
    timer_ms: f64,
}

struct Outcome {
    sent: Vec<Moment>,
    asks: u64,
    granted: u64,
}

impl Cluster {
    fn run(&self, seed: u64) -> Outcome {
        let mut random = StdRng::seed_from_u64(seed);
        let mut lessor = Lessor::default();
        let mut lessees: Vec<Lessee<()>> =
            (0..self.rows.len()).map(|n| Lessee::new(n.to_string(), self.limit.clone())).collect();
        let mut left = self.rows.clone();
        let mut alive = vec![true; left.len()];
        let mut events: BTreeMap<u64, Event> = BTreeMap::new();
        let mut queue: BinaryHeap<Reverse<(Moment, u64)>> = BinaryHeap::new();
        let mut number = 0;
        let mut at = |queue: &mut BinaryHeap<_>, events: &mut BTreeMap<_, _>, when: Moment, event: Event| {
            number += 1;
            queue.push(Reverse((when, number)));
            events.insert(number, event);
        };
        for executor in 0..left.len() {
            for _ in 0..self.window.min(left[executor]) {
                lessees[executor].wait(());
                left[executor] -= 1;
            }
            let start = Duration::from_secs_f64(random.random_range(0.0..0.05));
            at(&mut queue, &mut events, start, Event::Look(executor));
        }
        for (executor, when) in &self.deaths {
            at(&mut queue, &mut events, *when, Event::Dies(*executor));
        }
        let mut sent = Vec::new();
        let mut asks = 0;
        while let Some(Reverse((now, number))) = queue.pop() {
            let Some(event) = events.remove(&number) else { continue };
            let mut network =
                || Duration::from_secs_f64(random.random_range(self.delay_ms.0..self.delay_ms.1) / 1e3);
            match event {
                Event::Dies(executor) => alive[executor] = false,
                Event::AskArrives(executor, ask) => {
                    asks += 1;
                    let grant = lessor.answer(&ask, now);
                    at(&mut queue, &mut events, now + network(), Event::GrantArrives(executor, grant));
                }
                Event::Look(executor) if alive[executor] => {
                    if let Some(ask) = lessees[executor].ask(now) {
                        at(&mut queue, &mut events, now + network(), Event::AskArrives(executor, ask));
                    } else if let Some(next) = lessees[executor].next_ask(now) {
                        at(&mut queue, &mut events, next, Event::Look(executor));
                    }
                }
                Event::GrantArrives(executor, grant) if alive[executor] => {
                    let mut given: Vec<Lease> = Vec::new();
                    lessees[executor].take(&grant, now, |(), lease| {
                        given.push(lease);
                        true
                    });
                    for lease in given {
                        let late = Duration::from_secs_f64(random.random_range(0.0..=self.timer_ms) / 1e3);
                        at(&mut queue, &mut events, lease.begins + late, Event::Send(executor, lease.lapses));
                    }
                    at(&mut queue, &mut events, now, Event::Look(executor));
                }
                Event::Send(executor, lapses) if alive[executor] => {
                    if now <= lapses {
                        sent.push(now);
                        if left[executor] > 0 {
                            left[executor] -= 1;
                            lessees[executor].wait(());
                        }
                    } else {
                        lessees[executor].wait(());
                    }
                    at(&mut queue, &mut events, now, Event::Look(executor));
                }
                Event::Look(_) | Event::GrantArrives(..) | Event::Send(..) => {}
            }
        }
        Outcome { sent, asks, granted: lessor.counts(&self.limit).0 }
    }
}

impl Outcome {
    /// The most attempts in any second.
    fn most_in_a_second(&self) -> usize {
        let (mut most, mut first) = (0, 0);
        for (last, at) in self.sent.iter().enumerate() {
            while self.sent[first] + Duration::from_secs(1) <= *at {
                first += 1;
            }
            most = most.max(last - first + 1);
        }
        most
    }

    fn took(&self) -> f64 {
        self.sent.last().map_or(0.0, Duration::as_secs_f64)
    }
}

fn limit(per_second: f64, burst: u32) -> Limit {
    Limit { name: format!("https://api {per_second}"), per_second, burst }
}

fn check(cluster: &Cluster, seed: u64) -> Outcome {
    let outcome = cluster.run(seed);
    let Limit { per_second, burst, .. } = cluster.limit;
    let bound = (per_second + f64::from(burst)) * 1.05;
    let most = outcome.most_in_a_second();
    assert!(most as f64 <= bound, "{most} attempts in a second at {per_second}/s, seed {seed}");
    outcome
}

#[test]
fn a_thousand_executors_never_exceed_the_limit_and_leave_little_of_it_unused() {
    for seed in 0..3 {
        let cluster = Cluster {
            limit: limit(5_000.0, 1),
            delay_ms: (0.2, 10.0),
            rows: vec![100; 1_000],
            window: 64,
            deaths: Vec::new(),
            timer_ms: 2.0,
        };
        let outcome = check(&cluster, seed);
        assert_eq!(outcome.sent.len(), 100_000, "every row is sent");
        let used = outcome.sent.len() as f64 / (outcome.took() * 5_000.0);
        assert!(used >= 0.97, "{used} of the limit was used");
        let asks_per_second = outcome.asks as f64 / outcome.took();
        assert!(asks_per_second <= 600.0, "{asks_per_second} messages per second");
        assert!(outcome.granted >= 100_000);
    }
}

#[test]
fn few_executors_reach_low_and_high_limits_alike() {
    for (per_second, rows) in [(5.0, 50), (30.0, 300), (500.0, 5_000)] {
        for seed in 0..5 {
            let cluster = Cluster {
                limit: limit(per_second, 1),
                delay_ms: (0.1, 8.0),
                rows: vec![rows; 4],
                window: 64,
                deaths: Vec::new(),
                timer_ms: 2.0,
            };
            let outcome = check(&cluster, seed);
            assert_eq!(outcome.sent.len(), 4 * rows as usize);
            let ideal = f64::from(4 * rows) / per_second;
            assert!(outcome.took() <= ideal * 1.05 + 0.1, "{} s instead of {ideal} s", outcome.took());
        }
    }
}

#[test]
fn the_slots_go_to_those_who_have_rows() {
    let mut rows = vec![10; 9];
    rows.push(3_000);
    let cluster = Cluster {
        limit: limit(300.0, 1),
        delay_ms: (0.1, 8.0),
        rows,
        window: 64,
        deaths: Vec::new(),
        timer_ms: 2.0,
    };
    let outcome = check(&cluster, 1);
    assert_eq!(outcome.sent.len(), 3_090);
    assert!(outcome.took() <= 3_090.0 / 300.0 * 1.05, "{} s", outcome.took());
}

#[test]
fn executors_that_die_take_few_slots_with_them() {
    let cluster = Cluster {
        limit: limit(200.0, 1),
        delay_ms: (0.1, 8.0),
        rows: vec![1_000; 8],
        window: 64,
        deaths: (0..4).map(|n| (n, Duration::from_millis(1_000 + 700 * n as u64))).collect(),
        timer_ms: 2.0,
    };
    let outcome = check(&cluster, 7);
    let used = outcome.sent.len() as f64 / (outcome.took() * 200.0);
    assert!(used >= 0.97, "{used} of the limit was used");
}

#[test]
fn a_burst_goes_out_at_once_and_no_more_than_that() {
    let cluster = Cluster {
        limit: limit(50.0, 20),
        delay_ms: (0.1, 8.0),
        rows: vec![500; 3],
        window: 64,
        deaths: Vec::new(),
        timer_ms: 2.0,
    };
    check(&cluster, 3);
}

#[test]
fn slow_networks_cost_slots_and_never_exceed_the_limit() {
    let cluster = Cluster {
        limit: limit(200.0, 1),
        delay_ms: (5.0, 60.0),
        rows: vec![500; 6],
        window: 64,
        deaths: Vec::new(),
        timer_ms: 5.0,
    };
    let outcome = check(&cluster, 9);
    assert_eq!(outcome.sent.len(), 3_000);
}

#[test]
fn low_limits_are_reached_over_slow_networks_and_on_busy_machines() {
    for (per_second, rows) in [(0.5, 25), (5.0, 100)] {
        for seed in 0..5 {
            let cluster = Cluster {
                limit: limit(per_second, 1),
                delay_ms: (5.0, 40.0),
                rows: vec![rows; 2],
                window: 64,
                deaths: Vec::new(),
                timer_ms: 40.0,
            };
            let outcome = check(&cluster, seed);
            assert_eq!(outcome.sent.len(), 2 * rows as usize);
            assert!(outcome.most_in_a_second() as f64 <= per_second + 1.0);
            let used = outcome.sent.len() as f64 / (outcome.took() * per_second);
            assert!(used >= 0.95, "{used} of {per_second} per second was used");
        }
    }
}

#[test]
fn a_pause_is_everybodys() {
    let mut lessor = Lessor::default();
    let mut lessees: Vec<Lessee<()>> =
        (0..2).map(|n: i32| Lessee::new(n.to_string(), limit(10.0, 1))).collect();
    let start = Duration::from_secs(100);
    lessees[0].hold(Duration::from_secs(30));
    let ask = lessees[0].ask(start).expect("a pause is told although nobody waits");
    assert_eq!(lessor.answer(&ask, start).slots, 0);
    lessees[1].wait(());
    let ask = lessees[1].ask(start).expect("somebody waits");
    let grant = lessor.answer(&ask, start);
    assert_eq!(grant.slots, 0);
    let again = start + grant.ahead;
    lessees[1].take(&grant, start, |(), _| unreachable!("nothing was given"));
    assert_eq!(lessees[1].next_ask(start), Some(again), "it asks again, and not at once");
    let end = start + Duration::from_secs(30);
    let ask = lessees[1].ask(end).expect("somebody waits");
    let grant = lessor.answer(&ask, end);
    assert_eq!((grant.slots, grant.ahead), (1, Duration::ZERO));
}

#[test]
fn a_pause_that_is_renewed_lets_nothing_through_until_it_ends() {
    let limit = limit(20.0, 1);
    let (mut lessor, mut lessee) = (Lessor::default(), Lessee::new("1".into(), limit.clone()));
    (0..200).for_each(|_| _ = lessee.wait(()));
    let (mut begun, mut asks_while_paused) = (Vec::new(), 0);
    for now in (0..20_000).step_by(10).map(Duration::from_millis) {
        // As the driver does it once a second while somebody wants a pause, here for five seconds.
        if now.as_millis() % 1_000 == 0 && (5..10).contains(&now.as_secs()) {
            let pause = Duration::from_secs(3);
            lessor.steer(&limit.name, Steering { per_second: None, pause }, now);
        }
        if let Some(ask) = lessee.ask(now) {
            let grant = lessor.answer(&ask, now);
            asks_while_paused += u32::from((5..12).contains(&now.as_secs()));
            lessee.take(&grant, now, |(), lease| {
                begun.push(lease.begins);
                true
            });
        }
    }
    let at = |millis| Duration::from_millis(millis);
    let (before, after): (Vec<_>, Vec<_>) = begun.into_iter().partition(|begins| *begins < at(6_000));
    // What was leased when the pause began is used: a fraction of a second's.
    assert!(before.last().is_some_and(|last| *last < at(5_500)), "{:?}", before.last());
    assert!(before.len() >= 95, "{}", before.len());
    assert!(
        after.first().is_some_and(|first| (at(12_000)..at(12_200)).contains(first)),
        "{:?}",
        after.first()
    );
    assert!(asks_while_paused < 20, "{asks_while_paused}");
    lessor.steer(&limit.name, Steering::default(), at(20_000));
}

#[test]
fn a_limit_that_is_steered_before_its_first_slot_keeps_to_it() {
    let mut lessor = Lessor::default();
    let start = Duration::from_secs(100);
    let steering = Steering { per_second: Some(4.0), pause: Duration::from_secs(3) };
    lessor.steer(&limit(10.0, 1).name, steering, start);
    let mut lessee: Lessee<()> = Lessee::new("1".into(), limit(10.0, 1));
    lessee.wait(());
    let grant = lessor.answer(&lessee.ask(start).expect("somebody waits"), start);
    assert_eq!(grant.slots, 0);
    lessee.take(&grant, start, |(), _| unreachable!("nothing was given"));
    let end = start + Duration::from_secs(3);
    let grant = lessor.answer(&lessee.ask(end).expect("somebody waits"), end);
    assert_eq!((grant.slots, grant.interval), (1, Duration::from_millis(250)));
}

#[test]
fn an_ask_that_is_not_answered_can_be_given_up_and_its_late_answer_counts_for_nothing() {
    let mut lessor = Lessor::default();
    let mut lessee: Lessee<()> = Lessee::new("1".into(), limit(10.0, 1));
    lessee.wait(());
    let first = lessee.ask(Duration::ZERO).expect("somebody waits");
    assert!(lessee.ask(Duration::from_secs(1)).is_none(), "one at a time");
    lessee.give_up(first.number);
    let second = lessee.ask(Duration::from_secs(1)).expect("somebody still waits");
    lessee.take(&lessor.answer(&first, Duration::ZERO), Duration::from_secs(1), |(), _| panic!("too late"));
    let mut given = 0;
    lessee.take(&lessor.answer(&second, Duration::from_secs(1)), Duration::from_secs(1), |(), _| {
        given += 1;
        true
    });
    assert_eq!(given, 1);
}
