//! What a warehouse counted, from a file: which of its rows are counts, and keeping them. The newest count wins, whatever
//! order files and rows come in.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::civil::DateTime;
use renkei_domain::ids::{ShipFromId, Sku};
use renkei_domain::jst;
use renkei_domain::stock::latest_count;
use renkei_files::Problem;
use renkei_files::counts::CountRow;
use renkei_store::stock::StockCount;
use renkei_store::{StoreError, Tenant};

/// What a file comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The counts: of each SKU the newest.
    pub counts: Vec<StockCount>,
    /// Rows that are counts, those among them than which another row is newer.
    pub usable: usize,
    /// What is wrong with the other rows, in their order.
    pub problems: Vec<Problem>,
}

/// Looks through the rows of a file, as [`renkei_files::counts::read`] gives them. Nothing is kept yet.
pub async fn choose(
    tenant: &Tenant,
    (rows, mut problems): (Vec<CountRow>, Vec<Problem>),
    now: Timestamp,
) -> Result<Chosen, StoreError> {
    let read = rows.len();
    let (found, mut doubtful) = counts_of(rows, now);
    let skus: HashSet<Sku> = found.iter().map(|(_, count)| count.sku.clone()).collect();
    let known = tenant.known_skus(&skus).await?;
    let (found, unknown): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, count)| known.contains(&count.sku));
    doubtful.extend(unknown.into_iter().map(|(row, _)| {
        let what = "no product has this SKU: was it changed by a spreadsheet, or is the product not registered yet?";
        problem(row, "商品コード", what)
    }));
    let usable = read - doubtful.len();
    problems.extend(doubtful);
    problems.sort_by_key(|problem| problem.row);
    Ok(Chosen { counts: found.into_iter().map(|(_, count)| count).collect(), usable, problems })
}

/// Keeps counts, several at once: of each whether it is newer than what was known. If the store fails on the way, no more
/// are begun, and what became of the others is given all the same.
pub async fn keep(tenant: &Tenant, from: &ShipFromId, counts: Vec<StockCount>) -> (Vec<bool>, Option<StoreError>) {
    crate::until_it_fails(counts, |count| async move { tenant.put_count(from, &count).await }).await
}

/// A moment as people write it; without a zone it is Japan's.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| text.parse::<DateTime>().ok().and_then(jst::instant))
}

fn problem(row: usize, column: &str, what: &str) -> Problem {
    Problem { row, shipment: String::new(), column: column.to_owned(), what: what.to_owned() }
}

/// The counts of these rows with their places, the newest of each SKU. One of a time to come is a problem instead, as by the
/// warehouse's API: it would be the newest until then, and what is sold meanwhile would be taken from a shelf that nobody
/// counts any more. So are two of the same time, of two shelves maybe: which of them is the stock would be chance.
fn counts_of(rows: Vec<CountRow>, now: Timestamp) -> (Vec<(usize, StockCount)>, Vec<Problem>) {
    let latest = latest_count(now);
    let (mut newest, mut problems) = (BTreeMap::<_, Vec<(usize, StockCount)>>::new(), Vec::new());
    for row in rows {
        let number = row.row;
        let count = count_of(row, now);
        if count.counted_at > latest {
            problems.push(problem(number, "計数日時", "this is more than 5 minutes ahead of our clock"));
            continue;
        }
        let known = newest.entry(count.sku.clone()).or_default();
        let newest_at = known.first().map_or(count.counted_at, |(_, known)| known.counted_at);
        if count.counted_at > newest_at {
            known.clear();
        }
        if count.counted_at >= newest_at {
            known.push((number, count));
        }
    }
    let mut counts = Vec::new();
    for mut known in newest.into_values() {
        match known.as_slice() {
            [_] => counts.append(&mut known),
            several => {
                let what = "it stands here twice with the same time, so neither count is taken";
                problems.extend(several.iter().map(|(number, _)| problem(*number, "商品コード", what)));
            }
        }
    }
    (counts, problems)
}

/// A file without times was counted now; a time without a zone is Japan's.
fn count_of(row: CountRow, now: Timestamp) -> StockCount {
    let at = row.counted_at.as_deref().and_then(moment).unwrap_or(now);
    StockCount { sku: row.sku, quantity: row.quantity, counted_at: at }
}

#[cfg(test)]
mod tests {
    use renkei_files::counts::read;

    use super::*;

    #[test]
    fn a_time_without_a_zone_is_japans() {
        assert_eq!(moment("2026-11-25 09:00:00"), moment("2026-11-25T00:00:00Z"));
        let row = CountRow { row: 2, sku: Sku::parse("A").unwrap(), quantity: 1, counted_at: None };
        assert_eq!(count_of(row, Timestamp::UNIX_EPOCH).counted_at, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_count_of_a_time_to_come_is_a_problem_and_is_not_kept() {
        let row = |row: usize, at: Option<&str>| CountRow {
            row,
            sku: Sku::parse(format!("A{row}")).unwrap(),
            quantity: 1,
            counted_at: at.map(str::to_owned),
        };
        let rows = vec![
            row(2, Some("2026-11-25T00:05:00Z")),
            row(3, Some("2026-11-25T00:05:01Z")),
            row(4, Some("2026-11-25 09:00:00")),
            // Next year's, by a slip.
            row(5, Some("2027-11-25 09:00:00")),
            row(6, None),
        ];
        let (counts, problems) = counts_of(rows, "2026-11-25T00:00:00Z".parse().unwrap());
        assert_eq!(counts.len(), 3, "{counts:?}");
        assert_eq!(problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [3, 5]);
        assert!(problems[0].to_string().starts_with("row 3, 計数日時"), "{problems:?}");
    }

    #[test]
    fn of_several_counts_of_a_sku_the_newest_is_taken_or_none() {
        let rows = |text: &str| read(text.as_bytes()).0;
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        let of = |text: &str| {
            let (counts, problems) = counts_of(rows(text), now);
            (
                counts.iter().map(|(_, it)| it.quantity).collect::<Vec<_>>(),
                problems.iter().map(|it| it.row).collect::<Vec<_>>(),
            )
        };
        let header = "sku,quantity,counted_at\n";
        // Written on during the day, and with times in two forms.
        assert_eq!(of(&format!("{header}A,10,2026-11-25 09:00:00\nA,7,2026-11-25T06:00:00Z\n")), (vec![7], vec![]));
        assert_eq!(of(&format!("{header}A,7,2026-11-25 15:00:00\nA,10,2026-11-25 09:00:00\n")), (vec![7], vec![]));
        // Two shelves.
        assert_eq!(of("sku,quantity\nA,5\nB,1\nA,7\n"), (vec![1], vec![2, 4]));
        assert_eq!(of(&format!("{header}A,5,2026-11-25 09:00:00\nA,7,2026-11-25T00:00:00Z\n")), (vec![], vec![2, 3]));
        // One of next year is in nobody's way.
        assert_eq!(of(&format!("{header}A,5,2027-11-25 09:00:00\nA,7,2026-11-25 09:00:00\n")), (vec![7], vec![2]));
    }
}
