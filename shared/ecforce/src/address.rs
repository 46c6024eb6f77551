//! Where a shop's API lives, in one normal form.
//!
//! Shops hand over their *API URL* in two shapes, a host of its own (`api.example.com`) or a path of the shop's host
//! (`example.jp/api`), and people paste either with a scheme, slashes, spaces, full-width letters or capitals. All of
//! them come down to a host, for the endpoints live below `/api/v2` of it in both shapes. That host is the normal form:
//! it is what is stored and shown back, and parsing it again gives the same address.
//!
//! What people type is also what an attacker types, so whatever is not plainly a public host name is refused here with
//! the reason, before any name is resolved. Resolution itself is guarded by [`AddressPolicy`].

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization;
use url::{Host, Url};

use crate::guard::AddressPolicy;

/// No address that a person means is longer; longer input is not even normalised.
const LONGEST_INPUT: usize = 2048;
/// The longest host name that DNS can carry.
const LONGEST_HOST: usize = 253;
const HTTPS_PORT: u16 = 443;
const HTTP_PORT: u16 = 80;

/// Top-level and second-level names that never lead to a public shop.
const PRIVATE_SUFFIXES: [&str; 12] = [
    "local",
    "internal",
    "localdomain",
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "arpa",
    "onion",
    "localhost",
    "alt",
];
/// First labels under which clouds serve credentials to whoever asks.
const METADATA_LABELS: [&str; 3] = ["metadata", "instance-data", "rancher-metadata"];

/// A shop's API address in its one normal form. [`ApiAddress::parse`] is the only way to get one.
///
/// `Display` gives the normal form: the host (`api.example.com`), with scheme and port only where a policy allowed an
/// unusual one (`http://127.0.0.1:9101`). International names are shown in their ASCII form, which has no look-alikes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApiAddress {
    /// `https://HOST/api/v2/`, with the slash, so that endpoints join onto it.
    base: Url,
}

/// Why an API URL was refused, as a sentence for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing but spaces, or no host in it.
    #[error("the API URL is empty: enter the host of the shop's API, for example api.example.com")]
    Empty,
    /// Longer than any URL or host name can be.
    #[error("the API URL is too long")]
    TooLong,
    /// Blanks, control or invisible characters, `%` or `\` inside the address.
    #[error("the API URL contains a character that cannot be part of an address: {0}")]
    Character(String),
    /// A scheme other than https.
    #[error("the API URL must begin with https://, not with {0}:")]
    Scheme(String),
    /// `http://` to anything but an allowed loopback address.
    #[error("the API URL must begin with https://: over http:// the shop's password could be read on the way")]
    PlainHttp,
    /// `user:password@host`.
    #[error("the API URL must not contain a user name or password (the part before @)")]
    UserInfo,
    /// `?…` or `#…`.
    #[error("the API URL must not contain ? or #: enter the host alone")]
    QueryOrFragment,
    /// A port other than 443.
    #[error("the API URL must not name a port other than 443: {0}")]
    Port(String),
    /// A path that is not one of the API's own.
    #[error("the API URL must end with its host or with /api, not with {0}")]
    Path(String),
    /// An IP address, in whatever notation, that the policy does not open.
    #[error("the API URL must be a host name, not the IP address {0}")]
    IpLiteral(IpAddr),
    /// `localhost` and names of private networks.
    #[error("{0} is a name inside a private network, not a shop on the internet")]
    PrivateName(String),
    /// A name under which a cloud's metadata service is known.
    #[error("{0} is the name of a metadata service, not a shop")]
    MetadataName(String),
    /// A name without a dot.
    #[error("{0} is not a complete host name: it has no dot, as in api.example.com")]
    SingleLabel(String),
    /// Not a host name.
    #[error("{0} is not a valid host name")]
    Host(String),
}

