//! Readings: there is something of theirs to see, and nothing of it is seen.

use std::collections::{BTreeMap, HashSet};

use jiff::{Timestamp, ToSpan};
use renkei_domain::gate::GateState;
use renkei_domain::ids::{ConnectionId, OrderId, OrderNumber, RobotId, ShipmentId, Sku};
use renkei_domain::member::Email;
use renkei_domain::shipment::{ShopWork, Status};
use renkei_domain::stock::Shelf;
use renkei_store::Tenant;
use renkei_store::warehouse::From;

use super::{THEIRS, Walk, later, ship_from};

const NOTHING: &str = "Ok([])";
const NO_PAGE: &str = "Ok(Page { rows: [], next: None })";
const NONE_COUNTED: &str = "Ok(Count { counted: 0, more: false })";

#[expect(clippy::too_many_lines, reason = "one line for each method")]
pub(super) async fn walk(walk: &mut Walk, theirs: &Tenant, ours: &Tenant, now: Timestamp) {
    let c = &ConnectionId::parse(THEIRS).expect("an id");
    let shipments = theirs.latest_orders(c, 10).await.expect("shipments");
    let ids: Vec<ShipmentId> = shipments.iter().map(|shipment| shipment.id.clone()).collect();
    let (first, orders) = (&shipments[0], ids.iter().map(|id| id.order).collect::<Vec<OrderId>>());
    let runs = theirs.runs(1, None).await.expect("runs");
    let fetched = theirs.runs(10, None).await.expect("runs").rows.pop().expect("the run that fetched");
    let settings = theirs.settings().await.expect("settings").expect("some");
    let skus: HashSet<Sku> = [Sku::parse("SERUM-30").expect("a SKU")].into();
    let email = Email::parse("owner@theirs.example").expect("an address");
    let robot: &RobotId = &fetched.robot;
    let (since, until) = (later(now, -60), later(now, 60));

    walk.reads("id", theirs.id(), ours.id(), "TenantId(\"walk-ours\")");
    walk.reads("grants", &theirs.grants().await, &ours.grants().await, NOTHING);
    walk.reads("members", &theirs.members().await, &ours.members().await, NOTHING);
    walk.reads("member", &theirs.member(&email).await, &ours.member(&email).await, "Ok(None)");
    walk.reads("audit_log", &theirs.audit_log(10, None).await, &ours.audit_log(10, None).await, NO_PAGE);
    let place = theirs.audit_log(10, None).await.expect("a log").rows[0].0.clone();
    assert_eq!(format!("{:?}", ours.audit_log(10, Some(&place)).await), NO_PAGE);
    let parcels: Vec<(OrderId, u16)> = orders.iter().map(|order| (*order, 1)).collect();
    let none = format!("Ok({:?})", vec![Vec::<u8>::new(); orders.len()]);
    walk.reads("parcels", &theirs.parcels(c, &parcels).await, &ours.parcels(c, &parcels).await, &none);
    let between = (since, until);
    let both = (
        theirs.count_between(c, Status::Ready, between, 9).await,
        ours.count_between(c, Status::Ready, between, 9).await,
    );
    walk.reads("count_between", &both.0, &both.1, NONE_COUNTED);
    let kept = theirs.member_at_desk(&email).await.expect("an answer").expect("a member").1.kept;
    let both = (theirs.count_shipped(c, &kept, 9, now).await, ours.count_shipped(c, &kept, 9, now).await);
    walk.reads("count_shipped", &both.0, &both.1, NONE_COUNTED);
    let shops = [c.clone()];
    let both = (theirs.glance(&shops, &kept, (since, now), 6).await, ours.glance(&shops, &kept, (since, now), 6).await);
    let empty = format!("{:?}", both.1);
    assert!(!empty.contains("counted: 1") && empty.matches("counted: 0").count() == 6, "{empty}");
    walk.reads("glance", &both.0, &both.1, &empty);
    let none = "Ok(WaitingList { rows: [], more: false })";
    walk.reads("needs", &theirs.needs(9, None).await, &ours.needs(9, None).await, none);
    let place = theirs.needs(9, None).await.expect("one").rows.remove(0);
    assert_eq!(format!("{:?}", ours.needs(9, Some((c, place.mark))).await), none);
    let nothing = r#"Ok({"gate": 0, "robots": 0, "runs": 0, "shipments": 0, "stock": 0})"#;
    walk.reads("count_everything", &theirs.count_everything().await, &ours.count_everything().await, nothing);
    let fresh = format!("Ok({:?})", GateState::fresh(now));
    walk.reads("gate", &theirs.gate(c, now).await, &ours.gate(c, now).await, &fresh);
    walk.reads("is_failing", &theirs.is_failing(c, robot).await, &ours.is_failing(c, robot).await, "Ok(false)");
    let both = (theirs.failing_robots(&settings.settings).await, ours.failing_robots(&settings.settings).await);
    walk.reads("failing_robots", &both.0, &both.1, NOTHING);
    // Judged by the settings that are handed in; the runs that count are one's own.
    let at = settings.at.checked_add(1.hours()).expect("a time");
    let patient = renkei_store::settings::AppliedSettings {
        at: at.checked_sub(2_000.hours()).expect("a time"),
        ..settings.clone()
    };
    let all = format!("{:?}", ours.silent_robots(&patient, at).await);
    walk.reads(
        "silent_robots",
        &theirs.silent_robots(&patient, at).await,
        &ours.silent_robots(&patient, at).await,
        &all,
    );
    assert!(all.contains(robot.as_str()), "without runs of its own every robot is silent: {all}");
    walk.reads("latest_orders", &theirs.latest_orders(c, 9).await, &ours.latest_orders(c, 9).await, NOTHING);
    let open = format!("{:?}", ours.open_shipments(c, 9).await);
    assert!(!open.contains(", 1)") && !open.contains(", 2)"), "{open}");
    walk.reads("open_shipments", &theirs.open_shipments(c, 9).await, &ours.open_shipments(c, 9).await, &open);
    walk.reads("told_offers", &theirs.told_offers(c).await, &ours.told_offers(c).await, NOTHING);
    walk.reads("not_imported", &theirs.not_imported(c).await, &ours.not_imported(c).await, NOTHING);
    walk.reads(
        "not_imported_summaries",
        &theirs.not_imported_summaries(c).await,
        &ours.not_imported_summaries(c).await,
        NOTHING,
    );
    let since = Timestamp::UNIX_EPOCH;
    walk.reads(
        "not_imported_lately",
        &theirs.not_imported_lately(c, since).await,
        &ours.not_imported_lately(c, since).await,
        "Ok(ToRetry { messages: [], with_next_fetch: 0 })",
    );
    let order = OrderId(theirs.not_imported(c).await.expect("some")[0].summary.order_id.expect("an id"));
    walk.reads(
        "not_imported_order",
        &theirs.not_imported_order(c, order).await,
        &ours.not_imported_order(c, order).await,
        "Ok(None)",
    );
    walk.reads(
        "is_not_imported",
        &theirs.is_not_imported(c, order).await,
        &ours.is_not_imported(c, order).await,
        "Ok(false)",
    );
    walk.reads("member_at_desk", &theirs.member_at_desk(&email).await, &ours.member_at_desk(&email).await, "Ok(None)");
    let both =
        (theirs.newest_and_count(c, Status::Ready, 1, 9).await, ours.newest_and_count(c, Status::Ready, 1, 9).await);
    let none = "Ok((Listed { ids: [], marks: [], next: None }, Count { counted: 0, more: false }))";
    walk.reads("newest_and_count", &both.0, &both.1, none);
    walk.reads("known_skus", &theirs.known_skus(&skus).await, &ours.known_skus(&skus).await, "Ok({})");
    walk.reads("products_of", &theirs.products_of(&skus).await, &ours.products_of(&skus).await, NOTHING);
    walk.reads("products", &theirs.products().await, &ours.products().await, NOTHING);
    walk.reads("run", &theirs.run(&fetched.id).await, &ours.run(&fetched.id).await, "Ok(None)");
    walk.reads(
        "run_progress",
        &theirs.run_progress(&fetched.id).await,
        &ours.run_progress(&fetched.id).await,
        "Ok(None)",
    );
    walk.reads("run_pages", &theirs.run_pages(&fetched.id).await, &ours.run_pages(&fetched.id).await, NOTHING);
    walk.reads("runs", &theirs.runs(10, None).await, &ours.runs(10, None).await, NO_PAGE);
    let none = format!("Ok(([], {:?}))", vec![GateState::fresh(now)]);
    let both = (theirs.runs_and_gates(10, &shops, now).await, ours.runs_and_gates(10, &shops, now).await);
    walk.reads("runs_and_gates", &both.0, &both.1, &none);
    let strayed = ours.runs(10, runs.next.clone()).await;
    assert!(strayed.as_ref().map_or(true, |page| page.rows.is_empty()), "{strayed:?}");
    let kept = [OrderId(1)];
    walk.reads("sales", &theirs.sales(c, &kept).await, &ours.sales(c, &kept).await, "Ok([None])");
    walk.reads("settings", &theirs.settings().await, &ours.settings().await, "Ok(None)");
    walk.reads("settings_version", &theirs.settings_version(1).await, &ours.settings_version(1).await, "Ok(None)");
    let versions = (theirs.settings_versions(None, 9).await, ours.settings_versions(None, 9).await);
    walk.reads("settings_versions", &versions.0, &versions.1, NOTHING);
    walk.reads("settings_history", &theirs.settings_history().await, &ours.settings_history().await, NOTHING);
    let (all, from) = (&settings.settings, &ship_from());
    // What is no product is on no shelf.
    let products = theirs.products().await.expect("products");
    let empty = format!("Ok({:?})", Shelf::new([], &products, false));
    let shelves = (theirs.shelf(all, from, &products, now).await, ours.shelf(all, from, &products, now).await);
    walk.reads("shelf", &shelves.0, &shelves.1, &empty);
    let empty = format!("Ok(Some({:?}))", Shelf::new([], &products, false));
    let shelves = (
        theirs.shelf_within(all, from, &products, now, 1_000).await,
        ours.shelf_within(all, from, &products, now, 1_000).await,
    );
    walk.reads("shelf_within", &shelves.0, &shelves.1, &empty);
    let none = "Ok(Listed { ids: [], marks: [], next: None })";
    let ready = Status::Ready;
    walk.reads("newest", &theirs.newest(c, ready, 1, None).await, &ours.newest(c, ready, 1, None).await, none);
    let all = [Status::Hold, Status::Ready];
    let both = (theirs.newest_of(c, &all, since, 1, None).await, ours.newest_of(c, &all, since, 1, None).await);
    walk.reads("newest_of", &both.0, &both.1, none);
    let mark = theirs.newest(c, ready, 1, None).await.expect("one").next;
    assert_eq!(format!("{:?}", ours.newest_of(c, &all, since, 1, mark).await), none);
    assert_eq!(format!("{:?}", ours.newest(c, ready, 1, mark).await), none);
    let both = (
        theirs.count_status_and_since(c, ready, since, 9).await,
        ours.count_status_and_since(c, ready, since, 9).await,
    );
    let none = "Ok((Count { counted: 0, more: false }, Count { counted: 0, more: false }))";
    walk.reads("count_status_and_since", &both.0, &both.1, none);
    let both = (theirs.count_status(c, ready, None, 9).await, ours.count_status(c, ready, None, 9).await);
    walk.reads("count_status", &both.0, &both.1, NONE_COUNTED);
    walk.reads(
        "count_not_imported",
        &theirs.count_not_imported(c, 9).await,
        &ours.count_not_imported(c, 9).await,
        NONE_COUNTED,
    );
    let number = &first.order_number;
    walk.reads(
        "order_with_number",
        &theirs.order_with_number(c, number).await,
        &ours.order_with_number(c, number).await,
        "Ok(None)",
    );
    walk.reads(
        "shipments_of",
        &theirs.shipments_of(c, orders[0]).await,
        &ours.shipments_of(c, orders[0]).await,
        NOTHING,
    );
    let asked: Vec<(OrderId, OrderNumber)> = vec![(orders[0], number.clone())];
    let none = "Ok([Known { lead: None, number_of: None, not_imported: None }])";
    walk.reads("known_orders", &theirs.known_orders(c, &asked).await, &ours.known_orders(c, &asked).await, none);
    walk.reads("shipment", &theirs.shipment(&ids[0]).await, &ours.shipment(&ids[0]).await, "Ok(None)");
    walk.reads("shipments", &theirs.shipments(&ids).await, &ours.shipments(&ids).await, NOTHING);
    // Of one that is not its own it says that it is not there, which is an error for who holds a shipment.
    let (seen, hidden) = (theirs.details(&shipments).await, ours.details(&shipments).await);
    assert!(
        seen.is_ok_and(|found| found.len() == shipments.len()) && hidden.as_ref().map_or(true, Vec::is_empty),
        "{hidden:?}"
    );
    walk.called.insert("details");
    let both = (theirs.shipments_by_status(c, ready, 1, None).await, ours.shipments_by_status(c, ready, 1, None).await);
    walk.reads("shipments_by_status", &both.0, &both.1, NO_PAGE);
    let cursor = both.0.expect("a page").next;
    let strayed = ours.shipments_by_status(c, ready, 9, cursor).await;
    assert!(strayed.as_ref().map_or(true, |page| page.rows.is_empty()), "{strayed:?}");
    let both = (
        theirs.shipments_by_status_since(c, ready, Some(since), 9, None).await,
        ours.shipments_by_status_since(c, ready, Some(since), 9, None).await,
    );
    walk.reads("shipments_by_status_since", &both.0, &both.1, NO_PAGE);
    let work = ShopWork::TellWorking;
    walk.reads(
        "shop_work",
        &theirs.shop_work(c, work, 9, None).await,
        &ours.shop_work(c, work, 9, None).await,
        NO_PAGE,
    );
    walk.reads("counts", &theirs.counts(from).await, &ours.counts(from).await, NOTHING);
    walk.reads("sync_mark", &theirs.sync_mark(c).await, &ours.sync_mark(c).await, "Ok(None)");
    let open = [Status::Ready];
    walk.reads("open_orders", &theirs.open_orders(c, &open).await, &ours.open_orders(c, &open).await, "Ok({})");
    let listed = theirs.open_orders(c, &open).await.expect("open ones");
    walk.reads("open_ids", &Tenant::open_ids(c, &listed), &Tenant::open_ids(c, &BTreeMap::new()), "[]");
    walk.reads("notices", &theirs.notices().await, &ours.notices().await, "Ok(None)");
    let goods = theirs.details(&shipments).await.expect("details");
    walk.reads("goods_of", &theirs.goods_of(&goods).await, &ours.goods_of(&goods).await, "Ok({})");
    walk.reads("hints", &theirs.hints(c, 9).await, &ours.hints(c, 9).await, NOTHING);
    walk.reads("drain", &theirs.drain(c).await, &ours.drain(c).await, "Ok(Drain { announced: None, began: None })");
    let empty = "Ok(CalledOff { rev: 0, orders: [] })";
    walk.reads("called_off", &theirs.called_off(c).await, &ours.called_off(c).await, empty);
    walk.reads("backfill", &theirs.backfill(c, "a-run").await, &ours.backfill(c, "a-run").await, "Ok(None)");
    let both = (theirs.status_rows(c, ready, From::Start, 9).await, ours.status_rows(c, ready, From::Start, 9).await);
    walk.reads("status_rows", &both.0, &both.1, "Ok(([], false))");
    let place = both.0.expect("rows").0[0].at.clone();
    assert_eq!(format!("{:?}", ours.status_rows(c, ready, From::At(&place), 9).await), "Ok(([], false))");
    // Those of an order in quarantine are not known yet.
    let none = format!("{:?}", ours.orders_with_products(c, Timestamp::MIN).await);
    assert_eq!(none, "Ok(ToRetry { messages: [], with_next_fetch: 0 })");
    walk.called.insert("orders_with_products");
}
