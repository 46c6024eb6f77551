//! 取込み: what becomes of a fetched order.
//!
//! In this order: already imported → nothing (the store's conditional write decides that); otherwise converted, carrier
//! method chosen, processing robots applied in their order (payment, unknown products, duplicate numbers are theirs;
//! where they leave a parcel without a method, they are applied anew to the order on hold for that), held where a
//! person has to look all the same (no total), then stored. An order that cannot be imported never hinders another: it
//! is quarantined or refused with its reason.

pub mod anew;
pub mod method;

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::convert::{self, ConversionRobots, Converted};
use crate::handover::{self, Cancelled};
use crate::ids::{RuleId, ShipmentId, Sku};
use crate::order::SourceOrder;
use crate::payment::{Meaning, Payment};
use crate::processing::{Applied, Facts, Goods, ImportDecision, Phase, RobotSet, divide, settle};
use crate::run::Outcome;
use crate::settings::{Connection, STANDARD_CONVERSION, TenantSettings};
use crate::shipment::{HoldReason, Shipment, ShipmentDetail, ShopSync, Status};
use crate::work::Place;

/// The built-in robot that forbids two orders of one number.
pub const REJECT_DUPLICATE: &str = "reject-duplicate";

/// Longest notice of a robot on a shipment, in characters: events are a part of what every change writes again.
const LONGEST_NOTICE: usize = 200;

/// What import knows beside the order.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The merchant's settings.
    pub settings: &'a TenantSettings,
    /// The shop that the order came from.
    pub connection: &'a Connection,
    /// The merchant's processing robots.
    pub robots: &'a RobotSet,
    /// The merchant's own conversion robots.
    pub conversions: &'a ConversionRobots,
    /// How the order's products are kept, and those that robots add: those of [`skus`].
    pub goods: &'a Goods,
    /// 変換ロボット; the standard one if none.
    pub conversion_robot: Option<&'a RuleId>,
    /// The run that fetched it.
    pub run: &'a str,
    /// Where in that run.
    pub place: Place,
    /// The time.
    pub now: Timestamp,
}

/// A reading that is older than this is not imported: the shop may have shipped or cancelled the order since, and telling that
/// we took it would undo that. Queues are minutes long; what comes later was a dead letter, or lay behind one that was mended.
const OLDEST: SignedDuration = SignedDuration::from_hours(1);

/// That a reading is too old, and what comes of it.
const TOO_OLD: &str =
    "it was read at the shop too long ago: the next fetch reads it anew, if it is still to be fetched";

/// Why an order is not taken for the one of its id that is imported. Shops count their orders by themselves: a connection that
/// came to mean another shop, such as the real one after a trial, meets ids that it knows.
pub const OTHER_NUMBER: &str = "an order of this id is imported already, with another number: does the connection mean \
                                another shop than it did? Give the other shop a connection of its own";

/// Cancels a shipment whose order its shop showed as cancelled after it was read: the import that made it had begun before
/// anybody knew. In the state that the order was read in it would be told as taken, which undoes the cancellation.
/// False if there is nothing to change.
pub fn cancel_called_off(shipment: &mut Shipment, now: Timestamp, by: &str) -> bool {
    handover::cancel(shipment, now, "cancelled at the shop", by) != Cancelled::Known
}

/// What becomes of an order whose reading is too old, if it is. Nothing is lost by it: until the shop is told that we took
/// an order, each fetch reads it.
#[must_use]
pub fn too_old(read_at: Timestamp, now: Timestamp) -> Option<Verdict> {
    let is_old = now.duration_since(read_at) > OLDEST;
    is_old.then(|| Verdict::Quarantine { reason: TOO_OLD.to_owned(), missing_skus: Vec::new() })
}

/// What becomes of an order.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It is stored as these shipments, the first of which stands for the order.
    Store {
        /// Each with its large part. [`Shipment::detail`] is still empty: the store names what it writes.
        parcels: Vec<(Shipment, ShipmentDetail)>,
        /// Must no other order of the shop have its number?
        claim_number: bool,
    },
    /// Not now: it is kept, and tried again.
    Quarantine {
        /// Why, with the SKUs named if it is for those.
        reason: String,
        /// The SKUs that must exist first.
        missing_skus: Vec<Sku>,
    },
    /// Not at all, by a robot's decision.
    Refuse {
        /// The robot.
        robot: RuleId,
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// How this is counted. What is stored may still turn out to be known by then.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Store { .. } => Outcome::Imported,
            Self::Quarantine { .. } => Outcome::Quarantined,
            Self::Refuse { robot, .. } if robot.as_str() == REJECT_DUPLICATE => Outcome::Duplicate,
            Self::Refuse { .. } => Outcome::Refused,
        }
    }
}

/// The SKUs of which import has to know how they are kept: those of the orders' lines, and those that robots add to them.
/// None where there is no order.
#[must_use]
pub fn skus<'a>(orders: impl IntoIterator<Item = &'a SourceOrder>, robots: &RobotSet) -> HashSet<Sku> {
    let mut skus: HashSet<Sku> =
        orders.into_iter().flat_map(|order| order.lines.iter().map(|line| line.sku.clone())).collect();
    if !skus.is_empty() {
        skus.extend(robots.added_skus().cloned());
    }
    skus
}

