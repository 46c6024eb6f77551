//! Which IP addresses may be connected to.
//!
//! A shop's address is typed by a tenant, so a request to it is a request that a stranger chose. Host names are
//! resolved once, every answer is checked here, and the very addresses that passed are the ones connected to: DNS that
//! answers differently the next moment changes nothing. The cloud opens nothing but the public internet; a local stack
//! may open ranges such as loopback through a deployment parameter.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The ranges that may be reached besides the public internet. Credentials of the machine itself (link-local and cloud
/// metadata addresses) stay closed whatever is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    allowed: Vec<IpNet>,
}

/// What is wrong with a list of allowed ranges.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Neither an address nor a range.
    #[error("{0:?} is not an address range such as 127.0.0.0/8")]
    NotARange(String),
    /// A range that would switch the guard off.
    #[error("the range {0} is wider than any network of one's own: allow /8 or less")]
    TooWide(IpNet),
}

/// An address that must not be connected to, and the kind of network it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name leads to {ip}, which is not a public address ({network})")]
pub struct RefusedAddress {
    /// The address, IPv4-mapped ones as IPv4.
    pub ip: IpAddr,
    /// What the range is set aside for.
    pub network: &'static str,
}

/// Why a name gave no address to connect to. Travels inside a `reqwest::Error`, to be found again by its type.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error(transparent)]
    Refused(#[from] RefusedAddress),
    #[error("the host name could not be resolved")]
    Unknown,
}

impl AddressPolicy {
    /// Public addresses only: what the cloud uses.
    #[must_use]
    pub const fn public_only() -> Self {
        Self { allowed: Vec::new() }
    }

    /// Public addresses and these ranges.
    pub fn allowing(ranges: impl IntoIterator<Item = IpNet>) -> Result<Self, PolicyError> {
        let allowed: Vec<IpNet> = ranges.into_iter().collect();
        match allowed.iter().find(|range| range.prefix_len() < 8) {
            Some(range) => Err(PolicyError::TooWide(*range)),
            None => Ok(Self { allowed }),
        }
    }

    /// Public addresses and this machine itself: for local stacks and tests.
    #[must_use]
    pub fn with_loopback() -> Self {
        Self {
            allowed: vec![
                IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
                IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
            ],
        }
    }

    /// Whether this address may be connected to.
    pub fn check(&self, ip: IpAddr) -> Result<(), RefusedAddress> {
        let ip = ip.to_canonical();
        match closed_network(ip) {
            Some(_) if self.opens(ip) => Ok(()),
            Some(network) => Err(RefusedAddress { ip, network }),
            None => Ok(()),
        }
    }

    /// Whether the list itself names this address (the public internet is not on the list).
    pub(crate) fn opens(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        !is_metadata(ip) && self.allowed.iter().any(|range| range.contains(&ip))
    }

    /// Whether this machine itself may be called.
    #[must_use]
    pub fn opens_loopback(&self) -> bool {
        self.opens(Ipv4Addr::LOCALHOST.into()) || self.opens(Ipv6Addr::LOCALHOST.into())
    }

    /// Checks all answers for a name. One bad address refuses the name: an honest shop has none, and a name that leads
    /// both outside and inside is how the inside is attacked.
    fn admit(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, ResolveError> {
        let found: Vec<SocketAddr> = found.collect();
        for address in &found {
            self.check(address.ip())?;
        }
        if found.is_empty() { Err(ResolveError::Unknown) } else { Ok(found) }
    }
}

/// A comma separated list of ranges, as deployment parameters carry it; empty allows nothing besides the public
/// internet. A bare address stands for itself.
impl FromStr for AddressPolicy {
    type Err = PolicyError;

    fn from_str(list: &str) -> Result<Self, PolicyError> {
        let ranges = list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| {
            part.parse::<IpNet>()
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| PolicyError::NotARange(part.chars().take(80).collect()))
        });
        Self::allowing(ranges.collect::<Result<Vec<_>, _>>()?)
    }
}

impl fmt::Display for AddressPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.allowed.iter().enumerate() {
            write!(f, "{}{range}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// What a look-up of a name comes to: its addresses at this moment.
pub type Found = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks a name up by the system's resolver.
pub(crate) fn system(name: String) -> Found {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

/// Looks names up and hands on only addresses that passed. What it hands on is what is dialled: nobody looks the name up
/// again in between.
pub(crate) struct CheckedResolver<L> {
    policy: Arc<AddressPolicy>,
    look_up: L,
}

impl<L> CheckedResolver<L> {
    pub(crate) fn new(policy: AddressPolicy, look_up: L) -> Self {
        Self { policy: Arc::new(policy), look_up }
    }
}

impl<L: Fn(String) -> Found + Send + Sync> Resolve for CheckedResolver<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        let found = (self.look_up)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await.map_err(|_| ResolveError::Unknown)?;
            // Port 0 is replaced by the URL's own; another would not be.
            let found = found.into_iter().map(|found| SocketAddr::new(found.ip(), 0));
            let addresses: Addrs = Box::new(policy.admit(found)?.into_iter());
            Ok(addresses)
        })
    }
}

