//! A name whose answers change: the address that is checked is the one that is dialled, each time anew. Over the wire:
//! two hosts of this machine, of which the policy opens one, as the cloud's opens the public internet.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use renkei_ecforce::{
    AddressPolicy, ApiAddress, Client, Error, Found, OrderQuery, Timeouts, Token, http_client_looking_up,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const OUTSIDE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const INSIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const PAGE: &str = r#"{"data":[],"included":[],"meta":{"total_count":0}}"#;

/// A host that answers every request with an empty page, and counts who connects.
async fn host(ip: Ipv4Addr, port: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(SocketAddr::from((ip, port))).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connected = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connected);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = vec![0; 4_096];
            let _ = stream.read(&mut request).await;
            let length = PAGE.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{PAGE}"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, connected)
}

/// The shop's client, with a name that leads where `answers` say, one after the other; and the number of look-ups.
fn client(port: u16, answers: &[&[Ipv4Addr]]) -> (Client, Arc<AtomicUsize>) {
    let policy: AddressPolicy = "127.0.0.1/32".parse().unwrap();
    let mut answers: Vec<Vec<Ipv4Addr>> = answers.iter().map(|ips| ips.to_vec()).collect();
    answers.reverse();
    let answers = Mutex::new(answers);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let look_up = move |name: String| -> Found {
        assert_eq!(name, "localhost");
        count.fetch_add(1, Ordering::SeqCst);
        let ips = answers.lock().unwrap().pop().expect("no further look-up is expected");
        // The port is the URL's, whatever a resolver says.
        let found = ips.into_iter().map(|ip| SocketAddr::new(IpAddr::V4(ip), 9)).collect();
        Box::pin(async move { Ok(found) })
    };
    let http = http_client_looking_up(&policy, &Timeouts::default(), look_up).unwrap();
    (Client::new(http, ApiAddress::parse(&format!("http://localhost:{port}"), &policy).unwrap()), asked)
}

async fn call(client: &Client) -> Result<(), Error> {
    let token = Token::parse(&"tok-123".to_owned().into()).unwrap();
    client.orders(&token, &OrderQuery::new()).await.map(|_| ())
}

#[tokio::test]
async fn what_was_checked_is_what_is_dialled_and_each_connection_is_checked_anew() {
    let (port, outside) = host(OUTSIDE, 0).await;
    let (_, inside) = host(INSIDE, port).await;
    let (client, asked) = client(port, &[&[OUTSIDE], &[INSIDE], &[OUTSIDE, INSIDE], &[INSIDE, OUTSIDE], &[OUTSIDE]]);

    // The first look-up is answered with an address that is open. A second one, which would be answered otherwise, is
    // not made: the call goes to where was checked.
    call(&client).await.unwrap();
    assert_eq!((asked.load(Ordering::SeqCst), outside.load(Ordering::SeqCst)), (1, 1));

    // By the next call the name leads inside, alone or beside an honest address: nobody is called.
    for _ in 0..3 {
        let refused = call(&client).await.unwrap_err();
        assert!(matches!(&refused, Error::AddressRefused { source, .. } if source.ip == INSIDE), "{refused}");
    }
    assert_eq!((outside.load(Ordering::SeqCst), inside.load(Ordering::SeqCst)), (1, 0));

    // And once it leads outside again, it is called again.
    call(&client).await.unwrap();
    assert_eq!(
        (asked.load(Ordering::SeqCst), outside.load(Ordering::SeqCst), inside.load(Ordering::SeqCst)),
        (5, 2, 0)
    );
}
