//! What waits for a person, of all of a merchant's shops in one list: the index `needs`. It is sparse, and its keys say
//! what is needed, so that counting reads no shipment.

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_domain::needs::{Needs, OpenCancellation};
use renkei_domain::shipment::Shipment;

use crate::codec::{self, Item};
use crate::lists::Mark;
use crate::shipments::sort_key;
use crate::{StoreError, Tenant, keys};

/// A key has its length: of a payment state the beginning is kept, which tells states apart.
const LONGEST_STATE: usize = 64;
/// Stands where there is nothing.
const NONE: &str = "-";
/// Stands for a cancellation that has ended.
const ENDED: &str = "ended";
/// Stands for a refusal.
const REFUSED: &str = "refused";
/// Stands for what the shop has otherwise.
const DIFFERS: &str = "differs";
/// Stands for what the warehouse gave back.
const RETURNED: &str = "returned";
/// Stands between those.
const AND: char = '+';

/// A shipment that needs a person, or will where nobody answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The shipment.
    pub id: ShipmentId,
    /// Its place in the list.
    pub mark: Mark,
    /// What it needs.
    pub needs: Needs,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingList {
    /// The latest import first.
    pub rows: Vec<Waiting>,
    /// There are more behind them.
    pub more: bool,
}

impl Tenant {
    /// What waits for a person, of all shops, the latest import first; behind a place if one is given. One request, which
    /// reads at most `limit` keys.
    pub async fn needs(&self, limit: i32, after: Option<(&ConnectionId, Mark)>) -> Result<WaitingList, StoreError> {
        let query = self
            .client()
            .query()
            .table_name(&self.tables().shipments)
            .index_name("needs")
            .expression_attribute_values(":pk", codec::text(keys::needs_pk(&self.id)))
            .scan_index_forward(false)
            .limit(limit);
        let query = match after {
            None => query.key_condition_expression("need_pk = :pk"),
            Some((connection, mark)) => {
                query.key_condition_expression("need_pk = :pk AND need_sk < :place").expression_attribute_values(
                    ":place",
                    codec::text(keys::needs_place(mark.since, &mark.id(connection))),
                )
            }
        };
        let answer = query.send().await.map_err(|e| StoreError::from_sdk("Query", &e))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let rows = answer.items.unwrap_or_default().iter().map(waiting).collect::<Result<_, _>>()?;
        Ok(WaitingList { rows, more })
    }
}

/// The marks of a shipment that is in the list; None for one that is not.
pub(crate) fn marks(tenant: &Tenant, shipment: &Shipment) -> Option<[(&'static str, String); 2]> {
    let needs = Needs::of(shipment)?;
    let place = keys::needs_place(shipment.imported_at, &shipment.id);
    Some([("need_pk", keys::needs_pk(&tenant.id)), ("need_sk", format!("{place}{}", written(&needs)))])
}

fn written(needs: &Needs) -> String {
    let cancellation = match needs.cancellation {
        None => NONE.to_owned(),
        Some(OpenCancellation::Ended) => ENDED.to_owned(),
        Some(OpenCancellation::AskedAt(at)) => at.as_millisecond().to_string(),
    };
    let words = [(needs.refused, REFUSED), (needs.differs, DIFFERS), (needs.returned, RETURNED)];
    let words: Vec<&str> = words.into_iter().filter(|(applies, _)| *applies).map(|(_, word)| word).collect();
    let words = if words.is_empty() { NONE.to_owned() } else { words.join(&AND.to_string()) };
    let state = needs.payment_state.as_ref().map_or_else(
        || NONE.to_owned(),
        |state| format!("state {}", state.chars().take(LONGEST_STATE).collect::<String>()),
    );
    // A state may hold any character: it stands last.
    format!("{cancellation}#{words}#{state}")
}

fn waiting(item: &Item) -> Result<Waiting, StoreError> {
    let place = sort_key(item, "need_sk")?;
    read(place).ok_or_else(|| StoreError::Unreadable {
        kind: "what a shipment needs",
        reason: "its key is not of the known form".into(),
    })
}

fn read(place: &str) -> Option<Waiting> {
    let mut parts = place.splitn(7, '#');
    let since: Timestamp = parts.next()?.parse().ok()?;
    let connection = ConnectionId::parse(parts.next()?).ok()?;
    let (order, parcel) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let cancellation = match parts.next()? {
        NONE => None,
        ENDED => Some(OpenCancellation::Ended),
        at => Some(OpenCancellation::AskedAt(Timestamp::from_millisecond(at.parse().ok()?).ok()?)),
    };
    let words: Vec<&str> = parts.next()?.split(AND).collect();
    let [refused, differs, returned] = [REFUSED, DIFFERS, RETURNED].map(|word| words.contains(&word));
    let payment_state = parts.next()?.strip_prefix("state ").map(str::to_owned);
    Some(Waiting {
        id: ShipmentId { connection, order: OrderId(order), parcel },
        mark: Mark { since, order, parcel },
        needs: Needs { cancellation, refused, payment_state, differs, returned },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_comes_back_as_it_went() {
        let at: Timestamp = "2026-11-24T01:02:03.456Z".parse().unwrap();
        let id: ShipmentId = "shop.88111.2".parse().unwrap();
        let all = [
            Needs { refused: true, ..Needs::default() },
            Needs { differs: true, ..Needs::default() },
            Needs { returned: true, ..Needs::default() },
            Needs { cancellation: Some(OpenCancellation::AskedAt(at)), ..Needs::default() },
            Needs {
                cancellation: Some(OpenCancellation::Ended),
                refused: true,
                payment_state: Some("新しい#状態 -".into()),
                differs: true,
                returned: true,
            },
            Needs { payment_state: Some(String::new()), ..Needs::default() },
        ];
        for needs in all {
            let key = format!("{}{}", keys::needs_place(at, &id), written(&needs));
            let found = read(&key).unwrap();
            assert_eq!((&found.id, &found.needs), (&id, &needs), "{key}");
            // A list goes on behind it: all that stands at its place comes after the place.
            assert!(key > keys::needs_place(found.mark.since, &found.mark.id(&id.connection)));
        }
        for wrong in ["", "x", "2026-11-24T01:02:03.456Z#shop#1#1", "2026-11-24T01:02:03.456Z#shop#1#1#x#-#-"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_long_state_keeps_its_beginning() {
        let needs = Needs { payment_state: Some("長".repeat(1_000)), ..Needs::default() };
        assert_eq!(written(&needs), format!("-#-#state {}", "長".repeat(64)));
    }
}
