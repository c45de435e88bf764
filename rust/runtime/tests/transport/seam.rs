//! The seam: engines are interchangeable, and adding one touches nothing but the registry.

use apisink_runtime::middleware::{BoxFuture, Registry};
use apisink_runtime::rate::Keeper;
use apisink_runtime::transport::{Connections, Engines, Permit, Transport};
use apisink_runtime::{Failure, Process, Request, Reservation, Response, RuntimeError, TransportFacts};

use crate::support::{compiled, run, texts};

/// Says 201 to everything, in the words of the config.
struct Parrot(String);

impl Transport for Parrot {
    fn send<'a>(
        &'a self,
        request: &'a Request,
        _: Permit<'a>,
        _: &'a mut Reservation,
        _: &'a mut TransportFacts,
    ) -> BoxFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            let body = format!("{} {}", self.0, request.target).into();
            let status = http::StatusCode::CREATED;
            Ok(Response { status, headers: http::HeaderMap::new(), body, truncated: false })
        })
    }

    fn connections(&self) -> Connections {
        Connections::default()
    }
}

#[test]
fn a_third_engine_is_a_factory_under_a_name_of_its_own() {
    let mut engines = Engines::default();
    engines.register("parrot", |context| {
        Ok(Box::new(Parrot(format!("parrot within {} ms", context.plan.base_timeout_ms))))
    });
    let mut compiled = compiled("http://192.0.2.1", "{base_timeout: 2}");
    compiled.plan.transport.engine = "parrot".into();
    let process = Process::with_transports(Registry::default(), engines).unwrap();
    let batch = run(process, &compiled, 3);
    let mut bodies = texts(&batch, "response_body");
    bodies.sort();
    assert_eq!(bodies, [0, 1, 2].map(|row| format!("parrot within 2000 ms /rows/{row}")));
    assert_eq!(texts(&batch, "outcome"), ["success"; 3]);
}

#[test]
fn an_unknown_engine_is_refused_with_the_known_ones() {
    let mut compiled = compiled("http://192.0.2.1", "{}");
    compiled.plan.transport.engine = "parrot".into();
    let process = Process::new(Registry::default()).unwrap();
    let plan = serde_json::to_vec(&compiled.plan).unwrap();
    let refused = process.engine(&plan, b"[]", Keeper::Process, "1").map(|_| ()).unwrap_err();
    let told = "there is no transport engine parrot; there are hyper, render";
    assert_eq!(refused, RuntimeError::Plan(told.into()));
}

#[test]
fn the_render_engine_answers_with_the_request_and_opens_no_connection() {
    // Nobody answers at this address (RFC 5737): a connection would fail or hang.
    let compiled = compiled("http://192.0.2.1/v1", "{engine: render, base_timeout: 1}");
    let batch = run(Process::new(Registry::default()).unwrap(), &compiled, 2);
    assert_eq!(texts(&batch, "outcome"), ["success"; 2]);
    let mut bodies = texts(&batch, "response_body");
    bodies.sort();
    for (row, body) in bodies.iter().enumerate() {
        assert!(body.starts_with(&format!("GET /v1/rows/{row} HTTP/1.1\r\n")), "{body}");
        assert!(body.contains("\r\nhost: 192.0.2.1\r\n"), "{body}");
        assert!(body.ends_with("\r\n\r\n"), "{body}");
    }
}
