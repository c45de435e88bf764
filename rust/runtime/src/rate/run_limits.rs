//! The limits of a run: which of them an attempt has, by where it goes.

use std::sync::Arc;

use apisink_plan::{HostPattern, LimitPlan, PathPattern, Plan};

use super::{Limit, Member, RateLimiter};
use crate::error::RuntimeError;
use crate::request::{Origin, Request};

/// Every attempt has one limit: the first entry that its URL matches, or the general one.
#[derive(Debug)]
pub(crate) struct RunLimits {
    entries: Vec<Entry>,
    general: Arc<RateLimiter>,
}

#[derive(Debug)]
struct Entry {
    host: Option<HostPattern>,
    path: Option<PathPattern>,
    limiter: Arc<RateLimiter>,
}

impl RunLimits {
    /// The limits of a plan, each with the limiter that `limiter` gives for it; it is asked for none as well.
    pub(crate) fn new(
        plan: &Plan,
        limiter: impl Fn(Option<Limit>) -> Arc<RateLimiter>,
    ) -> Result<Self, RuntimeError> {
        let entries = plan.execution.limits.iter().map(|limit| Entry::new(limit, limiter(Some(of(limit)))));
        let general = limiter(plan.general_limit().as_ref().map(of));
        Ok(Self { entries: entries.collect::<Result<_, _>>()?, general })
    }

    /// The limit of an attempt that goes where this request goes.
    pub(crate) fn of(&self, request: &Request) -> &RateLimiter {
        if self.entries.is_empty() {
            return &self.general;
        }
        let path = request.target.split('?').next().unwrap_or_default();
        let entry =
            self.entries.iter().find(|entry| entry.is_of_host(&request.origin) && entry.is_of_path(path));
        entry.map_or(&self.general, |entry| &entry.limiter)
    }

    /// All limits that an attempt to a host may have.
    pub(crate) fn of_host(&self, origin: &Origin) -> Vec<&RateLimiter> {
        let mut limiters: Vec<&RateLimiter> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.is_of_host(origin)) {
            limiters.push(&entry.limiter);
            if entry.path.is_none() {
                return limiters;
            }
        }
        limiters.push(&self.general);
        limiters
    }

    /// Counts a task in, one of `all` that can run at once in the cluster: see [`RateLimiter::join`].
    pub(crate) fn join(&self, all: u32) -> Vec<Member> {
        let entries = self.entries.iter().map(|entry| &entry.limiter);
        entries.chain([&self.general]).map(|limiter| limiter.join(all)).collect()
    }
}

impl Entry {
    fn new(limit: &LimitPlan, limiter: Arc<RateLimiter>) -> Result<Self, RuntimeError> {
        let wrong =
            |(why, _): (String, &str)| RuntimeError::Plan(format!("a pattern of {} {why}", limit.name));
        let host = limit.host.as_deref().map(HostPattern::parse).transpose().map_err(wrong)?;
        let path = limit.path.as_deref().map(PathPattern::parse).transpose().map_err(wrong)?;
        Ok(Self { host, path, limiter })
    }

    fn is_of_host(&self, origin: &Origin) -> bool {
        self.host.as_ref().is_none_or(|host| host.matches(&origin.host, origin.port))
    }

    fn is_of_path(&self, path: &str) -> bool {
        self.path.as_ref().is_none_or(|pattern| pattern.matches(path))
    }
}

fn of(limit: &LimitPlan) -> Limit {
    Limit { name: limit.name.clone(), per_second: limit.per_second, burst: limit.burst }
}
