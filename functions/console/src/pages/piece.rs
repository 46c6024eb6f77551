//! A robot's piece of the document: cut out of the whole text for whoever edits that one robot, and put back into it, so
//! that a robot is checked with everything around it.

use serde::Deserialize;

/// Which robots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 変換ロボット.
    Conversion,
    /// 処理ロボット of the merchant's own.
    Processing,
    /// 連携ロボット of the merchant's own.
    Integration,
}

impl Kind {
    /// Its name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conversion => "conversion",
            Self::Processing => "processing",
            Self::Integration => "integration",
        }
    }

    /// Where a document holds their list.
    pub fn path(self) -> &'static str {
        match self {
            Self::Conversion => "conversion_robots",
            Self::Processing => "processing_robots.custom",
            Self::Integration => "integration_robots.custom",
        }
    }

    /// The lines above its list in a document as [`renkei_domain::document::write`] writes one, and how deep its robots
    /// stand.
    fn section(self) -> (&'static [&'static str], usize) {
        match self {
            Self::Conversion => (&["conversion_robots:"], 2),
            Self::Processing => (&["processing_robots:", "  custom:"], 4),
            Self::Integration => (&["integration_robots:", "  custom:"], 4),
        }
    }
}

/// A piece, and how many lines of the whole stand before it.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The robot's lines, moved to the left margin.
    pub text: String,
    first: usize,
    end: usize,
}

/// Cuts the robot at this place out of a document.
pub fn cut(whole: &str, kind: Kind, place: usize) -> Option<Piece> {
    let (headings, indent) = kind.section();
    let lines: Vec<&str> = whole.lines().collect();
    let mut at = 0;
    for heading in headings {
        at += lines[at..].iter().position(|line| line == heading)? + 1;
    }
    let dash = format!("{}- ", " ".repeat(indent));
    let deeper = " ".repeat(indent + 1);
    let in_list = lines[at..].iter().take_while(|line| line.starts_with(&dash) || line.starts_with(&deeper)).count();
    let mut starts = (at..at + in_list).filter(|line| lines[*line].starts_with(&dash)).skip(place);
    let first = starts.next()?;
    let end = starts.next().unwrap_or(at + in_list);
    let mut text = String::new();
    for line in &lines[first..end] {
        text.push_str(line.get(indent + 2..).unwrap_or_default());
        text.push('\n');
    }
    Some(Piece { text, first, end })
}

/// Puts a piece in the place of the robot that is there. Gives the whole, and how many of its lines stand before the
/// piece. However the piece is written, all of it stays below its place.
pub fn put(whole: &str, kind: Kind, place: usize, piece: &str) -> Option<(String, usize)> {
    let (_, indent) = kind.section();
    let old = cut(whole, kind, place)?;
    let mut text = String::new();
    for line in whole.lines().take(old.first) {
        text.push_str(line);
        text.push('\n');
    }
    for (number, line) in piece.trim_end().lines().enumerate() {
        let lead = if number == 0 { format!("{}- ", " ".repeat(indent)) } else { " ".repeat(indent + 2) };
        text.push_str(&lead);
        text.push_str(line);
        text.push('\n');
    }
    for line in whole.lines().skip(old.end) {
        text.push_str(line);
        text.push('\n');
    }
    Some((text, old.first))
}

/// A problem of the whole, as one of the piece: its line is counted from the piece's first.
pub fn in_piece(problem: &str, before: usize) -> String {
    let shifted = problem.strip_prefix("line ").and_then(|rest| {
        let (number, rest) = rest.split_once(':')?;
        let number = number.parse::<usize>().ok()?.checked_sub(before).filter(|number| *number > 0)?;
        Some(format!("line {number}:{rest}"))
    });
    shifted.unwrap_or_else(|| problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
tenant: a
conversion_robots:
  - id: own
    name: x
processing_robots:
  enable: [a]
  custom:
    - id: one
      name: 一
    - id: two
      when:
        field: x
integration_robots:
  custom:
    - id: three
";

    #[test]
    fn a_piece_is_cut_out_and_put_back() {
        let one = cut(WHOLE, Kind::Processing, 0).unwrap();
        assert_eq!(one.text, "id: one\nname: 一\n");
        assert_eq!(cut(WHOLE, Kind::Processing, 1).unwrap().text, "id: two\nwhen:\n  field: x\n");
        assert_eq!(cut(WHOLE, Kind::Conversion, 0).unwrap().text, "id: own\nname: x\n");
        assert_eq!(cut(WHOLE, Kind::Processing, 2), None, "not the integration robots'");
        assert_eq!(cut(WHOLE, Kind::Integration, 0).unwrap().text, "id: three\n");
        assert_eq!(put(WHOLE, Kind::Processing, 0, &one.text), Some((WHOLE.to_owned(), 7)));
    }

    #[test]
    fn a_piece_cannot_leave_its_place() {
        let (whole, before) = put(WHOLE, Kind::Processing, 0, "id: one\ntenant: b\n- id: four\n---\n").unwrap();
        assert_eq!(before, 7);
        assert!(whole.contains("      tenant: b\n      - id: four\n      ---\n    - id: two"), "{whole}");
        assert_eq!(whole.lines().filter(|line| line.starts_with("tenant:")).count(), 1);
    }

    #[test]
    fn lines_are_the_pieces_own() {
        assert_eq!(in_piece("line 9: name: wrong", 7), "line 2: name: wrong");
        assert_eq!(in_piece("line 3: name: wrong", 7), "line 3: name: wrong");
        assert_eq!(in_piece("wrong", 7), "wrong");
    }
}
