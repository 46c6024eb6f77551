//! Addresses as people paste them, and as attackers do.

use std::net::IpAddr;

use renkei_ecforce::{AddressError, AddressPolicy, ApiAddress, PolicyError};

fn parse(input: &str) -> Result<String, AddressError> {
    ApiAddress::parse(input, &AddressPolicy::public_only()).map(|address| address.to_string())
}

#[test]
fn every_form_that_people_paste_has_one_normal_form() {
    let cases = [
        ("api.example.com", "api.example.com"),
        ("https://api.example.com", "api.example.com"),
        ("https://api.example.com/", "api.example.com"),
        ("https://api.example.com///", "api.example.com"),
        ("https://api.example.com/api/v2/", "api.example.com"),
        ("https://api.example.com:443/", "api.example.com"),
        ("//api.example.com/api", "api.example.com"),
        ("https:/api.example.com", "api.example.com"),
        ("example.jp", "example.jp"),
        ("example.jp/api", "example.jp"),
        ("example.jp/api/", "example.jp"),
        ("example.jp/api/v2", "example.jp"),
        ("https://Example.JP/api/", "example.jp"),
        ("HTTPS://EXAMPLE.JP/API/V2/", "example.jp"),
        ("  example.jp  ", "example.jp"),
        ("\u{3000}example.jp/api\u{3000}", "example.jp"),
        ("\t\r\nexample.jp\n", "example.jp"),
        ("\u{200b}example.jp\u{feff}", "example.jp"),
        ("example.jp.", "example.jp"),
        ("example.jp:", "example.jp"),
        ("example.jp:443", "example.jp"),
        ("ｅｘａｍｐｌｅ．ｊｐ", "example.jp"),
        ("ｈｔｔｐｓ：／／ＡＰＩ．Ｅｘａｍｐｌｅ．ＪＰ／ａｐｉ／", "api.example.jp"),
        ("example。jp/api", "example.jp"),
        ("example｡jp", "example.jp"),
        ("日本語.example", "xn--wgv71a119e.example"),
        ("https://ショップ.example/api", "xn--xckya1d0c.example"),
        ("xn--wgv71a119e.example", "xn--wgv71a119e.example"),
        ("my-shop.co.jp/api", "my-shop.co.jp"),
        ("api.hanako.example", "api.hanako.example"),
    ];
    for (input, normal) in cases {
        assert_eq!(parse(input).as_deref(), Ok(normal), "{input:?}");
        assert_eq!(parse(normal).as_deref(), Ok(normal), "the normal form is its own");
    }
}

#[test]
fn a_local_stack_may_be_reached_where_the_policy_says_so() {
    let local: AddressPolicy = "127.0.0.0/8, ::1/128".parse().unwrap();
    let cases = [
        ("http://127.0.0.1:9101", Some("http://127.0.0.1:9101")),
        ("http://127.0.0.1:9101/api/", Some("http://127.0.0.1:9101")),
        ("http://localhost:9101", Some("http://localhost:9101")),
        ("http://127.0.0.1", Some("http://127.0.0.1")),
        ("http://[::1]:9101/api", Some("http://[::1]:9101")),
        ("https://127.0.0.1:9443", Some("127.0.0.1:9443")),
        ("127.0.0.1:9443", Some("127.0.0.1:9443")),
        ("api.example.com", Some("api.example.com")),
        ("http://api.example.com", None),
        ("https://api.example.com:9101", None),
        ("http://10.0.0.1:9101", None),
        ("http://169.254.169.254", None),
        ("http://user@127.0.0.1:9101", None),
    ];
    for (input, normal) in cases {
        let parsed = ApiAddress::parse(input, &local).map(|address| address.to_string()).ok();
        assert_eq!(parsed.as_deref(), normal, "{input}");
        if let Some(normal) = normal {
            assert_eq!(ApiAddress::parse(normal, &local).unwrap().to_string(), normal);
        }
    }
}

