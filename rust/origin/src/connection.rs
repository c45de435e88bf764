//! One connection: hyper does the ordinary part, and of HTTP/1.1 hands the socket back where the ending is not.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::admin;
use crate::answer::Answer;
use crate::exchange::{GivenUp, Shared, serve};
use crate::link::{Ending, Link};
use crate::oauth;
use crate::socket::Socket;
use crate::wire::Wire;

/// A reset discards what the kernel has not sent yet. On loopback that is nothing as long as the answer fits
/// into the peer's window; a longer one is given this time to leave.
const SETTLE: Duration = Duration::from_millis(50);
const SETTLES_AT_ONCE: u64 = 32 * 1024;

const GARBAGE: &[u8] = b"\x00\x01 this is not HTTP\r\n\r\n";

/// Notes the end of a connection, also when its task is aborted.
struct Open(Arc<Link>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.closed();
    }
}

/// The service is done with a stream, also when its future is dropped.
struct Served(Arc<Link>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.served();
    }
}

struct Dispatch {
    shared: Arc<Shared>,
    link: Arc<Link>,
}

/// The same for connections whose requests are streams.
struct Streams(Dispatch);

impl Service<Request<Incoming>> for Streams {
    type Response = Response<Answer>;
    type Error = GivenUp;
    type Future = <Dispatch as Service<Request<Incoming>>>::Future;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let link = self.0.link.stream();
        let served = Served(link.clone());
        let answer = Dispatch { shared: self.0.shared.clone(), link }.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(served);
            answer
        })
    }
}

impl Service<Request<Incoming>> for Dispatch {
    type Response = Response<Answer>;
    type Error = GivenUp;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, GivenUp>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        if admin::owns(request.uri().path()) {
            let response = admin::serve(&self.shared, &self.link, &request);
            return Box::pin(std::future::ready(Ok(response)));
        }
        let (shared, link) = (self.shared.clone(), self.link.clone());
        if shared.auth.oauth.is_some() && request.uri().path() == oauth::PATH {
            return Box::pin(async move { shared.issue(&link, request).await });
        }
        Box::pin(serve(shared, link, request))
    }
}

/// Serves a connection to its end.
pub(crate) async fn run(shared: Arc<Shared>, stream: TcpStream, tls: Option<TlsAcceptor>) {
    // Without this, an answer in two writes waits for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let stream = match tls {
        None => Socket::Plain(stream),
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => Socket::Tls(Box::new(stream)),
            // The client has been told by an alert.
            Err(_) => return,
        },
    };
    let link = shared.recorder.connect();
    let open = Open(link.clone());
    if stream.speaks_http2(shared.script.http2) {
        serve_streams(shared, stream, link).await;
    } else {
        serve_alone(shared, stream, link).await;
    }
    drop(open);
}

/// Serves a connection of HTTP/2.
async fn serve_streams(shared: Arc<Shared>, stream: Socket, link: Arc<Link>) {
    let (close_idle, streams) = (shared.script.close_idle, shared.script.http2_streams);
    let wire = TokioIo::new(Wire::new(stream, link.clone()));
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .max_concurrent_streams(streams)
            .serve_connection(wire, Streams(Dispatch { shared, link: link.clone() }))
    );
    let mut leaving = pin!(link.leaving(close_idle));
    // What fails here has failed because the client is gone, or because it broke the rules and was told so.
    let _ = tokio::select! {
        served = &mut connection => served,
        () = &mut leaving => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
}

/// Serves a connection of HTTP/1.1.
async fn serve_alone(shared: Arc<Shared>, stream: Socket, link: Arc<Link>) {
    let close_idle = shared.script.close_idle;
    let wire = TokioIo::new(Wire::new(stream, link.clone()));
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(wire, Dispatch { shared, link: link.clone() });

    let served = {
        let mut leaving = pin!(link.leaving(close_idle));
        let mut closing = false;
        std::future::poll_fn(|cx| {
            if !closing && leaving.as_mut().poll(cx).is_ready() {
                closing = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            connection.poll_without_shutdown(cx)
        })
        .await
    };
    if served.is_err_and(|error| error.is_parse()) {
        link.malformed();
    }
    let stream = connection.into_parts().io.into_inner().into_stream();
    end(stream, &link).await;
}

/// Ends the socket as the link says. What fails here has failed because the client is gone, which is the end
/// that was wanted.
async fn end(mut stream: Socket, link: &Link) {
    match link.ending() {
        Some(Ending::Reset) => {
            if link.unsettled() > SETTLES_AT_ONCE {
                tokio::time::sleep(SETTLE).await;
            }
            // Closing a socket that lingers for no time at all sends a reset.
            let _ = stream.set_zero_linger();
        }
        Some(Ending::Garbage) => {
            if stream.write_all(GARBAGE).await.is_ok() {
                link.add_written(GARBAGE.len() as u64);
            }
            let _ = stream.shutdown().await;
        }
        None => {
            let _ = stream.shutdown().await;
        }
    }
}
