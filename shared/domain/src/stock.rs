//! 在庫: how much of each SKU a shop may sell, and what is to be told to it.
//!
//! ```text
//! sellable = count − buffer − reserved          never below 0; of a set: the least of its parts
//! reserved = quantities in shipments on hold or ready,
//!            and in those that the warehouse took after it counted, whether picking or out by now;
//!            where its counts include what is claimed: in all that are picking, and in those that left after it counted
//! ```
//! A count is what lay on the shelf at its moment. What was taken before is off the shelf already; what is taken later is
//! still in the number. Some warehouses can only count all that is there, what they have taken for shipments among it: their
//! ship-from says so, and then it is what has left that is off the shelf. Cancelled shipments reserve nothing. A set
//! reserves, and is made of, its parts.
//!
//! What has left is looked through from the oldest count on that an offer is made from, and for a quarter of a year at
//! most ([`LOOKS_BACK_DAYS`]): the list of what has left only grows. A count that is older is used as it is, without what left
//! before that, and runs say of how many SKUs that is ([`Shelf::old_counts`]): the warehouse is to count them again.
//!
//! What was told is kept. Before a value is told, the intention is: if the answer is lost, nobody knows which of the two
//! the shop has, and so neither is believed, and the value is told again. Without the intention a value that returns to
//! what was told last would not be sent, and the shop would keep the one in between.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::civil::Time;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::handover::LATEST;
use crate::ids::Sku;
use crate::jst;
use crate::settings::Product;
use crate::shipment::{Item, Shipment, ShopError, Status};

/// How long a value that the shop refused for good is not sent again: until then only another value is.
const REFUSED_FOR_HOURS: i64 = 24;

/// The shop's code for a SKU that it does not have.
const NOT_FOUND: &str = "AOR2001";

/// Does the shop say that it has no such SKU? Of a location that it does not have it says the same, of every SKU.
#[must_use]
pub fn is_not_there(refused: &ShopError) -> bool {
    refused.code == NOT_FOUND
}

/// For how many days parcels that have left may still take from a count. Warehouses count at least each quarter, and a parcel
/// that left before the count takes nothing from it. Without a bound, one product that nobody counts any more would have each run
/// read all that has left since, more of it every day, while no other robot may call the shop.
pub const LOOKS_BACK_DAYS: i64 = 90;

/// How far a warehouse's clock may be ahead of ours.
const AHEAD: Duration = Duration::from_mins(5);

/// The latest moment at which something that is reported now may have been counted. The newest count wins: one of a day
/// that is still to come would keep out all that are counted until then.
#[must_use]
pub fn latest_count(now: Timestamp) -> Timestamp {
    now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX)
}

/// What a warehouse counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Pieces.
    pub quantity: u32,
    /// When, by the warehouse's word.
    pub at: Timestamp,
}

/// Does a shipment take from what was counted at this moment? `include_claimed` says that the count is of all that was there.
#[must_use]
pub fn reserves(shipment: &Shipment, counted_at: Timestamp, include_claimed: bool) -> bool {
    match shipment.status {
        Status::Hold | Status::Ready => true,
        Status::Picking if include_claimed => true,
        Status::Shipped if include_claimed => left_at(shipment).is_none_or(|left| left > counted_at),
        Status::Picking | Status::Shipped => shipment.claimed_at.is_some_and(|claimed| claimed > counted_at),
        Status::Cancelled => false,
    }
}

/// When a parcel was gone. Results of files say the day alone, as its first moment: then it was gone for sure when that was
/// reported.
fn left_at(shipment: &Shipment) -> Option<Timestamp> {
    let left = shipment.shipped_at?;
    let midnight = jst::instant(jst::date(left).to_datetime(Time::midnight()));
    if midnight == Some(left) { shipment.result_at.max(Some(left)) } else { Some(left) }
}

/// From when on parcels that have left are looked at, however old a count is.
fn looks_back_to(now: Timestamp) -> Timestamp {
    now.checked_sub((LOOKS_BACK_DAYS * 24).hours()).unwrap_or(Timestamp::MIN)
}

/// Is a count so old that parcels may have left since which are not looked at any more?
#[must_use]
pub fn is_old_count(counted_at: Timestamp, now: Timestamp) -> bool {
    counted_at < looks_back_to(now)
}

