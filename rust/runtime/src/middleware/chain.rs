//! Running the links in order.

use std::time::Instant;

use super::{BoxFuture, Link, Part};
use crate::error::RowError;
use crate::exchange::Exchange;
use crate::row::Row;

/// The links of a plan, instantiated for one session, in the order of execution.
pub struct Chain {
    links: Vec<Link>,
}

/// What stands at the chain's end: sends the request once and records the attempt.
pub trait Terminal: Send + Sync {
    /// Makes one attempt: appends it to [`Exchange::attempts`] and sets [`Exchange::result`].
    fn send<'a>(&'a self, exchange: &'a mut Exchange) -> BoxFuture<'a, ()>;
}

impl Chain {
    /// A chain of links, the outermost first.
    pub fn new(links: Vec<Link>) -> Self {
        Self { links }
    }

    /// Takes from a row what the middleware needs of it: one part per link.
    pub fn render(&self, row: &Row<'_>) -> Result<Vec<Part>, RowError> {
        self.links
            .iter()
            .map(|link| match link {
                Link::Interceptor(interceptor) => interceptor.render(row),
                Link::Common(common) => common.render(row),
                Link::Listener(_) => Ok(Part::None),
            })
            .collect()
    }

    /// Runs an exchange through the whole chain. `parts` are those that [`Chain::render`] made of its row.
    pub async fn run(&self, exchange: &mut Exchange, parts: &[Part], terminal: &dyn Terminal) {
        Next { links: &self.links, parts, terminal }.run(exchange).await;
    }
}

/// The rest of the chain, as a middleware sees it.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    links: &'a [Link],
    parts: &'a [Part],
    terminal: &'a dyn Terminal,
}

