//! The secret store.

use std::collections::HashMap;

use dapr::dapr::proto::runtime::v1::GetSecretRequest;
use secrecy::SecretString;
use tonic::Request;

use crate::{
    STORE_DEADLINE, Sidecar, component,
    failure::{Failure, is_missing_secret},
};

impl Sidecar {
    /// A secret by its name; none when the store does not have it.
    pub async fn secret(&self, name: &str) -> Result<Option<SecretString>, Failure> {
        let mut request = Request::new(GetSecretRequest {
            store_name: component::SECRETSTORE.to_owned(),
            key: name.to_owned(),
            metadata: HashMap::new(),
        });
        request.set_timeout(STORE_DEADLINE);
        match self.grpc().get_secret(request).await {
            Ok(answer) => Ok(answer.into_inner().data.remove(name).map(SecretString::from)),
            Err(status) if is_missing_secret(&status) => Ok(None),
            Err(status) => Err(Failure::of(status)),
        }
    }
}
