//! A file of results: what a carrier's software says of parcels that left.

use std::collections::{HashMap, HashSet};

use csv::{ByteRecord, Position, ReaderBuilder};
use jiff::civil::Date;
use renkei_domain::ids::{ConnectionId, OrderId, ShipmentId};
use renkei_domain::lines::{Lines, OPEN_QUOTE, open_quote};

use crate::Problem;
use crate::layout::{ColumnRef, Layout};

/// One parcel that left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// The line of the file on which it begins, from 1; a header and empty lines count.
    pub row: usize,
    /// The shipment.
    pub id: ShipmentId,
    /// お問い合わせ番号.
    pub tracking_number: String,
    /// The day that it left, if the file says.
    pub shipped_on: Option<Date>,
    /// 受注番号, if the file says: it must be the shipment's.
    pub order_number: Option<String>,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultFile {
    /// Parcels that left, each once.
    pub rows: Vec<ResultRow>,
    /// Rows that have no number yet.
    pub without_number: usize,
    /// Rows that cannot be read, or contradict each other.
    pub problems: Vec<Problem>,
}

/// No file has more rows; it is no file of results.
const MOST_ROWS: usize = 100_000;
/// お問い合わせ番号 have some twelve digits.
const LONGEST_NUMBER: usize = 64;

/// Reads a file of results. `connection` is the shop of rows that name an order and a parcel only.
#[must_use]
pub fn read(layout: &Layout, connection: Option<&ConnectionId>, bytes: &[u8]) -> ResultFile {
    let results = &layout.results;
    let mut file = ResultFile::default();
    let Some(text) = results.encoding.decode(bytes) else {
        let what = format!("the file is not {}: was it saved by a spreadsheet in another encoding?", results.encoding);
        file.problems.push(Problem { row: 1, shipment: String::new(), column: "file".into(), what });
        return file;
    };
    if let Some(line) = open_quote(&text) {
        let (row, what) = (line as usize, OPEN_QUOTE.to_owned());
        file.problems.push(Problem { row, shipment: String::new(), column: "row".into(), what });
    }
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut columns: Option<Columns> = (!results.header).then(|| Columns::by_place(layout));
    let mut seen: HashMap<ShipmentId, (usize, String)> = HashMap::new();
    let mut doubtful: HashSet<ShipmentId> = HashSet::new();
    let mut lines = Lines::of(&text);
    for (index, record) in reader.byte_records().enumerate() {
        let position = match &record {
            Ok(record) => record.position(),
            Err(error) => error.position(),
        };
        let row = lines.line_at(position.map_or(0, Position::byte)) as usize;
        let mut problem = |shipment: &str, column: &str, what: String| {
            file.problems.push(Problem { row, shipment: shipment.to_owned(), column: column.to_owned(), what });
        };
        if index >= MOST_ROWS {
            problem("", "file", format!("a file has at most {MOST_ROWS} rows"));
            break;
        }
        let Ok(record) = record else {
            problem("", "row", "it is not a line of CSV".into());
            continue;
        };
        let Some(columns) = &columns else {
            match Columns::by_name(layout, &record) {
                Ok(found) => columns = Some(found),
                Err(what) => {
                    problem("", "header", what);
                    break;
                }
            }
            continue;
        };
        let key = text_at(&record, columns.shipment);
        let number = text_at(&record, columns.tracking_number);
        if key.is_empty() && number.is_empty() {
            continue;
        }
        let id = match shipment_of(&key, connection) {
            Ok(id) => id,
            Err(what) => {
                // What names no shipment may be anything, an address too: it is not repeated.
                problem("", "shipment", what);
                continue;
            }
        };
        if number.is_empty() {
            file.without_number += 1;
            continue;
        }
        if let Err(what) = check_number(&number) {
            problem(&key, "tracking number", what.into());
            continue;
        }
        let day = columns.shipped_on.map(|place| text_at(&record, place)).unwrap_or_default();
        let Some(shipped_on) = day_of(&day) else {
            problem(&key, "shipped on", "this is no day: it is written 2026/11/25, 2026-11-25 or 20261125".into());
            continue;
        };
        match seen.get(&id) {
            Some((_, same)) if *same == number => {}
            Some((first, _)) => {
                problem(
                    &key,
                    "tracking number",
                    format!("row {first} has another number for the same shipment: it is not told which one is right"),
                );
                doubtful.insert(id);
            }
            None => {
                seen.insert(id.clone(), (row, number.clone()));
                let named = columns.order_number.map(|place| text_at(&record, place));
                let order_number = named.filter(|named| !named.is_empty());
                file.rows.push(ResultRow { row, id, tracking_number: number, shipped_on, order_number });
            }
        }
    }
    // A contradiction takes both rows: neither is believed, however the shipment is written in each.
    file.rows.retain(|row| !doubtful.contains(&row.id));
    file
}