/// The SKUs of an order's lines that are no products of the merchant, each once, in the order of the lines.
#[must_use]
pub fn unknown_skus(order: &SourceOrder, goods: &Goods) -> Vec<Sku> {
    let mut unknown: Vec<Sku> = Vec::new();
    for line in order.lines.iter().filter(|line| !goods.contains_key(&line.sku)) {
        if !unknown.contains(&line.sku) {
            unknown.push(line.sku.clone());
        }
    }
    unknown
}

/// Decides about one order. `unknown_skus` are those of its lines that are no products of the merchant;
/// `duplicate_number` says that another order of the shop with its number is imported.
#[must_use]
pub fn decide(context: &Context<'_>, order: &SourceOrder, unknown_skus: &[Sku], duplicate_number: bool) -> Verdict {
    let own = context.conversions.get(context.conversion_robot);
    let converted = match convert::convert(&context.connection.id, order, own.as_ref()) {
        Ok(converted) => converted,
        // It may wait for its products as well: once they are there it is tried again, whatever else is mended until then.
        Err(error) => return Verdict::Quarantine { reason: error.to_string(), missing_skus: unknown_skus.to_vec() },
    };
    let standard = RuleId::parse(STANDARD_CONVERSION.to_string()).ok();
    let facts = Facts {
        connection: context.connection,
        conversion_robot: context.conversion_robot.or(standard.as_ref()),
        unknown_skus,
        duplicate_number,
        now: context.now,
    };
    let mut parcels = Vec::with_capacity(converted.len());
    for address in converted {
        match parcels_of(context, order, &facts, address) {
            Ok(made) => parcels.extend(made),
            Err(verdict) => return verdict,
        }
    }
    if parcels.len() > convert::MOST_PARCELS {
        let reason = convert::ConvertError::TooManyParcels(parcels.len()).to_string();
        return Verdict::Quarantine { reason, missing_skus: Vec::new() };
    }
    let count = u16::try_from(parcels.len()).unwrap_or(u16::MAX);
    for (place, (shipment, _)) in parcels.iter_mut().enumerate() {
        shipment.id.parcel = u16::try_from(place + 1).unwrap_or(u16::MAX);
        shipment.parcels = count;
    }
    let rejects_duplicates = context.robots.robots().any(|robot| {
        let tied = &robot.conversion_robots;
        robot.id.as_str() == REJECT_DUPLICATE
            && (tied.is_empty() || facts.conversion_robot.is_none_or(|conversion| tied.contains(conversion)))
    });
    // Noted also where the robot is off: it may be on tomorrow, and knows then what came before it.
    let claim_number = rejects_duplicates || !duplicate_number;
    Verdict::Store { parcels, claim_number }
}

/// One address's shipment, robots applied; more than one where a robot splits it.
///
/// Robots may give the method that no keyword did, and robots may look at the hold that a missing one is. So they are
/// applied without it; where a parcel has no method then, they are applied anew to the order as it came, with the hold.
fn parcels_of(
    context: &Context<'_>,
    order: &SourceOrder,
    facts: &Facts<'_>,
    converted: Converted,
) -> Result<Vec<(Shipment, ShipmentDetail)>, Verdict> {
    let Converted { id, address, detail, bad_address } = converted;
    let mut shipment = fresh(context, order, id);
    shipment.address_id = address.id;
    if bad_address.is_some() {
        shipment.hold(HoldReason::BadAddress);
    }
    let methods = &context.settings.shipping_methods;
    let method = method::choose(methods, order.carrier.as_ref());
    shipment.shipping_method = method.map(|method| method.id.clone());
    let as_it_came = (method.is_none() && !methods.is_empty()).then(|| (shipment.clone(), detail.clone()));
    let mut parcels = treated(context, facts, shipment, detail)?;
    if let Some((mut shipment, detail)) = as_it_came
        && !parcels.iter().all(Treated::has_method)
    {
        shipment.hold(HoldReason::NeedsReview);
        parcels = each_with_or_without(parcels, treated(context, facts, shipment, detail)?);
    }
    Ok(parcels.into_iter().map(|parcel| finish(context, order, parcel, bad_address)).collect())
}

/// A parcel as robots made it.
struct Treated {
    shipment: Shipment,
    detail: ShipmentDetail,
    /// What robots have to say to people.
    notices: Vec<String>,
    /// It was on hold for its missing method when robots were applied.
    was_held: bool,
}

impl Treated {
    fn has_method(&self) -> bool {
        self.shipment.shipping_method.is_some()
    }
}

