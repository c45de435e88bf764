//! The server of a benchmark that is one process.

use apisink_origin::{Origin, Script};
use tokio::runtime::Builder;

use crate::Failure;

/// A server with a thread of its own, for as long as the process lives; `args` are those of `apisink-origin`. Its host and port.
pub fn server(args: &'static [&'static str]) -> Result<String, Failure> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || -> Result<(), Failure> {
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            let script = Script::from_args(args)?;
            let server = Origin::try_start(script).await?;
            tell.send(server.addr().to_string())?;
            std::future::pending().await
        })
    });
    told.recv().map_err(|_| "the server does not start".into())
}
