//! Output bindings: handing something to the world outside, by a component that an operator chooses.

use std::{collections::HashMap, time::Duration};

use dapr::dapr::proto::runtime::v1::InvokeBindingRequest;
use serde::Serialize;
use tonic::Request;
use uuid::Uuid;

use crate::{Sidecar, failure::Failure};

/// Longer than a component waits for its receiver.
const DEADLINE: Duration = Duration::from_secs(8);

impl Sidecar {
    /// Hands a message to an output binding, with a key by which its receiver knows one that comes again.
    ///
    /// The key goes along as metadata `Idempotency-Key`, which `bindings.http` makes a header of. A failure may come
    /// after the receiver has taken the message.
    pub async fn hand_over<M: Serialize>(&self, binding: &str, key: Uuid, message: &M) -> Result<(), Failure> {
        let data = serde_json::to_vec(message).map_err(|error| Failure::Bug(error.to_string()))?;
        let mut request = Request::new(InvokeBindingRequest {
            name: binding.to_owned(),
            operation: "create".to_owned(),
            metadata: HashMap::from([("Idempotency-Key".to_owned(), key.to_string())]),
            data,
        });
        request.set_timeout(DEADLINE);
        self.grpc().invoke_binding(request).await?;
        Ok(())
    }
}
