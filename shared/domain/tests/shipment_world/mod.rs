//! What can happen to one order of one parcel, at the shop, in syncs, warehouses and the robots that tell the shop: the world
//! of `shipment_life`, which says what must hold in it.

use jiff::{Timestamp, ToSpan};
use renkei_domain::handover::{ShippingResult, answer_cancellation, claim, give_back, ship};
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Payment;
use renkei_domain::processing::{Facts, Goods, RobotSet, Target};
use renkei_domain::shipment::{CancellationState, HoldReason, Shipment, ShopError, ShopWork, Status, TellWorking};
use renkei_domain::sync::{Rules, observe};
use serde_json::json;

use crate::processing_support::{Case, compiled, rule};

pub const SYNCS: usize = 2;
pub const WAREHOUSES: usize = 2;

pub fn at(minute: i64) -> Timestamp {
    "2026-11-24T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

/// What the shop has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shop {
    pub state: State,
    pub pay: Pay,
    pub slip: Option<u8>,
    changes: u8,
    /// Moments of its own clock.
    pub clock: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    Complete,
    Working,
    Shipped,
    Canceled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pay {
    Pending,
    Authed,
    Voided,
}

/// A sync's reading that it has not taken over yet.
pub type Reading = Option<(State, Pay, u8)>;

/// A warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Warehouse {
    /// It was told that the parcel is its own, and has not given it back since.
    pub has: bool,
    /// It gave the parcel back. Whether it heard an answer does not matter: it packs it no more, and says so again until it
    /// hears one, which changes nothing before somebody claims the parcel anew.
    pub gave_back: bool,
    /// Its latest number that was accepted.
    pub accepted: Option<u8>,
    /// It said yes to a cancellation, and heard that this counts.
    pub consented: bool,
}

/// Where the robot that tells the shop stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Telling {
    Idle,
    /// It has read the list of what is to be told "working", and has not looked at the record yet.
    Listed,
    /// It has read what is to be told.
    Read(Work),
    /// The shop said yes.
    Answered(Work),
    /// The shop said no, for good.
    Refused(Work),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    Working,
    Number(u8),
    Shipped,
}

#[derive(Clone)]
pub struct World {
    pub shop: Shop,
    pub record: Shipment,
    pub syncs: [Reading; SYNCS],
    pub warehouses: [Warehouse; WAREHOUSES],
    pub telling: Telling,
    /// The number that the shop refused, by the note on the record.
    pub refused: Option<u8>,
    /// The latest, by the shop's clock, of the readings that were taken over.
    pub latest: (State, Pay, u8),
}

/// A state without what does not matter: when things were, and what was said of them.
pub type Key = (Shop, [Reading; SYNCS], [Warehouse; WAREHOUSES], Telling, Option<u8>, (State, Pay, u8), String);

/// Takes what can happen next: its name, and what it does.
type Steps<'a> = dyn FnMut(String, &dyn Fn(&mut World)) + 'a;

/// Do warehouses give the parcel back?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    Never,
    /// Each at most once.
    Once,
    /// Likewise, and it says so again even after somebody claimed the parcel anew.
    Late,
}

pub struct Model {
    pub case: Case,
    pub robots: RobotSet,
    /// A sync writes no reading after another has read.
    pub fenced: bool,
    /// The robot that tells looks at the record of what is on its list.
    pub looks: bool,
    /// Changes that the shop's people make, at most.
    pub changes: u8,
    pub returns: Returns,
}

impl Model {
    pub fn new(changes: u8, returns: Returns) -> Self {
        let robots = compiled(&["payment-check", "hold-unpaid", "ecforce-release"], &json!([]));
        Self { case: Case::new(), robots, fenced: true, looks: true, changes, returns }
    }