struct Columns {
    shipment: usize,
    tracking_number: usize,
    shipped_on: Option<usize>,
    order_number: Option<usize>,
}

impl Columns {
    fn by_place(layout: &Layout) -> Self {
        let place = |column: &ColumnRef| column.place.saturating_sub(1);
        let results = &layout.results;
        Self {
            shipment: place(&results.shipment),
            tracking_number: place(&results.tracking_number),
            shipped_on: results.shipped_on.as_ref().map(place),
            order_number: results.order_number.as_ref().map(place),
        }
    }

    fn by_name(layout: &Layout, header: &ByteRecord) -> Result<Self, String> {
        let names: Vec<String> = (0..header.len()).map(|place| text_at(header, place)).collect();
        let find =
            |column: &ColumnRef| column.names.iter().find_map(|name| names.iter().position(|known| known == name));
        let needed = |column: &ColumnRef| {
            find(column).ok_or_else(|| format!("the file has no column {}", column.names.join(" / ")))
        };
        let results = &layout.results;
        Ok(Self {
            shipment: needed(&results.shipment)?,
            tracking_number: needed(&results.tracking_number)?,
            shipped_on: results.shipped_on.as_ref().and_then(find),
            order_number: results.order_number.as_ref().and_then(find),
        })
    }
}

/// A field's text. Some software writes numbers as `="0123"`, or with a quote before, to keep spreadsheets off.
fn text_at(record: &ByteRecord, place: usize) -> String {
    let text = String::from_utf8_lossy(record.get(place).unwrap_or_default());
    let text = text.trim();
    let text = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    text.strip_prefix('\'').unwrap_or(text).trim().to_owned()
}

fn shipment_of(key: &str, connection: Option<&ConnectionId>) -> Result<ShipmentId, String> {
    if key.contains('.') {
        return key.parse().map_err(|error: renkei_domain::ids::InvalidId| error.rule());
    }
    let unknown = || "this names no shipment: it is written 88111-1, the order's id and the parcel".to_owned();
    let (order, parcel) = key.split_once('-').ok_or_else(unknown)?;
    let order = OrderId(order.parse().map_err(|_| unknown())?);
    let parcel = parcel.parse().ok().filter(|parcel| *parcel > 0).ok_or_else(unknown)?;
    let connection = connection.ok_or("which shop's is it? name it with --connection")?;
    Ok(ShipmentId { connection: connection.clone(), order, parcel })
}

fn check_number(number: &str) -> Result<(), &'static str> {
    let spoilt = number
        .split_once(['E', 'e'])
        .is_some_and(|(digits, exponent)| digits.contains('.') && exponent.starts_with(['+', '-']));
    if spoilt {
        return Err("a spreadsheet has spoilt the number (4.0E+11): take the file as the carrier's software wrote it");
    }
    let plain = number.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !plain || number.len() > LONGEST_NUMBER {
        return Err("not a tracking number: it has digits, letters and hyphens, at most 64");
    }
    Ok(())
}

