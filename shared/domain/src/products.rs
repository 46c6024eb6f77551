//! 商品マスタ as a table: what a merchant exports from a spreadsheet or another system, UTF-8 or `Shift_JIS`.
//!
//! Read as a whole or not at all: every row that is wrong is named, and nothing is imported from a file with one.

use std::borrow::Cow;
use std::collections::HashMap;

use encoding_rs::{SHIFT_JIS, UTF_8};

use crate::ids::Sku;
use crate::lines::{Lines, OPEN_QUOTE, open_quote, width};
use crate::settings::{Product, Temperature};

/// Most problems that are told at once.
const MOST_TOLD: usize = 100;
/// Longest 商品名, in characters.
pub const LONGEST_NAME: usize = 200;

/// What is wrong with a row, or with the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RowProblem {
    /// The line of the file, from 1; None for the file as a whole.
    pub line: Option<u64>,
    /// A sentence.
    pub sentence: String,
}

impl std::fmt::Display for RowProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.sentence),
            None => f.write_str(&self.sentence),
        }
    }
}

/// Products by a table, and which of their values it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductTable {
    /// The products, each once. What the table has no column for is as for a new product.
    pub products: Vec<Product>,
    has_stock_buffer: bool,
    has_not_for_sale: bool,
    has_temperature: bool,
}

impl ProductTable {
    /// A product of the table over the one that is kept: what the table does not say stays as it is. What a set is made of
    /// no table can say.
    #[must_use]
    pub fn over(&self, product: &Product, kept: &Product) -> Product {
        Product {
            sku: product.sku.clone(),
            name: product.name.clone(),
            stock_buffer: if self.has_stock_buffer { product.stock_buffer } else { kept.stock_buffer },
            not_for_sale: if self.has_not_for_sale { product.not_for_sale } else { kept.not_for_sale },
            temperature: if self.has_temperature { product.temperature } else { kept.temperature },
            made_of: kept.made_of.clone(),
        }
    }
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Sku,
    Name,
    StockBuffer,
    NotForSale,
    Temperature,
}

/// The columns by the names that a heading may have.
const COLUMNS: [(Column, [&str; 2]); 5] = [
    (Column::Sku, ["sku", "商品コード"]),
    (Column::Name, ["name", "商品名"]),
    (Column::StockBuffer, ["stock_buffer", "安全在庫"]),
    (Column::NotForSale, ["not_for_sale", "販売対象外"]),
    (Column::Temperature, ["temperature", "温度帯"]),
];

