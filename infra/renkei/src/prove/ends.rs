//! The rules that every order must have kept, each with the sentence that is said of an order that broke it.

use jiff::{SignedDuration, Timestamp};
use renkei_domain::payment::Payment;
use renkei_domain::run::{Run, RunState};
use renkei_domain::settings::Action;
use renkei_domain::shipment::{CancellationState, HoldReason, Shipment, ShopSync, Status};
use renkei_simulator::api::{AddressTruth, OrderTruth, Writer};

use super::timeline::Timeline;
use super::warehouse::Notes;

/// Clocks of a shop show whole seconds.
const GRANULE: SignedDuration = SignedDuration::from_secs(2);
/// How long a run may be at telling what it has read from its list of work: the call's repetitions included.
const AT_TELLING: SignedDuration = SignedDuration::from_secs(60);
/// The id that every shop knows the one carrier by.
const CARRIER: u64 = 1;

/// What is known of a shop beside its orders.
pub struct Facts<'a> {
    /// All runs of the shop's robots.
    pub runs: &'a [Run],
    /// What the merchant's warehouse was answered.
    pub notes: &'a Notes,
    /// Moves the shop orders by itself?
    pub automation: bool,
    /// Are payments captured when the shop is told of the first number?
    pub captures: bool,
    /// Is another parcel of the order still on hold? Then "shipped" is not to be told yet.
    pub waits: bool,
}

impl Facts<'_> {
    /// A sync that began after this moment, and was over before the other: it has read what the shop showed since.
    fn sync_between(&self, since: Timestamp, until: Timestamp) -> Option<&Run> {
        self.runs.iter().find(|run| {
            run.action == Action::StatusSync
                && run.robot.as_str().ends_with("status-sync")
                && matches!(run.state, RunState::Done | RunState::NeedsPerson)
                && run.started_at >= since + GRANULE
                && run.ended_at.is_some_and(|ended| ended <= until)
        })
    }
}

/// Looks at one parcel of an order, and says what is wrong with it.
pub fn parcel(shipment: &Shipment, order: &OrderTruth, timeline: &Timeline, facts: &Facts<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let id = shipment.id.to_string();
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(format!("parcel {}: {what}", shipment.id.parcel));
        }
    };
    let claims = facts.notes.claimed.get(&id).map_or(0, std::collections::BTreeSet::len);
    must(claims <= 1, "was given to two workers".to_owned());
    let reported = facts.notes.results.get(&id);
    let accepted = reported.and_then(|reported| reported.accepted.as_deref());
    must(
        accepted.is_none() || shipment.status == Status::Shipped,
        format!("left by a result that was accepted, and is {}", shipment.status.as_str()),
    );
    must(
        !facts.notes.consented.contains(&id) || shipment.status == Status::Cancelled,
        format!("stayed at the warehouse by its consent, and is {}", shipment.status.as_str()),
    );
    must(
        claims == 0 || !matches!(shipment.status, Status::Hold | Status::Ready),
        format!("was given to a worker, and is {} again", shipment.status.as_str()),
    );
    match shipment.status {
        Status::Hold => {
            must(!shipment.holds.is_empty(), "is on hold without a reason".to_owned());
            // Nothing else of these worlds is to be looked at by a person: each order has a method, and no robot holds.
            must(
                shipment.holds.iter().all(|hold| matches!(hold, HoldReason::AwaitingPayment | HoldReason::BadAddress)),
                format!("is on hold for {:?}", shipment.holds),
            );
            must(!timeline.ends_cancelled(), "is on hold, and cancelled at the shop".to_owned());
            if shipment.holds.contains(&HoldReason::AwaitingPayment) {
                must(!timeline.ends_paid(), "waits for its payment, and is paid".to_owned());
                must(shipment.payment == Payment::Unpaid, "waits for its payment, and counts as paid".to_owned());
            }
        }
        Status::Ready | Status::Picking => {
            must(false, format!("came to no end: it is {}", shipment.status.as_str()));
        }
        Status::Shipped => {
            must(accepted.is_some(), "is shipped, and no result of it was accepted".to_owned());
            must(
                shipment.tracking_number.as_deref() == accepted,
                format!("has the number {:?}, the warehouse said {accepted:?}", shipment.tracking_number),
            );
            let told = match shipment.shop_sync {
                ShopSync::Completed => true,
                ShopSync::WrittenBack => facts.waits,
                ShopSync::Registered | ShopSync::Acknowledged | ShopSync::Failed => false,
            };
            must(
                told && shipment.tracking_told == shipment.tracking_number,
                format!("is shipped, and its telling stands at {}", shipment.shop_sync.as_str()),
            );
            for sentence in known_at_shop(shipment, address_of(shipment, order)) {
                must(false, sentence);
            }
            // It left, and is cancelled at the shop: somebody has to know.
            let state = shipment.cancellation.map(|asked| asked.state);
            must(
                !timeline.ends_cancelled()
                    || matches!(state, Some(CancellationState::TooLate | CancellationState::Refused)),
                format!("left, is cancelled at the shop, and that stands here as {state:?}"),
            );
        }
        Status::Cancelled => {
            must(timeline.was_cancelled(), "is cancelled, and never was at the shop".to_owned());
        }
    }
    for sentence in readings(shipment, timeline, facts) {
        must(false, sentence);
    }
    wrong
}

fn address_of<'a>(shipment: &Shipment, order: &'a OrderTruth) -> Option<&'a AddressTruth> {
    order.shipping_addresses.iter().find(|address| address.id == shipment.address_id.0)
}