    pub fn begin(&self, pay: Pay) -> World {
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
            refused: None,
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

    pub fn take_over(&self, world: &mut World, reading: (State, Pay, u8)) {
        let rules = Rules { connection: &self.case.connection, hold_unpaid: true };
        let source = &self.case.detail.source;
        observe(&mut world.record, Some(source), &self.order(reading), rules, at(1_000), "status-sync");
        if reading.2 >= world.latest.2 {
            world.latest = reading;
        }
    }

    pub fn release(&self, world: &mut World) {
        let facts = Facts {
            connection: &self.case.connection,
            conversion_robot: None,
            unknown_skus: &[],
            duplicate_number: false,
            now: at(1_000),
        };
        if Target::Held(HoldReason::AwaitingPayment).fits(&world.record) {
            let mut detail = self.case.detail.clone();
            let release = rule("ecforce-release");
            self.robots.apply_later(&Goods::new(), &release, &facts, &mut world.record, &mut detail);
        }
    }

    /// A person lets go what was given back, unless it is not paid.
    pub fn let_go(world: &mut World) {
        if is_to_be_let_go(&world.record) {
            world.record.holds.clear();
            world.record.release();
        }
    }

    /// Everything that can happen next, by name.
    pub fn next(&self, world: &World) -> Vec<(String, World)> {
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
        if is_to_be_let_go(&world.record) {
            step("a person lets it go".into(), &Self::let_go);
        }
        for n in 0..WAREHOUSES {
            self.warehouse(world, n, &mut step);
        }
        self.telling(world, &mut step);
        next
    }

    fn people(&self, world: &World, step: &mut Steps<'_>) {
        let shop = world.shop;
        if shop.changes == self.changes {
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
        self.giving_back(own, n, step);
        for number in [10, 11] {
            // A correction follows what was accepted, and is not taken back.
            let sensible = own.has && !own.consented && (number == 10) == (own.accepted.is_none());
            if !sensible && own.accepted != Some(number) {
                continue;
            }
            let number = number + 10 * u8::try_from(n).unwrap();
            let report = move |w: &mut World| {
                let result =
                    ShippingResult { tracking_number: number.to_string(), shipped_at: at(4_000), method: None };
                ship(&mut w.record, &result, at(4_000)).is_ok()
            };
            step(format!("{n} reports {number}"), &|w| {
                if report(w) {
                    w.warehouses[n].accepted = Some(number % 10 + 10);
                }
            });
        }
    }

    fn giving_back(&self, own: Warehouse, n: usize, step: &mut Steps<'_>) {
        let give = |w: &mut World| {
            give_back(&mut w.record, "no stock", at(3_500), "warehouse").ok();
        };
        let may = self.returns != Returns::Never && !own.gave_back;
        if may && own.has && !own.consented && own.accepted.is_none() {
            step(format!("{n} gives back"), &|w| {
                give(w);
                w.warehouses[n] = Warehouse { has: false, gave_back: true, ..own };
            });
        }
        if self.returns == Returns::Late && own.gave_back {
            step(format!("{n} gives back again"), &give);
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
                // A first number that the shop does not take: the warehouse has to correct it.
                if matches!(work, Work::Number(number) if number % 10 == 0) {
                    step("push tells, refused".into(), &|w| w.telling = Telling::Refused(work));
                }
            }
            Telling::Refused(work) => {
                step("push dies before noting".into(), &|w| w.telling = Telling::Idle);
                step("push notes the refusal".into(), &|w| {
                    note_refused(w, work);
                    w.telling = Telling::Idle;
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
    pub fn decision(&self, record: &Shipment) -> TellWorking {
        if self.looks { TellWorking::of(std::slice::from_ref(record)) } else { TellWorking::Told }
    }
}

fn is_to_be_let_go(record: &Shipment) -> bool {
    record.holds.contains(&HoldReason::NeedsReview) && record.payment == Payment::Paid
}

/// As push-statuses notes that a number was refused: of the result that it had sent, and no other.
fn note_refused(world: &mut World, work: Work) {
    let Work::Number(number) = work else { return };
    let sent = Shipment { tracking_number: Some(number.to_string()), ..world.record.clone() };
    let error = ShopError { code: "AOR2001".into(), message: String::new() };
    if world.record.has_result_of(&sent)
        && world.record.refused(ShopWork::WriteBack, &error, at(5_000), "state-shipped")
    {
        world.refused = Some(number);
    }
}

/// As push-statuses takes off its list what it does not tell.
pub fn off_the_list(record: &mut Shipment, untold: TellWorking) {
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

pub fn key(world: &World) -> Key {
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
    (world.shop, world.syncs, world.warehouses, world.telling, world.refused, world.latest, record)
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
