//! The rules that every order must have kept, each with the sentence that is said of an order that broke it.

use jiff::{SignedDuration, Timestamp};
use renkei_domain::payment::Payment;
use renkei_domain::run::{Run, RunState};
use renkei_domain::settings::Action;
use renkei_domain::shipment::{CancellationState, HoldReason, Shipment, ShipmentDetail, ShopSync, Status};
use renkei_simulator::api::{AddressTruth, OrderChange, OrderTruth, Writer};

use super::address;
use super::staff::Edit;
use super::timeline::Timeline;
use super::warehouse::{Left, Notes};

/// Clocks of a shop show whole seconds.
pub const GRANULE: SignedDuration = SignedDuration::from_secs(2);
/// How long a run may be at telling what it has read from its list of work: the call's repetitions included.
const AT_TELLING: SignedDuration = SignedDuration::from_secs(60);
/// The id that every shop knows the one carrier by.
const CARRIER: u64 = 1;
/// An order that the shop was seen so often without what it had been told is told its number no more.
pub const TOLD_IN_VAIN: u32 = 3;
/// The state of cancelled orders at all shops.
pub const CANCELLED: &str = "canceled";

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
    /// What the shop's people made of the order's first address, the latest last.
    pub edits: &'a [Edit],
    /// When the merchant's people first wished for its shipments to be made anew, if they did.
    pub wished: Option<Timestamp>,
}

impl Facts<'_> {
    /// A sync that began after this moment, and was over before the other: it has read what the shop showed since.
    pub fn sync_between(&self, since: Timestamp, until: Timestamp) -> Option<&Run> {
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
pub fn parcel(
    (shipment, detail): (&Shipment, &ShipmentDetail),
    order: &OrderTruth,
    timeline: &Timeline,
    facts: &Facts<'_>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let id = shipment.id.to_string();
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    let claims = facts.notes.claimed.get(&id).map_or(0, std::collections::BTreeSet::len);
    must(claims <= 1, "was given to two workers".to_owned());
    let reported = facts.notes.results.get(&id);
    let accepted = reported.and_then(|reported| reported.accepted.as_ref());
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
    if let Some(at_shop) = address_of(shipment, order) {
        wrong.extend(match shipment.status {
            Status::Hold => held(shipment, at_shop, timeline),
            Status::Ready | Status::Picking => vec![format!("came to no end: it is {}", shipment.status.as_str())],
            Status::Shipped => shipped(shipment, accepted, (order, at_shop), timeline, facts),
            Status::Cancelled => cancelled(at_shop, timeline),
        });
    } else {
        wrong.push(format!("is for address {}, which the order does not have", shipment.address_id));
    }
    wrong.extend(readings(shipment, timeline, facts));
    wrong.extend(address::edited(shipment, detail, order, facts));
    wrong.into_iter().map(|what| format!("parcel {}: {what}", shipment.id.parcel)).collect()
}

/// A parcel on hold: for its payment or its address, and for each only while that is so.
fn held(shipment: &Shipment, at_shop: &AddressTruth, timeline: &Timeline) -> Vec<String> {
    let mut wrong = no_number(at_shop, "on hold");
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    must(!shipment.holds.is_empty(), "is on hold without a reason".to_owned());
    // Nothing else of these worlds is to be looked at by a person: each order has a method, and no robot holds.
    must(
        shipment.holds.iter().all(|hold| matches!(hold, HoldReason::AwaitingPayment | HoldReason::BadAddress)),
        format!("is on hold for {:?}", shipment.holds),
    );
    let label = address::goes_on_a_label(at_shop);
    must(
        shipment.holds.contains(&HoldReason::BadAddress) != label,
        format!("is on hold for {:?}, and its address {} on a label", shipment.holds, goes(label)),
    );
    must(!timeline.ends_cancelled(), "is on hold, and cancelled at the shop".to_owned());
    if shipment.holds.contains(&HoldReason::AwaitingPayment) {
        must(!timeline.ends_paid(), "waits for its payment, and is paid".to_owned());
        must(shipment.payment == Payment::Unpaid, "waits for its payment, and counts as paid".to_owned());
    }
    wrong
}

fn goes(label: bool) -> &'static str {
    if label { "goes" } else { "does not go" }
}

