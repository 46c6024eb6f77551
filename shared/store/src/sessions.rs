//! Who is signed in at the console, and how often somebody tried.
//!
//! A table of its own with an end for every item: nothing else depends on it, and to throw it away signs everybody out.
//! What a browser holds is never stored, only its digest: who reads this table cannot become anybody.
//!
//! | pk | sk | item |
//! |---|---|---|
//! | `U#person` | `S#digest` | a session |
//! | `I#digest` | `I` | a sign-in that has begun |
//! | `R#what#who#window` | `R` | a count of attempts |

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{DeleteRequest, ReturnValue, WriteRequest};
use jiff::Timestamp;
use renkei_domain::member::Email;
use serde::{Deserialize, Serialize};

use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::{LateClient, late};

const SESSION: &str = "session";
const SIGN_IN: &str = "sign-in";

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    pub email: Email,
    /// Since when.
    pub started_at: Timestamp,
    /// When the browser was last seen, to a minute or so.
    pub seen_at: Timestamp,
    /// Its end, whatever happens, as seconds since 1970; DynamoDB removes the item some time after it.
    pub expires_at: i64,
}

/// A sign-in that has begun: what must come back from the provider, and what proves that we asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The digest of what the browser holds: the one that began must be the one that ends.
    pub browser: String,
    /// Must stand in the identity token.
    pub nonce: String,
    /// The secret behind the challenge that was sent along (PKCE).
    pub verifier: String,
    /// Where the person wanted to go, a path of the console.
    pub to: String,
    /// Its end, as seconds since 1970.
    pub expires_at: i64,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn(…)")
    }
}

/// The table of sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    client: LateClient,
    table: String,
}

impl Sessions {
    /// Over this table.
    #[must_use]
    pub fn new(aws: &SdkConfig, table: String) -> Self {
        let aws = aws.clone();
        Self { client: late(move || Client::new(&aws)), table }
    }

    /// The same, with everything that is asked counted.
    #[must_use]
    pub fn metered(aws: &SdkConfig, table: String, meter: &crate::meter::Meter) -> Self {
        let (aws, meter) = (aws.clone(), meter.clone());
        Self { client: late(move || meter.client(&aws)), table }
    }

    /// Notes that a browser is signed in.
    pub async fn begin(&self, person: &str, digest: &str, session: &Session) -> Result<(), StoreError> {
        let mut item = codec::to_item(SESSION, session)?;
        item.extend(session_key(person, digest));
        self.put(item).await
    }

    /// The session of a browser. That it has not ended is for the caller to see: the table forgets late.
    pub async fn find(&self, person: &str, digest: &str) -> Result<Option<Session>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(session_key(person, digest)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("GetItem", &e))?;
        answer.item.map(|item| codec::from_item(SESSION, item)).transpose()
    }

    /// Notes that the browser was seen. A session that was ended meanwhile stays ended.
    pub async fn seen(&self, person: &str, digest: &str, at: Timestamp) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(session_key(person, digest)))
            .update_expression("SET seen_at = :at")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":at", codec::text(at.to_string()))
            .send()
            .await;
        match update {
            Ok(_) => Ok(()),
            Err(e) if matches!(e.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) => {
                Ok(())
            }
            Err(e) => Err(StoreError::from_sdk("UpdateItem", &e)),
        }
    }

    /// Ends a session.
    pub async fn end(&self, person: &str, digest: &str) -> Result<(), StoreError> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(session_key(person, digest)))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("DeleteItem", &e))?;
        Ok(())
    }

    /// Ends all sessions of a person, wherever they are. Gives how many there were.
    pub async fn end_all(&self, person: &str) -> Result<usize, StoreError> {
        let mut ended = 0;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", codec::text(format!("U#{person}")))
                .projection_expression("pk, sk")
                .consistent_read(true)
                // What one request deletes.
                .limit(25)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("Query", &e))?;
            let keys = answer.items.unwrap_or_default();
            if keys.is_empty() {
                return Ok(ended);
            }
            ended += keys.len();
            let deletes = keys
                .into_iter()
                .map(|key| {
                    let delete =
                        DeleteRequest::builder().set_key(Some(key)).build().map_err(|e| StoreError::Refused {
                            operation: "BatchWriteItem",
                            code: "build".into(),
                            message: e.to_string(),
                        })?;
                    Ok(WriteRequest::builder().delete_request(delete).build())
                })
                .collect::<Result<Vec<_>, StoreError>>()?;
            // What is left over is found by the next query.
            self.client
                .batch_write_item()
                .request_items(&self.table, deletes)
                .send()
                .await
                .map_err(|e| StoreError::from_sdk("BatchWriteItem", &e))?;
        }
    }

    /// Notes that a sign-in has begun.
    pub async fn begin_sign_in(&self, digest: &str, sign_in: &SignIn) -> Result<(), StoreError> {
        let mut item = codec::to_item(SIGN_IN, sign_in)?;
        item.extend(sign_in_key(digest));
        self.put(item).await
    }

    /// Takes a sign-in that has begun: it is there once.
    pub async fn take_sign_in(&self, digest: &str) -> Result<Option<SignIn>, StoreError> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(sign_in_key(digest)))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("DeleteItem", &e))?;
        answer.attributes.filter(|item| !item.is_empty()).map(|item| codec::from_item(SIGN_IN, item)).transpose()
    }

    /// Counts an attempt within a window of `seconds`, and gives how many there are with it.
    pub async fn count(&self, what: &str, who: &str, seconds: i64, now: Timestamp) -> Result<u64, StoreError> {
        let window = now.as_second() / seconds;
        let key = Item::from([
            ("pk".to_owned(), codec::text(format!("R#{what}#{who}#{window}"))),
            ("sk".to_owned(), codec::text("R")),
        ]);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("ADD n :one SET expires_at = :end, v = :v")
            .expression_attribute_values(":v", codec::version())
            .expression_attribute_values(":one", codec::number(1))
            .expression_attribute_values(":end", codec::number((window + 2) * seconds))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("UpdateItem", &e))?;
        let counted = answer.attributes.and_then(|item| item.get("n")?.as_n().ok()?.parse().ok());
        Ok(counted.unwrap_or(1))
    }

    async fn put(&self, mut item: Item) -> Result<(), StoreError> {
        item.insert("v".into(), codec::version());
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk("PutItem", &e))?;
        Ok(())
    }
}

fn session_key(person: &str, digest: &str) -> Item {
    Item::from([
        ("pk".to_owned(), codec::text(format!("U#{person}"))),
        ("sk".to_owned(), codec::text(format!("S#{digest}"))),
    ])
}

fn sign_in_key(digest: &str) -> Item {
    Item::from([("pk".to_owned(), codec::text(format!("I#{digest}"))), ("sk".to_owned(), codec::text("I"))])
}
