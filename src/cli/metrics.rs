//! `--metrics`: where a run can be watched by Prometheus and its kin.
//!
//! The page is `live::scrape`'s.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;

use crate::live::scrape::{Door, Meter, Side};

#[derive(Debug, clap::Args)]
pub(super) struct MetricsArgs {
    /// Serve OpenMetrics for Prometheus here while it runs, such as at 127.0.0.1:9421: this machine only; port 0 picks one
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = loopback)]
    metrics: Option<SocketAddr>,
}

impl MetricsArgs {
    /// Opens the page and says where. `None`: nobody wants it.
    pub(super) fn open(
        &self,
        side: Side,
        profile: String,
        quiet: bool,
    ) -> anyhow::Result<Option<Arc<Meter>>> {
        let Some(address) = self.metrics else { return Ok(None) };
        let meter = Arc::new(Meter::new(side, profile));
        let cannot = || format!("--metrics: cannot listen at {address}");
        let door = Door::open(address).with_context(cannot)?;
        // Who let a port be picked must learn which.
        if !quiet || address.port() == 0 {
            eprintln!("metrics: http://{}/metrics", door.address());
        }
        door.answer(Arc::clone(&meter)).with_context(cannot)?;
        Ok(Some(meter))
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "an address and a port are wanted, such as 127.0.0.1:9421".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(format!("{} is not an address of this machine only, such as 127.0.0.1 or [::1]", address.ip()))
    }
}