/// What one ship-from has, and what is reserved of it: SKUs as they lie on the shelf, sets taken apart.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    /// The counts are of all that was there, what was claimed and had not left among it.
    include_claimed: bool,
    counted: HashMap<Sku, Counted>,
    reserved: HashMap<Sku, u64>,
    parts: HashMap<Sku, Vec<(Sku, u32)>>,
}

impl Shelf {
    /// A shelf with these counts. Products say which SKUs are sets, and which are for sale: a count that no offer is made from,
    /// of what is no product any more or only lies in parcels, is left aside, however old it is. `include_claimed` is the
    /// ship-from's: see [`reserves`].
    pub fn new(counts: impl IntoIterator<Item = (Sku, Counted)>, products: &[Product], include_claimed: bool) -> Self {
        let parts: HashMap<Sku, Vec<(Sku, u32)>> = products
            .iter()
            .filter(|product| !product.made_of.is_empty())
            .map(|set| {
                (set.sku.clone(), set.made_of.iter().map(|part| (part.sku.clone(), part.quantity.max(1))).collect())
            })
            .collect();
        let mut offered: HashSet<&Sku> = HashSet::new();
        for product in products.iter().filter(|product| !product.not_for_sale) {
            match parts.get(&product.sku) {
                Some(parts) => offered.extend(parts.iter().map(|(sku, _)| sku)),
                None => offered.extend([&product.sku]),
            }
        }
        let counted = counts.into_iter().filter(|(sku, _)| offered.contains(sku)).collect();
        Self { include_claimed, counted, reserved: HashMap::new(), parts }
    }

    /// The moment of the oldest count: what the warehouse took before takes from none. None if nothing was counted.
    #[must_use]
    pub fn oldest_count(&self) -> Option<Timestamp> {
        self.counted.values().map(|counted| counted.at).min()
    }

    /// From when on results are looked through: what was out before the oldest count takes nothing from it, and what left long
    /// ago is not looked at. None if nothing was counted.
    #[must_use]
    pub fn left_since(&self, now: Timestamp) -> Option<Timestamp> {
        let oldest = self.oldest_count()?;
        // What was reported before the count, and left after it.
        let oldest = if self.include_claimed { oldest.checked_sub(LATEST).unwrap_or(Timestamp::MIN) } else { oldest };
        Some(oldest.max(looks_back_to(now)))
    }

    /// May this shipment take from a count? If not, what it holds need not be known.
    #[must_use]
    pub fn may_reserve(&self, shipment: &Shipment) -> bool {
        self.oldest_count().is_some_and(|oldest| reserves(shipment, oldest, self.include_claimed))
    }

    /// SKUs whose count is so old that parcels may have left since which are not looked at any more, in order.
    #[must_use]
    pub fn old_counts(&self, now: Timestamp) -> Vec<&Sku> {
        let mut old: Vec<&Sku> =
            self.counted.iter().filter(|(_, counted)| is_old_count(counted.at, now)).map(|(sku, _)| sku).collect();
        old.sort();
        old
    }

    /// When that was counted which an offer of this SKU is made from: of a set, the part whose count is the oldest.
    #[must_use]
    pub fn counted_at(&self, sku: &Sku) -> Option<Timestamp> {
        let at = |sku: &Sku| self.counted.get(sku).map(|counted| counted.at);
        match self.parts.get(sku) {
            Some(parts) => parts.iter().filter_map(|(part, _)| at(part)).min(),
            None => at(sku),
        }
    }

    /// Takes what a shipment reserves.
    pub fn reserve(&mut self, shipment: &Shipment, items: &[Item]) {
        for item in items {
            let whole = [(item.sku.clone(), 1)];
            let parts = self.parts.get(&item.sku).map_or(&whole[..], Vec::as_slice);
            for (sku, each) in parts {
                let Some(counted) = self.counted.get(sku) else { continue };
                if reserves(shipment, counted.at, self.include_claimed) {
                    *self.reserved.entry(sku.clone()).or_default() += u64::from(item.quantity) * u64::from(*each);
                }
            }
        }
    }

