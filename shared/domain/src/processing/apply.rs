//! Applying robots to one shipment.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::compile::{Robot, RobotSet};
use super::effect::{Done, Effect, stays_on_hold};
use super::field::View;
use super::parcel::ParcelPlan;
use super::{ProcessingRobot, Run, STAYS};
use crate::ids::{RuleId, ShippingMethodId, Sku};
use crate::jst;
use crate::payment::Payment;
use crate::settings::{Connection, Temperature};
use crate::shipment::{HoldReason, Item, RobotTrace, ShipTo, Shipment, ShipmentDetail, Status};

/// Which robots are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase<'a> {
    /// Import of a new shipment: all robots.
    OnImport,
    /// 処理ロボット適用: this robot, whenever else it runs.
    Only(&'a RuleId),
    /// This robot changes a stored shipment: with it the robots that run always. What comes out of that on hold without a
    /// reason gets one.
    Again(&'a RuleId),
}

/// What robots are told beside the shipment, its detail, and the source order in it.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The shop that the order came from.
    pub connection: &'a Connection,
    /// The conversion robot that made the shipment, for robots that are tied to some. Where it is not known, ties do not
    /// matter.
    pub conversion_robot: Option<&'a RuleId>,
    /// SKUs of the order that are no products of the tenant.
    pub unknown_skus: &'a [Sku],
    /// Has another order of the connection with the same order number been imported?
    pub duplicate_number: bool,
    /// The time.
    pub now: Timestamp,
}

/// 温度帯 of products, as far as they are known: what robots that split by it look at.
pub type Goods = HashMap<Sku, Temperature>;

/// What becomes of the order on import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ImportDecision {
    /// It is imported.
    #[default]
    Accept,
    /// It is not imported, now or later. Goes before every quarantine.
    Refuse {
        /// The robot that decided.
        robot: RuleId,
        /// Why, as the robot says.
        reason: String,
    },
    /// It is not imported now, and tried again later.
    Quarantine {
        /// The robot that decided.
        robot: RuleId,
        /// Why, as the robot says.
        reason: String,
    },
}

/// What robots did to a shipment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Robots that matched, in their order. Of a refused or quarantined order: the deciding one.
    pub traces: Vec<RobotTrace>,
    /// What becomes of the order. Always `Accept` after import.
    pub import: ImportDecision,
    /// Texts for people, each once.
    pub notify: Vec<String>,
    /// Parcels to be made of the shipment, see [`super::divide`]. Always empty after import.
    pub split: Vec<ParcelPlan>,
    /// The reason that it got because nothing released it and nothing else held it. Always `None` on import, which sees to
    /// that at its end.
    pub settled: Option<HoldReason>,
    /// Did the shipment change?
    pub shipment_changed: bool,
    /// Did its detail change?
    pub detail_changed: bool,
}

/// Rounds after which robots count as never coming to rest. Robots that feed each other need one round for each step
/// back up the list; more than a few is a mistake in the robots.
const MAX_ROUNDS: usize = 8;

/// What robots can change, to compare and to go back to.
#[derive(Clone, PartialEq)]
struct State {
    shipment: ShipmentState,
    detail: DetailState,
}

#[derive(Clone, PartialEq)]
struct ShipmentState {
    status: Status,
    holds: Vec<HoldReason>,
    payment: Payment,
    shipping_method: Option<ShippingMethodId>,
}

#[derive(Clone, PartialEq)]
struct DetailState {
    ship_to: ShipTo,
    items: Vec<Item>,
    payment_method: String,
    delivery_note: String,
    deliver_on: Option<Date>,
    delivery_time: String,
    tags: Vec<String>,
}

impl State {
    fn of(shipment: &Shipment, detail: &ShipmentDetail) -> Self {
        Self {
            shipment: ShipmentState {
                status: shipment.status,
                holds: shipment.holds.clone(),
                payment: shipment.payment,
                shipping_method: shipment.shipping_method.clone(),
            },
            detail: DetailState {
                ship_to: detail.ship_to.clone(),
                items: detail.items.clone(),
                payment_method: detail.payment_method.clone(),
                delivery_note: detail.delivery_note.clone(),
                deliver_on: detail.deliver_on,
                delivery_time: detail.delivery_time.clone(),
                tags: detail.tags.clone(),
            },
        }
    }

