//! 出荷指示の一生, model-checked: one order of one parcel, and every interleaving of what can happen to it within small
//! bounds: two status syncs, the release robot, two warehouses, cancellations and their answers, results and corrections,
//! the robots that tell the shop, and answers that are lost anywhere. All transitions are the domain's own functions, and
//! each is one conditional write, as in the store.
//!
//! What must hold in every state that can be reached (`Step::check`), and in the end (`World::finish`):
//!
//! 1. Nobody is given what was unpaid or cancelled by the latest reading that was taken over.
//! 2. Of two warehouses, at most one is told that the parcel is theirs.
//! 3. A result that was accepted counts for ever: the shipment is shipped, with that warehouse's latest number.
//! 4. Consent to a cancellation counts for ever: the shipment is cancelled, and no result is taken after it.
//! 5. The shop is not told "working" of what it had cancelled by the latest reading that was taken over when the robot looked
//!    at the record.
//! 6. The shop only ever has numbers that the warehouse reported of this parcel.
//! 7. From every state, if from now on nothing is lost and nobody changes anything any more, the order comes to exactly
//!    one end: cancelled, shipped with its latest number and its state told, or on hold because it is not paid.
//!
//! A sync writes only while its reading is fresh: the gate lets no other read meanwhile (`gate_model.rs`). Without that,
//! invariant 1 is broken; and invariant 5 is, where the robot believes its list of work, which is a moment old, and looks at
//! no record. The last tests show both.

mod processing_support;

use std::collections::{HashSet, VecDeque};

use jiff::{Timestamp, ToSpan};
use processing_support::{Case, compiled, rule};
use renkei_domain::handover::{ShippingResult, answer_cancellation, claim, ship};
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Payment;
use renkei_domain::processing::{Facts, Phase, RobotSet};
use renkei_domain::shipment::{CancellationState, HoldReason, Shipment, ShopSync, ShopWork, Status, TellWorking};
use renkei_domain::sync::{Rules, observe};
use serde_json::json;

/// Changes that the shop's people make, at most.
const CHANGES: u8 = 2;
const SYNCS: usize = 2;
const WAREHOUSES: usize = 2;

fn at(minute: i64) -> Timestamp {
    "2026-11-24T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

/// What the shop has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Shop {
    state: State,
    pay: Pay,
    slip: Option<u8>,
    changes: u8,
    /// Moments of its own clock.
    clock: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Complete,
    Working,
    Shipped,
    Canceled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Pay {
    Pending,
    Authed,
    Voided,
}

/// A sync's reading that it has not taken over yet.
type Reading = Option<(State, Pay, u8)>;

/// A warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Warehouse {
    /// It was told that the parcel is its own.
    has: bool,
    /// Its latest number that was accepted.
    accepted: Option<u8>,
    /// It said yes to a cancellation, and heard that this counts.
    consented: bool,
}

/// Where the robot that tells the shop stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Telling {
    Idle,
    /// It has read the list of what is to be told "working", and has not looked at the record yet.
    Listed,
    /// It has read what is to be told.
    Read(Work),
    /// The shop said yes.
    Answered(Work),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Work {
    Working,
    Number(u8),
    Shipped,
}

#[derive(Clone)]
struct World {
    shop: Shop,
    record: Shipment,
    syncs: [Reading; SYNCS],
    warehouses: [Warehouse; WAREHOUSES],
    telling: Telling,
    /// The latest, by the shop's clock, of the readings that were taken over.
    latest: (State, Pay, u8),
}

/// A state without what does not matter: when things were, and what was said of them.
type Key = (Shop, [Reading; SYNCS], [Warehouse; WAREHOUSES], Telling, (State, Pay, u8), String);

/// Takes what can happen next: its name, and what it does.
type Steps<'a> = dyn FnMut(String, &dyn Fn(&mut World)) + 'a;

struct Model {
    case: Case,
    robots: RobotSet,
    /// A sync writes no reading after another has read.
    fenced: bool,
    /// The robot that tells looks at the record of what is on its list.
    looks: bool,
}

