//! An action in the form in which it is done, and the doing of it.

use jiff::ToSpan;

use super::action::DeliveryDate;
use super::apply::Facts;
use super::field::{AddressPart, payment_name};
use super::parcel::ParcelPlan;
use crate::ids::{RuleId, ShippingMethodId, Sku};
use crate::jst;
use crate::money::Yen;
use crate::payment::{Meaning, Payment};
use crate::settings::Temperature;
use crate::shipment::{HoldReason, Item, Shipment, ShipmentDetail, Status};

/// A compiled action.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    DerivePayment,
    ToReady,
    Hold(HoldReason),
    ClearHold(HoldReason),
    RefuseImport(String),
    Quarantine(String),
    Cancel(String),
    SetField(Slot, String),
    SetShippingMethod(ShippingMethodId),
    SetDeliveryDate(DeliveryDate),
    AddItem { sku: Sku, quantity: u32, name: String },
    Split(ParcelPlan, Option<Temperature>),
    Tag(String),
    Notify(String),
}

/// A field that a robot can rewrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    DeliveryNote,
    DeliveryTime,
    PaymentMethod,
    ShipTo(AddressPart),
}

/// Names of the fields that a robot can rewrite.
pub(super) const SLOTS: [(&str, Slot); 12] = [
    ("delivery_note", Slot::DeliveryNote),
    ("delivery_time", Slot::DeliveryTime),
    ("payment_method", Slot::PaymentMethod),
    ("ship_to.name", Slot::ShipTo(AddressPart::Name)),
    ("ship_to.kana", Slot::ShipTo(AddressPart::Kana)),
    ("ship_to.company", Slot::ShipTo(AddressPart::Company)),
    ("ship_to.postal_code", Slot::ShipTo(AddressPart::PostalCode)),
    ("ship_to.prefecture", Slot::ShipTo(AddressPart::Prefecture)),
    ("ship_to.address1", Slot::ShipTo(AddressPart::Address1)),
    ("ship_to.address2", Slot::ShipTo(AddressPart::Address2)),
    ("ship_to.address3", Slot::ShipTo(AddressPart::Address3)),
    ("ship_to.phone", Slot::ShipTo(AddressPart::Phone)),
];

impl Slot {
    /// Its name in documents and traces.
    pub(super) fn name(self) -> &'static str {
        SLOTS.iter().find(|(_, slot)| *slot == self).map_or("", |(name, _)| name)
    }

    fn of(self, detail: &mut ShipmentDetail) -> &mut String {
        match self {
            Self::DeliveryNote => &mut detail.delivery_note,
            Self::DeliveryTime => &mut detail.delivery_time,
            Self::PaymentMethod => &mut detail.payment_method,
            Self::ShipTo(part) => part.of_mut(detail),
        }
    }
}

/// What an effect did to the shipment.
pub(super) enum Done {
    /// It changed something: in a few words, without personal data.
    Changed(String),
    /// It changed nothing, and this is worth saying.
    Stays(String),
    /// Nothing was left to do.
    Nothing,
}

impl Effect {
    /// Does it to the shipment. Decisions on import, parcels and notifications concern more than the shipment and are
    /// gathered where robots are applied; here they do nothing.
    pub(super) fn perform(
        &self,
        robot: &RuleId,
        facts: &Facts<'_>,
        shipment: &mut Shipment,
        detail: &mut ShipmentDetail,
    ) -> Done {
        match self {
            Self::DerivePayment => derive_payment(facts, shipment),
            Self::Tag(tag) => tag_with(tag, detail),
            Self::RefuseImport(_) | Self::Quarantine(_) | Self::Split(..) | Self::Notify(_) => Done::Nothing,
            Self::ToReady
            | Self::Hold(_)
            | Self::ClearHold(_)
            | Self::Cancel(_)
            | Self::SetField(..)
            | Self::SetShippingMethod(_)
            | Self::SetDeliveryDate(_)
            | Self::AddItem { .. } => match shipment.status {
                Status::Hold | Status::Ready => self.perform_open(robot, shipment, detail),
                // The warehouse works from what it has read: nothing of that may change any more.
                Status::Picking | Status::Shipped | Status::Cancelled => {
                    Done::Stays(format!("{}: not any more, the shipment is {}", self.name(), shipment.status.as_str()))
                }
            },
        }
    }

