//! Where every HTTP client begins: with the cryptography that Renkei uses for TLS.
//!
//! It is *ring*'s. What `reqwest` brings by itself is larger, by a quarter of a megabyte in each function, and unless it is
//! told otherwise when it is built, gathers entropy of its own at each start. AWS is spoken to with the same (`platform::connections`).
//!
//! `reqwest` takes what the process has installed, and without it ends the process. So nothing builds a client but from
//! here; clippy refuses the other ways (`clippy.toml`).

use reqwest::ClientBuilder;
use rustls::crypto::{CryptoProvider, ring};

/// A client yet to be told its time-outs, proxies and redirects: nothing is set.
pub fn builder() -> ClientBuilder {
    if CryptoProvider::get_default().is_none() {
        // Another thread may be first, with the same.
        let _ = ring::default_provider().install_default();
    }
    #[expect(clippy::disallowed_methods, reason = "here it has its cryptography")]
    ClientBuilder::new()
}
