//! Hints of webhooks: noted at once, and looked at together a moment later.
//!
//! A shop may send a hundred hooks for a hundred orders. Each is one write of ours and no call to the shop: the orders
//! that it names are put on a list, and the first of a burst announces one run that reads all of the list by id, a hundred
//! a call. What a hint says is never believed; only that the shop is worth a look.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use renkei_domain::ids::{ConnectionId, OrderId, RobotId, ShipmentId};
use renkei_domain::import::anew;
use renkei_domain::order::SourceOrder;
use renkei_domain::payment::Meaning;
use renkei_domain::run::RunState;
use renkei_domain::settings::Action;
use renkei_domain::sync::{self, MOST_BETWEEN_LOOKS, Rules, between_looks};
use renkei_domain::work::{Cause, Hint, StartRobot, VERSION};
use renkei_ecforce::{Direction, MAX_PER, OrderQuery, SortBy, TextAttribute, TextTest};
use renkei_platform::queue::{Queue, group};
use renkei_shop::ShopError;
use renkei_shop::robot::{Robots, RunError, Stopped, Told, Work};
use renkei_store::sync::{Drain, HintedOrder, Named};
use renkei_store::{StoreError, Tenant};

use crate::anew::Anew;
use crate::called_off;
use crate::commit::{self, Tally};
use crate::missing::Missing;

/// The last part of the name of the robot that looks.
pub const ROBOT: &str = "hints";
/// How long a burst is waited for. Looks of which more come one after another keep a distance besides
/// ([`sync::between_looks`]), but for what cannot wait.
const GATHER: Duration = Duration::from_secs(2);
/// Orders that one look is at; the rest is the next one's.
pub const MOST_A_LOOK: usize = 500;
/// Orders that one hint may name; who names more means everything, and the next sync sees to that.
const MOST: usize = 200;

/// Notes a hint. Safe to repeat: what its first delivery brought to its end is not noted once more.
pub async fn note(robots: &Robots, hint: &Hint, message: &str, deliveries: u32) -> Result<(), RunError> {
    // Of an order itself (`order_canceled`): a subscription that ends has numbers of its own, which may be an order's as well.
    let cancels = hint.topic.as_deref().is_some_and(|topic| topic.starts_with("order") && topic.contains("cancel"));
    let ids = hint.order_ids.iter().filter(|id| **id > 0);
    let ids = ids.map(|id| match (&hint.anew_by, cancels) {
        (Some(_), _) => Named::Anew(*id),
        (None, true) => Named::Cancelled(*id),
        (None, false) => Named::Id(*id),
    });
    let numbers = hint.order_numbers.iter().map(|number| number.trim());
    let usable = |number: &&str| !number.is_empty() && number.len() <= 100;
    let numbers = numbers.filter(usable).map(str::to_owned);
    let numbers = numbers.map(if cancels { Named::CancelledNumber } else { Named::Number });
    let named: BTreeSet<Named> = ids.chain(numbers).take(MOST).collect();
    if named.is_empty() {
        return Ok(());
    }
    let tenant = robots.store.tenant(hint.tenant.clone());
    let run = format!("hints-{message}");
    if deliveries > 1 && is_done(&tenant, hint, &run).await? {
        return Ok(());
    }
    tenant.note_hints(&hint.connection, &named, hint.anew_by.as_deref(), hint.received_at).await?;
    // A cancellation may still stop a parcel, and a person who wishes for something waits for it.
    let when = if cancels || hint.anew_by.is_some() { When::Soon } else { When::InTurn };
    announce(robots, &tenant, &hint.connection, run, when).await
}

/// When hints are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Once a burst is over.
    Soon,
    /// Not so soon after the look before that a day's calls go on looks.
    InTurn,
}

/// Has an earlier delivery done what the hint asks for? By its own run, or by one of another hint that made the orders anew.
/// Noted once more nobody would look at it, since its run is over; and a wish would be one that nobody has any more.
async fn is_done(tenant: &Tenant, hint: &Hint, run: &str) -> Result<bool, StoreError> {
    let over = tenant.run(run).await?.is_some_and(|run| matches!(run.state, RunState::Done | RunState::NeedsPerson));
    if over || hint.anew_by.is_none() {
        return Ok(over);
    }
    let lead = |id: &u64| ShipmentId::lead(hint.connection.clone(), OrderId(*id));
    let leads: Vec<ShipmentId> = hint.order_ids.iter().take(MOST).map(lead).collect();
    Ok(tenant.shipments(&leads).await?.iter().all(|lead| anew::is_made_since(lead, hint.received_at)))
}

