//! Who books at the same practitioner takes turns here, before they would in the database.
//!
//! There a turn costs a connection for as long as it is waited for, and a hundred people who want one time would leave
//! none for anybody else. It is the database that makes two at once impossible, whatever happens here, and another
//! instance has turns of its own.

use std::{array, sync::Arc, time::Duration};

use sidecar::failure::Failure;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time,
};
use tonic::Status;

use crate::domain::calendar::PractitionerId;

/// So many that two practitioners rarely share one.
const TURNS: usize = 256;
/// Longer than two hundred take who all want the same time.
const PATIENCE: Duration = Duration::from_secs(3);

/// A turn for each practitioner, more or less.
#[derive(Clone, Debug)]
pub(super) struct Turns(Arc<[Arc<Mutex<()>>; TURNS]>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(array::from_fn(|_| Arc::default())))
    }
}

impl Turns {
    /// Waits for a turn, which lasts until it is dropped. Who waits too long has changed nothing, and may come again.
    pub(super) async fn take(&self, practitioner: PractitionerId) -> Result<OwnedMutexGuard<()>, Failure> {
        // The last bytes of an id are random or a hash.
        let [.., high, low] = practitioner.as_uuid().into_bytes();
        let turn = &self.0[usize::from(u16::from_be_bytes([high, low])) % TURNS];
        let waited = time::timeout(PATIENCE, Arc::clone(turn).lock_owned()).await;
        waited.map_err(|elapsed| Failure::of(Status::deadline_exceeded(elapsed.to_string())))
    }
}