#[test]
fn policies_are_read_from_deployment_parameters() {
    assert_eq!("".parse(), Ok(AddressPolicy::public_only()));
    assert_eq!(" , ".parse(), Ok(AddressPolicy::public_only()));
    assert_eq!("127.0.0.0/8,::1/128".parse(), Ok(AddressPolicy::with_loopback()));
    assert_eq!(AddressPolicy::with_loopback().to_string(), "127.0.0.0/8,::1/128");
    assert!("192.168.1.7".parse::<AddressPolicy>().unwrap().check("192.168.1.7".parse().unwrap()).is_ok());
    assert!(matches!("0.0.0.0/0".parse::<AddressPolicy>(), Err(PolicyError::TooWide(_))));
    assert!(matches!("::/0".parse::<AddressPolicy>(), Err(PolicyError::TooWide(_))));
    assert!(matches!("loopback".parse::<AddressPolicy>(), Err(PolicyError::NotARange(_))));
}

/// Which refusal an input must meet.
#[derive(Clone, Copy, Debug, PartialEq)]
enum No {
    Empty,
    Long,
    Character,
    Scheme,
    PlainHttp,
    User,
    Query,
    Port,
    Path,
    Ip,
    Private,
    Metadata,
    Single,
    Host,
}

fn kind(error: &AddressError) -> No {
    match error {
        AddressError::Empty => No::Empty,
        AddressError::TooLong => No::Long,
        AddressError::Character(_) => No::Character,
        AddressError::Scheme(_) => No::Scheme,
        AddressError::PlainHttp => No::PlainHttp,
        AddressError::UserInfo => No::User,
        AddressError::QueryOrFragment => No::Query,
        AddressError::Port(_) => No::Port,
        AddressError::Path(_) => No::Path,
        AddressError::IpLiteral(_) => No::Ip,
        AddressError::PrivateName(_) => No::Private,
        AddressError::MetadataName(_) => No::Metadata,
        AddressError::SingleLabel(_) => No::Single,
        AddressError::Host(_) => No::Host,
    }
}

