//! 出荷指示の一生, model-checked: one order of one parcel, and every interleaving of what can happen to it within small
//! bounds: two status syncs, the release robot, two warehouses, cancellations and their answers, results and corrections,
//! parcels that are given back, the robots that tell the shop, numbers that it refuses, and answers that are lost anywhere.
//! All transitions are the domain's own functions, and each is one conditional write, as in the store.
//!
//! What must hold in every state that can be reached (`Model::check`), and in the end (`Model::finish`):
//!
//! 1. Nobody is given what was unpaid or cancelled by the latest reading that was taken over.
//! 2. Of two warehouses, at most one is told that the parcel is theirs. Whoever has said that it gives it back has it no more.
//! 3. A result that was accepted counts for ever: the shipment is shipped, with that warehouse's latest number.
//! 4. Consent to a cancellation counts for ever: the shipment is cancelled, and no result is taken after it.
//! 5. The shop is not told "working" of what it had cancelled by the latest reading that was taken over when the robot looked
//!    at the record.
//! 6. The shop only ever has numbers that the warehouse reported of this parcel.
//! 7. From every state, if from now on nothing is lost and nobody changes anything any more, but that a person lets go what
//!    was given back, the order comes to exactly one end: cancelled, shipped with its latest number and its state told, or
//!    on hold because it is not paid.
//! 8. What waits for a person because the shop refused it is the parcel's latest number, never one that was corrected since.
//!
//! A sync writes only while its reading is fresh: the gate lets no other read meanwhile (`gate_model.rs`). Without that,
//! invariant 1 is broken; and invariant 5 is, where the robot believes its list of work, which is a moment old, and looks at
//! no record. Invariant 2 is, where a warehouse says again that it gives the parcel back after somebody has claimed it anew:
//! the API's documentation forbids it. The last tests show all three.
//!
//! With parcels given back the shop's people change one thing, not two: both together are four times as many states.

mod processing_support;
mod shipment_world;

use std::collections::{HashSet, VecDeque};

use renkei_domain::handover::{ShippingResult, answer_cancellation, claim, ship};
use renkei_domain::payment::Payment;
use renkei_domain::shipment::{CancellationState, ShopSync, ShopWork, Status, TellWorking};
use shipment_world::{Key, Model, Pay, Returns, SYNCS, State, Telling, Work, World, at, key, off_the_list};

impl Model {
    /// From here on nothing is lost and nobody changes anything: the order's end.
    fn finish(&self, world: &World) -> World {
        let mut w = world.clone();
        w.syncs = [None; SYNCS];
        w.telling = Telling::Idle;
        for _ in 0..3 {
            let reading = (w.shop.state, w.shop.pay, w.shop.clock);
            self.take_over(&mut w, reading);
            self.release(&mut w);
            Self::let_go(&mut w);
            if w.record.cancellation.is_some_and(|asked| asked.state == CancellationState::Requested) {
                answer_cancellation(&mut w.record, true, at(3_000)).ok();
            }
            claim(&mut w.record, at(2_000)).ok();
            if w.record.status == Status::Picking {
                let result = ShippingResult { tracking_number: "10".into(), shipped_at: at(4_000), method: None };
                ship(&mut w.record, &result, at(4_000)).ok();
            }
            // What the shop refused, a person has tried again.
            w.record.replay(at(4_500), "person");
            for _ in 0..3 {
                let number = w.record.tracking_number.clone();
                match w.record.shop_work() {
                    Some(ShopWork::TellWorking) => match self.decision(&w.record) {
                        TellWorking::Told => {
                            w.shop.state = State::Working;
                            w.record.acknowledged(at(5_000));
                        }
                        untold @ (TellWorking::CancelledThere | TellWorking::CancelledHere) => {
                            off_the_list(&mut w.record, untold);
                        }
                    },
                    Some(ShopWork::WriteBack) => {
                        let number = number.expect("a number to be told");
                        w.shop.slip = number.parse().ok();
                        w.record.written_back(&number, true, at(5_000), "state-shipped");
                    }
                    Some(ShopWork::TellShipped) => {
                        w.shop.state = State::Shipped;
                        w.record.completed(at(5_000));
                    }
                    None => {}
                }
            }
        }
        w
    }