/// None if it is not a day; Some(None) if there is none.
#[expect(clippy::option_option, reason = "the outer is whether it can be read, the inner whether there is one")]
fn day_of(text: &str) -> Option<Option<Date>> {
    if text.is_empty() {
        return Some(None);
    }
    let day = text.split_whitespace().next().unwrap_or_default().replace('/', "-");
    let parsed = if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        Date::strptime("%Y%m%d", &day)
    } else {
        Date::strptime("%Y-%m-%d", &day)
    };
    parsed.ok().map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn connection() -> ConnectionId {
        ConnectionId::parse("hanako-ecforce").unwrap()
    }

    fn b2(rows: &str) -> ResultFile {
        let layout = Layout::built_in("yamato-b2").unwrap();
        let text = format!("お客様管理番号,送り状種類,クール区分,伝票番号,出荷予定日\r\n{rows}");
        let bytes = layout.results.encoding.encode(&text).unwrap();
        read(&layout, Some(&connection()), &bytes)
    }

    #[test]
    fn what_b2_gives_back_is_read() {
        let file = b2(
            "88111-1,0,,400000000001,2026/11/25\r\n88112-2,0,,,2026/11/25\r\n88111-1,0,,400000000001,2026/11/25\r\n",
        );
        assert_eq!((file.rows.len(), file.without_number, file.problems.len()), (1, 1, 0), "{file:?}");
        let row = &file.rows[0];
        assert_eq!(
            (row.id.to_string().as_str(), row.tracking_number.as_str()),
            ("hanako-ecforce.88111.1", "400000000001")
        );
        assert_eq!(row.shipped_on.unwrap().to_string(), "2026-11-25");
    }

    #[test]
    fn an_order_number_is_read_where_the_file_says_one() {
        let layout = Layout::built_in("standard").unwrap();
        let text = "受注番号,出荷指示ID,伝票番号\r\nA-7,shop.1.1,111\r\n,shop.2.1,222\r\n";
        let numbers = |file: ResultFile| file.rows.into_iter().map(|row| row.order_number).collect::<Vec<_>>();
        assert_eq!(numbers(read(&layout, None, text.as_bytes())), [Some("A-7".to_owned()), None]);
        assert_eq!(numbers(b2("88111-1,0,,400000000001,2026/11/25\r\n")), [None]);
    }

    #[test]
    fn what_cannot_be_told_is_named_and_not_guessed() {
        let file =
            b2("88111-1,0,,1111,\r\n88111-1,0,,2222,\r\n88112-1,0,,4.0E+11,\r\nx,0,,3,\r\n88113-1,0,,3333,25/11\r\n");
        assert!(file.rows.is_empty(), "{file:?}");
        let said: Vec<String> = file.problems.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said[0].starts_with("row 3 (88111-1)") && said[1].contains("spoilt"), "{said:?}");
    }

    #[test]
    fn a_contradiction_is_one_however_the_shipment_is_written() {
        let file = b2("88111-1,0,,1111,\r\n088111-01,0,,2222,\r\nother.88111.1,0,,3333,\r\n88112-1,0,,4444,\r\n");
        let kept: Vec<String> = file.rows.iter().map(|row| row.id.to_string()).collect();
        assert_eq!(kept, ["other.88111.1", "hanako-ecforce.88112.1"], "{file:?}");
        assert_eq!(file.problems.len(), 1, "{file:?}");
    }

    #[test]
    fn a_row_is_named_by_its_line_in_the_file() {
        let file =
            b2("\r\n88111-1,0,,1111,\r\n\r\n88112-1,0,,4.0E+11,\r\n\"x\r\nx\",0,,3,\r\n88113-1,0,,3333,25/11\r\n");
        assert_eq!(file.rows.iter().map(|row| row.row).collect::<Vec<_>>(), [3]);
        // The second of these begins on line 6 and ends on line 7.
        assert_eq!(file.problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [5, 6, 8], "{file:?}");
    }

    #[test]
    fn a_file_with_its_columns_shifted_spreads_no_addresses() {
        let file = b2(
            "山田 花子,東京都千代田区見本町,x,090-1111-2222,y\r\n東京都.千代田区.見本町,0,,1,\r\n88113-1,0,,見本 太郎,\r\n88114-1,0,,3333,見本市1-2-3\r\n88115-1,0,,0312345678,\r\n88115-1,0,,0398765432,\r\n",
        );
        assert_eq!(file.problems.len(), 5, "{file:?}");
        let said = file.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for cell in ["山田", "千代田", "090-", "見本", "0312345678", "0398765432"] {
            assert!(!said.contains(cell), "{said}");
        }
        assert!(said.contains("row 2, shipment") && said.contains("row 4 (88113-1)"), "{said}");
    }

    #[test]
    fn another_encoding_or_another_file_is_said_to_be() {
        let layout = Layout::built_in("standard").unwrap();
        assert!(read(&layout, None, b"\x83\x65").problems[0].what.contains("not UTF-8"));
        assert!(read(&layout, None, b"a,b\r\n1,2\r\n").problems[0].what.contains("no column"));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for layout in Layout::all().unwrap() {
                let _ = read(&layout, Some(&connection()), &bytes);
            }
        }
    }
}