impl Model {
    fn new(fenced: bool, looks: bool) -> Self {
        let robots = compiled(&["payment-check", "hold-unpaid", "ecforce-release"], &json!([]));
        Self { case: Case::new(), robots, fenced, looks }
    }

    fn begin(&self, pay: Pay) -> World {
        let mut record = self.case.shipment.clone();
        record.status = Status::Ready;
        record.payment = Payment::Paid;
        if pay == Pay::Pending {
            record.payment = Payment::Unpaid;
            record.hold(HoldReason::AwaitingPayment);
        }
        payment_name(pay).clone_into(&mut record.payment_state);
        World {
            shop: Shop { state: State::Complete, pay, slip: None, changes: 0, clock: 0 },
            record,
            syncs: [None; SYNCS],
            warehouses: [Warehouse::default(); WAREHOUSES],
            telling: Telling::Idle,
            latest: (State::Complete, pay, 0),
        }
    }

    fn order(&self, (state, pay, clock): (State, Pay, u8)) -> SourceOrder {
        SourceOrder {
            state: state_name(state).into(),
            payment_state: payment_name(pay).into(),
            updated_at: Some(at(i64::from(clock))),
            ..self.case.detail.source.clone()
        }
    }

    fn take_over(&self, world: &mut World, reading: (State, Pay, u8)) {
        let rules = Rules { connection: &self.case.connection, hold_unpaid: true };
        let source = &self.case.detail.source;
        observe(&mut world.record, Some(source), &self.order(reading), rules, at(1_000), "status-sync");
        if reading.2 >= world.latest.2 {
            world.latest = reading;
        }
    }

    fn release(&self, world: &mut World) {
        let facts = Facts {
            connection: &self.case.connection,
            conversion_robot: None,
            unknown_skus: &[],
            duplicate_number: false,
            now: at(1_000),
        };
        if world.record.status == Status::Hold && world.record.holds == [HoldReason::AwaitingPayment] {
            let mut detail = self.case.detail.clone();
            let release = rule("ecforce-release");
            self.robots.apply(Phase::Only(&release), &facts, &mut world.record, &mut detail);
        }
    }

    /// Everything that can happen next, by name.
    fn next(&self, world: &World) -> Vec<(String, World)> {
        let mut next = Vec::new();
        let mut step = |name: String, change: &dyn Fn(&mut World)| {
            let mut after = world.clone();
            change(&mut after);
            // What was said of it does not matter, and grows.
            after.record.events.clear();
            next.push((name, after));
        };
        self.people(world, &mut step);
        for (n, reading) in world.syncs.iter().enumerate() {
            step(format!("sync {n} reads"), &|w| {
                if self.fenced {
                    // Who read before has lost the gate, and writes no more.
                    w.syncs = [None; SYNCS];
                }
                w.syncs[n] = Some((w.shop.state, w.shop.pay, w.shop.clock));
            });
            if let Some(reading) = *reading {
                step(format!("sync {n} takes over"), &|w| {
                    self.take_over(w, reading);
                    w.syncs[n] = None;
                });
                // It dies after its write; what it read is lost, what it wrote is not, and it comes again.
                step(format!("sync {n} takes over and repeats"), &|w| self.take_over(w, reading));
            }
        }
        step("release".into(), &|w| self.release(w));
        for n in 0..WAREHOUSES {
            self.warehouse(world, n, &mut step);
        }
        self.telling(world, &mut step);
        next
    }

