//! On which line of a file a row stands, as an editor counts them; and what slips of a hand or a spreadsheet a reader of CSV
//! does not see by itself.

/// Finds the lines of rows. They are asked for in the order of the text, so that it is looked through once.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a [u8],
    /// What has been looked through …
    at: usize,
    /// … and the line on which that ends.
    line: u64,
}

impl<'a> Lines<'a> {
    /// Of a text as the reader of its rows is given it.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line, from 1, on which the row begins that was read from this byte on. A reader of CSV ends a row at `\r` and
    /// has the `\n` after it and empty lines still before it, so these are passed over first.
    pub fn line_at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).clamp(self.at, self.text.len());
        let ends = self.text[byte..].iter().take_while(|byte| matches!(**byte, b'\r' | b'\n')).count();
        let begins = byte + ends;
        self.line += self.text[self.at..begins].split(|byte| *byte == b'\n').skip(1).count() as u64;
        self.at = begins;
        self.line
    }
}

/// What is wrong where [`open_quote`] finds something.
pub const OPEN_QUOTE: &str = "a quotation mark is opened here and closed nowhere";

/// How many cells a row may fill under these headings: what stands further right belongs to none of them.
pub fn width<'a>(headings: impl IntoIterator<Item = &'a str>) -> usize {
    headings.into_iter().zip(1..).filter(|(heading, _)| !heading.trim().is_empty()).last().map_or(0, |(_, place)| place)
}

/// The line on which a quotation mark opens a cell of CSV that nothing closes. A reader takes all that follows for that one
/// cell, and says nothing.
#[must_use]
pub fn open_quote(text: &str) -> Option<u64> {
    let (mut line, mut opened) = (1, None);
    let mut begins_cell = true;
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).bytes().peekable();
    while let Some(byte) = rest.next() {
        line += u64::from(byte == b'\n');
        match (byte, opened) {
            // Two of them are one that is written.
            (b'"', Some(_)) if rest.peek() == Some(&b'"') => drop(rest.next()),
            (b'"', Some(_)) => opened = None,
            (b'"', None) if begins_cell => opened = Some(line),
            _ => {}
        }
        begins_cell = matches!(byte, b',' | b'\r' | b'\n');
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_mark_that_nothing_closes_is_found() {
        for whole in ["", "a,b\n", "\u{feff}\"a\",\"b\nc\"\"\"\n", "a,\"\",b", "5\" screw,b\n", "\"a\"b,c\r\n\"\"\r\n"]
        {
            assert_eq!(open_quote(whole), None, "{whole}");
        }
        assert_eq!(open_quote("a,b\nc,\"d\ne,f\n"), Some(2));
        assert_eq!(open_quote("\"a\"\"\nb"), Some(1));
        assert_eq!(open_quote("\u{feff}a\r\n\"b\"\r\n\""), Some(3));
    }

    #[test]
    fn a_row_is_as_wide_as_its_last_heading() {
        assert_eq!([width(["a", "", "b", " "]), width(["", ""]), width([])], [3, 0, 0]);
    }

    /// The lines of all rows, as a reader of CSV gives their places.
    fn lines(text: &str) -> Vec<u64> {
        let mut lines = Lines::of(text);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        reader.byte_records().map(|row| lines.line_at(row.unwrap().position().unwrap().byte())).collect()
    }

    #[test]
    fn rows_stand_where_an_editor_shows_them() {
        assert_eq!(lines("a,b\nc,d\n\n\ne,f"), [1, 2, 5]);
        assert_eq!(lines("a,b\r\nc,d\r\n\r\n\r\ne,f\r\n"), [1, 2, 5]);
        assert_eq!(lines("\r\n\r\na,\"b\r\nb\"\r\nc,d\r\n"), [3, 5]);
        assert!(lines("").is_empty());
    }

    #[test]
    fn a_place_that_is_none_is_the_texts_end() {
        let mut lines = Lines::of("a\nb\n");
        assert_eq!((lines.line_at(2), lines.line_at(u64::MAX), lines.line_at(0)), (2, 3, 3));
    }
}
