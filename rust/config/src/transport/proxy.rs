//! `transport.proxy`: what stands between the executors and the API.

use crate::keys::{credential, keys, text, words};
use crate::problem::Located;
use crate::reader::Section;
use crate::text::{SecretText, Text};

keys! {
    /// A proxy. It is taken from here alone, never from an executor's environment.
    pub struct Proxy {
        /// `http://` (a tunnel by CONNECT for https, else plain) or `socks5://`, host and port. The proxy resolves the
        /// names of what it is asked for.
        url: Text = text("http://proxy.example.com:3128").required(),
        /// The user that the proxy asks for.
        username: Option<SecretText> = credential().optional("no user"),
        /// Its password.
        password: Option<SecretText> = credential().optional("no user"),
        /// Hosts that are reached without the proxy, and those below them: `example.com` stands for
        /// `api.example.com` too.
        no_proxy: Vec<Located<String>> = words("[\"internal.example.com\"]").or(Vec::new()),
    }
    check |section| both(section);
}

fn both(section: &Section<'_>) {
    for (one, other) in [("username", "password"), ("password", "username")] {
        if section.has(one) && !section.has(other) {
            section.missing(other, &format!("`{other}` as well"));
        }
    }
}
