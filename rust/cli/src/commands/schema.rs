//! `apisink schema`.

use clap::Args;

use crate::failure::{Failure, print};

/// Print the JSON Schema of configs, for editors
#[derive(Args, Debug)]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        print(&apisink_config::json_schema())
    }
}