/// A parcel that left: by the warehouse's latest word, which the shop has been told.
fn shipped(
    shipment: &Shipment,
    accepted: Option<&Left>,
    (order, at_shop): (&OrderTruth, &AddressTruth),
    timeline: &Timeline,
    facts: &Facts<'_>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    must(accepted.is_some(), "is shipped, and no result of it was accepted".to_owned());
    let (number, left_at) = (accepted.map(|left| left.number.as_str()), accepted.map(|left| left.at));
    must(
        shipment.tracking_number.as_deref() == number,
        format!("has the number {:?}, the warehouse said {number:?}", shipment.tracking_number),
    );
    must(
        shipment.shipped_at == left_at,
        format!("left at {}, the warehouse said {}", shown(shipment.shipped_at), shown(left_at)),
    );
    must(address::goes_on_a_label(at_shop), "left, and its address does not go on a label".to_owned());
    let told = match shipment.shop_sync {
        ShopSync::Completed => true,
        ShopSync::WrittenBack => facts.waits,
        ShopSync::Registered | ShopSync::Acknowledged | ShopSync::Failed => false,
    };
    must(
        told && shipment.tracking_told == shipment.tracking_number,
        format!("is shipped, and its telling stands at {}", shipment.shop_sync.as_str()),
    );
    if !is_dropped_for_good(shipment, order) {
        for sentence in known_at_shop(shipment, at_shop) {
            must(false, sentence);
        }
    }
    // It left, and is cancelled at the shop: somebody has to know.
    let state = shipment.cancellation.map(|asked| asked.state);
    must(
        !timeline.ends_cancelled() || matches!(state, Some(CancellationState::TooLate | CancellationState::Refused)),
        format!("left, is cancelled at the shop, and that stands here as {state:?}"),
    );
    wrong
}

/// A parcel that is cancelled: as its order was at the shop. It never left, so that no number of it was ever told.
fn cancelled(at_shop: &AddressTruth, timeline: &Timeline) -> Vec<String> {
    let mut wrong = no_number(at_shop, "cancelled");
    if !timeline.was_cancelled() {
        wrong.push("is cancelled, and never was at the shop".to_owned());
    }
    wrong
}

/// What has not left has no tracking number at the shop.
fn no_number(at_shop: &AddressTruth, how: &str) -> Vec<String> {
    let number = at_shop.shipping_slip.iter();
    number.map(|number| format!("is {how}, and the shop has the number {number} of it")).collect()
}

fn address_of<'a>(shipment: &Shipment, order: &'a OrderTruth) -> Option<&'a AddressTruth> {
    order.shipping_addresses.iter().find(|address| address.id == shipment.address_id.0)
}

/// Did the shop say yes to this parcel's number at last, and drop it, where that is left to people? So it is once the
/// shop was told in vain too often, and where the order is in a state that no night looks at.
fn is_dropped_for_good(shipment: &Shipment, order: &OrderTruth) -> bool {
    let told = |change: &&OrderChange| {
        let is_number = matches!(change.field.as_str(), "shipping_slip" | "dropped_slip");
        is_number && change.address_id == Some(shipment.address_id.0)
    };
    let last = order.history.iter().rfind(told);
    last.is_some_and(|change| change.field == "dropped_slip")
        && (order.brief.state == CANCELLED || shipment.reappeared >= TOLD_IN_VAIN)
}

