//! Bends inputs, all by seed: bits and bytes for any of them, and values for those that are JSON.

use serde_json::{Map, Value, json};

/// Numbers by seed: `SplitMix64`, which no input can influence.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One below this; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }
}

/// What inputs have trouble with.
const WORDS: [&str; 44] = [
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "0",
    "-1",
    "1e999",
    "-0.0",
    "18446744073709551616",
    "9223372036854775808",
    "4294967296",
    "65536",
    "NaN",
    "\u{0}",
    "\u{feff}",
    "\r\n",
    "\n",
    "\t",
    ",",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "#",
    "&",
    "=",
    "%00",
    "%ff",
    ": ",
    "- ",
    "*a",
    "&a ",
    "<<: ",
    "{{ order.id }}",
    "../",
    "@",
    "https://",
    "0x7f.1",
    "見本",
    "髙﨑",
    "２０２６",
    "9999-12-31T23:59:60Z",
];
/// No bent input is longer than this and a little.
const LONGEST: usize = 64 * 1024;

/// One of the corpus, or two of them crossed, bent some times.
#[must_use]
pub fn bent(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = corpus[dice.below(corpus.len())].clone();
    if dice.below(3) == 0
        && let Some(other) = json_bent(&input, dice)
    {
        input = other;
    }
    for _ in 0..dice.below(6) {
        let at = dice.below(input.len() + 1);
        match dice.below(9) {
            0 if !input.is_empty() => input[at.min(at.saturating_sub(1))] ^= 1 << dice.below(8),
            1 if !input.is_empty() => {
                let place = dice.below(input.len());
                input[place] = u8::try_from(dice.below(256)).unwrap_or(0);
            }
            2 => {
                let end = (at + dice.below(32)).min(input.len());
                input.drain(at..end);
            }
            3 => {
                let end = (at + dice.below(64)).min(input.len());
                let piece = input[at..end].to_vec();
                let most = if dice.below(40) == 0 { 2_000 } else { 3 };
                let times = 1 + dice.below(most);
                let piece = piece.repeat(times.min(LONGEST / piece.len().max(1)));
                input.splice(at..at, piece);
            }
            4 => {
                let other = &corpus[dice.below(corpus.len())];
                let from = dice.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            5 => input.truncate(at),
            // What opens and is never closed, deeply.
            6 if dice.below(20) == 0 => {
                let open = [&b"["[..], b"{\"a\":", b"- ", b"(", b"{{"][dice.below(5)];
                input.splice(at..at, open.repeat(1 + dice.below(5_000)));
            }
            _ => {
                let word = WORDS[dice.below(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
        }
        input.truncate(LONGEST);
    }
    input
}

/// The same JSON with one value of it replaced, doubled, renamed or left out; None if it is no JSON.
fn json_bent(input: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(input).ok()?;
    for _ in 0..=dice.below(3) {
        bend(&mut value, dice);
    }
    serde_json::to_vec(&value).ok()
}

fn bend(value: &mut Value, dice: &mut Dice) {
    let deeper = dice.below(8) != 0;
    match value {
        Value::Array(list) if deeper && !list.is_empty() => {
            let place = dice.below(list.len());
            match dice.below(10) {
                0 => drop(list.remove(place)),
                1 => list.push(list[place].clone()),
                _ => bend(&mut list[place], dice),
            }
        }
        Value::Object(members) if deeper && !members.is_empty() => {
            let name = members.keys().nth(dice.below(members.len())).cloned().unwrap_or_default();
            match dice.below(10) {
                0 => drop(members.remove(&name)),
                1 => {
                    let moved = members.remove(&name).unwrap_or_default();
                    members.insert(WORDS[dice.below(WORDS.len())].to_owned(), moved);
                }
                _ => bend(members.entry(name).or_insert(Value::Null), dice),
            }
        }
        _ => *value = odd(dice),
    }
}

fn odd(dice: &mut Dice) -> Value {
    let numbers =
        [json!(0), json!(-1), json!(1e300), json!(0.1), json!(u64::MAX), json!(i64::MIN), json!(4_294_967_296_u64)];
    match dice.below(8) {
        0 => Value::Null,
        1 => Value::Bool(dice.below(2) == 0),
        2 => numbers[dice.below(numbers.len())].clone(),
        3 => Value::from(WORDS[dice.below(WORDS.len())].repeat(1 + dice.below(400))),
        4 => Value::Array(Vec::new()),
        5 => Value::Object(Map::new()),
        6 => (0..dice.below(100)).fold(Value::Null, |inner, _| json!([inner])),
        _ => Value::from(WORDS[dice.below(WORDS.len())]),
    }
}