impl ApiAddress {
    /// Parses what a person entered. Under [`AddressPolicy::public_only`] only public host names over https pass; a
    /// policy that opens loopback also admits `http://127.0.0.1:9101` and `http://localhost:9101`.
    pub fn parse(input: &str, policy: &AddressPolicy) -> Result<Self, AddressError> {
        if input.len() > LONGEST_INPUT {
            return Err(AddressError::TooLong);
        }
        let text = clean(input)?;
        let (scheme, rest) = split_scheme(&text)?;
        if rest.contains(['?', '#']) {
            return Err(AddressError::QueryOrFragment);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(AddressError::UserInfo);
        }
        check_path(path)?;
        let (host, port) = split_port(authority)?;
        let host = Place::parse(host, policy)?;
        let port = port.unwrap_or(scheme.port());
        if scheme == Scheme::Http && !host.loopback {
            return Err(AddressError::PlainHttp);
        }
        if port != scheme.port() && !host.opened {
            return Err(AddressError::Port(port.to_string()));
        }
        let base = format!("{}://{}:{port}/api/v2/", scheme.name(), host.text);
        // The pieces were all checked; should they still not make a URL, the host is what is odd about it.
        let base = Url::parse(&base).map_err(|_| AddressError::Host(shown(&host.text)))?;
        Ok(Self { base })
    }

    /// The host, without port: for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        // An http(s) URL always has a host; the fallback only spares a panic path.
        self.base.host_str().unwrap_or_default()
    }

    /// The URL of an endpoint below `/api/v2/`, for example `admin/orders.json`.
    pub(crate) fn endpoint(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/api/v2/{path}"));
        url
    }
}

impl fmt::Display for ApiAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.base.scheme() == "http" {
            f.write_str("http://")?;
        }
        f.write_str(self.host())?;
        match self.base.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ApiAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiAddress({self})")
    }
}

/// Written as its normal form. There is no `Deserialize`: reading one back needs the policy, so it is parsed again.
impl serde::Serialize for ApiAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Https,
    Http,
}

