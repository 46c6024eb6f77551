//! Where a list goes on: not to be read by whoever holds it, and sealed, so that a cursor of another warehouse, of another query,
//! or one that somebody changed is told from a good one instead of leading to an odd page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::problem::Problem;

const SEAL_BYTES: usize = 16;
/// No cursor of ours is longer.
const MOST_CHARACTERS: usize = 1_000;

/// The last row that was given, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Its place in time.
    #[serde(rename = "a")]
    pub at: String,
    /// Which of the lists that are read as one it came from.
    #[serde(rename = "s")]
    pub source: String,
}

impl Place {
    /// As a cursor of this list.
    #[must_use]
    pub fn seal(&self, key: &[u8], list: &str) -> String {
        let place = serde_json::to_vec(self).unwrap_or_default();
        let mut bytes = mac(key, list, &place).finalize().into_bytes()[..SEAL_BYTES].to_vec();
        let hidden = veiled(key, &bytes, &place);
        bytes.extend(hidden);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// From a cursor, if it was given out for this list.
    pub fn unseal(cursor: &str, key: &[u8], list: &str) -> Result<Self, Problem> {
        if cursor.len() > MOST_CHARACTERS {
            return Err(Problem::BadCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Problem::BadCursor)?;
        let (seal, place) = bytes.split_at_checked(SEAL_BYTES).ok_or(Problem::BadCursor)?;
        let place = veiled(key, seal, place);
        mac(key, list, &place).verify_truncated_left(seal).map_err(|_| Problem::BadCursor)?;
        serde_json::from_slice(&place).map_err(|_| Problem::BadCursor)
    }
}

/// Veils a place, and unveils it: the last row that was looked at may be another warehouse's, and its order's number is
/// not for this one to read. The seal, which is different for each place, begins the stream that is laid over it.
fn veiled(key: &[u8], seal: &[u8], place: &[u8]) -> Vec<u8> {
    let stream = (0_u32..).flat_map(|block| {
        let mut mac = keyed(key);
        mac.update(b"veil 1\0");
        mac.update(seal);
        mac.update(&block.to_be_bytes());
        mac.finalize().into_bytes()
    });
    place.iter().zip(stream).map(|(byte, veil)| byte ^ veil).collect()
}

fn mac(key: &[u8], list: &str, place: &[u8]) -> Hmac<Sha256> {
    let mut mac = keyed(key);
    mac.update(b"cursor 1\0");
    mac.update(list.as_bytes());
    mac.update(b"\0");
    mac.update(place);
    mac
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> Place {
        Place { at: "2026-11-24T01:02:03.000Z#88111#1".into(), source: "hanako-ecforce#ready".into() }
    }

    #[test]
    fn a_cursor_comes_back_for_its_list_and_for_no_other() {
        let cursor = place().seal(b"key", "ready");
        assert_eq!(Place::unseal(&cursor, b"key", "ready"), Ok(place()));
        assert_eq!(Place::unseal(&cursor, b"key", "picking"), Err(Problem::BadCursor));
        assert_eq!(Place::unseal(&cursor, b"another", "ready"), Err(Problem::BadCursor));
    }

    #[test]
    fn a_cursor_tells_nothing_of_its_place() {
        let bytes = URL_SAFE_NO_PAD.decode(place().seal(b"key", "ready")).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("88111") && !text.contains("hanako"), "{text}");
    }

    proptest! {
        #[test]
        fn what_was_changed_or_made_up_is_refused(at in 0_usize..120, to in "[A-Za-z0-9_-]", made_up in ".{0,80}") {
            let cursor = place().seal(b"key", "ready");
            let at = at % cursor.len();
            let mut changed = cursor.clone();
            changed.replace_range(at..=at, &to);
            if changed != cursor {
                prop_assert_eq!(Place::unseal(&changed, b"key", "ready"), Err(Problem::BadCursor));
            }
            prop_assert_eq!(Place::unseal(&made_up, b"key", "ready"), Err(Problem::BadCursor));
        }
    }
}
