//! `renkei dead-letters`: messages that could not be worked on, why, and back again.

use renkei_setup::dead_letters::Wanted;

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::Stack;

/// Lists all dead letters.
pub async fn list(stack: &Stack, json: bool) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    for letter in stack.dead_letters()?.list(Wanted::default()).await?.letters {
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
    Ok(Exit::Done)
}

/// `renkei dead-letters replay`.
pub async fn replay(stack: &Stack, id: Option<&str>, queue: Option<&str>) -> Result<Exit, CliError> {
    let replayed = stack.dead_letters()?.replay(Wanted { id, queue, tenant: None }).await?.len();
    if let (0, Some(id)) = (replayed, id) {
        return Err(CliError::said(format!("there is no dead letter {id}; see `renkei dead-letters list`")));
    }
    output::line(format!("{replayed} messages are back on their queues"))?;
    Ok(Exit::Done)
}

/// Puts all dead letters back onto their queues, and says how many there were.
pub async fn put_back(stack: &Stack) -> Result<u64, CliError> {
    Ok(stack.dead_letters()?.replay(Wanted::default()).await?.len() as u64)
}
