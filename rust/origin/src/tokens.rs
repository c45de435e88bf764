//! The tokens that the origin has issued: plain data, told the time, so that every rule can be tested.

use std::collections::HashMap;
use std::time::Duration;

use crate::report::Tokens as Counts;

/// A pair as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

/// The tokens of one origin. Times are since its start.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// Those that are not revoked, and when they expire.
    access: HashMap<String, Duration>,
    refresh: HashMap<String, ()>,
    serial: u64,
    counts: Counts,
}

impl Tokens {
    /// A token request has arrived; its place in the order of arrival, from 1.
    pub(crate) fn asked(&mut self) -> u64 {
        self.counts.requests += 1;
        self.counts.requests
    }

    /// It was answered with something else than a token.
    pub(crate) fn refused(&mut self) {
        self.counts.refused += 1;
    }

    /// Issues a token, with a refresh token where `refreshable`.
    pub(crate) fn issue(&mut self, now: Duration, life: Duration, refreshable: bool) -> Issued {
        self.serial += 1;
        self.counts.issued += 1;
        // They look like what they are, and hold what has to be escaped in a form.
        let access = format!("access-{:06}-{:08x}", self.serial, rand::random::<u32>());
        self.access.insert(access.clone(), now + life);
        let refresh = refreshable.then(|| {
            let refresh = format!("refresh+{:06}/{:08x}=", self.serial, rand::random::<u32>());
            self.refresh.insert(refresh.clone(), ());
            refresh
        });
        Issued { access, refresh }
    }

    /// Takes a refresh token, which is good for one use.
    pub(crate) fn redeem(&mut self, refresh: &str) -> bool {
        let known = self.refresh.remove(refresh).is_some();
        self.counts.refreshed += u64::from(known);
        known
    }

    /// Whether a token is valid now.
    pub(crate) fn admits(&self, access: &str, now: Duration) -> bool {
        self.access.get(access).is_some_and(|expires| now < *expires)
    }

    /// Makes all access tokens invalid, and with `refresh` the refresh tokens too.
    pub(crate) fn revoke(&mut self, refresh: bool) {
        self.access.clear();
        if refresh {
            self.refresh.clear();
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Forgets the counts. Tokens stay valid.
    pub(crate) fn reset(&mut self) {
        self.counts = Counts::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(2);

    #[test]
    fn a_token_is_valid_until_it_expires_or_is_revoked() {
        let mut tokens = Tokens::default();
        let first = tokens.issue(Duration::ZERO, LIFE, false).access;
        assert!(tokens.admits(&first, Duration::from_millis(1_999)));
        assert!(!tokens.admits(&first, LIFE));
        let second = tokens.issue(LIFE, LIFE, false).access;
        assert!(tokens.admits(&second, LIFE));
        tokens.revoke(false);
        assert!(!tokens.admits(&second, LIFE));
        assert_eq!(tokens.counts().issued, 2);
    }

    #[test]
    fn a_refresh_token_is_good_for_one_use() {
        let mut tokens = Tokens::default();
        let [first, second] = [0; 2].map(|_| tokens.issue(Duration::ZERO, LIFE, true).refresh.unwrap());
        assert!(tokens.redeem(&first));
        assert!(!tokens.redeem(&first));
        tokens.revoke(false);
        assert!(tokens.redeem(&second));
        assert_eq!(tokens.counts().refreshed, 2);
    }
}