    fn people(&self, world: &World, step: &mut Steps<'_>) {
        let shop = world.shop;
        if shop.changes == CHANGES {
            return;
        }
        let mut change = |name: &str, change: &dyn Fn(&mut Shop)| {
            step(name.to_owned(), &|w| {
                change(&mut w.shop);
                w.shop.changes += 1;
                w.shop.clock += 1;
            });
        };
        match shop.pay {
            Pay::Pending => change("paid", &|shop| shop.pay = Pay::Authed),
            Pay::Authed => {
                change("payment lost", &|shop| shop.pay = Pay::Pending);
                change("voided", &|shop| (shop.pay, shop.state) = (Pay::Voided, State::Canceled));
            }
            Pay::Voided => {}
        }
        if shop.state != State::Canceled {
            change("cancelled", &|shop| shop.state = State::Canceled);
        } else if shop.pay != Pay::Voided {
            change("cancelled no more", &|shop| shop.state = State::Working);
        }
    }

    fn warehouse(&self, world: &World, n: usize, step: &mut Steps<'_>) {
        let own = world.warehouses[n];
        let moment = at(2_000 + i64::try_from(n).unwrap());
        // The answer is lost; or it arrives.
        if world.record.status == Status::Ready {
            step(format!("{n} claims, answer lost"), &|w| {
                claim(&mut w.record, moment).ok();
            });
        }
        step(format!("{n} claims"), &|w| {
            // The same request again, by the function itself, is known by its moment.
            let mine = w.record.status == Status::Picking && w.record.claimed_at == Some(moment);
            if claim(&mut w.record, moment).is_ok() || mine {
                w.warehouses[n].has = true;
            }
        });
        for accept in [true, false] {
            if world.record.cancellation.is_some() {
                step(format!("{n} answers {accept}, answer lost"), &|w| {
                    answer_cancellation(&mut w.record, accept, at(3_000)).ok();
                });
            }
            if own.has && !own.consented {
                step(format!("{n} answers {accept}"), &|w| {
                    if answer_cancellation(&mut w.record, accept, at(3_000)).is_ok() && accept {
                        w.warehouses[n].consented =
                            w.record.cancellation.map(|c| c.state) == Some(CancellationState::Accepted);
                    }
                });
            }
        }
        for number in [10, 11] {
            // A correction follows what was accepted, and is not taken back.
            let sensible = own.has && !own.consented && (number == 10) == (own.accepted.is_none());
            if !sensible && own.accepted != Some(number) {
                continue;
            }
            let number = number + 10 * u8::try_from(n).unwrap();
            let report = move |w: &mut World| {
                let result = ShippingResult { tracking_number: number.to_string(), shipped_at: at(4_000) };
                ship(&mut w.record, &result, at(4_000)).is_ok()
            };
            step(format!("{n} reports {number}"), &|w| {
                if report(w) {
                    w.warehouses[n].accepted = Some(number % 10 + 10);
                }
            });
        }
    }

    fn telling(&self, world: &World, step: &mut Steps<'_>) {
        match world.telling {
            Telling::Idle => {
                let number = world.record.tracking_number.as_deref().and_then(|number| number.parse().ok());
                let work = match world.record.shop_work() {
                    Some(ShopWork::TellWorking) => {
                        step("push lists".into(), &|w| w.telling = Telling::Listed);
                        return;
                    }
                    Some(ShopWork::WriteBack) => Work::Number(number.expect("a number to be told")),
                    Some(ShopWork::TellShipped) => Work::Shipped,
                    None => return,
                };
                step(format!("push reads {work:?}"), &|w| w.telling = Telling::Read(work));
            }
            Telling::Listed => {
                step("push dies".into(), &|w| w.telling = Telling::Idle);
                match self.decision(&world.record) {
                    TellWorking::Told => {
                        step("push reads Working".into(), &|w| w.telling = Telling::Read(Work::Working));
                    }
                    untold @ (TellWorking::CancelledThere | TellWorking::CancelledHere) => {
                        step("push notes without a word".into(), &|w| {
                            off_the_list(&mut w.record, untold);
                            w.telling = Telling::Idle;
                        });
                    }
                }
            }
            Telling::Read(work) => {
                let apply = |w: &mut World| match work {
                    Work::Working => w.shop.state = State::Working,
                    Work::Number(number) => w.shop.slip = Some(number),
                    Work::Shipped => w.shop.state = State::Shipped,
                };
                step("push dies".into(), &|w| w.telling = Telling::Idle);
                step("push tells, answer lost".into(), &|w| {
                    apply(w);
                    w.telling = Telling::Idle;
                });
                step("push tells".into(), &|w| {
                    apply(w);
                    w.telling = Telling::Answered(work);
                });
            }
            Telling::Answered(work) => {
                step("push dies before noting".into(), &|w| w.telling = Telling::Idle);
                step("push notes".into(), &|w| {
                    match work {
                        Work::Working => w.record.acknowledged(at(5_000)),
                        Work::Number(number) => {
                            w.record.written_back(&number.to_string(), true, at(5_000), "state-shipped")
                        }
                        Work::Shipped => w.record.completed(at(5_000)),
                    };
                    w.telling = Telling::Idle;
                });
            }
        }
    }