    /// The invariants of one step; the first that is broken.
    fn check(&self, before: &World, name: &str, after: &World) -> Result<(), String> {
        let (was, is) = (&before.record, &after.record);
        let (state, pay, _) = before.latest;
        if was.status != Status::Picking && is.status == Status::Picking {
            must(state != State::Canceled && pay == Pay::Authed, "1: given out although read as not to be shipped")?;
        }
        must(after.warehouses.iter().filter(|w| w.has).count() <= 1, "2: two warehouses have it")?;
        for (n, warehouse) in after.warehouses.iter().enumerate() {
            if let Some(number) = warehouse.accepted {
                let number = number + 10 * u8::try_from(n).unwrap();
                must(is.status == Status::Shipped, "3: a result was accepted, and it is not shipped")?;
                must(is.tracking_number == Some(number.to_string()), "3: it has another number")?;
            }
            must(!warehouse.consented || is.status == Status::Cancelled, "4: consent did not count")?;
        }
        let refused = after.refused.map(|number| number.to_string());
        must(is.shop_sync != ShopSync::Failed || is.tracking_number == refused, "8: a correction waits for a person")?;
        let tells = after.telling == Telling::Read(Work::Working) && before.telling == Telling::Listed;
        let cancelled = state == State::Canceled || pay == Pay::Voided;
        must(!(tells && cancelled), "5: read as cancelled at the shop, and told as taken")?;
        if let (true, Some(number)) = (before.shop.slip != after.shop.slip, after.shop.slip) {
            must([10, 11, 20, 21].contains(&number) && name.starts_with("push"), "6: a number from nowhere")?;
        }
        Ok(())
    }

    fn check_end(&self, world: &World) -> Result<(), String> {
        let end = self.finish(world);
        let record = &end.record;
        match record.status {
            Status::Cancelled => {
                must(!end.warehouses.iter().any(|w| w.accepted.is_some()), "7: cancelled, and it left")
            }
            Status::Shipped => {
                must(record.shop_sync == ShopSync::Completed, "7: shipped, and not told to its end")?;
                must(record.tracking_told == record.tracking_number, "7: another number was told")?;
                must(end.shop.slip.map(|slip| slip.to_string()) == record.tracking_number, "7: the shop has another")
            }
            Status::Hold => {
                must(end.shop.pay == Pay::Pending && record.payment == Payment::Unpaid, "7: held although it is paid")
            }
            Status::Ready | Status::Picking => must(false, "7: it comes to no end"),
        }
    }

    /// Goes through all that can be reached. Gives how many states and steps that were.
    fn explore(&self) -> Result<(usize, usize), String> {
        let mut seen: HashSet<Key> = HashSet::new();
        // How each state was come to: from which, by what.
        let mut ways: Vec<(usize, String)> = Vec::new();
        let mut open: VecDeque<(World, usize)> = VecDeque::new();
        let mut steps = 0;
        for pay in [Pay::Pending, Pay::Authed] {
            let world = self.begin(pay);
            seen.insert(key(&world));
            open.push_back((world, ways.len()));
            ways.push((usize::MAX, format!("imported {pay:?}")));
        }
        while let Some((world, from)) = open.pop_front() {
            self.check_end(&world).map_err(|broken| format!("{broken}, after: {}", told(&ways, from)))?;
            for (name, after) in self.next(&world) {
                steps += 1;
                if let Err(broken) = self.check(&world, &name, &after) {
                    return Err(format!("{broken}, after: {} → {name}", told(&ways, from)));
                }
                if seen.insert(key(&after)) {
                    open.push_back((after, ways.len()));
                    ways.push((from, name));
                }
            }
        }
        Ok((seen.len(), steps))
    }
}

/// The way to a state.
fn told(ways: &[(usize, String)], mut at: usize) -> String {
    let mut names = Vec::new();
    while let Some((from, name)) = ways.get(at) {
        names.push(name.as_str());
        at = *from;
    }
    names.reverse();
    names.join(" → ")
}

fn must(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

fn keeps_the_rules(model: &Model) {
    let (states, steps) = model.explore().unwrap_or_else(|broken| panic!("{broken}"));
    println!("{states} states, {steps} steps");
    assert!(states > 10_000, "the model shrank: {states} states");
}

#[test]
fn every_way_keeps_the_rules_and_comes_to_one_end() {
    keeps_the_rules(&Model::new(2, Returns::Never));
}

#[test]
fn every_way_does_where_warehouses_give_back() {
    keeps_the_rules(&Model::new(1, Returns::Once));
}

#[test]
fn without_the_gates_fence_a_stale_reading_lets_an_unpaid_order_go() {
    let model = Model { fenced: false, ..Model::new(2, Returns::Never) };
    let broken = model.explore().expect_err("the model sees stale readings");
    assert!(broken.starts_with("1:"), "{broken}");
}

#[test]
fn without_a_look_at_the_record_a_cancellation_is_written_over() {
    let model = Model { looks: false, ..Model::new(2, Returns::Never) };
    let broken = model.explore().expect_err("the model sees what the robot tells");
    assert!(broken.starts_with("5:"), "{broken}");
}

#[test]
fn given_back_again_after_another_claim_the_parcel_is_two_warehouses() {
    let broken = Model::new(1, Returns::Late).explore().expect_err("the model sees late repeats");
    assert!(broken.starts_with("2:"), "{broken}");
}
