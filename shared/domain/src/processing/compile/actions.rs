//! Reading actions.

use super::super::action::Action;
use super::super::effect::{Effect, SLOTS, Slot};
use super::super::parcel::ParcelPlan;
use super::super::problem::{did_you_mean, shown};
use super::super::{AddItem, ProcessingRobot, Split};
use super::Reader;
use crate::ids::ShippingMethodId;
use crate::shipment::HoldReason;

/// Most pieces of an added item.
const MAX_QUANTITY: u32 = 1_000;
/// Most SKUs in one split.
const MAX_SKUS: usize = 1_000;
/// Longest tag, in characters: tags stand on every shipment.
const MAX_TAG: usize = 60;

impl Reader<'_> {
    pub(super) fn action(&mut self, path: &str, robot: &ProcessingRobot, action: &Action) -> Option<Effect> {
        match action {
            Action::DerivePayment => Some(Effect::DerivePayment),
            Action::ToReady => Some(Effect::ToReady),
            Action::Hold(reason) => self.hold_reason(&format!("{path}.hold"), reason).map(Effect::Hold),
            Action::ClearHold(reason) => {
                let path = format!("{path}.clear_hold");
                let reason = self.hold_reason(&path, reason)?;
                if reason == HoldReason::Error {
                    self.problem(
                        &path,
                        "only a person takes `error` away: no robot acts on a shipment that is on hold for it",
                    );
                    return None;
                }
                Some(Effect::ClearHold(reason))
            }
            Action::RefuseImport(reason) => {
                self.text(&format!("{path}.refuse_import"), reason);
                Some(Effect::RefuseImport(reason.clone()))
            }
            Action::Quarantine(reason) => {
                self.text(&format!("{path}.quarantine"), reason);
                Some(Effect::Quarantine(reason.clone()))
            }
            Action::Cancel(reason) => {
                self.text(&format!("{path}.cancel"), reason);
                Some(Effect::Cancel(reason.clone()))
            }
            Action::SetField(set) => {
                let slot = self.slot(&format!("{path}.set_field.field"), &set.field);
                let value = set.value.text();
                self.length(&format!("{path}.set_field.value"), &value);
                Some(Effect::SetField(slot?, value.into_owned()))
            }
            Action::SetShippingMethod(method) => {
                self.shipping_method(&format!("{path}.set_shipping_method"), method);
                Some(Effect::SetShippingMethod(method.clone()))
            }
            Action::SetDeliveryDate(date) => Some(Effect::SetDeliveryDate(*date)),
            Action::SetDeliveryTime(time) => {
                self.length(&format!("{path}.set_delivery_time"), time);
                Some(Effect::SetField(Slot::DeliveryTime, time.clone()))
            }
            Action::AddItem(item) => Some(self.add_item(path, item)),
            Action::Split(split) => Some(self.split(path, robot, split)),
            Action::Tag(tag) => {
                let path = format!("{path}.tag");
                self.text(&path, tag);
                if tag.chars().count() > MAX_TAG {
                    self.problem(&path, format!("a tag has at most {MAX_TAG} characters"));
                }
                Some(Effect::Tag(tag.clone()))
            }
            Action::Notify(text) => {
                self.text(&format!("{path}.notify"), text);
                Some(Effect::Notify(text.clone()))
            }
        }
    }

    fn hold_reason(&mut self, path: &str, name: &str) -> Option<HoldReason> {
        let reason = HoldReason::from_name(name);
        if reason.is_none() {
            let known = HoldReason::ALL.map(HoldReason::as_str);
            let near = did_you_mean(name, known);
            let name = shown(name);
            self.problem(path, format!("there is no hold reason `{name}` (there are {}){near}", known.join(", ")));
        }
        reason
    }

    fn slot(&mut self, path: &str, name: &str) -> Option<Slot> {
        let slot = SLOTS.iter().find(|(known, _)| *known == name).map(|(_, slot)| *slot);
        if slot.is_none() {
            let message = match name {
                "shipping_method" => "use `set_shipping_method`".to_owned(),
                "deliver_on" => "use `set_delivery_date`".to_owned(),
                "tags" => "use `tag`".to_owned(),
                "status" | "holds" | "hold_reason" => "use `hold`, `clear_hold`, `to_ready` or `cancel`".to_owned(),
                _ => {
                    let near = did_you_mean(name, SLOTS.iter().map(|(known, _)| *known));
                    format!("a robot cannot set `{}`{near}", shown(name))
                }
            };
            self.problem(path, message);
        }
        slot
    }

    fn shipping_method(&mut self, path: &str, method: &ShippingMethodId) {
        let settings = self.settings;
        let known = || settings.shipping_methods.iter().map(|own| own.id.as_str());
        if !known().any(|known| known == method.as_str()) {
            let near = did_you_mean(method.as_str(), known());
            self.problem(path, format!("there is no shipping method `{method}`{near}"));
        }
    }

    fn add_item(&mut self, path: &str, item: &AddItem) -> Effect {
        let path = format!("{path}.add_item");
        if !(1..=MAX_QUANTITY).contains(&item.quantity) {
            self.problem(&format!("{path}.quantity"), format!("a quantity is 1 to {MAX_QUANTITY}"));
        }
        if let Some(name) = &item.name {
            self.text(&format!("{path}.name"), name);
        }
        let name = item.name.clone().unwrap_or_else(|| item.sku.to_string());
        Effect::AddItem { sku: item.sku.clone(), quantity: item.quantity, name }
    }

    fn split(&mut self, path: &str, robot: &ProcessingRobot, split: &Split) -> Effect {
        let path = format!("{path}.split");
        if split.skus.is_empty() && split.temperature.is_none() {
            self.problem(&format!("{path}.skus"), format!("name 1 to {MAX_SKUS} SKUs, or a `temperature`"));
        }
        if split.skus.len() > MAX_SKUS {
            self.problem(&format!("{path}.skus"), format!("name 1 to {MAX_SKUS} SKUs"));
        }
        if let Some(method) = &split.shipping_method {
            self.shipping_method(&format!("{path}.shipping_method"), method);
        }
        let plan = ParcelPlan {
            robot: robot.id.clone(),
            skus: split.skus.clone(),
            shipping_method: split.shipping_method.clone(),
        };
        Effect::Split(plan, split.temperature)
    }
}
