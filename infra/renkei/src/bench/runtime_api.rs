//! Lambda, as far as a function's start goes: it starts a program, and notes when it first asks for work.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::spawn;
use std::time::{Duration, Instant};

use crate::error::CliError;

/// With what a function asks for work.
const NEXT: &[u8] = b"GET /2018-06-01/runtime/invocation/next ";
/// What a function asks before it asks for work is shorter.
const MOST_BYTES: usize = 16 * 1024;
/// How long a function may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// One start.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// From the program's start until it asks for work.
    pub took: Duration,
    /// Connections to AWS that it opened before.
    pub aws_connections: usize,
}

/// Listens for functions that ask for work, and gives none; and in AWS's place, where nobody answers.
pub struct RuntimeApi {
    address: SocketAddr,
    asked: Receiver<Result<Instant, String>>,
    aws: SocketAddr,
    aws_connections: Arc<AtomicUsize>,
}

impl RuntimeApi {
    /// Listens from now on, in threads of its own.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (sender, asked) = channel();
        spawn(move || listen(&listener, &sender));
        let in_place_of_aws = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let aws = in_place_of_aws.local_addr()?;
        let aws_connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&aws_connections);
        spawn(move || {
            for connection in in_place_of_aws.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });
        Ok(Self { address, asked, aws, aws_connections })
    }

    /// Starts a program with this environment and what Lambda adds to it, waits until it asks for work, and ends it.
    pub fn start(
        &self,
        name: &str,
        command: &mut Command,
        environment: &BTreeMap<String, String>,
    ) -> Result<Start, CliError> {
        let failed = |error: io::Error| CliError::said(format!("{name} cannot be started: {error}"));
        command.env_clear().envs(environment).envs(self.by_lambda(name));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let before = self.aws_connections.load(Ordering::SeqCst);
        let began = Instant::now();
        let mut child = command.spawn().map_err(failed)?;
        let asked = self.until_asked(&mut child, began);
        // It waits for work, or has ended.
        let _ = child.kill();
        let ended = child.wait_with_output().map_err(failed)?;
        let at = asked.map_err(|what| {
            let said = String::from_utf8_lossy(&ended.stderr);
            CliError::said(format!("{name} {what}: {}", said.trim()))
        })?;
        let aws_connections = self.aws_connections.load(Ordering::SeqCst) - before;
        Ok(Start { took: at.duration_since(began), aws_connections })
    }

    fn until_asked(&self, child: &mut Child, began: Instant) -> Result<Instant, String> {
        loop {
            match self.asked.recv_timeout(Duration::from_millis(200)) {
                Ok(asked) => return asked,
                Err(RecvTimeoutError::Disconnected) => return Err("cannot be listened to".to_owned()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("ended before it asked for work ({status})"));
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("did not ask for work within {} s", PATIENCE.as_secs()));
            }
        }
    }

    fn by_lambda(&self, name: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_LAMBDA_RUNTIME_API", self.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", name.to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "start".to_owned()),
            ("AWS_REGION", "ap-northeast-1".to_owned()),
            ("AWS_DEFAULT_REGION", "ap-northeast-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "000000000000".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_SESSION_TOKEN", "local".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.aws)),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ]
    }
}

fn listen(listener: &TcpListener, sender: &Sender<Result<Instant, String>>) {
    // A function that is closed upon would end by itself, and say so; it is kept until the next comes.
    let mut kept = None;
    for connection in listener.incoming() {
        let Ok(mut connection) = connection else { continue };
        let asked = match head(&mut connection) {
            Ok(head) if head.starts_with(NEXT) => Ok(Instant::now()),
            Ok(head) => Err(format!("said something else than that it wants work: {}", first_line(&head))),
            // It has ended, or will be waited for in vain.
            Err(_) => continue,
        };
        drop(kept.replace(connection));
        if sender.send(asked).is_err() {
            return;
        }
    }
}

/// A request's line and headers.
fn head(connection: &mut TcpStream) -> io::Result<Vec<u8>> {
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = connection.read(&mut buffer)?;
        if read == 0 || head.len() > MOST_BYTES {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&buffer[..read]);
    }
    Ok(head)
}

fn first_line(head: &[u8]) -> String {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Start, CliError> {
        let mut command = Command::new("/bin/bash");
        command.args(["-c", script]);
        RuntimeApi::open().unwrap().start("f", &mut command, &BTreeMap::from([("GIVEN".into(), "yes".into())]))
    }

    /// Bash speaks TCP by itself.
    const ASK: &str = r"exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\/};
        printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: x\r\n\r\n' >&3; read -u 3";

    #[test]
    fn a_start_lasts_until_the_program_asks_for_work() {
        let start = shell(&format!("[ $GIVEN = yes ] || exit 1; sleep 0.3; {ASK}")).unwrap();
        assert!((300..5_000).contains(&start.took.as_millis()), "{start:?}");
        assert_eq!(start.aws_connections, 0);
    }

    #[test]
    fn what_is_asked_of_aws_before_is_counted() {
        let aws = r"address=${AWS_ENDPOINT_URL#http://}; exec 4<>/dev/tcp/${address/:/\/}; sleep 0.1;";
        assert_eq!(shell(&format!("{aws} {ASK}")).unwrap().aws_connections, 1);
    }

    #[test]
    fn a_program_that_ends_or_fails_to_start_is_an_error_with_what_it_said() {
        let error = shell("echo a variable is missing >&2; exit 3").unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("a variable is missing"), "{error}");
        let error = shell(&ASK.replace("invocation/next", "init/error")).unwrap_err().to_string();
        assert!(error.contains("init/error"), "{error}");
    }
}