/// Announces a look at what is noted and was not looked at: its run failed for good, or its message was lost with the
/// function that had it. `after` is the run that found it so.
pub async fn wake(robots: &Robots, tenant: &Tenant, connection: &ConnectionId, after: &str) -> Result<(), ShopError> {
    if tenant.hints(connection, 1).await?.is_empty() {
        return Ok(());
    }
    match announce(robots, tenant, connection, next_run(after), When::InTurn).await {
        Ok(()) => Ok(()),
        Err(RunError::Store(error)) => Err(error.into()),
        Err(RunError::Queue(error)) => Err(error.into()),
        // The next sync tries it again.
        Err(error @ (RunError::WakeUp(_) | RunError::Message(_))) => {
            tracing::error!(%error, "unwritable");
            Ok(())
        }
    }
}

/// The run that looks after this one: a sync's first, or the next of one that left some.
fn next_run(after: &str) -> String {
    match after.rsplit_once('+').map(|(first, turn)| (first, turn.parse::<u32>())) {
        Some((first, Ok(turn))) => format!("{first}+{}", turn.saturating_add(1)),
        _ if after.starts_with("hints-") => format!("{after}+2"),
        _ => format!("hints-{after}"),
    }
}

/// Starts the run that looks, unless one is announced already that comes as soon.
async fn announce(
    robots: &Robots,
    tenant: &Tenant,
    connection: &ConnectionId,
    run: String,
    when: When,
) -> Result<(), RunError> {
    let now = Timestamp::now();
    let soon = now.saturating_add(GATHER).unwrap_or(now);
    let drain = tenant.drain(connection).await?;
    let by = if when == When::Soon { soon } else { Timestamp::MAX };
    if drain.comes_by(by, &run, now) {
        return Ok(());
    }
    let in_turn = match drain.began {
        Some(began) if when == When::InTurn && until(began, MOST_BETWEEN_LOOKS) > now => {
            let applied = tenant.settings().await?;
            let shop = applied.as_ref().and_then(|applied| applied.settings.connection(connection));
            until(began, shop.map_or(GATHER, |shop| between_looks(shop.daily_call_limit)))
        }
        _ => soon,
    };
    let due = in_turn.max(soon);
    if !tenant.announce_drain(connection, &run, (due, by), now).await? {
        return Ok(());
    }
    let Ok(robot) = RobotId::parse(format!("{connection}/{ROBOT}")) else { return Ok(()) };
    let start = StartRobot {
        v: VERSION,
        tenant: tenant.id().clone(),
        connection: connection.clone(),
        robot,
        action: Action::StatusSync,
        cause: Cause::Hint,
        run: Some(run),
        attempt: 0,
    };
    let body = serde_json::to_string(&start)?;
    let delay = Duration::try_from(due.duration_since(now)).unwrap_or(GATHER);
    robots.queue.send(body, group(&start.tenant, &start.connection), delay).await?;
    Ok(())
}