impl Scheme {
    const fn port(self) -> u16 {
        match self {
            Self::Https => HTTPS_PORT,
            Self::Http => HTTP_PORT,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

/// A checked host: its text for a URL, and what the policy grants it.
struct Place {
    text: String,
    /// The policy opens it by name or number: ports other than 443 are fine.
    opened: bool,
    /// It is this machine itself: plain http is fine too.
    loopback: bool,
}

impl Place {
    fn parse(host: &str, policy: &AddressPolicy) -> Result<Self, AddressError> {
        if host.is_empty() {
            return Err(AddressError::Empty);
        }
        // People leave the brackets of IPv6 out; half of a pair is a mistake.
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Ok(ip) = inner.unwrap_or(host).parse::<Ipv6Addr>() {
            return Self::literal(ip.into(), policy);
        }
        // Host::parse follows the browsers: it maps international names to ASCII and recognises an IPv4 address in
        // decimal, octal, hexadecimal and shortened notation, which is exactly what must not slip through as a name.
        match Host::parse(host).map_err(|_| AddressError::Host(shown(host)))? {
            Host::Ipv4(ip) => Self::literal(ip.into(), policy),
            Host::Ipv6(ip) => Self::literal(ip.into(), policy),
            Host::Domain(name) => Self::name(name.strip_suffix('.').unwrap_or(&name), policy),
        }
    }

    fn literal(ip: IpAddr, policy: &AddressPolicy) -> Result<Self, AddressError> {
        let ip = ip.to_canonical();
        if !policy.opens(ip) {
            return Err(AddressError::IpLiteral(ip));
        }
        let text = match ip {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        Ok(Self { text, opened: true, loopback: ip.is_loopback() })
    }

    fn name(name: &str, policy: &AddressPolicy) -> Result<Self, AddressError> {
        if name == "localhost" && policy.opens_loopback() {
            return Ok(Self { text: name.to_owned(), opened: true, loopback: true });
        }
        if name.len() > LONGEST_HOST {
            return Err(AddressError::TooLong);
        }
        let labels: Vec<&str> = name.split('.').collect();
        if !labels.iter().all(|label| is_label(label)) {
            return Err(AddressError::Host(shown(name)));
        }
        // Both ends of the list exist: splitting any text gives at least one piece.
        let (first, last) = (labels.first().copied().unwrap_or_default(), labels.last().copied().unwrap_or_default());
        if METADATA_LABELS.contains(&first) {
            return Err(AddressError::MetadataName(shown(name)));
        }
        if PRIVATE_SUFFIXES.contains(&last) {
            return Err(AddressError::PrivateName(shown(name)));
        }
        if labels.len() < 2 {
            return Err(AddressError::SingleLabel(shown(name)));
        }
        Ok(Self { text: name.to_owned(), opened: false, loopback: false })
    }
}

/// Letters, digits and hyphens: what a certificate can be issued for.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Brings the input into one form of writing: full-width characters become plain (NFKC), capitals small, and the blanks
/// and invisible marks that copying leaves at the ends go.
fn clean(input: &str) -> Result<String, AddressError> {
    let text: String = input.nfkc().collect::<String>().to_lowercase();
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
    if text.is_empty() {
        return Err(AddressError::Empty);
    }
    // URL parsers drop tabs and line ends, decode % and read \ as /: each of these can show a person one host and
    // connect to another.
    match text.chars().find(|c| c.is_whitespace() || c.is_control() || is_invisible(*c) || matches!(c, '%' | '\\')) {
        Some(c) => Err(AddressError::Character(c.escape_default().to_string())),
        None => Ok(text.to_owned()),
    }
}

/// Characters that take no room on the screen and that international names silently drop.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), AddressError> {
    let head = &text[..text.find(['/', '?', '#', '@', '[']).unwrap_or(text.len())];
    let Some((scheme, after)) = head.split_once(':') else {
        return Ok((Scheme::Https, text.strip_prefix("//").unwrap_or(text)));
    };
    // One slash is a slip of the finger; more than two leave the host out.
    let rest = &text[scheme.len() + 1..];
    let rest = rest.strip_prefix("//").or_else(|| rest.strip_prefix('/')).unwrap_or(rest);
    match scheme {
        "https" => Ok((Scheme::Https, rest)),
        "http" => Ok((Scheme::Http, rest)),
        // `host:9101`, `host:` and bare IPv6 (`::1`) have a colon but no scheme.
        _ if scheme.contains('.')
            || scheme.is_empty()
            || after.starts_with(|c: char| c.is_ascii_digit() || c == ':') =>
        {
            Ok((Scheme::Https, text))
        }
        // `user:password@host` is told apart so that the refusal names what is wrong with it.
        _ if is_bare_ipv6(head) || text[head.len()..].starts_with('@') => Ok((Scheme::Https, text)),
        _ => Err(AddressError::Scheme(shown(scheme))),
    }
}

fn is_bare_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), AddressError> {
    if is_bare_ipv6(authority) || (authority.starts_with('[') && !authority.contains(']')) {
        return Ok((authority, None));
    }
    let after_literal = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority[after_literal..].find(':').map(|at| at + after_literal) else {
        return Ok((authority, None));
    };
    let (host, port) = (&authority[..colon], &authority[colon + 1..]);
    if port.is_empty() {
        return Ok((host, None));
    }
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(AddressError::Port(shown(port)));
    }
    match port.parse::<u16>() {
        Ok(0) | Err(_) => Err(AddressError::Port(shown(port))),
        Ok(port) => Ok((host, Some(port))),
    }
}

/// The API's own paths, with any number of slashes at the end.
fn check_path(path: &str) -> Result<(), AddressError> {
    match path.trim_end_matches('/') {
        "" | "/api" | "/api/v2" => Ok(()),
        other => Err(AddressError::Path(shown(other))),
    }
}

/// A piece of the input, short enough for a message.
fn shown(text: &str) -> String {
    if text.chars().count() <= 80 {
        return text.to_owned();
    }
    text.chars().take(80).chain(std::iter::once('…')).collect()
}
