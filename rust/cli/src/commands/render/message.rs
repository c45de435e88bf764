//! A request as the engine `render` answers with it: an HTTP/1.1 message (RFC 9112).

/// A request, its credentials masked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) method: String,
    /// Names in lower case, and values, in the order of the message.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// None when it is no such message.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        const END: &[u8] = b"\r\n\r\n";
        let end = bytes.windows(END.len()).position(|window| window == END)?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let method = lines.next()?.split(' ').next()?.to_owned();
        let headers = lines
            .map(|line| {
                line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim_start().to_owned()))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { method, headers, body: bytes[end + END.len()..].to_vec() })
    }
}