    fn perform_open(&self, robot: &RuleId, shipment: &mut Shipment, detail: &mut ShipmentDetail) -> Done {
        match self {
            Self::ToReady => to_ready(shipment),
            Self::Hold(reason) => {
                let held = shipment.holds.contains(reason);
                if shipment.hold(*reason) && !held {
                    Done::Changed(format!("hold {}", reason.as_str()))
                } else {
                    Done::Nothing
                }
            }
            Self::ClearHold(reason) => {
                if shipment.holds.contains(reason) {
                    shipment.clear_hold(*reason);
                    Done::Changed(format!("hold {} cleared", reason.as_str()))
                } else {
                    Done::Nothing
                }
            }
            Self::Cancel(reason) => {
                if shipment.cancel() {
                    Done::Changed(format!("cancelled: {reason}"))
                } else {
                    Done::Nothing
                }
            }
            Self::SetField(slot, value) => {
                let field = slot.of(detail);
                if field == value {
                    return Done::Nothing;
                }
                field.clone_from(value);
                // Never the value: the field may hold a name or an address.
                Done::Changed(format!("{} set", slot.name()))
            }
            Self::SetShippingMethod(method) => {
                if shipment.shipping_method.as_ref() == Some(method) {
                    return Done::Nothing;
                }
                shipment.shipping_method = Some(method.clone());
                Done::Changed(format!("shipping method {method}"))
            }
            Self::SetDeliveryDate(date) => {
                let day = match date {
                    DeliveryDate::None => None,
                    DeliveryDate::On(day) => Some(*day),
                    DeliveryDate::AfterImport(days) => {
                        Some(jst::date(shipment.imported_at).saturating_add(i64::from(*days).days()))
                    }
                };
                if detail.deliver_on == day {
                    return Done::Nothing;
                }
                detail.deliver_on = day;
                Done::Changed(day.map_or_else(|| "delivery date none".to_owned(), |day| format!("delivery date {day}")))
            }
            Self::AddItem { sku, quantity, name } => {
                if detail.items.iter().any(|item| item.sku == *sku && item.added_by.as_ref() == Some(robot)) {
                    return Done::Nothing;
                }
                detail.items.push(Item {
                    sku: sku.clone(),
                    name: name.clone(),
                    quantity: *quantity,
                    price: Yen(0),
                    added_by: Some(robot.clone()),
                });
                Done::Changed(format!("added {sku} × {quantity}"))
            }
            Self::DerivePayment
            | Self::RefuseImport(_)
            | Self::Quarantine(_)
            | Self::Split(..)
            | Self::Tag(_)
            | Self::Notify(_) => Done::Nothing,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::DerivePayment => "derive_payment",
            Self::ToReady => "to_ready",
            Self::Hold(_) => "hold",
            Self::ClearHold(_) => "clear_hold",
            Self::RefuseImport(_) => "refuse_import",
            Self::Quarantine(_) => "quarantine",
            Self::Cancel(_) => "cancel",
            Self::SetField(..) => "set_field",
            Self::SetShippingMethod(_) => "set_shipping_method",
            Self::SetDeliveryDate(_) => "set_delivery_date",
            Self::AddItem { .. } => "add_item",
            Self::Split(..) => "split",
            Self::Tag(_) => "tag",
            Self::Notify(_) => "notify",
        }
    }
}

fn derive_payment(facts: &Facts<'_>, shipment: &mut Shipment) -> Done {
    let meaning = facts.connection.payment_states.meaning(&shipment.payment_state);
    let payment = match meaning {
        Meaning::Paid => Payment::Paid,
        Meaning::Wait | Meaning::Cancelled | Meaning::Unknown => Payment::Unpaid,
    };
    let changed = shipment.payment != payment;
    shipment.payment = payment;
    shipment.released_unpaid &= payment == Payment::Unpaid;
    let mut said = format!("payment {}", payment_name(payment));
    if meaning == Meaning::Unknown {
        let state: String = shipment.payment_state.chars().take(40).collect();
        said = format!("{said}: payment state {state:?} is not in the connection's table and waits");
    }
    match (changed, meaning) {
        (true, _) => Done::Changed(said),
        (false, Meaning::Unknown) => Done::Stays(said),
        (false, Meaning::Paid | Meaning::Wait | Meaning::Cancelled) => Done::Nothing,
    }
}

fn to_ready(shipment: &mut Shipment) -> Done {
    if shipment.release() {
        return Done::Changed("ready".into());
    }
    stays_on_hold(shipment).map_or(Done::Nothing, Done::Stays)
}

/// Why it stays on hold; None if no reason is open. Begins with [`super::STAYS`].
pub(super) fn stays_on_hold(shipment: &Shipment) -> Option<String> {
    let reasons: Vec<&str> = shipment.holds.iter().map(|reason| reason.as_str()).collect();
    (!reasons.is_empty()).then(|| format!("stays on hold: {}", reasons.join(", ")))
}

fn tag_with(tag: &str, detail: &mut ShipmentDetail) -> Done {
    if detail.tags.iter().any(|own| own == tag) {
        return Done::Nothing;
    }
    detail.tags.push(tag.to_owned());
    Done::Changed(format!("tag {tag}"))
}
