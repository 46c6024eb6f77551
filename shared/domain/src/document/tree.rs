//! YAML into nodes that know their place.
//!
//! Read event by event rather than by a loader: a loader stops at the first duplicate key, forgets whether a scalar was
//! quoted, and follows nesting by recursion. What the document does not need is refused, because each is a way to
//! surprise the reader or the machine: anchors and aliases, tags, several documents, keys that are not text, nesting and
//! sizes beyond any real merchant's.

use std::collections::HashMap;
use std::fmt::Write as _;

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, ScanError, TScalarStyle};

use super::nearest::quoted;
use super::problem::{MOST_TOLD, Place, Problem};

/// Bytes of a document. 10,000 products with long names fit.
const MOST_BYTES: usize = 1_000_000;
/// Levels of nesting. The document's own form needs about ten.
const MOST_DEPTH: usize = 32;
/// Scalars, lists and mappings in all.
const MOST_NODES: usize = 200_000;

/// A value in the document.
pub(super) struct Node {
    pub place: Place,
    pub kind: Kind,
}

pub(super) enum Kind {
    /// Text as written; only what is not quoted can mean a number, true, false or nothing.
    Scalar {
        text: String,
        quoted: bool,
    },
    List(Vec<Node>),
    /// In the order of the text, each key once.
    Map(Vec<(Key, Node)>),
}

pub(super) struct Key {
    pub text: String,
    pub place: Place,
}

/// What a scalar means by itself (YAML 1.2, core schema).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Core {
    Null,
    Bool(bool),
    Whole(i128),
    Float(f64),
    Text,
}

impl Core {
    /// What this text means when it is not quoted.
    pub fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            _ => {}
        }
        let whole = |digits: &str, radix| {
            let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
            plain.then(|| i128::from_str_radix(digits, radix).ok()).flatten()
        };
        if let Some(number) = text.strip_prefix("0x").and_then(|digits| whole(digits, 16)) {
            return Self::Whole(number);
        }
        if let Some(number) = text.strip_prefix("0o").and_then(|digits| whole(digits, 8)) {
            return Self::Whole(number);
        }
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        if let Some(number) = whole(digits, 10) {
            return Self::Whole(sign * number);
        }
        // Rust reads `inf`, `nan` and `infinity` as numbers; here they are words.
        let number_like = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && digits.contains(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
        match text.parse::<f64>() {
            Ok(number) if number_like && number.is_finite() => Self::Float(number),
            _ => Self::Text,
        }
    }
}

impl Node {
    /// What a scalar means; quoted ones are text.
    pub fn core(&self) -> Option<Core> {
        match &self.kind {
            Kind::Scalar { quoted: true, .. } => Some(Core::Text),
            Kind::Scalar { text, quoted: false } => Some(Core::of(text)),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }
}

enum Frame {
    List { place: Place, items: Vec<Node> },
    Map { place: Place, entries: Vec<(Key, Node)>, seen: HashMap<String, usize>, key: Option<Key> },
}

/// The document's root, if it can be read so far, and what is wrong with it as YAML.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<Problem>) {
    if text.len() > MOST_BYTES {
        let sentence = format!(
            "the document has {} bytes, more than {MOST_BYTES}: load products from a CSV file instead",
            text.len()
        );
        return (None, vec![Problem { line: 1, column: 1, path: String::new(), sentence }]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    loop {
        match parser.next_token() {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, mark)) => {
                if builder.take(event, mark).is_err() {
                    return (None, builder.problems);
                }
            }
            Err(error) => {
                builder.syntax(&error, text);
                return (None, builder.problems);
            }
        }
    }
    if builder.root.is_none() {
        let place = Place { line: 1, column: 1 };
        builder.problem(place, "the document is empty: it needs at least `tenant`");
    }
    (builder.root, builder.problems)
}

/// Reading cannot go on; why is among the problems.
struct Stop;

#[derive(Default)]
struct Builder {
    frames: Vec<Frame>,
    root: Option<Node>,
    nodes: usize,
    problems: Vec<Problem>,
}

fn place(mark: Marker) -> Place {
    Place { line: mark.line().max(1), column: mark.col() + 1 }
}