    /// The robot's decision of an order on its list, by its record.
    fn decision(&self, record: &Shipment) -> TellWorking {
        if self.looks { TellWorking::of(std::slice::from_ref(record)) } else { TellWorking::Told }
    }

    /// From here on nothing is lost and nobody changes anything: the order's end.
    fn finish(&self, world: &World) -> World {
        let mut w = world.clone();
        w.syncs = [None; SYNCS];
        w.telling = Telling::Idle;
        for _ in 0..3 {
            let reading = (w.shop.state, w.shop.pay, w.shop.clock);
            self.take_over(&mut w, reading);
            self.release(&mut w);
            if w.record.cancellation.is_some_and(|asked| asked.state == CancellationState::Requested) {
                answer_cancellation(&mut w.record, true, at(3_000)).ok();
            }
            claim(&mut w.record, at(2_000)).ok();
            if w.record.status == Status::Picking {
                let result = ShippingResult { tracking_number: "10".into(), shipped_at: at(4_000) };
                ship(&mut w.record, &result, at(4_000)).ok();
            }
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

/// As push-statuses takes off its list what it does not tell.
fn off_the_list(record: &mut Shipment, untold: TellWorking) {
    match untold {
        TellWorking::CancelledThere => {
            record.acknowledged(at(5_000));
        }
        TellWorking::CancelledHere => {
            record.ended_untold(at(5_000));
        }
        TellWorking::Told => {}
    }
}

fn must(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

fn key(world: &World) -> Key {
    let r = &world.record;
    let cancellation = r.cancellation.map(|asked| asked.state);
    let record = format!(
        "{:?}{:?}{:?}{}{:?}{:?}{:?}{:?}{:?}{:?}",
        r.status,
        r.holds,
        r.payment,
        r.payment_state,
        r.shop_sync,
        r.tracking_number,
        r.tracking_told,
        cancellation,
        r.seen_at,
        r.claimed_at
    );
    (world.shop, world.syncs, world.warehouses, world.telling, world.latest, record)
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Complete => "complete",
        State::Working => "working",
        State::Shipped => "shipped",
        State::Canceled => "canceled",
    }
}

fn payment_name(pay: Pay) -> &'static str {
    match pay {
        Pay::Pending => "pending",
        Pay::Authed => "authed",
        Pay::Voided => "voided",
    }
}

#[test]
fn every_way_keeps_the_rules_and_comes_to_one_end() {
    let explored = Model::new(true, true).explore();
    let (states, steps) = explored.unwrap_or_else(|broken| panic!("{broken}"));
    println!("{states} states, {steps} steps");
    assert!(states > 10_000, "the model shrank: {states} states");
}

#[test]
fn without_the_gates_fence_a_stale_reading_lets_an_unpaid_order_go() {
    let broken = Model::new(false, true).explore().expect_err("the model sees stale readings");
    assert!(broken.starts_with("1:"), "{broken}");
}

#[test]
fn without_a_look_at_the_record_a_cancellation_is_written_over() {
    let broken = Model::new(true, false).explore().expect_err("the model sees what the robot tells");
    assert!(broken.starts_with("5:"), "{broken}");
}
