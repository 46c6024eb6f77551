//! Changes: whatever they answer, nothing of theirs is another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, RuleId, ShipmentId, Sku};
use renkei_domain::member::{Email, Role};
use renkei_domain::processing::{Facts, Goods, RobotSet};
use renkei_domain::run::{Outcome, Run};
use renkei_domain::shipment::{HoldReason, ShopError, ShopWork, Status};
use renkei_store::access::Random;
use renkei_store::called_off::Gone;
use renkei_store::days::Usual;
use renkei_store::import::NewOrder;
use renkei_store::members::MemberChange;
use renkei_store::offers::{Before, Heard};
use renkei_store::processing::Application;
use renkei_store::runs::Progress;
use renkei_store::sales::Sale;
use renkei_store::shipments::WorkEntry;
use renkei_store::stock::StockCount;
use renkei_store::sync::{Backfill, Named, SyncMark};
use renkei_store::{StoreError, Tenant};

use super::{THEIRS, Walk, entry, later, ship_from};

fn refused<T: Debug>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(error) if !error.is_passing())
}

#[expect(clippy::too_many_lines, reason = "one line for each method")]
#[expect(clippy::unit_arg, reason = "some of the methods answer nothing but that it is done")]
pub(super) async fn walk(walk: &mut Walk, theirs: &Tenant, ours: &Tenant, now: Timestamp) {
    let c = &ConnectionId::parse(THEIRS).expect("an id");
    let shipments = theirs.latest_orders(c, 10).await.expect("shipments");
    let details = theirs.details(&shipments).await.expect("details");
    let ids: Vec<ShipmentId> = shipments.iter().map(|shipment| shipment.id.clone()).collect();
    let orders: Vec<OrderId> = ids.iter().map(|id| id.order).collect();
    let run = theirs.runs(10, None).await.expect("runs").rows.pop().expect("the run that fetched");
    let settings = theirs.settings().await.expect("settings").expect("some").settings;
    let email = Email::parse("owner@theirs.example").expect("an address");
    let sku = Sku::parse("SERUM-30").expect("a SKU");
    let hold = |shipment: &mut renkei_domain::shipment::Shipment| shipment.hold(HoldReason::NeedsReview);

    let grants = theirs.grants().await.expect("grants");
    let answer = ours.end_grant(&grants[0], now).await;
    assert!(matches!(walk.changes("end_grant", answer).await, Err(StoreError::NotOwn { .. })));
    let answer = ours.revoke_grant(&grants[0], now).await;
    assert!(matches!(walk.changes("revoke_grant", answer).await, Err(StoreError::NotOwn { .. })));
    let random = Random { secret: [1; 32], seal: [2; 32] };
    let answer = ours.grant(grants[0].opens.clone(), random, grants[0].id.clone(), now).await.expect("one's own");
    let (made, _) = walk.changes("grant", answer).await;
    assert_ne!(made.seal(), grants[0].seal(), "cursors are sealed with one's own");
    let answer = ours.remove_member(&email).await.expect("an answer");
    assert_eq!(walk.changes("remove_member", answer).await, MemberChange::NotThere);
    let answer = ours.put_member(&email, Role::Owner, now).await.expect("an answer");
    assert_eq!(walk.changes("put_member", answer).await, MemberChange::Done);
    let answer = ours.apply_settings(&settings, 0, now, "test").await;
    assert!(matches!(walk.changes("apply_settings", answer).await, Err(StoreError::NotOwn { .. })));
    let kept = theirs.not_imported(c).await.expect("some");
    let answer = ours.keep_not_imported(c, &kept).await;
    assert!(matches!(walk.changes("keep_not_imported", answer).await, Err(StoreError::NotOwn { .. })));
    let id = kept[0].summary.order_id.expect("an id");
    walk.changes("forget_not_imported", ours.forget_not_imported(c, id).await.expect("an answer")).await;
    let forgotten = ours.forget_rows_without_id(c, 9).await.expect("an answer");
    assert_eq!(walk.changes("forget_rows_without_id", forgotten).await, 0);
    walk.changes("audit", ours.audit("01AUDIT", &entry(now)).await.expect("one's own")).await;
    walk.changes("change_all", ours.change_all(&shipments, hold).await.expect("an answer")).await;
    walk.changes("complete", ours.complete(&ids, now).await.expect("an answer")).await;
    let answer = ours.change(&ids[0], hold).await.expect("an answer");
    assert!(walk.changes("change", answer).await.is_none());
    let ready = shipments.iter().find(|shipment| shipment.status == Status::Ready).expect("a ready one").clone();
    let answer = ours.change_from(ready, hold).await;
    assert!(refused(&walk.changes("change_from", answer).await));
    let entries: Vec<WorkEntry> = ids.iter().map(|id| WorkEntry { id: id.clone(), parcels: 1 }).collect();
    walk.changes("acknowledge", ours.acknowledge(&entries, now).await.expect("an answer")).await;
    let error = ShopError { code: "x".into(), message: "y".into() };
    let answer = ours.shop_refused(&ids[0], ShopWork::TellWorking, &error, now, "test").await;
    walk.changes("shop_refused", answer.expect("an answer")).await;
    let usual = Usual { day: "2026-11-25".into(), orders: BTreeMap::new() };
    walk.changes("keep_usual", ours.keep_usual(&usual).await.expect("one's own")).await;
    let gate = theirs.gate(c, now).await.expect("a gate");
    let answer = ours.write_gate(c, &gate, &gate).await;
    assert!(refused(&walk.changes("write_gate", answer).await));
    let offers = [(sku.clone(), 99, Before::Here)];
    walk.changes("intend_offers", ours.intend_offers(c, None, &offers, 9, now).await.expect("an answer")).await;
    let heard = [(sku.clone(), 99, Heard::Refused(error))];
    walk.changes("note_offers", ours.note_offers(c, &heard, 9).await.expect("an answer")).await;
    let products = theirs.products().await.expect("products");
    walk.changes("put_products", ours.put_products(&products).await.expect("one's own")).await;
    let count = StockCount { sku, quantity: 0, counted_at: later(now, 60) };
    walk.changes("put_count", ours.put_count(&ship_from(), &count).await.expect("one's own")).await;
    let answer = ours.finish_queued_run(&run.id).await.expect("an answer");
    assert_eq!(walk.changes("finish_queued_run", answer).await, None);
    let answer = ours.end_run(&run).await;
    assert!(refused(&walk.changes("end_run", answer).await));
    let progress = Progress { page: 9, after: 9 };
    assert!(!walk.changes("advance_run", ours.advance_run(&run.id, progress, 9).await.expect("an answer")).await);
    walk.changes("announce_page", ours.announce_page(&run.id, 1, 9).await.expect("one's own")).await;
    let rows = BTreeMap::from([(Outcome::Refused, BTreeSet::from([7]))]);
    let noted = ours.note_rows(&run.id, 1, &rows).await.expect("one's own");
    assert_eq!(walk.changes("note_rows", noted).await.count(Outcome::Imported), 0);
    walk.changes("complete_page", ours.complete_page(&run.id, 1).await.expect("one's own")).await;
    walk.changes("announce_end", ours.announce_end(&run.id, 1).await.expect("one's own")).await;
    walk.changes("begin_run", ours.begin_run(&Run { id: "another".into(), ..run }).await.expect("one's own")).await;
    let sold = [OrderId(1)];
    assert_eq!(
        walk.changes("intend_sales", ours.intend_sales(c, &sold, "b-run", now).await.expect("one's own")).await,
        [true]
    );
    walk.changes("settle_sales", ours.settle_sales(c, &sold, Sale::Captured, now).await.expect("one's own")).await;
    walk.changes("withdraw_sale", ours.withdraw_sale(c, orders[0], now).await.expect("an answer")).await;
    walk.changes("doubt_sale", ours.doubt_sale(c, orders[0], now).await.expect("an answer")).await;
    let mark = SyncMark { began: later(now, 60), reported_on: None, late_known: None, tables: None, epoch: 99 };
    walk.changes("move_sync_mark", ours.move_sync_mark(c, &mark).await.expect("one's own")).await;
    let hints = theirs.hints(c, 9).await.expect("hints");
    walk.changes("forget_hints", ours.forget_hints(c, &hints).await.expect("an answer")).await;
    let named = BTreeSet::from([Named::Id(1)]);
    walk.changes("note_hints", ours.note_hints(c, &named, None, later(now, 60)).await.expect("one's own")).await;
    walk.changes("announce_drain", ours.announce_drain(c, "b-drain", (now, now), now).await.expect("one's own")).await;
    walk.changes("begin_drain", ours.begin_drain(c, now).await.expect("one's own")).await;
    let range = Backfill { from: later(now, 1), before: later(now, 2) };
    walk.changes("ask_backfill", ours.ask_backfill(c, "a-run", range).await.expect("one's own")).await;
    let gone = Gone { order: OrderId(1), changed_at: None };
    walk.changes("call_off", ours.call_off(c, &[gone], now).await.expect("one's own")).await;
    let state = theirs.notices().await.expect("notices").expect("some");
    assert!(!walk.changes("put_notices", ours.put_notices(&state).await.expect("an answer")).await);
    assert!(!walk.changes("end_notices", ours.end_notices().await.expect("an answer")).await);
    let robots = RobotSet::compile(&settings).expect("robots");
    let rule = &RuleId::parse("hold-unpaid").expect("an id");
    let goods = Goods::new();
    let application = Application { robots: &robots, rule, fits: &|_| true, goods: &goods, by: "test" };
    let connection = &settings.connections[0];
    let facts = Facts { connection, conversion_robot: None, unknown_skus: &[], duplicate_number: false, now };
    let (shipment, detail) = (shipments[0].clone(), details[0].clone());
    let answer = ours.apply_robot(&application, &facts, shipment, detail).await;
    // What it was handed is judged; to be written there is nothing of that name.
    let answer = walk.changes("apply_robot", answer).await;
    assert!(refused(&answer) || answer.is_ok_and(|became| !became.changed));
    walk.changes("put_detail", ours.put_detail(&ids[0], &details[0]).await.expect("one's own")).await;
    let parcels = shipments.into_iter().zip(details);
    let new = parcels.map(|parcel| NewOrder { parcels: vec![parcel], claim_number: true }).collect();
    walk.changes("store_orders", ours.store_orders(new).await.expect("one's own")).await;
    let erased = ours.erase_everything().await.expect("one's own");
    assert!(erased.values().sum::<usize>() > 20, "{erased:?}");
    walk.changes("erase_everything", erased).await;
    assert_eq!(ours.count_everything().await.expect("counts").values().sum::<usize>(), 0);
}
