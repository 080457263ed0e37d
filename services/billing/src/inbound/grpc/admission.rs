//! Who may call a method, and what is left in the audit of who did.

use std::{collections::BTreeMap, sync::Arc};

use access::{
    AccessTokens, Allowed, Caller,
    matrix::{MatrixError, allowed_to},
};
use audit::{Action, Entry, Outcome, Recorder};
use problem::{Kind, Problem};
use prost::Message;
use runtime::http::request;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use crate::{APP_ID, service::Keyed};

/// Makes ids of keyed requests.
const REQUESTS: Uuid = Uuid::from_u128(0x8c1f_37d2_0a65_4e9b_b2d4_6e90_13f7_c85a);

/// The door of the service's methods; clones share it.
#[derive(Clone, Debug)]
pub struct Admission {
    tokens: Arc<AccessTokens>,
    recorder: Recorder,
    rules: BTreeMap<&'static str, &'static Allowed>,
}

/// What is shown of whom.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// What, such as `invoice`.
    pub kind: &'static str,
    /// Which; none of a list.
    pub id: Option<Uuid>,
    /// Which version.
    pub version: Option<u64>,
    /// Of whom, where it is of one.
    pub patient: Option<Uuid>,
}

impl Shown {
    /// A list, of one patient's or of all.
    pub const fn list(kind: &'static str, patient: Option<Uuid>) -> Self {
        Self { kind, id: None, version: None, patient }
    }

    fn entry(self, subtype: &'static str, caller: &Caller) -> Entry {
        let entry = Entry::new(Action::Read, subtype).by(caller);
        let entry = match self.id {
            Some(id) => entry.about(self.kind, id),
            None => entry.about_all(self.kind),
        };
        let entry = self.version.into_iter().fold(entry, Entry::version);
        self.patient.into_iter().fold(entry, Entry::of_patient)
    }
}

impl Admission {
    /// The door of these methods; each has its rule in the matrix of roles.
    pub fn of(tokens: Arc<AccessTokens>, recorder: Recorder, methods: &[&'static str]) -> Result<Self, MatrixError> {
        let rules = methods.iter().map(|&method| Ok((method, allowed_to(APP_ID, method)?)));
        Ok(Self { tokens, recorder, rules: rules.collect::<Result<_, MatrixError>>()? })
    }

    /// The caller of a method, if they may call it. Who may not is in the audit.
    pub fn admit(&self, metadata: &MetadataMap, method: &'static str) -> Result<Caller, Problem> {
        let caller = Caller::of_metadata(&self.tokens, metadata)?;
        let rule = self.rules.get(method).ok_or_else(|| Problem::internal(format!("{method} has no rule")))?;
        rule.admit(&caller).inspect_err(|_| {
            let (service, name) = method.split_once('/').unwrap_or(("", method));
            let entry = Entry::new(Action::Execute, "refused").by(&caller).ended(Outcome::SeriousFailure);
            let entry = entry.about_all("method").detail("service", service).detail("method", name);
            if let Err(problem) = self.recorder.record(&entry) {
                tracing::error!(%problem, "a refusal is not in the audit");
            }
        })?;
        Ok(caller)
    }

    /// Nobody is shown anything without a trace.
    pub fn show(&self, caller: &Caller, shown: Shown) -> Result<(), Problem> {
        let subtype = if shown.id.is_some() { "read" } else { "search" };
        self.recorder.record(&shown.entry(subtype, caller))
    }

    /// Somebody looked for what is not there.
    pub fn missed(&self, caller: &Caller, kind: &'static str, id: Option<Uuid>) -> Problem {
        let shown = Shown { kind, id, version: None, patient: None };
        match self.recorder.record(&shown.entry("read", caller).ended(Outcome::MinorFailure)) {
            Ok(()) => Problem::new(Kind::NotFound, format!("There is no such {}.", kind.replace('-', " "))),
            Err(problem) => problem,
        }
    }
}

/// The request's key, in one with who calls what on which thing, and the hash of what is asked.
pub fn keyed<M: Message>(
    metadata: &MetadataMap,
    caller: &Caller,
    route: &str,
    thing: &str,
    asked: &M,
) -> Result<Keyed, Problem> {
    let headers = metadata.clone().into_headers();
    let key = request::required_key(&headers, &REQUESTS, caller.subject, route, thing)?;
    Ok(Keyed { key, hash: Uuid::new_v5(&REQUESTS, &asked.encode_to_vec()) })
}
