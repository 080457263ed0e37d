//! The process of the service `gateway`.

use std::{num::NonZeroUsize, thread::available_parallelism};

use gateway::{app::App, config::Config};
use runtime::{Environment, telemetry};
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    Builder::new_multi_thread().worker_threads(workers()).enable_all().build()?.block_on(serve())
}

/// One for every two cores: a request takes its sidecar at least as long, and each worker that waits for work is woken
/// for requests that another one has already begun.
fn workers() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get).div_ceil(2)
}

async fn serve() -> anyhow::Result<()> {
    let config = Config::read(Environment::of_process())?;
    let telemetry = telemetry::start(gateway::APP_ID, &config.app)?;
    let served = App::build(&config)?.run().await;
    telemetry.stop();
    served
}
