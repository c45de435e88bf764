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
    /// Runs the rest of the chain once.
    pub async fn run(self, exchange: &mut Exchange) {
        let mut listening = Vec::new();
        self.inward(exchange, &mut listening).await;
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