/// Applies robots, and divides the shipment as they say.
fn treated(
    context: &Context<'_>,
    facts: &Facts<'_>,
    mut shipment: Shipment,
    mut detail: ShipmentDetail,
) -> Result<Vec<Treated>, Verdict> {
    let was_held = shipment.holds.contains(&HoldReason::NeedsReview);
    let Applied { traces, import, split, notify, .. } =
        context.robots.apply_with(context.goods, Phase::OnImport, facts, &mut shipment, &mut detail);
    match import {
        ImportDecision::Accept => {}
        ImportDecision::Refuse { robot, reason } => return Err(Verdict::Refuse { robot, reason }),
        ImportDecision::Quarantine { reason, .. } => {
            let missing_skus = facts.unknown_skus.to_vec();
            return Err(Verdict::Quarantine { reason: naming(&reason, &missing_skus), missing_skus });
        }
    }
    detail.robots = traces;
    Ok(divide(std::mem::take(&mut detail.items), &split)
        .into_iter()
        .map(|parcel| {
            let (mut shipment, mut detail) = (shipment.clone(), detail.clone());
            if let Some(method) = parcel.shipping_method {
                shipment.shipping_method = Some(method);
            }
            detail.items = parcel.items;
            Treated { shipment, detail, notices: notify.clone(), was_held }
        })
        .collect())
}

/// Of parcels as robots made them without the hold for a missing method, and with it: one that has a method without the
/// hold needs none. Where robots that look at the hold divide the order otherwise, what they made counts.
fn each_with_or_without(without: Vec<Treated>, with: Vec<Treated>) -> Vec<Treated> {
    let items = |parcels: &[Treated]| parcels.iter().map(|parcel| parcel.detail.items.clone()).collect::<Vec<_>>();
    if items(&without) != items(&with) {
        return with;
    }
    without.into_iter().zip(with).map(|(without, with)| if without.has_method() { without } else { with }).collect()
}

/// The end of a parcel's import, whatever robots are on.
fn finish(
    context: &Context<'_>,
    order: &SourceOrder,
    parcel: Treated,
    bad_address: Option<&str>,
) -> (Shipment, ShipmentDetail) {
    let Treated { mut shipment, detail, notices, was_held } = parcel;
    // A robot may have taken the hold away, and given a method or not.
    let no_method = was_held && shipment.holds.contains(&HoldReason::NeedsReview);
    let no_total = !order.says_total();
    if no_total {
        shipment.hold(HoldReason::NeedsReview);
    }
    // What the shop calls cancelled is never shipped, and not told "working" either.
    if context.connection.payment_states.meaning(&order.payment_state) == Meaning::Cancelled {
        shipment.cancelled_by_shop = shipment.cancel_as_shop();
    }
    settle(&mut shipment);
    let review = [(no_method, "no shipping method matches"), (no_total, "the shop said no total")];
    let review: Vec<&str> = review.into_iter().filter(|(applies, _)| *applies).map(|(_, reason)| reason).collect();
    note_import(context, &mut shipment, bad_address, &review);
    for text in notices {
        let text: String = text.chars().take(LONGEST_NOTICE).collect();
        shipment.note(context.now, format!("notice: {text}"), context.run);
    }
    (shipment, detail)
}

fn fresh(context: &Context<'_>, order: &SourceOrder, id: ShipmentId) -> Shipment {
    Shipment {
        id,
        order_number: order.number.clone(),
        address_id: crate::ids::AddressId(0),
        parcels: 1,
        several_addresses: order.addresses.len() > 1,
        ship_from: context.connection.ship_from.clone(),
        status: Status::Hold,
        holds: Vec::new(),
        payment: Payment::Unpaid,
        payment_state: order.payment_state.clone(),
        payment_unknown: context.connection.payment_states.meaning(&order.payment_state) == Meaning::Unknown,
        released_unpaid: false,
        shop_sync: ShopSync::Registered,
        shipping_method: None,
        tracking_number: None,
        shipped_at: None,
        claimed_at: None,
        claim_key: None,
        result_at: None,
        cancellation: None,
        seen_at: None,
        cancelled_by_shop: false,
        differences: Vec::new(),
        more_differences: Vec::new(),
        differences_of: None,
        differences_seen: false,
        tracking_told: None,
        told_at: None,
        shop_error: None,
        reappeared: 0,
        imported_at: context.now,
        updated_at: context.now,
        run: context.run.to_owned(),
        place: context.place,
        rev: 0,
        detail: String::new(),
        events: Vec::new(),
    }
}

fn note_import(context: &Context<'_>, shipment: &mut Shipment, bad_address: Option<&str>, review: &[&str]) {
    let mut what = format!("imported: {}", shipment.status.as_str());
    for reason in &shipment.holds {
        what.push(' ');
        what.push_str(reason.as_str());
        match (reason, bad_address) {
            (HoldReason::BadAddress, Some(missing)) => what.extend([" (", missing, ")"]),
            (HoldReason::NeedsReview, _) if !review.is_empty() => what.extend([" (", review.join("; ").as_str(), ")"]),
            _ => {}
        }
    }
    shipment.note(context.now, what, context.run);
}

fn naming(reason: &str, skus: &[Sku]) -> String {
    if skus.is_empty() {
        return reason.to_owned();
    }
    let names: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    format!("{reason}: {}", names.join(", "))
}
