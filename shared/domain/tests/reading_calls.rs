//! A sync, played through with any numbers of open and of changed orders, spends what was foretold.

use proptest::prelude::*;
use renkei_domain::sync::reading::{Reading, begin, calls, go_on, stands};

const PAGE: u64 = 100;

/// Reads as the sync does: open orders and changed ones by id, a page at a time.
fn play(open: &[u64], changed: &[u64], synced_before: bool) -> u64 {
    let above = |ids: &[u64], after: u64| ids.iter().filter(|id| **id > after).count();
    let (mut after, mut spent) = (0, 0);
    let mut way = begin(open.len(), synced_before);
    while way != Reading::Nothing {
        spent += 1;
        let listed = if way == Reading::ByChanges { changed } else { open };
        let page: Vec<u64> = listed.iter().copied().filter(|id| *id > after).take(100).collect();
        let full = page.len() as u64 == PAGE;
        after = page.last().copied().unwrap_or(after);
        way = match way {
            Reading::ByChanges if !full => Reading::Nothing,
            Reading::ByChanges => go_on(Some(above(changed, after) as u64), above(open, after)),
            Reading::ByIds | Reading::Nothing if above(open, after) == 0 => Reading::Nothing,
            Reading::ByIds | Reading::Nothing => Reading::ByIds,
        };
    }
    spent
}

proptest! {
    #[test]
    fn a_sync_spends_what_was_foretold(
        open in prop::collection::btree_set(1_u64..5_000, 0..1_200),
        changed in prop::collection::btree_set(1_u64..5_000, 0..1_200),
        synced_before: bool,
    ) {
        let (open, changed): (Vec<u64>, Vec<u64>) = (open.into_iter().collect(), changed.into_iter().collect());
        let way = begin(open.len(), synced_before);
        let (least, most) = calls(way, open.len(), 0);
        let spent = play(&open, &changed, synced_before);
        prop_assert!((least..=most).contains(&spent), "{way:?}: {spent} of {least} to {most}");
    }
}

/// Reads a listing by id as back-fill does, page by page; gives the calls that it took, `bound` at most.
fn read(pages: impl Fn(u64) -> Vec<u64>, bound: usize) -> usize {
    let mut after = 0;
    for spent in 1..=bound {
        let page = pages(after);
        let highest = page.iter().copied().max();
        if stands(after, highest) {
            return spent;
        }
        after = after.max(highest.unwrap_or(0));
    }
    bound
}

#[test]
fn a_listing_that_does_not_go_on_is_not_read_for_ever() {
    // The page whose highest id is the one that it was to go on after; one that lies below; one without any id.
    assert_eq!(read(|_| (1..=100).collect(), 50), 2);
    assert_eq!(read(|after| if after == 0 { (101..=200).collect() } else { (1..=100).collect() }, 50), 2);
    assert_eq!(read(|_| vec![], 50), 1);
    // One that goes on is read to its end, and once more.
    let all: Vec<u64> = (1..=250).collect();
    assert_eq!(read(|after| all.iter().copied().filter(|id| *id > after).take(100).collect(), 50), 4);
}
