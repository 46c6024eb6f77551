//! The least that is a Lambda function: it answers with what it was given. `renkei bench start` compares the start of
//! Renkei's functions with this one's. Of no stack.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload))).await
}