    fn restore(&self, shipment: &mut Shipment, detail: &mut ShipmentDetail) {
        let state = self.clone();
        shipment.status = state.shipment.status;
        shipment.holds = state.shipment.holds;
        shipment.payment = state.shipment.payment;
        shipment.shipping_method = state.shipment.shipping_method;
        detail.ship_to = state.detail.ship_to;
        detail.items = state.detail.items;
        detail.payment_method = state.detail.payment_method;
        detail.delivery_note = state.detail.delivery_note;
        detail.deliver_on = state.detail.deliver_on;
        detail.delivery_time = state.detail.delivery_time;
        detail.tags = state.detail.tags;
    }
}

/// One round over the robots.
#[derive(Default)]
struct Round {
    traces: Vec<RobotTrace>,
    /// Robots that changed something, if only for the next to change it back.
    changed_by: Vec<RuleId>,
    refused: Option<(RuleId, String)>,
    quarantined: Option<(RuleId, String)>,
    notify: Vec<String>,
    split: Vec<ParcelPlan>,
}

impl RobotSet {
    /// Applies robots to a shipment. Pure: the same robots, facts and shipment give the same result, and applying them
    /// again changes nothing.
    ///
    /// A refused or quarantined order leaves the shipment as it was. A shipment on hold for `error` is left to a person:
    /// no robot acts on it.
    pub fn apply(
        &self,
        phase: Phase<'_>,
        facts: &Facts<'_>,
        shipment: &mut Shipment,
        detail: &mut ShipmentDetail,
    ) -> Applied {
        self.apply_with(&Goods::new(), phase, facts, shipment, detail)
    }

    /// The same, where it is known how the shipment's products are kept.
    pub fn apply_with(
        &self,
        goods: &Goods,
        phase: Phase<'_>,
        facts: &Facts<'_>,
        shipment: &mut Shipment,
        detail: &mut ShipmentDetail,
    ) -> Applied {
        if shipment.holds.contains(&HoldReason::Error) {
            return Applied::default();
        }
        let before = State::of(shipment, detail);
        let (mut start, mut settled) = (None, None);
        let mut applied = Applied::default();
        let mut quarantined = None;
        let mut at_rest = false;
        let mut restless = Vec::new();
        for number in 0..MAX_ROUNDS {
            let round = self.round(phase, (facts, goods), shipment, detail);
            if let Some((robot, reason)) = round.refused {
                before.restore(shipment, detail);
                return decided(&robot, round.traces, ImportDecision::Refuse { robot: robot.clone(), reason });
            }
            if quarantined.is_none() {
                quarantined = round.quarantined.map(|(robot, reason)| (robot, reason, round.traces.clone()));
            }
            let touched = !round.changed_by.is_empty();
            at_rest = !touched || *start.as_ref().unwrap_or(&before) == State::of(shipment, detail);
            if number == 0 || !at_rest {
                merge(&mut applied, round.traces, round.notify, round.split);
            }
            if touched {
                restless = round.changed_by;
            }
            if at_rest
                && matches!(phase, Phase::Again(_))
                && let Some(reason) = settle(shipment)
            {
                // Robots see that reason too, and may take it away: it is at rest where that leads to the same again.
                let now = State::of(shipment, detail);
                at_rest = now == *settled.as_ref().unwrap_or(&before);
                settled = Some(now);
                applied.settled = Some(reason);
            }
            if at_rest {
                break;
            }
            start = Some(State::of(shipment, detail));
        }
        if let Some((robot, reason, traces)) = quarantined {
            before.restore(shipment, detail);
            return decided(&robot, traces, ImportDecision::Quarantine { robot: robot.clone(), reason });
        }
        if !at_rest {
            before.restore(shipment, detail);
            applied = never_at_rest(restless, shipment);
        }
        applied.settled = applied.settled.filter(|reason| shipment.holds.contains(reason));
        let after = State::of(shipment, detail);
        applied.shipment_changed = before.shipment != after.shipment;
        applied.detail_changed = before.detail != after.detail;
        if phase != Phase::OnImport && !applied.shipment_changed && !applied.detail_changed {
            applied.notify.clear();
        }
        applied
    }

