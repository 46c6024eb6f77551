//! Which connections AWS is called over: one for all that is well, and another after an answer that may be its machine's
//! fault.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use renkei_platform::queue::Queue;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Answers with this status.
    Answers(u16),
    /// Answers well, and closes the connection without having said so.
    AnswersAndCloses,
    /// Closes it without an answer.
    Closes,
}

/// A server that does so with one request after the other, and knows on which of its connections, from 0, each came.
struct Server {
    endpoint: String,
    came_on: Arc<Mutex<Vec<usize>>>,
}

impl Server {
    async fn that(script: &'static [Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let came_on = Arc::new(Mutex::new(Vec::new()));
        let came = Arc::clone(&came_on);
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script, Arc::clone(&came), connection));
                connection += 1;
            }
        });
        Self { endpoint, came_on }
    }

    /// Makes so many calls as a function does, and says on which connections their attempts came.
    async fn called(&self, calls: usize) -> Vec<usize> {
        let config = renkei_platform::aws::of_variables(|name| match name {
            "AWS_REGION" => Some("ap-northeast-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_ENDPOINT_URL" => Some(self.endpoint.clone()),
            _ => None,
        });
        let queue = Queue::new(&config.unwrap(), "http://queue.example/1/q");
        for call in 0..calls {
            queue.extend_visibility("receipt", Duration::from_mins(1)).await.unwrap_or_else(|e| panic!("{call}: {e}"));
            // A connection that its server has closed is known to be closed a moment later.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.came_on.lock().unwrap().clone()
    }
}

/// One connection, to its end.
async fn serve(stream: TcpStream, script: &'static [Does], came: Arc<Mutex<Vec<usize>>>, connection: usize) {
    let mut stream = BufStream::new(stream);
    while let Some(length) = head(&mut stream).await {
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        let turn = {
            let mut came = came.lock().unwrap();
            came.push(connection);
            came.len() - 1
        };
        let does = script.get(turn).copied().unwrap_or(Does::Answers(200));
        let status = match does {
            Does::Closes => return,
            Does::AnswersAndCloses => 200,
            Does::Answers(status) => status,
        };
        let answer = format!(
            "HTTP/1.1 {status} As-Told\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        if does == Does::AnswersAndCloses {
            return;
        }
    }
}

/// Reads a request's head: how long its body is; None at the connection's end.
async fn head(stream: &mut BufStream<TcpStream>) -> Option<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        match stream.read_line(&mut line).await {
            Ok(0) | Err(_) => return None,
            Ok(_) if line == "\r\n" => return Some(length),
            Ok(_) => {}
        }
        assert!(!line.starts_with("PRI "), "that is HTTP/2");
        if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            length = value.trim().parse().unwrap();
        }
    }
}

#[tokio::test]
async fn calls_share_a_connection_as_long_as_all_is_well() {
    assert_eq!(Server::that(&[]).await.called(4).await, [0, 0, 0, 0]);
    let closed = Server::that(&[Does::AnswersAndCloses]).await;
    assert_eq!(closed.called(3).await, [0, 1, 1], "one that was closed meanwhile is not tried");
}

#[tokio::test]
async fn another_attempt_is_made_over_another_connection() {
    for wrong in [Does::Answers(500), Does::Answers(503), Does::Closes] {
        let script: &'static [Does] = Box::leak(Box::new([Does::Answers(200), wrong]));
        assert_eq!(Server::that(script).await.called(3).await, [0, 0, 1, 1], "{wrong:?}");
    }
}
