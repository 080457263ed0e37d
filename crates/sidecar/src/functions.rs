//! The SQL functions of schema `api`: the only way to ask the database anything but a document by its key.

use std::{collections::HashMap, time::Duration};

use dapr::dapr::proto::runtime::v1::InvokeBindingRequest;
use futures::future::join_all;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use tonic::{Code, Request, Status};
use tracing::{Instrument as _, Span};

use crate::{STORE_DEADLINE, Sidecar, batch::Batcher, component, failure::Failure};

/// More questions in one call make the first wait for the last.
const LARGEST_BATCH: usize = 32;
const CALLS_UNDER_WAY: usize = 1;

/// A function that only reads and is asked for several callers at once.
#[derive(Clone, Debug)]
pub struct Questions {
    function: &'static str,
    batcher: Batcher<(Span, Box<RawValue>), Result<Box<RawValue>, Failure>>,
}

impl Questions {
    /// Questions to a function by its name; it answers each alone, so who asks beside whom makes no difference.
    pub fn new(sidecar: &Sidecar, function: &'static str) -> Self {
        let sidecar = sidecar.clone();
        let batcher = Batcher::spawn(LARGEST_BATCH, CALLS_UNDER_WAY, move |asked: Vec<(Span, Box<RawValue>)>| {
            let sidecar = sidecar.clone();
            let span = asked.first().map_or_else(Span::none, |(span, _)| span.clone());
            let asked = asked.into_iter().map(|(_, parameter)| parameter).collect();
            async move { sidecar.query_all(function, asked).await }.instrument(span)
        });
        Self { function, batcher }
    }

    /// Asks, with others if there are any. Waiting for a call that hangs counts as hanging.
    pub async fn ask<P: Serialize, R: DeserializeOwned>(&self, parameter: &P) -> Result<R, Failure> {
        let parameter = to_raw_value(parameter).map_err(|error| Failure::Bug(error.to_string()))?;
        let answer = tokio::time::timeout(STORE_DEADLINE, self.batcher.ask((Span::current(), parameter))).await;
        match answer {
            Ok(Some(answer)) => read(self.function, answer?.get()),
            Ok(None) => Err(Failure::of(Status::cancelled("the call did not come back"))),
            Err(elapsed) => Err(Failure::of(Status::deadline_exceeded(elapsed.to_string()))),
        }
    }
}

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
        read(function, &self.query_text(function, sql, parameter).await?)
    }

    /// Asks the same function several times in one call; answers in the order of the parameters.
    async fn query_all(
        &self,
        function: &'static str,
        parameters: Vec<Box<RawValue>>,
    ) -> Vec<Result<Box<RawValue>, Failure>> {
        if parameters.len() > 1 {
            let sql = format!(
                "select json_agg(api.{function}(asked) order by place)::text \
                 from jsonb_array_elements($1::jsonb) with ordinality as question(asked, place)"
            );
            let answered = self.query_text(function, sql, &parameters).await;
            match answered.and_then(|text| read::<Vec<Box<RawValue>>>(function, &text)) {
                Ok(answers) if answers.len() == parameters.len() => return answers.into_iter().map(Ok).collect(),
                // The store hangs: to ask again would only take longer.
                Err(Failure::Unknown(status)) if status.code() == Code::DeadlineExceeded => {
                    return parameters.iter().map(|_| Err(Failure::Unknown(status.clone()))).collect();
                }
                // One of them may have spoilt it for the others.
                _ => {}
            }
        }
        join_all(parameters.iter().map(|parameter| self.query(function, parameter))).await
    }

    async fn query_text<P: Serialize>(
        &self,
        function: &'static str,
        sql: String,
        parameter: &P,
    ) -> Result<String, Failure> {
        let answer = self.call_functions("query", sql, parameter, STORE_DEADLINE).await?;
        let rows: Vec<(String,)> = serde_json::from_slice(&answer).map_err(|_| hidden(function))?;
        let Ok([(row,)]) = <[(String,); 1]>::try_from(rows) else { return Err(hidden(function)) };
        Ok(row)
    }

    /// Has a function take effect; it answers nothing.
    pub async fn exec<P: Serialize>(&self, function: &'static str, parameter: &P) -> Result<(), Failure> {
        self.exec_within(function, parameter, STORE_DEADLINE).await
    }

    /// The same of what takes longer, where nobody waits for an answer.
    pub async fn exec_within<P: Serialize>(
        &self,
        function: &'static str,
        parameter: &P,
        deadline: Duration,
    ) -> Result<(), Failure> {
        let sql = format!("select api.{function}($1::jsonb)");
        self.call_functions("exec", sql, parameter, deadline).await.map(drop)
    }

    async fn call_functions<P: Serialize>(
        &self,
        operation: &str,
        sql: String,
        parameter: &P,
        deadline: Duration,
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
        request.set_timeout(deadline);
        Ok(self.grpc().invoke_binding(request).await?.into_inner().data)
    }
}

fn read<R: DeserializeOwned>(function: &str, answer: &str) -> Result<R, Failure> {
    serde_json::from_str(answer)
        .map_err(|error| Failure::Bug(format!("api.{function} answered something else: {error}")))
}

fn hidden(function: &str) -> Failure {
    Failure::Unknown(Box::new(Status::unknown(format!("api.{function} did not answer one row"))))
}