/// Addresses that hand out a machine's credentials. Never opened by a list, however wide.
fn is_metadata(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            v4.is_link_local() || v4 == Ipv4Addr::new(168, 63, 129, 16) || v4 == Ipv4Addr::new(100, 100, 100, 200)
        }
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.segments()[..2] == [0xfd00, 0x0ec2],
    }
}

/// The special-purpose network an address belongs to, or `None` for the public internet.
fn closed_network(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(v4) => closed_v4(v4),
        IpAddr::V6(v6) => closed_v6(v6),
    }
}

/// The IANA registry of special-purpose IPv4 addresses, and one cloud's metadata address among public ones.
fn closed_v4(ip: Ipv4Addr) -> Option<&'static str> {
    Some(match ip.octets() {
        [0, ..] => "this network",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "private network",
        [100, 64..=127, ..] => "carrier-grade NAT",
        [127, ..] => "loopback",
        [169, 254, ..] => "link-local, cloud metadata",
        [168, 63, 129, 16] => "cloud metadata",
        [192, 0, 0, _] => "IETF protocol assignments",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "documentation",
        [192, 31, 196, _] | [192, 175, 48, _] => "AS112 service",
        [192, 52, 193, _] => "automatic multicast tunnelling",
        [192, 88, 99, _] => "6to4 relay",
        [198, 18 | 19, ..] => "benchmarking",
        [224..=239, ..] => "multicast",
        [240..=255, ..] => "reserved",
        _ => return None,
    })
}

/// Only global unicast (`2000::/3`) is public, less what IANA sets aside inside it; and the well-known NAT64 prefix
/// where it stands for a public IPv4 address, because IPv6-only networks reach every shop through it.
fn closed_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let s = ip.segments();
    let embedded = Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
    Some(match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => "unspecified",
        [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
        [0, 0, 0, 0, 0, 0xffff, ..] => return closed_v4(embedded),
        [0, 0, 0, 0, 0, 0, ..] => "IPv4-compatible",
        [0, 0, 0, 0, 0xffff, 0, ..] => "IPv4-translated",
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            return closed_v4(embedded).map(|_| "NAT64 of an address that is not public");
        }
        [0x64, 0xff9b, 1, ..] => "local NAT64",
        [0xfe80..=0xfebf, ..] => "link-local",
        [0xfec0..=0xfeff, ..] => "site-local",
        [0xfc00..=0xfdff, ..] => "unique local",
        [0xff00..=0xffff, ..] => "multicast",
        [0x2001, 0, ..] => "Teredo tunnel",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => "documentation",
        [0x2001, 0x0001..=0x01ff, ..] => "IETF protocol assignments",
        [0x2002, ..] => "6to4 tunnel",
        [0x2620, 0x4f, 0x8000, ..] => "AS112 service",
        [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, ..] => "ISATAP tunnel",
        [0x2000..=0x3fff, ..] => return None,
        _ => "reserved",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(ips: &[&str]) -> Vec<SocketAddr> {
        ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn a_name_with_public_answers_is_pinned_to_exactly_those() {
        let found = answers(&["8.8.8.8", "2606:4700::1111"]);
        let admitted = AddressPolicy::public_only().admit(found.clone().into_iter()).unwrap();
        assert_eq!(admitted, found);
    }

    #[test]
    fn one_inner_answer_among_public_ones_refuses_the_name() {
        let found = answers(&["8.8.8.8", "10.0.0.1"]);
        let refused = AddressPolicy::public_only().admit(found.into_iter()).unwrap_err();
        assert!(matches!(refused, ResolveError::Refused(RefusedAddress { network: "private network", .. })));
    }

    #[test]
    fn a_name_without_answers_is_unknown() {
        let refused = AddressPolicy::public_only().admit(std::iter::empty()).unwrap_err();
        assert!(matches!(refused, ResolveError::Unknown));
    }

    #[tokio::test]
    async fn localhost_resolves_to_what_the_policy_says() {
        let name = || "localhost".parse::<Name>().unwrap();
        let Err(refused) = CheckedResolver::new(AddressPolicy::public_only(), system).resolve(name()).await else {
            panic!("loopback must be closed by default");
        };
        assert!(matches!(refused.downcast_ref::<ResolveError>(), Some(ResolveError::Refused(_))), "{refused}");
        let mut found =
            CheckedResolver::new(AddressPolicy::with_loopback(), system).resolve(name()).await.ok().unwrap();
        assert!(found.all(|address| address.ip().is_loopback()));
    }
}
