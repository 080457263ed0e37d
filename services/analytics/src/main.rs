//! The process of the service `analytics`.

use analytics::{app::App, config::Config};
use runtime::{Environment, telemetry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::read(Environment::of_process())?;
    let telemetry = telemetry::start(analytics::APP_ID, &config.app)?;
    let served = App::build(&config)?.run().await;
    telemetry.stop();
    served
}