#[rustfmt::skip]
const HOSTILE_URLS: &[(No, &[&str])] = &[
    (No::Empty, &["", " ", "\u{3000}", "\u{200b}", "https://", "http://", "https:", "https:///", "//", "/", "/api", ":443", "https://:443/", "https:///api"]),
    (No::Character, &[
        "api.example.com evil.example", "example\t.jp", "exam\nple.jp", "example.jp\u{0}.evil.example", "exa\u{200b}mple.jp",
        "example.jp\\@evil.example", "https:\\\\example.jp", "example.jp\\api", "%31%32%37.0.0.1", "example%2ejp",
        "example.jp/%61pi", "example.jp/api%2f..", "exam\u{ad}ple.jp", "exam\u{202e}ple.jp", "example.jp%00", "fe80::1%eth0",
        "[fe80::1%25eth0]", "localhost%23.example.jp", "example.jp\u{fe0f}x",
    ]),
    (No::Scheme, &[
        "ftp://example.jp", "file:///etc/passwd", "gopher://example.jp/_x", "javascript:alert(1)", "data:text/html,x",
        "ws://example.jp", "wss://example.jp", "ldap://example.jp", "dict://example.jp", "jar:https://example.jp",
        "ssh://example.jp", "httpss://example.jp", "view-source:https://example.jp", "blob:https://example.jp", "about:blank",
        "unix:/var/run/docker.sock", "ｆｔｐ：／／example.jp",
    ]),
    (No::PlainHttp, &["http://example.jp", "http://api.example.com/api", "HTTP://EXAMPLE.JP", "http:example.jp", "http://example.jp:443"]),
    (No::User, &[
        "https://user@example.jp", "https://user:pass@example.jp/api", "user@example.jp", "user:pass@example.jp",
        "https://example.jp@evil.example", "https://example.jp:443@evil.example", "https://@example.jp", "https://:@example.jp",
        "example.jp＠evil.example", "https://127.0.0.1@example.jp", "mailto:hanako@shop.example", "https://a@b@example.jp",
    ]),
    (No::Query, &[
        "https://example.jp?x=1", "https://example.jp/?x", "example.jp/api?", "https://example.jp/api#top", "example.jp#",
        "https://example.jp#@evil.example", "https://evil.example?@example.jp", "example.jp？x", "example.jp＃x",
        "example.jp/api/v2/?token=secret", "https://example.jp?https://127.0.0.1",
    ]),
    (No::Port, &[
        "example.jp:80", "https://example.jp:8443/api", "example.jp:22", "example.jp:0", "example.jp:65536", "example.jp:99999999999",
        "example.jp:-1", "example.jp:443x", "example.jp:http", "https://example.jp:443:443", "example.jp：8080",
        "https://example.jp:6379/api", "https://example.jp:2375",
    ]),
    (No::Path, &[
        "https://example.jp/admin", "example.jp/api/v1", "example.jp/api/v2/admin/orders.json", "example.jp/../api", "example.jp/api/..",
        "example.jp/apis", "example.jp/api/v22", "example.jp/./api", "example.jp//api", "example.jp/api//v2", "example.jp/;x", "example.jp/@evil.example",
        "https://https://example.jp", "example.jp/https://evil.example", "example.jp/latest/meta-data/",
    ]),
    (No::Ip, &[
        "127.0.0.1", "https://127.0.0.1/api", "https://127.0.0.1:443", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1",
        "0177.0.0.1", "017700000001", "0177.1", "0.0.0.0", "0", "0x0", "00000", "127.0.0.1.", "１２７．０．０．１", "①②⑦.⓪.⓪.①", "127。0。0。1",
        "127｡0｡0｡1", "10.0.0.1", "10.1", "167772161", "172.16.0.1", "192.168.0.1", "3232235521", "0xc0a80001", "169.254.169.254",
        "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "100.64.0.1", "100.100.100.200",
        "168.63.129.16", "192.0.0.192", "255.255.255.255", "224.0.0.1", "8.8.8.8", "134744072", "0x08080808", "1.1.1.1", "203.0.113.7",
        "[::1]", "https://[::1]/api", "::1", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "::ffff:169.254.169.254", "[0:0:0:0:0:0:0:1]",
        "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "fd00:ec2::254", "[2001:db8::1]", "[2606:4700::1111]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "https://[::1]:443/",

    ]),
    (No::Private, &[
        "localhost.localdomain", "localhost", "LOCALHOST", "https://localhost/api", "localhost.", "api.localhost", "ｌｏｃａｌｈｏｓｔ", "printer.local", "shop.internal",
        "api.shop.internal", "ip-10-0-0-1.ap-northeast-1.compute.internal", "router.lan", "nas.home", "wiki.corp", "x.intranet",
        "db.private", "1.0.0.127.in-addr.arpa", "router.home.arpa", "abcdefghij.onion", "host.docker.internal", "kubernetes.default.svc.cluster.local",
        "LOCAL", "internal",
    ]),
    (No::Metadata, &[
        "metadata.google.internal", "metadata", "METADATA.google.internal.", "https://metadata.google.internal/api", "metadata.azure.internal",
        "instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com", "metadata.packet.net", "rancher-metadata", "metadata.goog",
    ]),
    (No::Single, &["shop", "https://shop/api", "example", "redis:443", "https://kubernetes", "intranet-server", "日本"]),
    (No::Host, &[
        "example..jp", ".example.jp", "example.jp..", "-example.jp", "example-.jp", "exam_ple.jp", "exam!ple.jp", "example.jp,evil.example",
        "[::1", "[]", "[zz::1]", "[127.0.0.1]", "1.2.3.4.5", "256.256.256.256", "127.0.0.0x100", "example.123", "a*.example.jp", "*.example.jp", "exa<mple.jp",
        "exa'mple.jp", "\"example.jp\"", "`id`.example.jp", "$(id).example.jp", "xn--a.example", "[::1]evil.example", "{{7*7}}.example.jp",
    ]),
];

