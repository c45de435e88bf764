//! The rate limits of a run.

use apisink_config::{Config, HostPattern, RateLimit};
use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::url::Url;

/// A limit of the attempts to some hosts or paths, or of all that have no other one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitPlan {
    /// Runs of one application whose limits have the same name share it.
    pub name: String,
    /// The hosts ([`HostPattern`]); none for any.
    pub host: Option<String>,
    /// The paths ([`apisink_config::PathPattern`]); none for any.
    pub path: Option<String>,
    /// Attempts per second; positive and finite.
    pub per_second: f64,
    /// Attempts that may go at once after a pause; at least 1.
    pub burst: u32,
}

impl LimitPlan {
    /// An entry without a host is one of the server that the run sends to.
    fn of(limit: &RateLimit, server: &str) -> Option<Self> {
        let per_second = limit.rate()?;
        let host = limit.host.as_ref().map(|host| host.to_ascii_lowercase());
        let path = limit.path.as_ref().map(|path| path.value.clone());
        let whose = host.as_deref().unwrap_or(server);
        let name = match &path {
            Some(path) => format!("limit of {whose} {path}"),
            None => format!("limit of {whose}"),
        };
        Some(Self { name: named(&name, per_second, limit.burst), host, path, per_second, burst: limit.burst })
    }
}

fn named(whose: &str, per_second: f64, burst: u32) -> String {
    format!("{whose} {per_second}/s burst {burst}")
}

impl Plan {
    /// The limit of the attempts that none of `execution.limits` is for; none means unlimited.
    pub fn general_limit(&self) -> Option<LimitPlan> {
        let (per_second, burst) = (self.execution.max_requests_per_second?, self.execution.burst);
        let name = named(&format!("{}://{}", self.request.scheme, self.request.authority), per_second, burst);
        Some(LimitPlan { name, host: None, path: None, per_second, burst })
    }
}

/// The entries of `execution.limits`, in their order.
pub(crate) fn compile(config: &Config, url: &Url) -> Vec<LimitPlan> {
    let server = format!("{}://{}", url.scheme, url.authority);
    config.execution.limits.iter().filter_map(|limit| LimitPlan::of(&limit.value, &server)).collect()
}

/// Hosts to which the run sends nothing.
pub(crate) fn warnings(config: &Config, url: &Url) -> Vec<String> {
    let endpoint = &config.endpoint;
    let base =
        if endpoint.url_is_absolute() { Some(&endpoint.url_path) } else { endpoint.base_path.as_ref() };
    // What a reference stands for may be another host elsewhere.
    if base.is_none_or(|base| base.literal().is_none()) {
        return Vec::new();
    }
    let redirects = &config.transport.redirects;
    let hosts: Vec<&str> =
        redirects.hosts.iter().map(|host| host.value.as_str()).chain([url.authority.as_str()]).collect();
    let entries = config.execution.limits.iter().enumerate();
    entries
        .filter_map(|(place, limit)| Some((place, limit.host.as_ref()?)))
        .filter(|(_, host)| {
            let Ok(pattern) = HostPattern::parse(host) else { return false };
            !hosts.iter().any(|host| reaches(&pattern, host))
        })
        .map(|(place, host)| {
            format!(
                "`execution.limits[{place}]` is for the host `{}`, to which nothing is sent: requests go to {}",
                host.value,
                hosts.join(" and ")
            )
        })
        .collect()
}

/// A redirect may lead to either scheme's own port.
fn reaches(pattern: &HostPattern, authority: &str) -> bool {
    let Ok(authority) = authority.parse::<http::uri::Authority>() else { return true };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let ports = authority.port_u16().map_or(vec![80, 443], |port| vec![port]);
    ports.into_iter().any(|port| pattern.matches(host, port))
}
