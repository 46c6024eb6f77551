//! The gate's item: the state machine in [`renkei_domain::gate`] decides, this carries its changes out.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;
use renkei_domain::gate::{GateState, adopt};
use renkei_domain::ids::ConnectionId;

use crate::Tenant;
use crate::codec::{self, Item};
use crate::error::StoreError;
use crate::keys;
use crate::reads;

const KIND: &str = "gate";
/// The item's version is the state machine's: both are raised together.
const _: () = assert!(codec::VERSION == renkei_domain::gate::VERSION as u64);

/// What became of a change of the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateWrite {
    /// It is written.
    Written,
    /// Somebody else's change came before: decide again from this state, with the same call id.
    Changed(Box<GateState>),
}

impl Tenant {
    /// The gate of a connection as it is now; a fresh one if it was never passed.
    pub async fn gate(&self, connection: &ConnectionId, now: Timestamp) -> Result<GateState, StoreError> {
        match reads::get(self, &self.tables().gate, &keys::gate(&self.id, connection)).await? {
            Some(item) => gate_of(item),
            None => Ok(GateState::fresh(now)),
        }
    }

    /// Changes the gate from `old` to `next`, on condition that it still is `old`. A write whose answer was lost is
    /// recognized, by the state itself, and not made twice.
    pub async fn write_gate(
        &self,
        connection: &ConnectionId,
        old: &GateState,
        next: &GateState,
    ) -> Result<GateWrite, StoreError> {
        let mut item = codec::to_item(KIND, next)?;
        item.extend(keys::gate(&self.id, connection).attributes());
        let put = self.client().put_item().table_name(&self.tables().gate).set_item(Some(item));
        let put = if old.seq() == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("seq = :old").expression_attribute_values(":old", codec::number(old.seq()))
        };
        let sent =
            put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).send().await;
        let returned: GateState = match sent {
            Ok(_) => return Ok(GateWrite::Written),
            Err(error) => match reads::conflicting_item(&error) {
                Some(item) => gate_of(item)?,
                // No answer at all: what is there tells whether the write was done.
                None if StoreError::from_sdk("PutItem", &error).is_passing() => {
                    self.gate(connection, next.next_call_at()).await?
                }
                None => return Err(StoreError::from_sdk("PutItem", &error)),
            },
        };
        if adopt(next, &returned) { Ok(GateWrite::Written) } else { Ok(GateWrite::Changed(Box::new(returned))) }
    }
}

pub(crate) fn gate_of(item: Item) -> Result<GateState, StoreError> {
    codec::from_item(KIND, item)
}