impl Next<'_> {
    /// Whether it has to be given the request as it was, to be run again: something in it may shape a request further that it has
    /// shaped before.
    pub(super) fn wants_unshaped_request(&self) -> bool {
        self.links.iter().any(|link| match link {
            Link::Listener(_) => false,
            Link::Common(common) => !common.is_repeatable(),
            Link::Interceptor(_) => true,
        })
    }

    /// Runs the rest of the chain once.
    pub async fn run(self, exchange: &mut Exchange) {
        let mut listening = Vec::new();
        self.inward(exchange, &mut listening).await;
        if exchange.stopped.is_some() {
            // There is no answer to tell of, and many such exchanges.
            return;
        }
        for (index, since) in listening.into_iter().rev() {
            if let Link::Listener(listener) = &self.links[index] {
                let mut notes = std::mem::take(&mut exchange.notes);
                listener.after(exchange, Instant::elapsed(&since), &mut notes);
                exchange.notes = notes;
            }
        }
    }

    /// Runs up to the next interceptor, which takes the rest, or to the end. Listeners and common middleware cost
    /// neither a task nor an allocation.
    async fn inward(&self, exchange: &mut Exchange, listening: &mut Vec<(usize, Instant)>) {
        for (index, (link, part)) in self.links.iter().zip(self.parts).enumerate() {
            match link {
                Link::Listener(_) => listening.push((index, Instant::now())),
                Link::Common(common) => {
                    if let Err(error) = common.apply(part, &mut exchange.request) {
                        exchange.refuse(error);
                        return;
                    }
                }
                Link::Interceptor(interceptor) => {
                    let next = Next {
                        links: &self.links[index + 1..],
                        parts: &self.parts[index + 1..],
                        terminal: self.terminal,
                    };
                    interceptor.call(exchange, part, next).await;
                    return;
                }
            }
        }
        self.terminal.send(exchange).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::Notes;
    use crate::exchange::sample::{answer, exchange};
    use crate::middleware::{Common, Interceptor, Listener};
    use crate::request::Request;

    type Trace = Arc<Mutex<Vec<String>>>;

    struct Named(&'static str, Trace);

    impl Named {
        fn note(&self, what: &str) {
            self.1.lock().unwrap().push(format!("{what}{}", self.0));
        }
    }

    impl Interceptor for Named {
        fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                self.note(">");
                next.run(exchange).await;
                self.note("<");
            })
        }
    }

    impl Listener for Named {
        fn after(&self, exchange: &Exchange, _: Duration, _: &mut Notes) {
            assert!(exchange.result.is_some());
            self.note("<");
        }
    }

    impl Common for Named {
        fn apply(&self, _: &Part, _: &mut Request) -> Result<(), RowError> {
            self.note(">");
            if self.0 == "bad" { Err(RowError::new("value", "refused")) } else { Ok(()) }
        }
    }

    impl Terminal for Named {
        fn send<'a>(&'a self, exchange: &'a mut Exchange) -> BoxFuture<'a, ()> {
            self.note("");
            exchange.result = Some(answer(200, &[]));
            Box::pin(std::future::ready(()))
        }
    }

    async fn run(links: impl FnOnce(&Trace) -> Vec<Link>) -> (Exchange, String) {
        let trace = Trace::default();
        let chain = Chain::new(links(&trace));
        let parts = vec![Part::None; chain.links.len()];
        let mut exchange = exchange();
        chain.run(&mut exchange, &parts, &Named("http", trace.clone())).await;
        let trace = trace.lock().unwrap().join(" ");
        (exchange, trace)
    }

    #[tokio::test]
    async fn middleware_wraps_what_follows_it_in_the_configured_order() {
        let (_, trace) = run(|t| {
            vec![
                Link::Interceptor(Box::new(Named("A", t.clone()))),
                Link::Listener(Box::new(Named("B", t.clone()))),
                Link::Common(Box::new(Named("C", t.clone()))),
                Link::Interceptor(Box::new(Named("D", t.clone()))),
                Link::Listener(Box::new(Named("E", t.clone()))),
            ]
        })
        .await;
        assert_eq!(trace, ">A >C >D http <E <D <B <A");
    }

    #[tokio::test]
    async fn a_row_that_common_middleware_refuses_is_not_sent_and_is_still_listened_to() {
        let (exchange, trace) = run(|t| {
            vec![
                Link::Listener(Box::new(Named("B", t.clone()))),
                Link::Common(Box::new(Named("bad", t.clone()))),
            ]
        })
        .await;
        assert_eq!(trace, ">bad <B");
        assert_eq!(exchange.outcome(), crate::Outcome::InvalidRow);
    }

    /// A link of a random chain.
    #[derive(Clone, Copy, Debug)]
    enum Kind {
        Interceptor,
        Listener,
        Common,
        /// Sends so often, as `retry` does.
        Again(u32),
    }

    struct Again(u32);

    impl Interceptor for Again {
        fn call<'a>(&'a self, exchange: &'a mut Exchange, _: &'a Part, next: Next<'a>) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                for _ in 0..self.0 {
                    next.run(exchange).await;
                }
            })
        }
    }

    /// What a chain leaves behind, by the rules: each link around what follows, `Again` around all that follows it.
    fn expected(chain: &[(Kind, &'static str)]) -> Vec<String> {
        let Some(((kind, name), rest)) = chain.split_first() else { return vec!["http".to_owned()] };
        let within = expected(rest);
        let (begin, end) = (format!(">{name}"), format!("<{name}"));
        match kind {
            Kind::Interceptor => [vec![begin], within, vec![end]].concat(),
            Kind::Listener => [within, vec![end]].concat(),
            Kind::Common => [vec![begin], within].concat(),
            Kind::Again(times) => (0..*times).flat_map(|_| within.clone()).collect(),
        }
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Interceptor),
            Just(Kind::Listener),
            Just(Kind::Common),
            (1..4_u32).prop_map(Kind::Again),
        ]
    }

    proptest! {
        #[test]
        fn any_chain_nests_in_its_order_and_what_follows_a_repeat_runs_once_per_attempt(
            kinds in proptest::collection::vec(kind(), 0..9)
        ) {
            const NAMES: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
            let chain: Vec<_> = kinds.into_iter().zip(NAMES).collect();
            let links = |trace: &Trace| {
                let link = |(kind, name): &(Kind, &'static str)| {
                    let named = Named(name, trace.clone());
                    match kind {
                        Kind::Interceptor => Link::Interceptor(Box::new(named)),
                        Kind::Listener => Link::Listener(Box::new(named)),
                        Kind::Common => Link::Common(Box::new(named)),
                        Kind::Again(times) => Link::Interceptor(Box::new(Again(*times))),
                    }
                };
                chain.iter().map(link).collect()
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (_, trace) = runtime.block_on(run(links));
            prop_assert_eq!(trace, expected(&chain).join(" "));
        }
    }
}