#[test]
fn hostile_urls_are_refused_each_for_its_own_reason() {
    let long_label = format!("{}.jp", "a".repeat(64));
    assert_eq!(parse(&long_label).map_err(|e| kind(&e)), Err(No::Host));
    for long in [format!("{}example.jp", "a.".repeat(130)), "a".repeat(3000), " ".repeat(5000)] {
        assert_eq!(parse(&long).map_err(|e| kind(&e)), Err(No::Long));
    }
    let (mut distinct, mut wrong) = (std::collections::HashSet::new(), Vec::new());
    for (reason, urls) in HOSTILE_URLS {
        for url in *urls {
            let refused = parse(url).map_err(|error| kind(&error));
            if refused != Err(*reason) {
                wrong.push(format!("{url:?}: {reason:?} expected, {refused:?}"));
            }
            assert!(distinct.insert(*url), "{url:?} stands there twice");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(distinct.len() >= 200, "{}", distinct.len());
}

/// What a person typed may be a password by mistake, or a book: the answer quotes only a little of it.
#[test]
fn refusals_are_short() {
    let told = parse(&format!("https://example.jp/{}", "x".repeat(2000))).unwrap_err().to_string();
    assert!(told.len() < 300, "{told}");
    let told = parse("https://hanako:open-sesame@example.jp").unwrap_err().to_string();
    assert!(!told.contains("open-sesame"), "{told}");
}

#[rustfmt::skip]
const CLOSED: &[&str] = &[
    "0.0.0.0", "0.1.2.3", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255",
    "127.0.0.0", "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254", "169.254.170.2", "169.254.255.255",
    "172.16.0.0", "172.20.1.1", "172.31.255.255", "192.0.0.0", "192.0.0.8", "192.0.0.170", "192.0.0.192", "192.0.2.0", "192.0.2.255", "192.31.196.1",
    "192.52.193.1", "192.88.99.1", "192.168.0.0", "192.168.255.255", "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.7",
    "203.0.113.7", "224.0.0.0", "224.0.0.251", "239.255.255.255", "240.0.0.0", "250.1.2.3", "255.255.255.255",
    "::", "::1", "::2", "::7f00:1", "::808:808", "::ffff:0:0", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:192.168.1.1",
    "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::192.168.0.1", "64:ff9b::0.0.0.0",
    "64:ff9b:1::1", "64:ff9b:1:ffff::808:808", "64:ff9b::1:0:0", "100::1", "100:0:0:1::1", "1::1", "2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:7f00:1::1", "2001:1::1", "2001:2::1",
    "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:1ff:ffff::1", "2001:db8::", "2001:db8::1", "2001:db8:ffff::1", "2002::1", "2002:7f00:1::1",
    "2002:a00:1::", "2002:c0a8:101::1", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "2606:4700::5efe:a00:1", "2606:4700::200:5efe:a00:1", "4000::1", "5f00::1", "8000::1",
    "fc00::1", "fd00::1", "fd00:ec2::254", "fdff:ffff::1", "fe00::1", "fe80::1", "fe80::a9fe:a9fe", "febf::1", "fec0::1", "feff::1", "ff00::1", "ff02::1", "ff0e::1", "ffff::1",
];

#[rustfmt::skip]
const OPEN: &[&str] = &[
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "52.192.0.1", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "168.63.129.17",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.1", "192.0.3.1", "192.167.255.255",
    "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.1", "203.0.114.1", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2003::1", "2400:cb00::1", "2606:4700::1111", "3ffe::1", "3fff:1000::1",
];

#[test]
fn only_the_public_internet_is_open() {
    let public = AddressPolicy::public_only();
    for ip in CLOSED {
        assert!(public.check(ip.parse().unwrap()).is_err(), "{ip} must be closed");
    }
    for ip in OPEN {
        assert_eq!(public.check(ip.parse().unwrap()), Ok(()), "{ip} must be open");
    }
    assert!(CLOSED.len() >= 100);
}

#[test]
fn a_list_opens_what_it_names_and_never_a_machines_credentials() {
    let local = AddressPolicy::with_loopback();
    let open = |policy: &AddressPolicy, ip: &str| policy.check(ip.parse::<IpAddr>().unwrap()).is_ok();
    for ip in CLOSED {
        let loopback = ip.parse::<IpAddr>().unwrap().to_canonical().is_loopback();
        assert_eq!(open(&local, ip), loopback, "{ip}");
    }
    let wide: AddressPolicy = "169.0.0.0/8,168.0.0.0/8,100.0.0.0/8,fd00::/8,fe80::/10".parse().unwrap();
    for ip in [
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "fd00:ec2::254",
        "fe80::1",
        "::ffff:169.254.169.254",
    ] {
        assert!(!open(&wide, ip), "{ip}");
    }
    assert!(open(&wide, "fd12::1") && open(&wide, "100.64.0.1"));
}
