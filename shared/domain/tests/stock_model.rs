//! Stock at the shop is the rule's value after any order of counts, claims, cancellations and faults, once it is quiet. The
//! world here is a shop, a warehouse and the records between them; what tells is the rule of `renkei_domain::stock` and the
//! way in which sync-inventory keeps what it told. That a stale count never wins is a condition of the store's write, and is
//! tested on the deployed stack (`tests/e2e/tests/warehouse/stock.rs`); here it is taken for granted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use renkei_domain::ids::Sku;
use renkei_domain::settings::{Part, Product, Temperature};
use renkei_domain::shipment::{Item, Status};
use renkei_domain::stock::{Counted, Shelf, Told};

const SKUS: [&str; 3] = ["A", "B", "SET"];

fn at(second: u32) -> Timestamp {
    Timestamp::from_second(i64::from(second)).unwrap()
}

fn products() -> Vec<Product> {
    let part = |sku: &str, quantity| Part { sku: Sku::parse(sku).unwrap(), quantity };
    let product = |sku: &str, stock_buffer, made_of| Product {
        sku: Sku::parse(sku).unwrap(),
        name: sku.into(),
        stock_buffer,
        not_for_sale: false,
        temperature: Temperature::default(),
        made_of,
    };
    vec![
        product("A", None, vec![]),
        product("B", Some(2), vec![]),
        product("SET", Some(0), vec![part("A", 1), part("B", 2)]),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Parcel {
    sku: usize,
    quantity: u32,
    status: Status,
    claimed_at: Option<Timestamp>,
    left_at: Option<Timestamp>,
}

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    /// The shop takes it, and its answer is lost.
    AnswerLost,
    /// It never arrives.
    NeverSent,
    /// The function dies after the intentions are kept.
    DiesBefore,
    /// The run is paused after it computed, and goes on when another holds the gate: it may neither call nor note.
    Robbed,
}

#[derive(Debug, Clone)]
enum Step {
    Count { sku: usize, quantity: u32, at: u32 },
    Sell { sku: usize, quantity: u32 },
    Claim(usize),
    Ship(usize),
    Cancel(usize),
    Run(Fault),
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        3 => Just(Fault::None),
        1 => Just(Fault::AnswerLost),
        1 => Just(Fault::NeverSent),
        1 => Just(Fault::DiesBefore),
        1 => Just(Fault::Robbed),
    ];
    prop_oneof![
        (0..2usize, 0..40u32, 0..300u32).prop_map(|(sku, quantity, at)| Step::Count { sku, quantity, at }),
        (0..3usize, 1..6u32).prop_map(|(sku, quantity)| Step::Sell { sku, quantity }),
        (0..12usize).prop_map(Step::Claim),
        (0..12usize).prop_map(Step::Ship),
        (0..12usize).prop_map(Step::Cancel),
        fault.prop_map(Step::Run),
    ]
}

#[derive(Default)]
struct World {
    now: u32,
    /// What is claimed and has not left is in the counts.
    include_claimed: bool,
    counts: BTreeMap<usize, Counted>,
    parcels: Vec<Parcel>,
    shop: BTreeMap<usize, u32>,
    told: BTreeMap<usize, Told>,
}

impl World {
    fn offers(&self) -> BTreeMap<usize, u32> {
        let counts = self.counts.iter().map(|(sku, counted)| (Sku::parse(SKUS[*sku]).unwrap(), *counted));
        let products = products();
        let mut stock = Shelf::new(counts, &products, self.include_claimed);
        let mut template = support::shipment();
        for parcel in &self.parcels {
            (template.status, template.claimed_at) = (parcel.status, parcel.claimed_at);
            (template.shipped_at, template.result_at) = (parcel.left_at, parcel.left_at);
            let sku = Sku::parse(SKUS[parcel.sku]).unwrap();
            let item = Item {
                sku,
                name: String::new(),
                quantity: parcel.quantity,
                price: renkei_domain::money::Yen(0),
                added_by: None,
            };
            stock.reserve(&template, &[item]);
        }
        let offers = stock.offers(&products, 0);
        (0..3).filter_map(|n| Some((n, offers.get(&Sku::parse(SKUS[n]).unwrap())?.sellable))).collect()
    }

    /// The rule, written down again in another way.
    fn naive(&self) -> BTreeMap<usize, u32> {
        let free = |sku: usize, each: &dyn Fn(&Parcel) -> u32| -> Option<i64> {
            let counted = self.counts.get(&sku)?;
            let taken: u32 = self
                .parcels
                .iter()
                .filter(|parcel| {
                    // What takes from the shelf in the warehouse's eyes, and when it did.
                    let off_since = if self.include_claimed { parcel.left_at } else { parcel.claimed_at };
                    parcel.status != Status::Cancelled && off_since.is_none_or(|off| off > counted.at)
                })
                .map(|parcel| parcel.quantity * each(parcel))
                .sum();
            Some(i64::from(counted.quantity) - i64::from(taken))
        };
        let a = free(0, &|parcel| [1, 0, 1][parcel.sku]);
        let b = free(1, &|parcel| [0, 1, 2][parcel.sku]);
        let mut values = BTreeMap::new();
        let mut put = |sku, value: Option<i64>| {
            if let Some(value) = value {
                values.insert(sku, u32::try_from(value.max(0)).unwrap());
            }
        };
        put(0, a);
        put(1, b.map(|b| b - 2));
        put(2, a.zip(b).map(|(a, b)| a.max(0).min(b.max(0) / 2)));
        values
    }

