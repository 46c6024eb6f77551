//! Connections that can be cut: the shop's end of a TCP line, which a fault resets instead of answering on it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections whose handlers can cut them.
pub struct ShopListener(TcpListener);

impl ShopListener {
    /// Listens at a bound socket.
    pub fn new(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl Listener for ShopListener {
    type Io = ShopStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (ShopStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Answers are small and whole; waiting to fill a segment would only slow callers down.
        drop(stream.set_nodelay(true));
        (ShopStream { stream, line: Line::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A handler's hold on its connection.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<AtomicBool>);

impl Line {
    /// The next byte written resets the connection.
    pub fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, ShopListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, ShopListener>) -> Self {
        stream.io().line.clone()
    }
}

/// A connection.
pub struct ShopStream {
    stream: TcpStream,
    line: Line,
}

impl ShopStream {
    fn reset(&self) -> io::Error {
        // With no linger, closing sends RST instead of FIN.
        drop(self.stream.set_zero_linger());
        io::Error::from(ErrorKind::ConnectionReset)
    }
}

impl AsyncRead for ShopStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.line.is_cut() {
            return Poll::Ready(Err(self.reset()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ShopStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.line.is_cut() {
            return Poll::Ready(Err(self.reset()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.line.is_cut() {
            return Poll::Ready(Err(self.reset()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
