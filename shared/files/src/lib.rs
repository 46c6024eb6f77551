//! Shipments out to warehouses and results in, as files: many Japanese warehouses live by them.
//!
//! A layout is data ([`Layout`]): which columns, in what order, from what, in which encoding. [`export`] makes rows of
//! shipments, [`results`] reads what a carrier's software gives back. Both are pure: bytes and records in, bytes, records
//! and named problems out. Nothing is ever replaced in silence: a character that the encoding lacks, a text that is too
//! long for its column, a number that a spreadsheet has spoilt is named by row and column.

pub mod counts;
pub mod encoding;
pub mod export;
pub mod layout;
pub mod results;

pub use layout::{Layout, LayoutError};

/// Something in a row that cannot be as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The row, from 1; a header counts. 0 for a shipment that did not come into the file.
    pub row: usize,
    /// The shipment, or what the file names it by; empty if not even that is known.
    pub shipment: String,
    /// The column's name; empty where it is none of a column.
    pub column: String,
    /// What is wrong, in a sentence.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.row == 0 {
            return write!(f, "{}: {}", self.shipment, self.what);
        }
        write!(f, "row {}", self.row)?;
        if !self.shipment.is_empty() {
            write!(f, " ({})", self.shipment)?;
        }
        write!(f, ", {}: {}", self.column, self.what)
    }
}
