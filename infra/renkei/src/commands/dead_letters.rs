//! `renkei dead-letters`: messages that could not be worked on, why, and back again.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::Timestamp;
use renkei_domain::processing::RobotSet;
use renkei_domain::work::{Fetched, ImportOrder, StartRobot};
use renkei_platform::aws::AwsFailure;
use renkei_platform::queue::Queue;
use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::output;
use crate::stack::{Stack, StackQueue};

/// How long a message that is being looked at is nobody else's.
const IN_HAND_SECONDS: i32 = 30;

/// A dead letter, by the stable keys of `docs/cli.md`. Its body, an order, is not shown.
#[derive(Default, Serialize)]
struct DeadLetter {
    queue: &'static str,
    message_id: String,
    tenant: Option<String>,
    connection: Option<String>,
    robot: Option<String>,
    run: Option<String>,
    order_id: Option<u64>,
    order_number: Option<String>,
    receive_count: Option<u32>,
    sent_at: Option<Timestamp>,
    reason: String,
}

/// Lists all dead letters.
pub async fn list(stack: &Stack, json: bool) -> Result<Exit, CliError> {
    let client = Client::new(&stack.aws);
    let mut rows = Vec::new();
    for queue in stack.queues()? {
        let messages = received(&client, &queue.dead_letters).await?;
        for message in &messages {
            let letter = describe(stack, &queue, message).await?;
            if json {
                output::json_line(&letter)?;
                continue;
            }
            let what = letter.robot.or(letter.order_id.map(|id| format!("order {id}"))).unwrap_or_default();
            rows.push(vec![
                letter.queue.to_owned(),
                letter.message_id,
                [letter.tenant, letter.connection].into_iter().flatten().collect::<Vec<_>>().join("/"),
                what,
                output::plain(&letter.reason),
            ]);
        }
        // Looked at, not taken.
        for message in &messages {
            let given_back = client
                .change_message_visibility()
                .queue_url(&queue.dead_letters)
                .receipt_handle(message.receipt_handle().unwrap_or_default())
                .visibility_timeout(0)
                .send()
                .await;
            given_back.map_err(|error| AwsFailure::new("ChangeMessageVisibility", &error))?;
        }
    }
    if !json {
        output::table(&["queue", "message", "shop", "what", "reason"], &rows)?;
    }
    Ok(Exit::Done)
}

/// `renkei dead-letters replay`.
pub async fn replay(stack: &Stack, id: Option<&str>, queue: Option<&str>) -> Result<Exit, CliError> {
    let replayed = some_back(stack, id, queue).await?;
    if let (0, Some(id)) = (replayed, id) {
        return Err(CliError::said(format!("there is no dead letter {id}; see `renkei dead-letters list`")));
    }
    output::line(format!("{replayed} messages are back on their queues"))?;
    Ok(Exit::Done)
}

/// Puts all dead letters back onto their queues, and says how many there were.
pub async fn put_back(stack: &Stack) -> Result<u64, CliError> {
    some_back(stack, None, None).await
}

/// Puts dead letters back onto their queues: sent first, then taken away, so that a crash in between doubles one, which
/// is harmless, and loses none.
async fn some_back(stack: &Stack, id: Option<&str>, queue: Option<&str>) -> Result<u64, CliError> {
    let client = Client::new(&stack.aws);
    let mut replayed = 0;
    for from in stack.queues()? {
        if queue.is_some_and(|wanted| wanted != from.name) {
            continue;
        }
        let back = Queue::new(&stack.aws, &from.url);
        for message in received(&client, &from.dead_letters).await? {
            if id.is_some_and(|wanted| message.message_id() != Some(wanted)) {
                continue;
            }
            back.send(message.body().unwrap_or_default(), group_of(&message).into(), Duration::ZERO).await?;
            client
                .delete_message()
                .queue_url(&from.dead_letters)
                .receipt_handle(message.receipt_handle().unwrap_or_default())
                .send()
                .await
                .map_err(|error| AwsFailure::new("DeleteMessage", &error))?;
            replayed += 1;
        }
    }
    Ok(replayed)
}

