//! 夜間照合: what the shop has against what we have.
//!
//! A pass over what the shop has in its fetch, working and shipped states, bounded in calls: of a state with more orders than
//! a night reads, each night looks at others. Orders that are lost (in the
//! fetch state, and unknown to us) are queued for import, which is safe: import takes an order once. Orders that the shop
//! was told are shipped and that it still has in its working state are told again, and so is, a few times, a tracking
//! number that it was told and does not have. Everything else is reported and left to people: doubled numbers, orders
//! that stand still, orders whose states have drifted apart, payments that were captured, by the shop's word, with a
//! number that it dropped.
//!
//! Tracking numbers are looked at where the order has one parcel and the shop shows none: what the one number that it shows of
//! an order to several addresses stands for is not known, and another number than ours may be a person's correction.

use jiff::{Timestamp, ToSpan};
use renkei_domain::settings::Action;
use renkei_domain::sync::{RECONCILED_PAGES, reading, reconciled_from};
use renkei_ecforce::{Direction, MAX_PER, OrderQuery, SortBy};
use renkei_platform::queue::Queue;
use renkei_shop::ShopError;
use renkei_shop::robot::{Told, Work};

use crate::findings::{AtShop, Findings, Night};
use crate::missing::Missing;

/// Calls that are left to the robots that share the lane.
const LEFT_TO_OTHERS: u32 = 20;
/// Days of changes that are looked at among shipped orders.
const SHIPPED_DAYS: i64 = 3;

/// Compares, repairs what is safe, and reports the rest.
pub async fn reconcile(work: Work<'_>, import: &Queue) -> Result<Told, ShopError> {
    let Work { tenant, settings, connection, run, message, session } = work;
    let mut missing = Missing::begin(settings, tenant, message, run).await?;
    let mut findings = Findings::default();
    let now = Timestamp::now();
    let actions: Vec<Action> = settings.actions_of(connection).collect();
    let tells_shipped = settings.tells_shipped(connection);
    let night = Night { tenant, connection, by: message.robot.as_str(), now, tells_shipped, actions: &actions };
    let since = now.saturating_sub((SHIPPED_DAYS * 24).hours()).unwrap_or(now);
    let ahead = now.saturating_add(1.hour()).unwrap_or(now);
    'kinds: for (at_shop, query) in [
        (AtShop::Fetch, OrderQuery::new().state_eq(&connection.states.fetch).include_all()),
        (AtShop::Working, OrderQuery::new().state_eq(&connection.states.working)),
        (AtShop::Shipped, OrderQuery::new().state_eq(&connection.states.shipped).updated_at(since, ahead)),
    ] {
        let (mut after, mut pages) = (0, 0);
        // Where a page by its number is read, and after which id the night goes on when it comes to the end from there.
        let (mut jump, mut first): (Option<u32>, Option<u64>) = (None, None);
        loop {
            if session.rest() <= LEFT_TO_OTHERS || pages >= RECONCILED_PAGES {
                findings.incomplete = true;
                break;
            }
            let query = query.clone().sort(SortBy::Id, Direction::Ascending).per(MAX_PER);
            let query = match jump.take() {
                Some(page) => query.page(page),
                None => query.id_gt(after),
            };
            // Before its turn comes: a reading is at least as young as it says.
            let read_at = Timestamp::now();
            let page = match session.call(async |client, token| client.orders(token, &query).await).await {
                Ok(page) => page,
                // Going on would begin at the first page again, and take all night of it. Only what came too late for
                // any call may as well begin anew.
                Err(ShopError::OutOfTime) if session.calls() > 0 => {
                    findings.out_of_time = true;
                    break 'kinds;
                }
                Err(error) => return Err(error),
            };
            pages += 1;
            let last = page.is_last(MAX_PER);
            let highest = page.ids().max();
            if pages == 1 {
                let all = page.meta.total_count.unwrap_or(0).div_ceil(u64::from(MAX_PER));
                let from = u32::try_from(reconciled_from(all, night_of(now))).unwrap_or(0);
                jump = (from > 0).then_some(from + 1);
                first = jump.and(highest);
            }
            let unknown = findings.compare(night, at_shop, page).await?;
            let queued = missing.queue(tenant, import, (unknown, read_at), session.epoch()).await?;
            findings.tally.add("queued-for-import", queued);
            match first.take_if(|_| last && jump.is_none()) {
                Some(first) => after = first,
                None if last || reading::stands(after, highest) => break,
                None => after = highest.unwrap_or(after),
            }
        }
    }
    // What is left of the time is for noting what was found: all that is open is not read in it.
    if !findings.out_of_time {
        findings.stuck(night).await?;
    }
    Ok(findings.told(missing.pages()))
}

/// Counts nights. One that is missed, or cut short, is made good when its turn comes again.
fn night_of(now: Timestamp) -> u64 {
    u64::try_from(now.as_second() / 86_400).unwrap_or(0)
}