fn until(from: Timestamp, wait: Duration) -> Timestamp {
    from.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Looks at the orders that hints named. Those that are not known yet and are to be taken are queued for import.
pub async fn look(work: Work<'_>, import: &Queue) -> Result<Told, Stopped> {
    let mut tally = Tally::default();
    let mut overwritten: Vec<String> = Vec::new();
    let mut anew = Anew::begin(work.tenant, work.settings, work.connection);
    let (ended, queued_pages) = match look_at_all(work, import, &mut tally, &mut overwritten, &mut anew).await {
        Ok(pages) => (Ok(()), pages),
        Err(error) => (Err(error), 0),
    };
    let mut notes = tally.notes();
    notes.extend(anew.notes());
    if !overwritten.is_empty() {
        tally.add("cancellations-overwritten", overwritten.len() as u64);
        tally.for_a_person += overwritten.len() as u64;
        notes.push(format!(
            "the shop announced that these orders were cancelled, but has them in its working state: they may have been \
             cancelled just before we told that we took them. Ask at the shop, and cancel them there again: {} \
             (キャンセルが上書きされた可能性があります)",
            overwritten.join(", ")
        ));
    }
    Stopped::or_told(ended, Told { notes, queued_pages, ..tally.told() })
}

/// Gives how many pages were queued for import.
async fn look_at_all(
    work: Work<'_>,
    import: &Queue,
    tally: &mut Tally,
    overwritten: &mut Vec<String>,
    anew: &mut Anew<'_>,
) -> Result<u32, ShopError> {
    let Work { tenant, settings, connection, run, message, session } = work;
    let rules = Rules::of(settings, connection);
    let by = message.robot.as_str();
    // Somebody who could not wait for this look has announced another: that one looks at all there is.
    let is_anothers = |drain: Drain| drain.announced.is_some_and(|it| it.run != run && it.until >= Timestamp::now());
    if message.cause == Cause::Hint && is_anothers(tenant.drain(&connection.id).await?) {
        return Ok(0);
    }
    tenant.begin_drain(&connection.id, Timestamp::now()).await?;
    let hints = tenant.hints(&connection.id, MOST_A_LOOK).await?;
    let (ids, numbers): (Vec<HintedOrder>, Vec<HintedOrder>) =
        hints.into_iter().partition(|hint| id_of(&hint.named).is_some());
    let mut missing = Missing::begin(settings, tenant, message, run).await?;
    for some in ids.chunks(MAX_PER as usize).chain(numbers.chunks(MAX_PER as usize)) {
        let query = OrderQuery::new().sort(SortBy::Id, Direction::Ascending).per(MAX_PER).include_all();
        let names = some.iter().filter_map(|hint| match &hint.named {
            Named::Number(number) | Named::CancelledNumber(number) => Some(number.clone()),
            Named::Id(_) | Named::Cancelled(_) | Named::Anew(_) => None,
        });
        let names: BTreeSet<String> = names.collect();
        let query = if names.is_empty() {
            let ids: BTreeSet<u64> = some.iter().filter_map(|hint| id_of(&hint.named)).collect();
            query.id_in(ids)
        } else {
            query.text(TextAttribute::Number, TextTest::In(names.into_iter().collect()))
        };
        let (read, page) = commit::read(session, &query).await?;
        let parcels = parcels(tenant, &connection.id, read.orders.keys().copied()).await?;
        let announced = |order: &SourceOrder| is_announced(some, order);
        called_off::note(tenant, connection, &read, (&parcels, announced), by, tally).await?;
        for order in moved_on(some, &read, rules) {
            // On record before its hint is forgotten: whatever becomes of this run, nothing else shows it any more.
            for parcel in parcels.iter().filter(|parcel| parcel.order == order.id) {
                tenant.change(parcel, |shipment| sync::note_announced(shipment, Timestamp::now(), by)).await?;
            }
            overwritten.push(order.number.to_string());
        }
        // Made anew in a moment: nobody has to see to what is otherwise.
        tally.expect(some.iter().filter_map(|hint| match hint.named {
            Named::Anew(id) => Some(OrderId(id)),
            Named::Id(_) | Named::Number(_) | Named::Cancelled(_) | Named::CancelledNumber(_) => None,
        }));
        let known: BTreeSet<OrderId> = parcels.iter().map(|id| id.order).collect();
        commit::take_over(tenant, &parcels, &read, rules, by, tally).await?;
        for hint in some.iter().filter(|hint| matches!(hint.named, Named::Anew(_))) {
            anew.make(hint, (&read, &page.orders), tally).await?;
        }
        let new = page.orders.into_iter().filter(|row| {
            row.as_ref()
                .is_ok_and(|order| order.state == connection.states.fetch && !known.contains(&OrderId(order.id)))
        });
        tally.add(
            "queued-for-import",
            missing.queue(tenant, import, (new.collect(), read.sent_at), session.epoch()).await?,
        );
        tenant.forget_hints(&connection.id, some).await?;
        tally.add("hinted", some.len() as u64);
    }
    Ok(missing.pages())
}

/// Does a webhook call it cancelled?
fn is_announced(hints: &[HintedOrder], order: &SourceOrder) -> bool {
    hints.iter().any(|hint| match &hint.named {
        Named::Cancelled(id) => order.id.0 == *id,
        Named::CancelledNumber(number) => order.number.as_str() == number,
        Named::Id(_) | Named::Number(_) | Named::Anew(_) => false,
    })
}

/// Orders that a webhook called cancelled and that are in the state that we tell: a cancellation by state alone, just
/// before an order is told "working", is overwritten, and nothing at the shop shows it any more. That is not believed of a
/// hint; a person is asked.
fn moved_on<'r>(hints: &[HintedOrder], read: &'r commit::Read, rules: Rules<'_>) -> Vec<&'r SourceOrder> {
    let connection = rules.connection;
    read.orders
        .values()
        .filter(|order| {
            order.state == connection.states.working
                && connection.payment_states.meaning(&order.payment_state) != Meaning::Cancelled
        })
        .filter(|order| is_announced(hints, order))
        .collect()
}

fn id_of(named: &Named) -> Option<u64> {
    match named {
        Named::Id(id) | Named::Cancelled(id) | Named::Anew(id) => Some(*id),
        Named::Number(_) | Named::CancelledNumber(_) => None,
    }
}

/// All parcels of these orders that we have.
pub(crate) async fn parcels(
    tenant: &Tenant,
    connection: &ConnectionId,
    orders: impl Iterator<Item = OrderId>,
) -> Result<Vec<ShipmentId>, ShopError> {
    let leads: Vec<ShipmentId> = orders.map(|order| ShipmentId::lead(connection.clone(), order)).collect();
    Ok(tenant
        .shipments(&leads)
        .await?
        .into_iter()
        .flat_map(|lead| (1..=lead.parcels.max(1)).map(move |parcel| ShipmentId { parcel, ..lead.id.clone() }))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_follow_each_other_have_names_of_their_own_that_do_not_grow() {
        assert_eq!(next_run("a-sync"), "hints-a-sync");
        assert_eq!(next_run("hints-a-sync"), "hints-a-sync+2");
        assert_eq!(next_run("hints-a-sync+9"), "hints-a-sync+10");
    }
}