/// What the shop has of a parcel that left.
fn known_at_shop(shipment: &Shipment, at_shop: Option<&AddressTruth>) -> Vec<String> {
    let Some(at_shop) = at_shop else { return vec!["left to an address that the order does not have".to_owned()] };
    let mut wrong = Vec::new();
    if at_shop.shipping_slip != shipment.tracking_number {
        wrong.push(format!("left as {:?}, the shop has {:?}", shipment.tracking_number, at_shop.shipping_slip));
    }
    if at_shop.shipping_carrier_id != Some(CARRIER) {
        wrong.push(format!("left with carrier {CARRIER}, the shop has {:?}", at_shop.shipping_carrier_id));
    }
    wrong
}

/// What was read counts from the moment it was read.
fn readings(shipment: &Shipment, timeline: &Timeline, facts: &Facts<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(claimed) = shipment.claimed_at else { return wrong };
    if let Some(not) = timeline.not_to_ship_at(claimed) {
        match not.since {
            None => wrong.push(format!("was claimed, and the shop had never let it ({})", not.why)),
            Some(since) => {
                if let Some(run) = facts.sync_between(since.max(shipment.imported_at), claimed) {
                    wrong.push(format!(
                        "was claimed at {claimed}; since {since} the shop had it as {}, and run {} had read that",
                        not.why, run.id
                    ));
                }
            }
        }
    }
    if let Some(left) = shipment.result_at
        && shipment.cancellation.is_none()
        && let Some(since) = timeline.cancelled_at(left)
        && let Some(run) = facts.sync_between(since.max(claimed), left)
    {
        wrong.push(format!(
            "left at {left}; it was cancelled at the shop since {since}, run {} had read that, and nobody was told",
            run.id
        ));
    }
    wrong
}

/// Looks at an order as a whole, and says what is wrong with it.
pub fn order(parcels: &[&Shipment], order: &OrderTruth, timeline: &Timeline, facts: &Facts<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    let state = order.brief.state.as_str();
    let all_cancelled = parcels.iter().all(|parcel| parcel.status == Status::Cancelled);
    let out = !all_cancelled && parcels.iter().all(|p| matches!(p.status, Status::Cancelled | Status::Shipped));
    if all_cancelled {
        must(state == "canceled" || !timeline.overwritten.is_empty(), format!("is cancelled, and {state} at the shop"));
    } else if out {
        // The shop's automation waits for a number of each address. Where a parcel is cancelled it waits for ever: the
        // shop's people move such an order, which the nightly reconciliation tells them (不一致).
        let left_to_people = facts.automation && parcels.iter().any(|parcel| parcel.status == Status::Cancelled);
        must(
            state == "shipped"
                || (state == "canceled" && timeline.ends_cancelled())
                || (state == "working" && left_to_people),
            format!("is out, and {state} at the shop"),
        );
    } else {
        must(state == "working" || timeline.ends_cancelled(), format!("is in hand, and {state} at the shop"));
    }
    must(
        !facts.automation || order.brief.written_shipped == 0,
        "was told as shipped, where the shop moves orders by itself".to_owned(),
    );
    // What is known as cancelled must not be told as taken: that would take the cancellation away at the shop.
    let known = parcels.iter().filter_map(|p| cancelled_at(p)).max().filter(|_| all_cancelled);
    if let Some(known) = known
        && let Some(written) = timeline.overwritten.iter().find(|written| written.at > known + AT_TELLING)
    {
        must(false, format!("was known as cancelled at {known}, and told as taken at {}", written.at));
    }
    // Nor what a sync has read as cancelled, whatever it made of it.
    let imported = parcels.iter().map(|parcel| parcel.imported_at).max();
    for written in timeline.overwritten.iter().filter(|written| !written.is_shipped) {
        if let (Some(since), Some(imported)) = (written.cancelled_since, imported)
            && let Some(run) = facts.sync_between(since.max(imported), written.at - AT_TELLING)
        {
            let at = written.at;
            must(
                false,
                format!("was cancelled at {since}, run {} had read that, and it was told again at {at}", run.id),
            );
        }
    }
    // A cancellation that was seen is one of all parcels, whatever becomes of each.
    let knows = |parcel: &&Shipment| parcel.status == Status::Cancelled || parcel.cancellation.is_some();
    must(
        !timeline.overwritten.is_empty() || parcels.iter().all(knows) || !parcels.iter().any(knows),
        "is known as cancelled by some of its parcels and not by others".to_owned(),
    );
    let captures = order
        .history
        .iter()
        .filter(|change| change.by == Writer::Api && change.field == "payment_state" && change.to == "captured")
        .count();
    must(captures <= 1, format!("its payment was captured {captures} times"));
    // What nobody knows to have been captured is left to a person, and so is what was cancelled; what a shop has as
    // authorised was not captured.
    let unproven = parcels.iter().any(|parcel| parcel.shop_error.is_some());
    let has_left = parcels.iter().any(|parcel| parcel.status == Status::Shipped) && !timeline.was_cancelled();
    must(
        !facts.captures || !has_left || unproven || order.brief.payment_state != "authed",
        "has left, and its payment was not captured".to_owned(),
    );
    wrong
}

fn cancelled_at(shipment: &Shipment) -> Option<Timestamp> {
    shipment.events.iter().find(|event| event.what.starts_with("cancelled")).map(|event| event.at)
}
