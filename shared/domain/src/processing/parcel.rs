//! 出荷の分割: which items of a shipment go into a parcel of their own.

use crate::ids::{RuleId, ShippingMethodId, Sku};
use crate::shipment::Item;

/// A robot's wish: these SKUs into a parcel of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelPlan {
    /// The robot.
    pub robot: RuleId,
    /// The SKUs.
    pub skus: Vec<Sku>,
    /// 配送方法 of that parcel, if it differs from the shipment's.
    pub shipping_method: Option<ShippingMethodId>,
}

/// What goes into one parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Its items; never empty.
    pub items: Vec<Item>,
    /// 配送方法, if it differs from the shipment's.
    pub shipping_method: Option<ShippingMethodId>,
}

/// Divides a shipment's items by the plans of [`super::Applied::split`]: the first parcel keeps what no plan names. An
/// item that two plans name goes with the first. There is always a first parcel, and none that holds bundled items only:
/// where the plans name everything that was ordered, bundled items travel in the first plan's parcel.
#[must_use]
pub fn divide(items: Vec<Item>, plans: &[ParcelPlan]) -> Vec<Parcel> {
    let mut rest = Vec::new();
    let mut own: Vec<Parcel> =
        plans.iter().map(|plan| Parcel { items: Vec::new(), shipping_method: plan.shipping_method.clone() }).collect();
    for item in items {
        match plans.iter().position(|plan| plan.skus.contains(&item.sku)) {
            Some(place) => own[place].items.push(item),
            None => rest.push(item),
        }
    }
    let bundled_only = |items: &[Item]| items.iter().all(|item| item.added_by.is_some());
    for parcel in &mut own {
        if bundled_only(&parcel.items) {
            rest.append(&mut parcel.items);
        }
    }
    own.retain(|parcel| !parcel.items.is_empty());
    match own.first_mut() {
        Some(first) if bundled_only(&rest) => {
            first.items.append(&mut rest);
            own
        }
        Some(_) => std::iter::once(Parcel { items: rest, shipping_method: None }).chain(own).collect(),
        None => vec![Parcel { items: rest, shipping_method: None }],
    }
}