    fn run(&mut self, fault: Fault) {
        let offers = self.offers();
        let due: Vec<(usize, u32)> = offers
            .into_iter()
            .filter(|(sku, value)| self.told.get(sku).is_none_or(|told| told.is_due(*value, at(self.now))))
            .collect();
        if matches!(fault, Fault::Robbed) {
            return;
        }
        for (sku, value) in &due {
            let told = self.told.entry(*sku).or_default();
            (told.intended, told.at) = (Some(*value), Some(at(self.now)));
        }
        if matches!(fault, Fault::None | Fault::AnswerLost) {
            self.shop.extend(due.iter().copied());
        }
        if matches!(fault, Fault::None) {
            for (sku, value) in due {
                let told = self.told.entry(sku).or_default();
                (told.told, told.intended) = (Some(value), None);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        self.now += 10;
        let now = at(self.now);
        match *step {
            Step::Count { sku, quantity, at: moment } => {
                // As the store keeps counts: the newest wins, whatever order they come in.
                let newer = self.counts.get(&sku).is_none_or(|kept| kept.at <= at(moment));
                if newer {
                    self.counts.insert(sku, Counted { quantity, at: at(moment) });
                }
            }
            Step::Sell { sku, quantity } => {
                self.parcels.push(Parcel { sku, quantity, status: Status::Ready, claimed_at: None, left_at: None });
            }
            Step::Claim(n) => self.change(n, Status::Ready, |parcel| {
                (parcel.status, parcel.claimed_at) = (Status::Picking, Some(now));
            }),
            Step::Ship(n) => self.change(n, Status::Picking, |parcel| {
                (parcel.status, parcel.left_at) = (Status::Shipped, Some(now));
            }),
            Step::Cancel(n) => {
                self.change(n, Status::Ready, |parcel| parcel.status = Status::Cancelled);
                self.change(n, Status::Picking, |parcel| parcel.status = Status::Cancelled);
            }
            Step::Run(fault) => self.run(fault),
        }
    }

    fn change(&mut self, n: usize, from: Status, change: impl FnOnce(&mut Parcel)) {
        if let Some(parcel) = self.parcels.get_mut(n).filter(|parcel| parcel.status == from) {
            change(parcel);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn once_quiet_the_shop_has_the_rules_value(
        steps in proptest::collection::vec(step(), 0..60),
        include_claimed in any::<bool>(),
    ) {
        let mut world = World { include_claimed, ..World::default() };
        for step in &steps {
            world.step(step);
        }
        world.run(Fault::None);
        prop_assert_eq!(&world.shop, &world.naive());
        // And nothing is sent any more.
        let quiet = world.offers();
        prop_assert!(quiet.iter().all(|(sku, value)| !world.told[sku].is_due(*value, at(world.now))));
    }
}

mod support {
    use renkei_domain::ids::{AddressId, OrderNumber, ShipFromId};
    use renkei_domain::payment::Payment;
    use renkei_domain::shipment::{Shipment, ShopSync, Status};
    use renkei_domain::work::Place;

    /// A shipment whose status the model sets.
    pub fn shipment() -> Shipment {
        Shipment {
            seen_at: None,
            id: "shop.1.1".parse().unwrap(),
            order_number: OrderNumber::parse("1").unwrap(),
            address_id: AddressId(1),
            parcels: 1,
            several_addresses: false,
            ship_from: ShipFromId::parse("dc").unwrap(),
            status: Status::Ready,
            holds: vec![],
            payment: Payment::Paid,
            payment_state: "authed".into(),
            payment_unknown: false,
            released_unpaid: false,
            shop_sync: ShopSync::Registered,
            shipping_method: None,
            tracking_number: None,
            shipped_at: None,
            claimed_at: None,
            claim_key: None,
            result_at: None,
            cancellation: None,
            cancelled_by_shop: false,
            differences: vec![],
            more_differences: Vec::new(),
            differences_of: None,
            differences_seen: false,
            tracking_told: None,
            told_at: None,
            shop_error: None,
            reappeared: 0,
            imported_at: super::at(0),
            updated_at: super::at(0),
            run: String::new(),
            place: Place { page: 1, row: 0 },
            rev: 0,
            detail: String::new(),
            events: vec![],
        }
    }
}
