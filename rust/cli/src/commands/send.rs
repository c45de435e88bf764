//! `apisink send`.

mod transcript;

use std::time::{SystemTime, UNIX_EPOCH};

use apisink_plan::Plan;
use apisink_runtime::transport::{EngineContext, Engines};
use clap::Args;

use crate::config_file::{ConfigFile, compile_resolved};
use crate::exchanges;
use crate::failure::{Failure, print};
use crate::references::Lookup;
use crate::rows::{RowArgs, columns};

/// Send rows, one after the other, and print the exchanges
///
/// Requests, retries and the rate limit are those of a run; nothing is written to the sink. Credentials are shown as `***`.
#[derive(Args, Debug)]
pub(crate) struct Send {
    #[command(flatten)]
    config: ConfigFile,

    #[command(flatten)]
    rows: RowArgs,

    #[command(flatten)]
    lookup: Lookup,

    /// The run of which each row's request_id, and so its idempotency key, is made; a new one each time without it
    #[arg(long, value_name = "NAME")]
    run_id: Option<String>,
}

/// Headers of an answer that are shown beside those that the sink keeps.
const SHOWN: [&str; 4] = ["content-type", "location", "retry-after", "www-authenticate"];

impl Send {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let config = self.config.read()?;
        let rows = self.rows.read()?;
        let compiled = compile_resolved(&config, &self.lookup, Some(columns(&rows)))?;
        Engines::default().make(&EngineContext::new(&compiled.plan.transport, &compiled.secrets))?;
        let run_id = self.run_id.clone().unwrap_or_else(new_run_id);
        print(&format!("run {run_id}\n"))?;
        let mut failed = 0;
        exchanges::run(&talkative(&compiled.plan), &compiled.secrets, &run_id, &rows, |exchange| {
            failed += usize::from(exchange.outcome != "success");
            print(&transcript::of(&exchange))
        })?;
        let all = rows.num_rows();
        print(&format!("\n{} of {all} exchanges were successful\n", all - failed))?;
        if failed == 0 { Ok(()) } else { Err(Failure::Told) }
    }
}

/// The plan with all that can be told about an exchange.
fn talkative(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.sink.request_headers = true;
    plan.sink.request_body = true;
    plan.sink.source_columns.clear();
    for name in SHOWN {
        if !plan.sink.response_headers.iter().any(|known| known == name) {
            plan.sink.response_headers.push(name.to_owned());
        }
    }
    exchanges::listen(&mut plan, "transport_diagnostic");
    exchanges::listen(&mut plan, "timing");
    plan
}

fn new_run_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("send-{:x}", since.as_micros())
}
