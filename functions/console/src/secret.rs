//! Random secrets and digests: what a browser holds, what is stored of it, and what is derived from it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use renkei_domain::member::Email;
use sha2::{Digest, Sha256};

/// 32 bytes that nobody can guess, as text for cookies and addresses. None if the machine has no randomness to give.
#[must_use]
pub fn random() -> Option<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// The SHA-256 of a text, as text.
#[must_use]
pub fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

/// What a person is called in the table of sessions.
#[must_use]
pub fn person(email: &Email) -> String {
    digest(email.as_str()).chars().take(22).collect()
}

/// The token that a session's forms carry. Derived from what only the browser holds, so that it needs no storing; from
/// it nobody gets back.
#[must_use]
pub fn csrf(session_secret: &str) -> String {
    digest(&format!("csrf {session_secret}"))
}

/// Equal? In a time that does not tell how much of it is.
#[must_use]
pub fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_another_each_time() {
        let (a, b) = (random().unwrap(), random().unwrap());
        assert_eq!((a.len(), b.len()), (43, 43));
        assert_ne!(a, b);
        assert!(is_same(&a, &a) && !is_same(&a, &b) && !is_same(&a, &a[1..]));
        assert_ne!(csrf(&a), digest(&a), "what is stored of a session is not what its forms carry");
    }

    #[test]
    fn a_challenge_is_the_standards_own_example() {
        // RFC 7636, appendix B.
        assert_eq!(
            digest("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
