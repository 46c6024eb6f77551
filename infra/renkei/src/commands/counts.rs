//! `renkei files counts`: what a warehouse counted, from a file. The newest count wins, whatever order files and rows come
//! in.

use std::path::Path;

use jiff::Timestamp;
use renkei_domain::ids::ShipFromId;
use renkei_exchange::counts;

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// Reads a file of counts.
pub async fn read(stack: &Stack, tenant: Option<&str>, ship_from: &str, file: &Path) -> Result<Exit, CliError> {
    let id = ShipFromId::parse(ship_from).map_err(|error| CliError::said(error.to_string()))?;
    let mut owners = stack.tenants(tenant).await?;
    owners.retain(|(_, applied)| applied.settings.ship_froms.iter().any(|from| from.id == id));
    let [(owner, _)] = owners.as_slice() else {
        return Err(CliError::said(match owners.len() {
            0 => format!("there is no ship-from {id}"),
            _ => format!("several tenants have a ship-from {id}; say which with --tenant"),
        }));
    };
    let bytes =
        std::fs::read(file).map_err(|error| CliError::said(format!("{} cannot be read: {error}", file.display())))?;
    let found = counts::choose(owner, renkei_files::counts::read(&bytes), Timestamp::now()).await?;
    for problem in &found.problems {
        eprintln!("{}", output::plain(&problem.to_string()));
    }
    let (kept, failure) = counts::keep(owner, &id, found.counts).await;
    if let Some(error) = failure {
        return Err(error.into());
    }
    let newer = kept.iter().filter(|kept| **kept).count();
    output::line(format!(
        "{newer} counts kept, {} older than what is known, {} with problems",
        found.usable - newer,
        found.problems.len()
    ))?;
    Ok(if found.problems.is_empty() { Exit::Done } else { Exit::NeedsPerson })
}
