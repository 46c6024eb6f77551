//! Many conditional writes in one request.
//!
//! A batch of PartiQL statements costs what single writes cost (a transaction costs double), and each statement has a
//! condition and an answer of its own: one order known already never hinders the other twenty-four.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, ReturnValuesOnConditionCheckFailure,
};
use futures::{StreamExt, TryStreamExt};

use crate::Tenant;
use crate::codec::Item;
use crate::error::StoreError;

const OPERATION: &str = "BatchExecuteStatement";
/// DynamoDB's limit.
const STATEMENTS_A_REQUEST: usize = 25;
const REQUESTS_AT_ONCE: usize = 4;
const ATTEMPTS: u32 = 6;

/// One conditional write.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub text: String,
    pub parameters: Vec<AttributeValue>,
}

/// What became of one statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Written {
    /// Done.
    Yes,
    /// An INSERT found an item with this key.
    Exists,
    /// An UPDATE's condition did not hold; the item as it is, if there is one.
    ConditionFailed(Option<Box<Item>>),
}

/// Inserts `item` unless one with its key exists. Items with the same attributes have the same text, which then is read
/// once and not anew for each.
pub(crate) fn insert(table: &str, item: Item) -> Statement {
    let mut text = format!("INSERT INTO \"{table}\" VALUE {{");
    let mut parameters = Vec::with_capacity(item.len());
    for (place, (name, value)) in item.into_iter().collect::<BTreeMap<_, _>>().into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push('\'');
        text.push_str(&name);
        text.push_str("':?");
        parameters.push(value);
    }
    text.push('}');
    Statement { text, parameters }
}

/// Carries the statements out, in requests of 25, several at once; the answers stand in the statements' order.
pub(crate) async fn execute(tenant: &Tenant, statements: Vec<Statement>) -> Result<Vec<Written>, StoreError> {
    let requests: Vec<Vec<Statement>> = statements.chunks(STATEMENTS_A_REQUEST).map(<[Statement]>::to_vec).collect();
    let answers: Vec<Vec<Written>> = futures::stream::iter(requests)
        .map(|request| execute_request(tenant, request))
        .buffered(REQUESTS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

async fn execute_request(tenant: &Tenant, statements: Vec<Statement>) -> Result<Vec<Written>, StoreError> {
    let mut answers: Vec<Option<Written>> = vec![None; statements.len()];
    let mut last = StoreError::Unavailable { operation: OPERATION, code: "unknown".into() };
    for attempt in 0..ATTEMPTS {
        let open: Vec<usize> = (0..statements.len()).filter(|n| answers[*n].is_none()).collect();
        if open.is_empty() {
            break;
        }
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
        let mut request = tenant.client().batch_execute_statement();
        for n in &open {
            request = request.statements(request_of(&statements[*n])?);
        }
        let response = request.send().await.map_err(|e| StoreError::from_sdk(OPERATION, &e))?;
        for (n, answer) in open.into_iter().zip(response.responses.unwrap_or_default()) {
            let Some(error) = answer.error else {
                answers[n] = Some(Written::Yes);
                continue;
            };
            match error.code {
                Some(BatchStatementErrorCodeEnum::DuplicateItem) => answers[n] = Some(Written::Exists),
                Some(BatchStatementErrorCodeEnum::ConditionalCheckFailed) => {
                    answers[n] = Some(Written::ConditionFailed(error.item.map(Box::new)));
                }
                code => {
                    let code = code.map_or_else(|| "unknown".to_owned(), |c| c.as_str().to_owned());
                    last = StoreError::from_code(OPERATION, &code, error.message.as_deref().unwrap_or_default());
                    if !last.is_passing() {
                        return Err(last);
                    }
                }
            }
        }
    }
    answers.into_iter().collect::<Option<Vec<_>>>().ok_or(last)
}

fn request_of(statement: &Statement) -> Result<BatchStatementRequest, StoreError> {
    BatchStatementRequest::builder()
        .statement(&statement.text)
        .set_parameters(Some(statement.parameters.clone()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|e| StoreError::Refused { operation: OPERATION, code: "build".into(), message: e.to_string() })
}