    /// 処理ロボット適用: a robot applied to a stored shipment. Where it changes it, the robots that run always are applied too,
    /// each at its place in the list, and what nothing holds any more is released by them or gets a reason to wait: on hold
    /// without one, nobody would look for it. What the robot cancelled, or the warehouse has, is processed no further.
    ///
    /// Pure, and done again it changes nothing, as [`RobotSet::apply`].
    pub fn apply_later(
        &self,
        goods: &Goods,
        rule: &RuleId,
        facts: &Facts<'_>,
        shipment: &mut Shipment,
        detail: &mut ShipmentDetail,
    ) -> Applied {
        let (mut tried, mut tried_detail) = (shipment.clone(), detail.clone());
        let mut applied = self.apply_with(goods, Phase::Only(rule), facts, &mut tried, &mut tried_detail);
        let changed = applied.shipment_changed || applied.detail_changed;
        if changed && matches!(tried.status, Status::Hold | Status::Ready) {
            applied = self.apply_with(goods, Phase::Again(rule), facts, shipment, detail);
        } else {
            (*shipment, *detail) = (tried, tried_detail);
        }
        if changed {
            say_as_it_ended(&mut applied, rule, shipment);
        }
        applied
    }

    /// The robots that are on, in the order in which they are applied.
    pub fn robots(&self) -> impl Iterator<Item = &ProcessingRobot> {
        self.robots.iter().map(|robot| &robot.form)
    }

    /// The SKUs that these robots add to shipments. How they are kept has to be known as well, before robots are applied.
    pub fn added_skus(&self) -> impl Iterator<Item = &Sku> {
        self.robots.iter().flat_map(|robot| &robot.effects).filter_map(|effect| match effect {
            Effect::AddItem { sku, .. } => Some(sku),
            _ => None,
        })
    }

    /// The robot of this id, if it is on.
    #[must_use]
    pub fn get(&self, id: &RuleId) -> Option<&ProcessingRobot> {
        self.robots().find(|robot| robot.id == *id)
    }

    fn round(
        &self,
        phase: Phase<'_>,
        (facts, goods): (&Facts<'_>, &Goods),
        shipment: &mut Shipment,
        detail: &mut ShipmentDetail,
    ) -> Round {
        let today = jst::date(facts.now);
        let mut round = Round::default();
        for robot in self.robots.iter().filter(|robot| robot.takes_part(phase, facts)) {
            if !robot.check.holds(View { shipment, detail, facts, goods }, today) {
                continue;
            }
            robot.act(phase, (facts, goods), shipment, detail, &mut round);
            if round.refused.is_some() {
                break;
            }
        }
        round
    }
}

impl Robot {
    fn takes_part(&self, phase: Phase<'_>, facts: &Facts<'_>) -> bool {
        let robot = &self.form;
        let now = match phase {
            Phase::OnImport => true,
            Phase::Only(id) => robot.id == *id,
            Phase::Again(id) => robot.id == *id || robot.run == Run::Always,
        };
        let tied = robot.conversion_robots.is_empty()
            || facts.conversion_robot.is_none_or(|conversion| robot.conversion_robots.contains(conversion));
        now && tied
    }