async fn received(client: &Client, url: &str) -> Result<Vec<Message>, CliError> {
    let mut messages = Vec::new();
    let mut seen = HashSet::new();
    let mut empty = 0;
    // A receive may come back empty although there are messages; twice is believed.
    while empty < 2 {
        let answer = client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .visibility_timeout(IN_HAND_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .map_err(|error| AwsFailure::new("ReceiveMessage", &error))?;
        let new: Vec<Message> = answer
            .messages
            .unwrap_or_default()
            .into_iter()
            .filter(|message| seen.insert(message.message_id().unwrap_or_default().to_owned()))
            .collect();
        if new.is_empty() {
            empty += 1;
        }
        messages.extend(new);
    }
    Ok(messages)
}

/// How many dead letters each queue has.
pub async fn counts(stack: &Stack) -> Result<Vec<(&'static str, u64)>, CliError> {
    let client = Client::new(&stack.aws);
    let mut counts = Vec::new();
    for queue in stack.queues()? {
        let answer = client
            .get_queue_attributes()
            .queue_url(&queue.dead_letters)
            .attribute_names(aws_sdk_sqs::types::QueueAttributeName::All)
            .send()
            .await
            .map_err(|error| AwsFailure::new("GetQueueAttributes", &error))?;
        let of = |name| {
            let all = answer.attributes.as_ref();
            all.and_then(|all| all.get(&name)).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
        };
        let waiting = of(aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages);
        let in_hand = of(aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
        counts.push((queue.name, waiting + in_hand));
    }
    Ok(counts)
}

/// Removes the dead letters of one tenant for good, and says how many there were.
pub async fn remove_of(stack: &Stack, tenant: &renkei_domain::ids::TenantId) -> Result<usize, CliError> {
    let client = Client::new(&stack.aws);
    let mut removed = 0;
    for queue in stack.queues()? {
        for message in received(&client, &queue.dead_letters).await? {
            let letter = describe(stack, &queue, &message).await?;
            let receipt = message.receipt_handle().unwrap_or_default();
            if letter.tenant.as_deref() == Some(tenant.as_str()) {
                let gone = client.delete_message().queue_url(&queue.dead_letters).receipt_handle(receipt).send().await;
                gone.map_err(|error| AwsFailure::new("DeleteMessage", &error))?;
                removed += 1;
                continue;
            }
            let back = client.change_message_visibility().queue_url(&queue.dead_letters).receipt_handle(receipt);
            let back = back.visibility_timeout(0).send().await;
            back.map_err(|error| AwsFailure::new("ChangeMessageVisibility", &error))?;
        }
    }
    Ok(removed)
}

fn group_of(message: &Message) -> String {
    let group = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId));
    group.cloned().unwrap_or_else(|| "replayed".to_owned())
}

async fn describe(stack: &Stack, queue: &StackQueue, message: &Message) -> Result<DeadLetter, CliError> {
    let attribute = |name| message.attributes().and_then(|all| all.get(&name)).map(String::as_str);
    let mut letter = DeadLetter {
        queue: queue.name,
        message_id: message.message_id().unwrap_or_default().to_owned(),
        receive_count: attribute(MessageSystemAttributeName::ApproximateReceiveCount).and_then(|n| n.parse().ok()),
        sent_at: attribute(MessageSystemAttributeName::SentTimestamp)
            .and_then(|ms| ms.parse().ok())
            .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        ..DeadLetter::default()
    };
    let body = message.body().unwrap_or_default();
    let (tenant, connection) = if queue.name == "import-orders" {
        match ImportOrder::read(body) {
            Ok(read) => {
                letter.run = Some(read.run);
                if let Fetched::Order(order) = &read.order {
                    letter.order_id = Some(order.id.0);
                    letter.order_number = Some(order.number.to_string());
                }
                (read.tenant, read.connection)
            }
            Err(error) => {
                letter.reason = error.to_string();
                return Ok(letter);
            }
        }
    } else {
        match StartRobot::read(body) {
            Ok(read) => {
                letter.run = read.run;
                letter.robot = Some(read.robot.to_string());
                (read.tenant, read.connection)
            }
            Err(error) => {
                letter.reason = error.to_string();
                return Ok(letter);
            }
        }
    };
    letter.reason = match stack.store.tenant(tenant.clone()).settings().await? {
        None => format!("tenant {tenant} has no settings; apply its document, then replay"),
        Some(applied) if applied.settings.connection(&connection).is_none() => {
            format!("connection {connection} is not in the settings; apply a document with it, then replay")
        }
        Some(applied) if RobotSet::compile(&applied.settings).is_err() => {
            "the processing robots cannot be used; apply a document with right ones, then replay".to_owned()
        }
        Some(_) => format!("the log of {} has the reason, by this message's id; then replay", queue.name),
    };
    letter.tenant = Some(tenant.to_string());
    letter.connection = Some(connection.to_string());
    Ok(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_these_keys_in_this_order() {
        let letter = DeadLetter { queue: "fetch-orders", message_id: "7c0e".into(), ..DeadLetter::default() };
        assert_eq!(
            serde_json::to_string(&letter).unwrap(),
            r#"{"queue":"fetch-orders","message_id":"7c0e","tenant":null,"connection":null,"robot":null,"run":null,"order_id":null,"order_number":null,"receive_count":null,"sent_at":null,"reason":""}"#
        );
    }

    #[test]
    fn a_poison_message_is_explained_without_its_content() {
        let error = ImportOrder::read(r#"{"v":1,"tenant":"髙橋 花子"}"#).unwrap_err();
        let shown = error.to_string();
        assert!(
            !shown.contains("花子") && shown.contains("cannot be read: it has another shape than expected, at line 1"),
            "{shown}"
        );
    }
}
