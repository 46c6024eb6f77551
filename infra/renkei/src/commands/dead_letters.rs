//! `renkei dead-letters`: messages that could not be worked on, why, and back again.

use renkei_setup::dead_letters::Wanted;

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// Lists all dead letters.
pub async fn list(stack: &Stack, json: bool) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    let found = stack.dead_letters()?.list(Wanted::default()).await?;
    for letter in found.letters {
        if json {
            output::json_line(&letter)?;
            continue;
        }
        let robot = letter.robot.map(|robot| robot.to_string());
        let what = robot.or(letter.order_id.map(|id| format!("order {id}"))).unwrap_or_default();
        let shop = [letter.tenant.map(|id| id.to_string()), letter.connection.map(|id| id.to_string())];
        rows.push(vec![
            letter.queue.to_owned(),
            letter.message_id,
            shop.into_iter().flatten().collect::<Vec<_>>().join("/"),
            what,
            output::plain(&letter.reason.to_string()),
        ]);
    }
    if !json {
        output::table(&["queue", "message", "shop", "what", "reason"], &rows)?;
    }
    if found.more {
        eprintln!("renkei: there are more than could be looked through at once");
    }
    Ok(Exit::Done)
}

/// `renkei dead-letters replay`.
pub async fn replay(stack: &Stack, id: Option<&str>, queue: Option<&str>) -> Result<Exit, CliError> {
    let replayed = put_back_of(stack, Wanted { id, queue, tenant: None }).await?;
    if let (0, Some(id)) = (replayed, id) {
        return Err(CliError::said(format!("there is no dead letter {id}; see `renkei dead-letters list`")));
    }
    output::line(format!("{replayed} messages are back on their queues"))?;
    Ok(Exit::Done)
}

/// Puts all dead letters back onto their queues, and says how many there were.
pub async fn put_back(stack: &Stack) -> Result<u64, CliError> {
    Ok(put_back_of(stack, Wanted::default()).await? as u64)
}

async fn put_back_of(stack: &Stack, wanted: Wanted<'_>) -> Result<usize, CliError> {
    let replayed = stack.dead_letters()?.replay(wanted).await;
    let count = replayed.letters.len();
    match replayed.failure {
        Some(error) if count > 0 => {
            Err(CliError::said(format!("{count} messages are back on their queues, others are not: {error}")))
        }
        Some(error) => Err(error.into()),
        None => {
            // Of one that was looked for and found, others say nothing.
            if replayed.more && wanted.id.is_none() {
                eprintln!("renkei: there are more than could be looked through at once: run this again");
            }
            Ok(count)
        }
    }
}
