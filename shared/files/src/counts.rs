//! A file of stock counts: a SKU, a quantity and, if the warehouse says, when it was counted.

use csv::ReaderBuilder;
use renkei_domain::ids::Sku;
use renkei_domain::lines::{OPEN_QUOTE, open_quote, width};

use crate::Problem;
use crate::encoding::Encoding;

/// One count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRow {
    /// The row, from 1; the header counts.
    pub row: usize,
    /// 商品コード.
    pub sku: Sku,
    /// 数量.
    pub quantity: u32,
    /// 計数日時 as written: RFC 3339, or Japan's wall clock without a zone.
    pub counted_at: Option<String>,
}

const SKU: [&str; 2] = ["商品コード", "sku"];
const QUANTITY: [&str; 2] = ["数量", "quantity"];
const COUNTED_AT: [&str; 2] = ["計数日時", "counted_at"];

/// Reads a file of counts, UTF-8 with a header. Rows that cannot be read are named.
#[must_use]
pub fn read(bytes: &[u8]) -> (Vec<CountRow>, Vec<Problem>) {
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    // Row and column lead to the cell. What stands there may be anything, where columns are shifted: it is not repeated.
    let mut problem = |row: usize, column: &str, what: &str| {
        problems.push(Problem { row, shipment: String::new(), column: column.to_owned(), what: what.to_owned() });
    };
    let Some(text) = Encoding::Utf8.decode(bytes) else {
        problem(1, "file", "the file is not UTF-8");
        return (rows, problems);
    };
    if let Some(line) = open_quote(&text) {
        problem(usize::try_from(line).unwrap_or(usize::MAX), "row", OPEN_QUOTE);
    }
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut places: Option<([Option<usize>; 3], usize)> = None;
    for (index, record) in reader.records().enumerate() {
        let row = index + 1;
        let Ok(record) = record else {
            problem(row, "row", "it is not a line of CSV");
            continue;
        };
        let Some(([sku, quantity, counted_at], width)) = places else {
            let found =
                [SKU, QUANTITY, COUNTED_AT].map(|names| record.iter().position(|known| names.contains(&known.trim())));
            if found[0].is_none() || found[1].is_none() {
                problem(row, "header", "it has to name 商品コード and 数量 (or sku and quantity)");
                break;
            }
            places = Some((found, width(&record)));
            continue;
        };
        if record.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
            problem(row, "row", "it has more cells than the header: is a comma in a cell without quotation marks?");
            continue;
        }
        let text = |place: Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default().trim();
        let name = text(sku);
        if name.is_empty() && text(quantity).is_empty() {
            continue;
        }
        let Ok(sku) = Sku::parse(name) else {
            problem(row, "商品コード", "this is no SKU");
            continue;
        };
        let Ok(quantity) = text(quantity).parse() else {
            problem(row, "数量", "this is not a whole number of 0 or more");
            continue;
        };
        let counted_at = Some(text(counted_at)).filter(|at| !at.is_empty());
        // A day alone would be read as its midnight, which any count of that day is newer than.
        if counted_at.is_some_and(|at| {
            !at.contains(':')
                || (at.parse::<jiff::Timestamp>().is_err() && at.parse::<jiff::civil::DateTime>().is_err())
        }) {
            problem(row, "計数日時", "this is no time: it is written 2026-11-25 09:00:00 or 2026-11-25T00:00:00Z");
            continue;
        }
        rows.push(CountRow { row, sku, quantity, counted_at: counted_at.map(str::to_owned) });
    }
    (rows, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_and_nonsense_is_named() {
        let (rows, problems) = read("\u{feff}商品コード,数量\nSERUM-30,12\nMASK-5,-1\n,\n".as_bytes());
        assert_eq!((rows.len(), rows[0].quantity, problems.len()), (1, 12, 1));
        let (rows, problems) = read(b"sku,quantity,counted_at\nA,1,yesterday\nB,2,2026-11-25T00:00:00Z\n");
        assert_eq!((rows.len(), problems[0].row), (1, 2), "{problems:?}");
        assert!(read(b"a,b\n").1[0].what.contains("商品コード"));
    }

    #[test]
    fn what_a_slip_makes_of_a_row_is_not_taken_for_a_count() {
        let (rows, problems) = read(b"sku,quantity,\nA,1,200\nB,2,\nC,3,,\n");
        assert_eq!(rows.iter().map(|row| row.sku.as_str()).collect::<Vec<_>>(), ["B", "C"], "{problems:?}");
        let (rows, problems) = read(b"sku,quantity\nA,1,200\nB,2\nC,3,\n");
        assert_eq!(rows.iter().map(|row| row.sku.as_str()).collect::<Vec<_>>(), ["B", "C"]);
        assert_eq!(problems[0].row, 2);
        let (rows, problems) = read(b"sku,quantity,note\nA,1,\"x\nB,2,y\n");
        assert_eq!((rows.len(), problems[0].row), (1, 2), "B is in the note of A: {problems:?}");
        let (rows, problems) = read(b"sku,quantity,counted_at\nA,1,2026-11-25\nB,1,2026-11-25 09:00\n");
        assert_eq!((rows.len(), problems[0].row), (1, 2), "{problems:?}");
    }

    #[test]
    fn a_file_with_its_columns_shifted_spreads_nothing() {
        let (_, problems) =
            read("sku,quantity,counted_at\n山田 花子,090-1111-2222,見本市\n山田 花子,1,見本市\n".as_bytes());
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            said.len() == 2 && said[0].starts_with("row 2, 数量") && said[1].starts_with("row 3, 計数日時"),
            "{said:?}"
        );
        assert!(!["山田", "090-", "見本市"].iter().any(|cell| said.concat().contains(cell)), "{said:?}");
    }
}
