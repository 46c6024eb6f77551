//! A simulator in this process.

use std::net::SocketAddr;
use std::ops::Deref;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api::{ShopSpec, ShopStatus};
use crate::client::{ClientError, ControlClient};
use crate::control::{self, Shops};

/// A running simulator. It stops when dropped.
///
/// It speaks to itself through its own control API, so what a test sees here is what any other program would see:
/// all methods are those of [`ControlClient`].
pub struct Simulator {
    client: ControlClient,
    address: SocketAddr,
    shops: Shops,
    closing: watch::Sender<bool>,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The control port is taken, or may not be used.
    #[error("cannot listen at the control port: {0}")]
    Listen(#[from] std::io::Error),
    /// A shop could not be opened, or the client not be built.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Simulator {
    /// Starts a simulator without shops; port 0 picks a free one.
    pub async fn start(control_port: u16) -> Result<Self, StartError> {
        let listener = TcpListener::bind(("127.0.0.1", control_port)).await?;
        let address = listener.local_addr()?;
        let shops = Shops::new();
        let (closing, mut closed) = watch::channel(false);
        let service = control::router(shops.clone());
        tokio::spawn(async move {
            let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
                drop(closed.wait_for(|closed| *closed).await);
            });
            if let Err(error) = serving.await {
                tracing::error!(%error, "the control API stopped");
            }
        });
        let client = ControlClient::new(&format!("http://{address}"))?;
        Ok(Self { client, address, shops, closing })
    }

    /// Starts a simulator with one shop.
    pub async fn with_shop(spec: &ShopSpec) -> Result<(Self, ShopStatus), StartError> {
        let simulator = Self::start(0).await?;
        let shop = simulator.add_shop(spec).await?;
        Ok((simulator, shop))
    }

    /// The control port.
    #[must_use]
    pub fn control_port(&self) -> u16 {
        self.address.port()
    }
}

impl Deref for Simulator {
    type Target = ControlClient;

    fn deref(&self) -> &ControlClient {
        &self.client
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shops.close_all();
        self.closing.send_replace(true);
    }
}