/// What the shop has of a parcel that left.
fn known_at_shop(shipment: &Shipment, at_shop: &AddressTruth) -> Vec<String> {
    let mut wrong = Vec::new();
    if at_shop.shipping_slip != shipment.tracking_number {
        wrong.push(format!("left as {:?}, the shop has {:?}", shipment.tracking_number, at_shop.shipping_slip));
    }
    if at_shop.shipping_carrier_id != Some(CARRIER) {
        wrong.push(format!("left with carrier {CARRIER}, the shop has {:?}", at_shop.shipping_carrier_id));
    }
    // The shop's API speaks of whole seconds.
    if at_shop.shipped_at.map(Timestamp::as_second) != shipment.shipped_at.map(Timestamp::as_second) {
        wrong.push(format!("left at {}, the shop has {}", shown(shipment.shipped_at), shown(at_shop.shipped_at)));
    }
    wrong
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "no time".to_owned(), |at| at.to_string())
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
        // shop's people move such an order, which the nightly reconciliation tells them (不一致). So it is with a number
        // that the shop dropped too often.
        let unnumbered = |parcel: &&Shipment| parcel.status == Status::Cancelled || is_dropped_for_good(parcel, order);
        let left_to_people = facts.automation && parcels.iter().any(unnumbered);
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
    // Nor what a sync has read as cancelled, whatever it made of it. What is out is read some hours later only.
    let imported = parcels.iter().map(|parcel| parcel.imported_at).max();
    let open_until = parcels.iter().map(|parcel| parcel.result_at.unwrap_or(Timestamp::MAX)).max();
    for written in timeline.overwritten.iter().filter(|written| !written.is_shipped) {
        if let (Some(since), Some(imported), Some(open_until)) = (written.cancelled_since, imported, open_until)
            && let Some(run) = facts.sync_between(since.max(imported), open_until.min(written.at - AT_TELLING))
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
    let most = usize::from(facts.captures);
    must(captures <= most, format!("its payment was captured {captures} times by us, and may be {most} times"));
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

#[cfg(test)]
mod tests {
    use renkei_domain::payment::PaymentStates;
    use serde_json::json;

    use super::*;
    use crate::prove::samples::{self, at};

    /// A parcel that left, as the shop, the warehouse and we have it.
    struct Case {
        shipment: Shipment,
        truth: OrderTruth,
        notes: Notes,
    }

    impl Case {
        fn left() -> Self {
            let left = Left { number: "7-1-0".to_owned(), at: at(50) + SignedDuration::from_millis(700) };
            let mut shipment = samples::shipment("shipped");
            shipment.tracking_number = Some(left.number.clone());
            shipment.tracking_told = Some(left.number.clone());
            shipment.shipped_at = Some(left.at);
            let mut truth = samples::order();
            "shipped".clone_into(&mut truth.brief.state);
            truth.shipping_addresses[0].shipping_slip = Some(left.number.clone());
            truth.shipping_addresses[0].shipping_carrier_id = Some(CARRIER);
            truth.shipping_addresses[0].shipped_at = Some(at(50));
            let mut notes = Notes::default();
            notes.results.entry(shipment.id.to_string()).or_default().accepted = Some(left);
            Self { shipment, truth, notes }
        }

        fn in_status(status: &str) -> Self {
            Self { shipment: samples::shipment(status), truth: samples::order(), notes: Notes::default() }
        }

        fn change(&mut self, field: &str, to: &str) {
            let change = json!({
                "at": at(60), "by": "api", "field": field, "address_id": 501, "from": null, "to": to,
            });
            self.truth.history.push(serde_json::from_value(change).unwrap());
        }

        fn timeline(&self) -> Timeline {
            Timeline::of(&self.truth, 0, &PaymentStates::default())
        }

        /// What is said of the parcel.
        fn parcel(&self) -> Vec<String> {
            let facts = samples::facts(&self.notes);
            parcel((&self.shipment, &samples::detail()), &self.truth, &self.timeline(), &facts)
        }

        /// What is said of the order of a shop that moves orders by itself, or captures payments.
        fn order(&self, automation: bool, captures: bool) -> Vec<String> {
            let facts = Facts { automation, captures, ..samples::facts(&self.notes) };
            order(&[&self.shipment], &self.truth, &self.timeline(), &facts)
        }
    }

    #[test]
    fn a_hold_for_the_address_is_right_where_it_goes_on_no_label_and_nowhere_else() {
        let mut case = Case::in_status("hold");
        case.shipment.holds = vec![HoldReason::BadAddress];
        assert_eq!(case.parcel().len(), 1, "{:?}", case.parcel());
        case.truth.shipping_addresses[0].attributes.insert("zip01".to_owned(), "ABC".into());
        assert!(case.parcel().is_empty(), "{:?}", case.parcel());
        let mut left = Case::left();
        assert!(left.parcel().is_empty(), "{:?}", left.parcel());
        left.truth.shipping_addresses[0].attributes.insert("zip01".to_owned(), "ABC".into());
        assert_eq!(left.parcel().len(), 1, "{:?}", left.parcel());
    }

    #[test]
    fn what_has_not_left_has_no_number_at_the_shop() {
        for status in ["hold", "cancelled"] {
            let mut case = Case::in_status(status);
            let before = case.parcel().len();
            case.truth.shipping_addresses[0].shipping_slip = Some("7-1-0".to_owned());
            assert_eq!(case.parcel().len(), before + 1, "{:?}", case.parcel());
        }
    }

    #[test]
    fn what_left_did_so_when_the_warehouse_said_to_the_second_that_the_shop_shows() {
        let mut case = Case::left();
        case.truth.shipping_addresses[0].shipped_at = Some(at(51));
        assert_eq!(case.parcel().len(), 1, "{:?}", case.parcel());
        let mut case = Case::left();
        case.shipment.shipped_at = Some(at(50));
        assert_eq!(case.parcel().len(), 1, "the warehouse said otherwise: {:?}", case.parcel());
    }

    #[test]
    fn a_shop_that_does_not_capture_with_numbers_has_no_payment_captured() {
        let mut case = Case::left();
        case.change("payment_state", "captured");
        "captured".clone_into(&mut case.truth.brief.payment_state);
        assert!(case.order(false, true).is_empty(), "{:?}", case.order(false, true));
        assert_eq!(case.order(false, false).len(), 1, "{:?}", case.order(false, false));
        case.change("payment_state", "captured");
        assert_eq!(case.order(false, true).len(), 1, "twice");
    }

    #[test]
    fn a_number_that_the_shop_dropped_is_left_to_people_once_it_was_told_in_vain_often_enough() {
        let mut case = Case::left();
        let address = &mut case.truth.shipping_addresses[0];
        (address.shipping_slip, address.shipping_carrier_id, address.shipped_at) = (None, None, None);
        "working".clone_into(&mut case.truth.brief.state);
        case.shipment.reappeared = TOLD_IN_VAIN;
        assert!(!case.parcel().is_empty() && !case.order(true, false).is_empty(), "it was never told");
        case.change("dropped_slip", "7-1-0");
        assert!(case.parcel().is_empty() && case.order(true, false).is_empty(), "{:?}", case.parcel());
        case.shipment.reappeared = TOLD_IN_VAIN - 1;
        assert!(!case.parcel().is_empty() && !case.order(true, false).is_empty(), "a night tells it again");
    }
}