    /// What of each product a shop may sell. Products that are not for sale, and those that nobody counted, are left out:
    /// what is not known is not told. `buffer` is held back of products without a buffer of their own.
    #[must_use]
    pub fn offers(&self, products: &[Product], buffer: u32) -> BTreeMap<Sku, Offer> {
        products
            .iter()
            .filter(|product| !product.not_for_sale)
            .filter_map(|product| Some((product.sku.clone(), self.offer(product, buffer)?)))
            .collect()
    }

    fn offer(&self, product: &Product, buffer: u32) -> Option<Offer> {
        let buffer = product.stock_buffer.unwrap_or(buffer);
        let Some(parts) = self.parts.get(&product.sku) else {
            let counted = self.counted.get(&product.sku)?;
            let reserved = self.reserved.get(&product.sku).copied().unwrap_or(0);
            return Some(Offer::new(counted.quantity, buffer, reserved));
        };
        // As many whole sets as the scarcest part allows; the set's own buffer is of sets.
        let mut count = u32::MAX;
        let mut free = u32::MAX;
        for (sku, each) in parts {
            let counted = self.counted.get(sku)?;
            let reserved = self.reserved.get(sku).copied().unwrap_or(0);
            count = count.min(counted.quantity / each);
            free = free.min(Offer::new(counted.quantity, 0, reserved).sellable / each);
        }
        Some(Offer { sellable: free.saturating_sub(buffer), ..Offer::new(count, buffer, u64::from(count - free)) })
    }
}

/// What of a SKU may be sold, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// What the warehouse counted; of a set, how many its parts make.
    pub count: u32,
    /// What is held back.
    pub buffer: u32,
    /// What is reserved.
    pub reserved: u64,
    /// What may be sold.
    pub sellable: u32,
}

impl Offer {
    fn new(count: u32, buffer: u32, reserved: u64) -> Self {
        let rest = u64::from(count).saturating_sub(u64::from(buffer)).saturating_sub(reserved);
        // Not above the count, which fits.
        Self { count, buffer, reserved, sellable: u32::try_from(rest).unwrap_or(count) }
    }
}

/// What is kept of what a shop was told of a SKU.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The value that the shop has, by its word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<u32>,
    /// The value that the shop was about to be told. While it stands here, nobody knows what the shop has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended: Option<u32>,
    /// When the shop was told last, or was about to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The value that it refused for good, and its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<(u32, ShopError)>,
    /// The shop's location that all of this is about. Earlier builds kept none: it is the present one then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Told {
    /// Is it about this location of the shop? What another location was told says nothing of what this one has.
    #[must_use]
    pub fn is_of(&self, location: &str) -> bool {
        self.location.as_deref().is_none_or(|kept| kept == location)
    }

    /// Is this value to be sent?
    #[must_use]
    pub fn is_due(&self, sellable: u32, now: Timestamp) -> bool {
        // About to be told once more, nobody knows what came of it.
        if let Some((refused, _)) = &self.refused
            && *refused == sellable
            && self.intended.is_none()
        {
            return !self.rests(now);
        }
        self.intended.is_some() || self.told != Some(sellable)
    }

    /// Has the shop said lately that it has no such SKU?
    #[must_use]
    pub fn was_not_there(&self, now: Timestamp) -> bool {
        let is_known = self.intended.is_none() && self.rests(now);
        is_known && self.refused.as_ref().is_some_and(|(_, error)| is_not_there(error))
    }

    fn rests(&self, now: Timestamp) -> bool {
        self.at.and_then(|at| at.checked_add(REFUSED_FOR_HOURS.hours()).ok()).is_some_and(|again| again > now)
    }
}

