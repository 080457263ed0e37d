//! The SQL functions of schema `api`: the only way to ask the database anything but a document by its key.

use std::collections::HashMap;

use dapr::dapr::proto::runtime::v1::InvokeBindingRequest;
use serde::{Serialize, de::DeserializeOwned};
use tonic::{Request, Status};

use crate::{STORE_DEADLINE, Sidecar, component, failure::Failure};

impl Sidecar {
    /// Asks a function that only reads, by its name; it answers one JSON value.
    ///
    /// The binding's `query` hides errors behind an empty or short answer, so anything but one row with one text is
    /// an error, and nothing with an effect may be called so.
    pub async fn query<P: Serialize, R: DeserializeOwned>(
        &self,
        function: &'static str,
        parameter: &P,
    ) -> Result<R, Failure> {
        let sql = format!("select api.{function}($1::jsonb)::text");
        let answer = self.call_functions("query", sql, parameter).await?;
        let rows: Vec<(String,)> = serde_json::from_slice(&answer).map_err(|_| hidden(function))?;
        let [(row,)] = rows.as_slice() else { return Err(hidden(function)) };
        serde_json::from_str(row)
            .map_err(|error| Failure::Bug(format!("api.{function} answered something else: {error}")))
    }

    /// Has a function take effect; it answers nothing.
    pub async fn exec<P: Serialize>(&self, function: &'static str, parameter: &P) -> Result<(), Failure> {
        let sql = format!("select api.{function}($1::jsonb)");
        self.call_functions("exec", sql, parameter).await.map(drop)
    }

    async fn call_functions<P: Serialize>(
        &self,
        operation: &str,
        sql: String,
        parameter: &P,
    ) -> Result<Vec<u8>, Failure> {
        let parameter = serde_json::to_string(parameter).map_err(|error| Failure::Bug(error.to_string()))?;
        // The parameters are a JSON array of texts: JSON in JSON.
        let params = serde_json::to_string(&[parameter]).map_err(|error| Failure::Bug(error.to_string()))?;
        let mut request = Request::new(InvokeBindingRequest {
            name: component::FUNCTIONS.to_owned(),
            operation: operation.to_owned(),
            metadata: HashMap::from([("sql".to_owned(), sql), ("params".to_owned(), params)]),
            ..InvokeBindingRequest::default()
        });
        request.set_timeout(STORE_DEADLINE);
        Ok(self.grpc().invoke_binding(request).await?.into_inner().data)
    }
}

fn hidden(function: &str) -> Failure {
    Failure::Unknown(Box::new(Status::unknown(format!("api.{function} did not answer one row"))))
}