impl Builder {
    fn path(&self) -> String {
        let mut path = String::new();
        for frame in &self.frames {
            match frame {
                Frame::List { items, .. } => {
                    let _ = write!(path, "[{}]", items.len());
                }
                Frame::Map { key: Some(key), .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&key.text);
                }
                Frame::Map { key: None, .. } => {}
            }
        }
        path
    }

    fn problem(&mut self, place: Place, sentence: impl Into<String>) {
        let path = self.path();
        let Place { line, column } = place;
        self.problems.push(Problem { line, column, path, sentence: sentence.into() });
    }

    /// Where YAML ends there is no telling which setting it was, so the document as a whole is named.
    fn syntax(&mut self, error: &ScanError, text: &str) {
        let info = error.info();
        let Place { mut line, mut column } = place(*error.marker());
        let sentence = if info.contains("tab") {
            // The mark is at the end of what could be read; the tab is what a reader looks for.
            let indent = |line: &str| line.chars().take_while(|c| matches!(c, ' ' | '\t')).position(|c| c == '\t');
            let tab = text.lines().enumerate().skip(line - 1).find_map(|(at, line)| Some((at + 1, indent(line)? + 1)));
            (line, column) = tab.unwrap_or((line, column));
            "a tab stands where YAML needs spaces: indent with spaces only".into()
        } else if info.contains("anchor") || info.contains("alias") {
            NO_ANCHORS.into()
        } else {
            format!("this is not YAML: {info}")
        };
        self.problems.push(Problem { line, column, path: String::new(), sentence });
    }

    fn take(&mut self, event: Event, mark: Marker) -> Result<(), Stop> {
        let place = place(mark);
        if self.problems.len() > MOST_TOLD {
            return Err(Stop);
        }
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart => {
                if self.root.is_some() {
                    self.problem(place, "a second document begins here (`---`): one file holds one merchant");
                    return Err(Stop);
                }
                Ok(())
            }
            Event::Alias(_) => {
                self.problem(place, NO_ANCHORS);
                self.finish(Node { place, kind: Kind::Scalar { text: String::new(), quoted: false } })
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_only(place, anchor, tag.is_some());
                let quoted = !matches!(style, TScalarStyle::Plain);
                self.finish(Node { place, kind: Kind::Scalar { text, quoted } })
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain_only(place, anchor, tag.is_some());
                self.open(place, Frame::List { place, items: Vec::new() })
            }
            Event::MappingStart(anchor, tag) => {
                self.plain_only(place, anchor, tag.is_some());
                self.open(place, Frame::Map { place, entries: Vec::new(), seen: HashMap::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.frames.pop() {
                Some(Frame::List { place, items }) => self.finish(Node { place, kind: Kind::List(items) }),
                Some(Frame::Map { place, entries, .. }) => self.finish(Node { place, kind: Kind::Map(entries) }),
                None => Ok(()),
            },
        }
    }

    fn second(&mut self, key: &Key, first: usize) {
        let around = self.path();
        let Place { line, column } = key.place;
        let path = if around.is_empty() { key.text.clone() } else { format!("{around}.{}", key.text) };
        let sentence = format!("the key {} stands here a second time, first on line {first}", quoted(&key.text));
        self.problems.push(Problem { line, column, path, sentence });
    }

    fn plain_only(&mut self, place: Place, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.problem(place, NO_ANCHORS);
        }
        if tagged {
            self.problem(place, "tags (`!`) are not used here: quote the text if it begins with `!`");
        }
    }

    fn open(&mut self, place: Place, frame: Frame) -> Result<(), Stop> {
        if matches!(self.frames.last(), Some(Frame::Map { key: None, .. })) {
            // `{{ … }}` without quotes is the way into this: YAML takes it for a mapping as a key.
            self.problem(place, "a list or mapping stands where a key should be: put text with `{{ }}` in quotes");
            return Err(Stop);
        }
        if self.frames.len() >= MOST_DEPTH {
            self.problem(place, format!("this is nested more than {MOST_DEPTH} levels deep"));
            return Err(Stop);
        }
        self.frames.push(frame);
        Ok(())
    }

    fn finish(&mut self, node: Node) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            self.problem(node.place, format!("the document holds more than {MOST_NODES} values"));
            return Err(Stop);
        }
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, seen, key, .. }) => match (key.take(), node.kind) {
                (Some(taken), kind) => {
                    if let Some(line) = seen.get(&taken.text).copied() {
                        self.second(&taken, line);
                    } else {
                        seen.insert(taken.text.clone(), taken.place.line);
                        entries.push((taken, Node { place: node.place, kind }));
                    }
                }
                (None, Kind::Scalar { text, .. }) => *key = Some(Key { text, place: node.place }),
                // `open` has refused these.
                (None, Kind::List(_) | Kind::Map(_)) => {}
            },
        }
        Ok(())
    }
}

const NO_ANCHORS: &str = "anchors and aliases (`&`, `*`) are not used here: write the value out, or quote the text";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_mean_what_yaml_1_2_says() {
        for (text, core) in [
            ("", Core::Null),
            ("~", Core::Null),
            ("true", Core::Bool(true)),
            ("yes", Core::Text),
            ("14448", Core::Whole(14_448)),
            ("-3", Core::Whole(-3)),
            ("007", Core::Whole(7)),
            ("0x1F", Core::Whole(31)),
            ("0o17", Core::Whole(15)),
            ("1.5", Core::Float(1.5)),
            ("1e3", Core::Float(1000.0)),
            (".5", Core::Float(0.5)),
            ("10,000", Core::Text),
            ("1_000", Core::Text),
            ("inf", Core::Text),
            ("nan", Core::Text),
            ("e5", Core::Text),
            (".", Core::Text),
            ("-", Core::Text),
            ("03-0000-0000", Core::Text),
            ("2026-11-24", Core::Text),
            ("１２", Core::Text),
        ] {
            assert_eq!(Core::of(text), core, "{text:?}");
        }
    }

    #[test]
    fn a_hostile_document_ends_soon() {
        for text in [
            "[".repeat(900_000),
            "{a: ".repeat(200_000),
            "- ".repeat(400_000),
            "? ".repeat(400_000),
            format!("a: [{}]", "x,".repeat(400_000)),
            format!("a: \"{}\"", "x".repeat(900_000)),
            "x".repeat(1_000_001),
            "a: &a [x]\nb: *a\n".into(),
        ] {
            let (node, problems) = parse(&text);
            assert!(!problems.is_empty() || node.is_some());
        }
    }
}
