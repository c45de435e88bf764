//! `apisink render`.

mod curl;
mod estimate;
mod message;

use apisink_config::EngineName;
use apisink_plan::Plan;
use clap::Args;

use crate::config_file::{ConfigFile, compile_with_what_is_here};
use crate::exchanges::{self, Exchange};
use crate::failure::{Failure, print};
use crate::references::Lookup;
use crate::rows::{RowArgs, columns};
use message::Message;

/// Print the requests that rows would become, as curl commands; nothing is sent
///
/// Credentials are shown as `***`. Variables of the environment are looked up where they are set; those that are not
/// are shown as they are written in the config.
#[derive(Args, Debug)]
pub(crate) struct Render {
    #[command(flatten)]
    config: ConfigFile,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    lookup: Lookup,

    /// Say how long so many rows would take at `execution.max_requests_per_second`
    #[arg(long, value_name = "ROWS")]
    count: Option<u64>,

    /// The run of which each row's request_id, and so its idempotency key, is made
    #[arg(long, value_name = "NAME", default_value = "render")]
    run_id: String,
}

impl Render {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let config = self.config.read()?;
        let rows = self.rows.read()?;
        let stood_in = compile_with_what_is_here(&config, &self.lookup, columns(&rows))?;
        let plan = rendering(&stood_in.compiled.plan);
        exchanges::run(&plan, &stood_in.compiled.secrets, &self.run_id, &rows, |exchange| {
            print(&stood_in.shown(&shown(&plan, &exchange)?))
        })?;
        match self.count {
            Some(count) => print(&format!("# {}\n", estimate::sentence(count, &plan.execution))),
            None => Ok(()),
        }
    }
}

/// The plan with an engine that answers with the request, and asks for no token. Nothing is tried again.
fn rendering(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.transport.engine = EngineName::Render.as_str().to_owned();
    plan.chain.retain(|link| link.middleware != "retry");
    plan
}

/// A row's request as a curl command, or why there is none.
fn shown(plan: &Plan, exchange: &Exchange) -> Result<String, Failure> {
    let id = exchange.tracking_id.as_deref().unwrap_or("null");
    let id = format!("# {} {id}", plan.source.identity.column().unwrap_or("tracking_id"));
    let message = exchange.response_body().and_then(|body| Message::parse(&body));
    match (&exchange.error, message) {
        (None, Some(message)) => {
            let url = exchange.url.as_deref().unwrap_or_default();
            Ok(format!("{id}\n{}\n\n", curl::command(url, &message)))
        }
        (error, _) => {
            let kind = error.as_ref().and_then(|error| error.kind.as_deref()).unwrap_or(&exchange.outcome);
            let why =
                error.as_ref().and_then(|error| error.message.as_deref()).unwrap_or("no request was made");
            Ok(format!("{id}: not sent, {kind}: {}\n\n", why.replace('\n', " ")))
        }
    }
}
