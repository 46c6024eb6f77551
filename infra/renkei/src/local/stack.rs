//! What a running local stack is, as `.renkei/local/<port>/stack.json` tells it to every other command.

use serde::{Deserialize, Serialize};

use super::paths::{read_record, remove_record, write_record};
use super::{LocalError, StackPaths, process};

/// A local stack that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalStack {
    /// Where its AWS answers.
    pub aws_endpoint: String,
    /// The region that it takes itself for.
    pub region: String,
    /// Its name.
    pub stack: String,
    /// Its port.
    pub port: u16,
    /// Its account: any twelve digits are one.
    pub access_key_id: String,
    /// Not a secret: AWS on this machine takes any.
    pub secret_access_key: String,
    /// The process that is its AWS.
    pub pid: u32,
    /// Where warehouses call, once it has that function.
    pub warehouse_url: Option<String>,
    /// Where people look, once it has that function.
    pub console_url: Option<String>,
    /// Its functions.
    pub functions: Vec<String>,
}

impl LocalStack {
    /// The stack of this directory, if it runs.
    pub fn running(paths: &StackPaths) -> Result<Option<Self>, LocalError> {
        if process::running(&paths.aws_record())?.is_none() {
            return Ok(None);
        }
        read_record(&paths.stack_file())
    }

    /// Tells other commands.
    pub fn record(&self, paths: &StackPaths) -> Result<(), LocalError> {
        write_record(&paths.stack_file(), self)
    }

    /// It runs no more.
    pub fn forget(paths: &StackPaths) -> Result<(), LocalError> {
        remove_record(&paths.stack_file())
    }
}
