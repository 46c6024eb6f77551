//! The signatures of identity tokens, checked by *ring*, which is here for TLS: `jsonwebtoken`'s own choices bring a second
//! cryptography into the program.
//!
//! Only what a provider signs with a key of its own is checked: RS256, PS256 and ES256. Nothing is ever signed.

use jsonwebtoken::crypto::{CryptoProvider, JwkUtils, JwtVerifier};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature as checks;

static CHECKS: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(Check { algorithm: *algorithm, key: key.clone() })),
    jwk_utils: JwkUtils::new_unimplemented(),
};

/// Gives `jsonwebtoken` its cryptography. To be called before the first token is read; again does nothing.
pub fn install() {
    // Whoever was first has installed the same.
    let _ = CHECKS.install_default();
}

struct Check {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let checked = match (self.algorithm, self.key.kind()) {
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                checks::RsaPublicKeyComponents { n, e }.verify(&checks::RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Algorithm::PS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                checks::RsaPublicKeyComponents { n, e }.verify(&checks::RSA_PSS_2048_8192_SHA256, message, signature)
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                checks::UnparsedPublicKey::new(&checks::ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            // An algorithm that is not accepted, or a key of another kind.
            _ => return Err(signature::Error::new()),
        };
        checked.map_err(|_| signature::Error::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::crypto::verify;

    /// Made for these tests with another program; the keys are kept nowhere.
    const MESSAGE: &[u8] = b"eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ";
    const MODULUS: &str = "nmF6dRP_G0RIdyOJENn8tTelC19vowqp4i7aGrddKYp1mmG-B2ViyGlvVvRw4xQ-cx8rzmfMy1obY5QoZ6f4PLAnQfI41N7YIoBQfxsF4Ui4njPum8942VRcpOSCXp0fMOoOzF0omJjP5_jNdtqUfcW8glVNygijYWYngHijLp0Tg-3X8htH3Kj9sWgREOIFKdlt0L9aN64CKlvV5I1gIQ_HBd_SVe6EMh8rGDrVqpnIjT9Azgt5nuGjkk-lGzGdwb1smBA6uKS6eqhJF_Tv4mV5QZwI2_gku_HHxqEPIrjvuV6ix4259g_PYZs_p5nMXJ5zi6au3GOiQbjBe-7YkQ";
    const BY_RS256: &str = "cUcYlJr2WlsRqILvSAPElR6seL69vceexX6uZFPs0GOsvwqf_9HtLhwlmPopvDVAYFo_qLi29B0botE9xwchD5EPvhJU7e55T2b2Ln7vwllP1ovTKZh-hXl_D7TbEElKwDYldkNWu53Qt1kKWeSIWDmq-glEQp12dieisUCWxJCoPWO5MjIDjy7TE44yNmDLjml-q0_c_bB5cc_5qiRA1X27oZZWEV_yKAfD0J1WWWvZkqGKdvsC0bkXSYpisQKOwJj9-ko1zTeKVou-ysh_QFs3QHcaBBp7fZJRZpDwV-3jwCnrC5-C2DEk_z7d3NpMOSTXz1QBknzSfu3km3Bu3Q";
    const BY_PS256: &str = "lMWIzdk6jv39_QtLJm8GTZVjCrxmxIyUrjr2IrYOJ6d_rnAMqdP5lo6OpNM_4jHpop08Iddeqq-asaFzBQm3dZXvqapETvEU9X9KwxxirJylrJqOtD4LrD32eC2N_nXzak-kQTu5WzamfcJbyzmJbh-Vsqocc0Ev4vK2wKVmRX8t9QVzQ266-srrA5Ox3U3lCBnE3lCOBa245fNkEyr4vdx9KI6MDFE8ERUddSBPamgdV-Tx6wws3gtDD7z-D9Z0VHzMwcwXHznADTCT7Sz7OucGUtkMMm6v10c8-5LOOKbYoRFu-Ux1r69K_tLBI0dUIaNewl2Eu-qSP3tFduIwAA";
    const POINT: [&str; 2] =
        ["EBmU0FZ0Dabfv_T4t40cMSnNvpi1I_QzN3vlBdPmhN0", "i1os6cu8X2ehOoPlvb-kELg69qIulVw8L6u3Eq5BcTI"];
    const BY_ES256: &str = "WmLivWQ1YtlaoQEh7hQZ24eHdOb8_36r8Bi9TWjxGeHSymGDWBz1Tw52hVxIYorRsI2odYSMBjlbOMHZ6VDWiw";

    fn keys() -> [DecodingKey; 2] {
        let rsa = DecodingKey::from_rsa_components(MODULUS, "AQAB");
        [rsa.unwrap(), DecodingKey::from_ec_components(POINT[0], POINT[1]).unwrap()]
    }

    #[test]
    fn a_signature_is_good_by_its_own_algorithm_and_key_alone() {
        install();
        let [rsa, point] = keys();
        let algorithms = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256];
        for (signature, own) in [BY_RS256, BY_PS256, BY_ES256].into_iter().zip(algorithms) {
            for algorithm in algorithms {
                for (key, is_own_key) in [(&rsa, own != Algorithm::ES256), (&point, own == Algorithm::ES256)] {
                    let good = verify(signature, MESSAGE, key, algorithm).unwrap();
                    assert_eq!(good, algorithm == own && is_own_key, "signed by {own:?}, checked by {algorithm:?}");
                }
            }
            let key = if own == Algorithm::ES256 { &point } else { &rsa };
            assert!(!verify(signature, b"another message", key, own).unwrap(), "{own:?}");
        }
    }

    #[test]
    fn no_other_algorithm_is_checked() {
        install();
        let [rsa, point] = keys();
        for algorithm in [Algorithm::HS256, Algorithm::RS384, Algorithm::PS512, Algorithm::ES384, Algorithm::EdDSA] {
            for (key, signature) in [(&rsa, BY_RS256), (&rsa, BY_PS256), (&point, BY_ES256)] {
                assert!(!verify(signature, MESSAGE, key, algorithm).unwrap(), "{algorithm:?}");
            }
        }
    }
}