/// What is to be sent: each SKU whose value the shop has not at this location, by what is kept of what it was told.
#[must_use]
pub fn due<S: std::hash::BuildHasher>(
    offers: &BTreeMap<Sku, Offer>,
    told: &HashMap<Sku, Told, S>,
    location: &str,
    now: Timestamp,
) -> Vec<(Sku, u32)> {
    let is_due = |sku: &Sku, sellable| {
        let here = told.get(sku).filter(|told| told.is_of(location));
        here.is_none_or(|told| told.is_due(sellable, now))
    };
    offers
        .iter()
        .filter(|(sku, offer)| is_due(sku, offer.sellable))
        .map(|(sku, offer)| (sku.clone(), offer.sellable))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Part, Temperature};

    fn sku(text: &str) -> Sku {
        Sku::parse(text).unwrap()
    }

    fn product(name: &str, stock_buffer: impl Into<Option<u32>>, made_of: &[(&str, u32)]) -> Product {
        let part = |(name, quantity): &(&str, u32)| Part { sku: sku(name), quantity: *quantity };
        Product {
            sku: sku(name),
            name: name.into(),
            stock_buffer: stock_buffer.into(),
            not_for_sale: false,
            temperature: Temperature::default(),
            made_of: made_of.iter().map(part).collect(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_set_is_the_least_of_its_parts_and_never_less_than_nothing() {
        let set = product("SET", 1, &[("A", 2), ("B", 1)]);
        let products = [product("A", None, &[]), product("B", 3, &[]), set, product("C", 0, &[])];
        let counts =
            [("A", 9), ("B", 5), ("C", 4)].map(|(name, quantity)| (sku(name), Counted { quantity, at: at(0) }));
        let shelf = Shelf::new(counts, &products, false);
        let offers = shelf.offers(&products, 2);
        let sellable = |name: &str| offers[&sku(name)].sellable;
        // The connection's buffer where the product has none of its own, which may be 0; a part's buffer does not hold back
        // the set.
        assert_eq!((sellable("A"), sellable("B"), sellable("SET"), sellable("C")), (7, 2, 3, 4));
        assert_eq!(Offer::new(3, 5, 0).sellable, 0);
        assert_eq!(Offer::new(3, 0, u64::MAX).sellable, 0);
    }

    #[test]
    fn what_nobody_counted_is_not_told_and_what_is_not_sold_neither() {
        let mut leaflet = product("LEAFLET", 0, &[]);
        leaflet.not_for_sale = true;
        let products = [product("A", 0, &[]), product("SET", 0, &[("A", 1), ("X", 1)]), leaflet, product("X", 0, &[])];
        let counts = ["A", "LEAFLET"].map(|name| (sku(name), Counted { quantity: 1, at: at(0) }));
        let offers = Shelf::new(counts, &products, false).offers(&products, 0);
        assert_eq!(offers.keys().map(Sku::as_str).collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn a_count_that_no_offer_is_made_from_makes_nobody_look_back() {
        let mut leaflet = product("LEAFLET", 0, &[]);
        leaflet.not_for_sale = true;
        let mut part = product("PART", 0, &[]);
        part.not_for_sale = true;
        let products = [product("A", 0, &[]), product("SET", 0, &[("A", 1), ("PART", 1)]), leaflet, part];
        let shelf = |counts: &[(&str, i64)]| {
            let counted = |(name, second): &(&str, i64)| (sku(name), Counted { quantity: 1, at: at(*second) });
            Shelf::new(counts.iter().map(counted), &products, false)
        };
        // Of what is no product any more, what only lies in parcels, and a set that is made of its parts.
        let old = [("GONE", 1), ("LEAFLET", 2), ("SET", 3)];
        assert_eq!(shelf(&old).oldest_count(), None);
        assert_eq!(shelf(&[old.as_slice(), &[("A", 9)]].concat()).oldest_count(), Some(at(9)));
        // What is not for sale by itself, and in a set, is offered with it.
        assert_eq!(shelf(&[("A", 9), ("PART", 8)]).oldest_count(), Some(at(8)));

        let days = |days: i64| 24 * 3_600 * days;
        let shelf = shelf(&[("A", 0), ("PART", days(1)), ("GONE", 0)]);
        let old_at = |second| shelf.old_counts(at(second)).into_iter().map(Sku::as_str).collect::<Vec<_>>().concat();
        // From the oldest count on, but never further back than those days.
        assert_eq!(shelf.left_since(at(days(2))), Some(at(0)));
        assert_eq!(shelf.left_since(at(days(100 + LOOKS_BACK_DAYS))), Some(at(days(100))));
        assert_eq!(old_at(days(LOOKS_BACK_DAYS)), "");
        assert_eq!(old_at(days(LOOKS_BACK_DAYS) + 1), "A");
        assert_eq!(old_at(days(LOOKS_BACK_DAYS + 1) + 1), "APART");
        // A set is as old as the oldest count of its parts.
        let counted_at = ["A", "PART", "SET", "LEAFLET"].map(|name| shelf.counted_at(&sku(name)));
        assert_eq!(counted_at, [Some(at(0)), Some(at(days(1))), Some(at(0)), None]);
    }

    #[test]
    fn what_was_taken_before_the_count_is_off_the_shelf_or_what_had_left() {
        let mut shipment: Shipment = serde_json::from_value(serde_json::json!({
            "id": "shop.1.1", "order_number": "1", "address_id": 1, "parcels": 1, "ship_from": "dc", "status": "ready",
            "payment": "paid", "payment_state": "authed", "shop_sync": "registered", "run": "",
            "imported_at": "2026-11-24T00:00:00Z", "updated_at": "2026-11-24T00:00:00Z",
            "place": { "page": 1, "row": 0 }, "detail": ""
        }))
        .unwrap();
        // Claimed, reported, and by the warehouse's word gone; whether it is reserved without and with what is claimed.
        for (status, times, reserved) in [
            (Status::Hold, [None, None, None], [true, true]),
            (Status::Ready, [None, None, None], [true, true]),
            (Status::Picking, [Some(9), None, None], [false, true]),
            (Status::Picking, [Some(11), None, None], [true, true]),
            (Status::Shipped, [Some(11), Some(12), Some(12)], [true, true]),
            (Status::Shipped, [Some(10), Some(12), Some(11)], [false, true]),
            (Status::Shipped, [Some(8), Some(9), Some(10)], [false, false]),
            // Reported ahead, and a day that a file names.
            (Status::Shipped, [Some(8), Some(9), Some(12)], [false, true]),
            (Status::Shipped, [Some(8), Some(12), Some(-9 * 3_600)], [false, true]),
            (Status::Cancelled, [Some(11), None, None], [false, false]),
        ] {
            shipment.status = status;
            [shipment.claimed_at, shipment.result_at, shipment.shipped_at] = times.map(|second| second.map(at));
            let found = [false, true].map(|include_claimed| reserves(&shipment, at(10), include_claimed));
            assert_eq!(found, reserved, "{status:?} {times:?}");
        }
    }

    #[test]
    fn a_refused_value_rests_for_a_day_and_another_is_tried_at_once() {
        let told = |code: &str| {
            let error = ShopError { code: code.into(), message: String::new() };
            Told { refused: Some((5, error)), at: Some(at(0)), ..Told::default() }
        };
        let refused = told("AOR3001");
        assert!(!refused.is_due(5, at(3_600)) && refused.is_due(5, at(24 * 3_600)) && refused.is_due(6, at(1)));
        assert!(!refused.was_not_there(at(1)));
        let not_there = told("AOR2001");
        assert!(not_there.was_not_there(at(3_600)) && !not_there.was_not_there(at(24 * 3_600)));
        // It was to be told once more, and the run ended before it was.
        let open = Told { intended: Some(5), ..not_there };
        assert!(open.is_due(5, at(1)) && !open.was_not_there(at(1)), "nobody knows what the shop says of it by now");
    }

    #[test]
    fn what_another_location_was_told_is_told_anew() {
        let offers = BTreeMap::from([(sku("A"), Offer::new(5, 0, 0))]);
        let error = ShopError { code: "AOR2001".into(), message: String::new() };
        let kept = |location: Option<&str>| Told { location: location.map(str::to_owned), ..Told::default() };
        let due_after = |told: Told| !due(&offers, &HashMap::from([(sku("A"), told)]), "osaka", at(1)).is_empty();
        assert!(!due_after(Told { told: Some(5), ..kept(Some("osaka")) }));
        assert!(due_after(Told { told: Some(5), ..kept(Some("tokyo")) }));
        // What it refused there it may take here.
        assert!(due_after(Told { refused: Some((5, error)), at: Some(at(0)), ..kept(Some("tokyo")) }));
        // As earlier builds stored it: told of the present location.
        let earlier: Told = serde_json::from_str(r#"{"told":5}"#).unwrap();
        assert!(!due_after(earlier));
    }
}