/// Reads products from CSV with a heading line. Columns are found by their headings, in any order; those with other
/// headings are passed over. UTF-8, with or without a byte order mark, or `Shift_JIS` as Excel in Japan writes it.
///
/// # Errors
/// Everything that is wrong, each with its line.
pub fn from_csv(bytes: &[u8]) -> Result<ProductTable, Vec<RowProblem>> {
    let whole = |sentence: &str| vec![RowProblem { line: None, sentence: sentence.to_owned() }];
    let text = decoded(bytes)
        .ok_or_else(|| whole("the file is neither UTF-8 nor Shift_JIS: save it as CSV in one of the two"))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut lines = Lines::of(&text);
    let mut line_of = |position: Option<&csv::Position>| lines.line_at(position.map_or(0, csv::Position::byte));
    let headings = reader.headers().map_err(|_| whole("the heading line cannot be read"))?.clone();
    let heading_line = line_of(headings.position());
    let columns: Vec<Option<Column>> = headings.iter().map(column).collect();
    let width = width(&headings);
    for (column, names) in COLUMNS.iter().take(2) {
        if !columns.contains(&Some(*column)) {
            let sentence = format!("no column has the heading `{}` ({})", names[0], names[1]);
            return Err(vec![RowProblem { line: Some(heading_line), sentence }]);
        }
    }
    let mut products = Vec::new();
    let mut problems = Vec::new();
    if let Some(line) = open_quote(&text) {
        problems.push(RowProblem { line: Some(line), sentence: OPEN_QUOTE.to_owned() });
    }
    let mut seen: HashMap<Sku, u64> = HashMap::new();
    for record in reader.records() {
        if problems.len() > MOST_TOLD {
            problems.truncate(MOST_TOLD);
            problems.push(RowProblem { line: None, sentence: "there are more problems from here on".into() });
            break;
        }
        let (line, read) = match record {
            Ok(record) => {
                let line = line_of(record.position());
                if record.iter().all(|cell| cell.trim().is_empty()) {
                    continue;
                }
                if record.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
                    let sentence =
                        "the line has more cells than the heading: is a comma in a cell without quotation marks?";
                    (line, Err(vec![sentence.to_owned()]))
                } else {
                    (line, row(&columns, &record))
                }
            }
            Err(error) => {
                let line = line_of(error.position());
                (line, Err(vec!["the line cannot be read: is a quotation mark missing?".to_owned()]))
            }
        };
        match read {
            Ok(product) => match seen.insert(product.sku.clone(), line) {
                None => products.push(product),
                Some(first) => {
                    let sentence = format!("this SKU stands on line {first} already");
                    problems.push(RowProblem { line: Some(line), sentence });
                }
            },
            Err(sentences) => {
                problems.extend(sentences.into_iter().map(|sentence| RowProblem { line: Some(line), sentence }));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let has = |wanted| columns.contains(&Some(wanted));
    Ok(ProductTable {
        products,
        has_stock_buffer: has(Column::StockBuffer),
        has_not_for_sale: has(Column::NotForSale),
        has_temperature: has(Column::Temperature),
    })
}

fn decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(text) = UTF_8.decode_without_bom_handling_and_without_replacement(without_mark(bytes)) {
        return Some(text);
    }
    SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes)
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

fn column(heading: &str) -> Option<Column> {
    let heading = heading.trim().to_lowercase();
    COLUMNS.iter().find(|(_, names)| names.contains(&heading.as_str())).map(|(column, _)| *column)
}

fn row(columns: &[Option<Column>], record: &csv::StringRecord) -> Result<Product, Vec<String>> {
    let cell = |wanted: Column| {
        let place = columns.iter().position(|column| *column == Some(wanted));
        place.and_then(|place| record.get(place)).unwrap_or_default().trim()
    };
    let mut problems = Vec::new();
    let sku = Sku::parse(cell(Column::Sku)).map_err(|error| problems.push(error.rule())).ok();
    let name = cell(Column::Name);
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        problems.push(format!("the name (商品名) must have 1 to {LONGEST_NAME} characters on one line"));
    }
    let stock_buffer = match cell(Column::StockBuffer) {
        "" => None,
        text => text
            .parse()
            .map_err(|_| problems.push("the stock buffer (安全在庫) must be a whole number".to_owned()))
            .ok(),
    };
    let not_for_sale = match cell(Column::NotForSale).to_lowercase().as_str() {
        "" | "0" | "false" | "no" | "いいえ" | "×" => false,
        "1" | "true" | "yes" | "はい" | "○" | "〇" => true,
        _ => {
            problems.push("not for sale (販売対象外) must be 1 or 0, true or false".to_owned());
            false
        }
    };
    let temperature = match cell(Column::Temperature) {
        "" => Temperature::default(),
        text => {
            let known = |kept: &Temperature| kept.as_str() == text || kept.label() == text;
            Temperature::ALL.into_iter().find(known).unwrap_or_else(|| {
                problems.push("the temperature (温度帯) must be 常温, 冷蔵 or 冷凍".to_owned());
                Temperature::default()
            })
        }
    };
    match sku {
        Some(sku) if problems.is_empty() => {
            Ok(Product { sku, name: name.to_owned(), stock_buffer, not_for_sale, temperature, made_of: Vec::new() })
        }
        _ => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "商品コード,備考,商品名,安全在庫,販売対象外,温度帯\r\nTEA-100,,煎茶 100g,5,,\r\n\r\nICE-1,x,\"氷菓, 抹茶\",0,1,冷凍\r\n";

    fn read() -> Vec<Product> {
        let product = |sku: &str, name: &str, stock_buffer, not_for_sale, temperature| Product {
            sku: Sku::parse(sku).unwrap(),
            name: name.into(),
            stock_buffer,
            not_for_sale,
            temperature,
            made_of: Vec::new(),
        };
        vec![
            product("TEA-100", "煎茶 100g", Some(5), false, Temperature::Ambient),
            product("ICE-1", "氷菓, 抹茶", Some(0), true, Temperature::Frozen),
        ]
    }

    #[test]
    fn what_a_slip_makes_of_a_row_is_not_taken_for_a_product() {
        let wrong = |text: &str| from_csv(text.as_bytes()).unwrap_err().iter().map(|it| it.line).collect::<Vec<_>>();
        assert_eq!(wrong("sku,name,\nA,茶, 100g\nB,湯のみ,\nC,盆,,\n"), [Some(2)]);
        // All that follows is in one name.
        assert_eq!(wrong("sku,name\nA,\"茶\nB,湯のみ\nC,盆\n"), [Some(2), Some(2)]);
        assert_eq!(wrong("sku,name\nA,\"茶\nB,\"湯のみ\nC,盆\n"), [Some(2)]);
        assert_eq!(wrong("sku,name\nA,\"茶\n100g\"\n"), [Some(2)]);
    }

    #[test]
    fn what_a_table_has_no_column_for_stays_as_it_is() {
        let kept = Product {
            name: "古い名前".into(),
            stock_buffer: Some(7),
            not_for_sale: true,
            temperature: Temperature::ALL[1],
            made_of: Vec::new(),
            ..read()[0].clone()
        };
        let over = |text: String| {
            let table = from_csv(text.as_bytes()).unwrap();
            table.over(&table.products[0], &kept)
        };
        let sku = kept.sku.as_str();
        assert_eq!(
            over(format!("sku,name\n{sku},新しい名前\n")),
            Product { name: "新しい名前".into(), ..kept.clone() }
        );
        // A column with an empty cell is a value: none.
        let emptied = over(format!("sku,name,stock_buffer\n{sku},古い名前,\n"));
        assert_eq!(emptied, Product { stock_buffer: None, ..kept.clone() });
        let all = over(format!("sku,name,stock_buffer,not_for_sale,temperature\n{sku},古い名前,,,\n"));
        assert_eq!((all.stock_buffer, all.not_for_sale, all.temperature), (None, false, Temperature::default()));
    }

    #[test]
    fn both_encodings_give_the_same() {
        assert_eq!(from_csv(TABLE.as_bytes()).unwrap().products, read());
        assert_eq!(from_csv(format!("\u{FEFF}{TABLE}").as_bytes()).unwrap().products, read());
        let (shift_jis, _, lossy) = SHIFT_JIS.encode(TABLE);
        assert!(!lossy && shift_jis != TABLE.as_bytes());
        assert_eq!(from_csv(&shift_jis).unwrap().products, read());
    }

    #[test]
    fn a_file_of_other_things_spreads_none_of_them() {
        let text = format!(
            "sku,name,stock_buffer,not_for_sale,temperature\n山田花子\t{},x,千代田区,090-1111-2222,見本町\n",
            "あ".repeat(90)
        );
        let said: Vec<String> = from_csv(text.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 4, "{said:?}");
        for cell in ["山田", "あ", "千代田", "090-", "見本町"] {
            assert!(!said.concat().contains(cell), "{said:?}");
        }
    }

    #[test]
    fn each_wrong_row_is_named() {
        let said = |text: &str| -> Vec<String> {
            from_csv(text.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect()
        };
        let wrong = said("sku,name,stock_buffer\nA,あ,1\n,い,2\nA,う,3\nB,え,many\nC,,\n");
        assert_eq!(wrong.len(), 4, "{wrong:?}");
        for (told, begins) in
            wrong.iter().zip(["line 3: ", "line 4: this SKU stands on line 2", "line 5: the stock", "line 6: the name"])
        {
            assert!(told.starts_with(begins), "{wrong:?}");
        }
        assert!(said("sku,price\nA,1\n")[0].contains("商品名"));
        // As Excel in Japan writes it, and with lines left empty.
        let table = "sku,name,stock_buffer\r\nA,あ,1\r\n\r\n\r\n,い,2\r\nA,う,3\r\nB,え,many";
        let wrong = said(table);
        for (told, begins) in wrong.iter().zip(["line 5: ", "line 6: this SKU stands on line 2", "line 7: the stock"]) {
            assert!(told.starts_with(begins), "{wrong:?}");
        }
        assert_eq!((wrong.len(), said(&table.replace("\r\n", "\n"))), (3, wrong.clone()));
        assert!(said("\r\nsku,price\r\nA,1\r\n")[0].starts_with("line 2: "));
        assert!(from_csv(b"\xFF\xFE\x00").unwrap_err()[0].sentence.contains("neither UTF-8"));
        let many = format!("sku,name\n{}", ",x\n".repeat(500));
        assert_eq!(said(&many).len(), MOST_TOLD + 1);
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = from_csv(&bytes);
            let _ = from_csv(&[b"sku,name,\x88\xc0\x91\x53\n".as_slice(), &bytes].concat());
        }
    }
}