    fn act(
        &self,
        phase: Phase<'_>,
        (facts, goods): (&Facts<'_>, &Goods),
        shipment: &mut Shipment,
        detail: &mut ShipmentDetail,
        round: &mut Round,
    ) {
        let id = &self.form.id;
        let on_import = phase == Phase::OnImport;
        let mut said = Vec::new();
        let mut changed = false;
        for effect in &self.effects {
            match effect {
                Effect::RefuseImport(reason) if on_import => {
                    said.push("not imported".to_owned());
                    round.refused = Some((id.clone(), reason.clone()));
                }
                Effect::Quarantine(reason) if on_import => {
                    said.push("quarantined".to_owned());
                    if round.quarantined.is_none() {
                        round.quarantined = Some((id.clone(), reason.clone()));
                    }
                }
                Effect::Split(plan, temperature) if on_import => {
                    let kept = |item: &&Item| temperature.is_some() && goods.get(&item.sku).copied() == *temperature;
                    let mut plan = plan.clone();
                    plan.skus.extend(detail.items.iter().filter(kept).map(|item| item.sku.clone()));
                    if detail.items.iter().any(|item| plan.skus.contains(&item.sku)) {
                        said.push("parcel of its own".to_owned());
                        round.split.push(plan);
                    }
                }
                _ => match effect.perform(id, facts, shipment, detail) {
                    Done::Changed(what) => {
                        changed = true;
                        said.push(what);
                    }
                    Done::Stays(why) => said.push(why),
                    Done::Nothing => {}
                },
            }
        }
        // After the other actions, wherever it stands among them: after import it depends on what they changed.
        for effect in &self.effects {
            if let Effect::Notify(text) = effect
                && (on_import || changed)
            {
                round.notify.push(text.clone());
            }
        }
        if changed {
            round.changed_by.push(id.clone());
        }
        round.traces.push(RobotTrace { robot: id.clone(), changes: said });
    }
}

/// What a later round adds to what earlier ones did.
fn merge(applied: &mut Applied, traces: Vec<RobotTrace>, notify: Vec<String>, split: Vec<ParcelPlan>) {
    for trace in traces {
        match applied.traces.iter_mut().find(|known| known.robot == trace.robot) {
            Some(known) => {
                for change in trace.changes {
                    if !known.changes.contains(&change) {
                        known.changes.push(change);
                    }
                }
            }
            None => applied.traces.push(trace),
        }
    }
    for text in notify {
        if !applied.notify.contains(&text) {
            applied.notify.push(text);
        }
    }
    for plan in split {
        if !applied.split.contains(&plan) {
            applied.split.push(plan);
        }
    }
}

/// What robots say of a stored shipment, as a person reads it: first what was done by the robot that was applied. Why the
/// shipment stays on hold is said last and once, as it is in the end: what held it in an earlier round may have fallen away.
/// Where one took back what another did, nothing is said of either.
fn say_as_it_ended(applied: &mut Applied, rule: &RuleId, shipment: &Shipment) {
    let changed = applied.shipment_changed || applied.detail_changed;
    let mut is_kept = applied.settled.is_some();
    applied.traces.sort_by_key(|trace| trace.robot != *rule);
    for trace in &mut applied.traces {
        trace.changes.retain(|what| {
            let stays = what.starts_with(STAYS);
            is_kept |= stays;
            changed && !stays
        });
    }
    if is_kept && let Some(stays) = stays_on_hold(shipment) {
        applied.traces.push(RobotTrace { robot: rule.clone(), changes: vec![stays] });
    }
}

fn decided(robot: &RuleId, mut traces: Vec<RobotTrace>, import: ImportDecision) -> Applied {
    traces.retain(|trace| trace.robot == *robot);
    Applied { traces, import, ..Applied::default() }
}

/// Robots that undo each other have no right result. None of what they did stays, and a person is asked.
fn never_at_rest(robots: Vec<RuleId>, shipment: &mut Shipment) -> Applied {
    let names: Vec<&str> = robots.iter().map(RuleId::as_str).collect();
    let notify = vec![format!("Robots undo each other's changes for ever, so none was made: {}", names.join(", "))];
    shipment.hold(HoldReason::Error);
    let traces = robots
        .into_iter()
        .map(|robot| RobotTrace {
            robot,
            changes: vec!["undone: together with other robots it never comes to rest; hold error".into()],
        })
        .collect();
    Applied { traces, notify, ..Applied::default() }
}

/// The end of import, and of robots applied later: a shipment that no robot released, and for which none gave a reason to
/// wait, gets one. Unpaid ones await payment, which is the truth and is what the release after a status sync looks for; a
/// paid one that nothing released needs a person. Answers with the reason that it gave.
pub fn settle(shipment: &mut Shipment) -> Option<HoldReason> {
    if !shipment.is_held_for_nothing() {
        return None;
    }
    let reason = match shipment.payment {
        Payment::Unpaid => HoldReason::AwaitingPayment,
        Payment::Paid => HoldReason::NeedsReview,
    };
    shipment.hold(reason).then_some(reason)
}
