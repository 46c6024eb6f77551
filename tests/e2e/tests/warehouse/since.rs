//! What changed, by when: how a warehouse follows what becomes of its shipments.

use jiff::{Timestamp, ToSpan};

use crate::{ids, ready};

/// Whoever asks with the time of the last change that it saw sees that one again, and passes over no other of that time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_at_a_time_or_later_is_listed() {
    let world = ready("wh-since", 4).await;
    let own = world.warehouse("dc");
    // One after the other, and one not at all.
    for id in &ids(&own.all("status=ready").await)[1..] {
        assert_eq!(own.claim(std::slice::from_ref(id)).await.ids("claimed"), std::slice::from_ref(id));
    }
    let mut changes: Vec<(Timestamp, String)> = Vec::new();
    for shipment in own.all("status=picking").await {
        let at = shipment["updated_at"].as_str().expect("a time").parse().expect("a time");
        changes.push((at, shipment["id"].as_str().expect("an id").to_owned()));
    }
    changes.sort();
    assert_eq!(changes.len(), 3);

    let since = async |at: Timestamp| {
        let mut listed = ids(&own.all(&format!("updated_since={at}")).await);
        listed.sort();
        listed
    };
    for (at, _) in &changes {
        let mut expected: Vec<String> =
            changes.iter().filter(|(changed, _)| changed >= at).map(|(_, id)| id.clone()).collect();
        expected.sort();
        assert_eq!(since(*at).await, expected, "since {at}");
    }
    let (last, _) = changes[2];
    assert_eq!(since(last + 1.nanosecond()).await, Vec::<String>::new());
}
