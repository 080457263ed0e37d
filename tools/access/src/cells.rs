//! Every cell of the matrix, the refused ones too.

use std::collections::BTreeSet;

use crate::{
    matrix::Matrix,
    operation::{Operation, Verb},
    policy::Inexpressible,
};

/// One caller, one callee, one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who asks.
    pub caller: String,
    /// Who is asked.
    pub callee: String,
    /// For what.
    pub operation: Operation,
    /// Whether the callee's sidecar lets it through.
    pub verdict: Verdict,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The matrix has it.
    Allowed,
    /// The callee's sidecar answers 403 or `PERMISSION_DENIED`.
    Refused,
    /// The matrix does not have it, but Dapr cannot tell it from something that it has: the callee decides.
    Tolerated,
}

/// One app, one topic, one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicUse {
    /// Who.
    pub app: String,
    /// Which.
    pub topic: String,
    /// How.
    pub direction: Use,
    /// Whether the app's sidecar does it.
    pub allowed: bool,
}

/// What an app does with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It publishes.
    Publish,
    /// It subscribes.
    Subscribe,
}

impl Matrix {
    /// Every call that one app could try at another.
    pub fn calls_between_apps(&self) -> Result<Vec<Call>, Inexpressible> {
        let mut calls = Vec::new();
        for callee in &self.apps {
            let operations = self.known_operations(&callee.id);
            for caller in self.apps.iter().filter(|caller| caller.id != callee.id) {
                let policy = self.policy(&caller.id, &callee.id)?;
                let granted = self.operations(&caller.id, &callee.id);
                calls.extend(operations.iter().map(|operation| Call {
                    caller: caller.id.clone(),
                    callee: callee.id.clone(),
                    operation: operation.clone(),
                    verdict: match (granted.contains(&operation), policy.allows(operation)) {
                        (true, _) => Verdict::Allowed,
                        (false, true) => Verdict::Tolerated,
                        (false, false) => Verdict::Refused,
                    },
                }));
            }
        }
        Ok(calls)
    }

    /// Every app with every topic, both ways.
    pub fn topic_uses(&self) -> Vec<TopicUse> {
        let mut uses = Vec::new();
        for topic in &self.topics {
            for app in &self.apps {
                for (direction, allowed) in [(Use::Publish, &topic.publishers), (Use::Subscribe, &topic.subscribers)] {
                    uses.push(TopicUse {
                        app: app.id.clone(),
                        topic: topic.name.clone(),
                        direction,
                        allowed: allowed.contains(&app.id),
                    });
                }
            }
        }
        uses
    }

    /// Every method of every route in the matrix, and the routes that are for the app's own sidecar alone.
    fn known_operations(&self, app: &str) -> BTreeSet<Operation> {
        let mut operations = BTreeSet::from(["/livez", "/readyz"].map(|path| Operation::http(Verb::Get, path)));
        for topic in self.topics.iter().filter(|topic| topic.subscribers.contains(app)) {
            operations.insert(Operation::http(Verb::Post, &event_route(&topic.name, topic.is_dead_letter())));
        }
        for grant in self.calls.iter().filter(|grant| grant.callee == app) {
            match &grant.operation {
                Operation::Http { path, .. } => operations.extend(Verb::ALL.map(|verb| Operation::http(verb, path))),
                Operation::Grpc { .. } => {
                    operations.insert(grant.operation.clone());
                }
            }
        }
        operations
    }
}

/// The route at which an app receives a topic.
pub(crate) fn event_route(topic: &str, is_dead_letter: bool) -> String {
    if is_dead_letter { "/events/dead-letter".to_owned() } else { format!("/events/{topic}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
apps:
  a: {blocks: [10]}
  b: {blocks: [20]}
  c: {blocks: [30]}
calls:
  a:
    GET /x: [b]
    POST /x/*: [b]
topics:
  - {name: b.made, publish: [b], subscribe: [a]}
  - {name: a.dead-letter, publish: [a], subscribe: [a]}
";

    fn verdict(caller: &str, callee: &str, operation: &str) -> Verdict {
        let calls = Matrix::parse(FILE).unwrap().calls_between_apps().unwrap();
        let found = calls
            .iter()
            .find(|call| call.caller == caller && call.callee == callee && call.operation.to_string() == operation);
        found.unwrap_or_else(|| panic!("no cell {caller} -> {callee} {operation}")).verdict
    }

    #[test]
    fn every_other_app_is_tried_at_every_operation() {
        assert_eq!(verdict("b", "a", "GET /x"), Verdict::Allowed);
        assert_eq!(verdict("c", "a", "GET /x"), Verdict::Refused);
        assert_eq!(verdict("b", "a", "DELETE /x"), Verdict::Refused);
        assert_eq!(verdict("b", "a", "GET /livez"), Verdict::Refused);
        assert_eq!(verdict("a", "c", "GET /readyz"), Verdict::Refused);
    }

    #[test]
    fn what_dapr_cannot_tell_apart_is_named() {
        assert_eq!(verdict("b", "a", "POST /x"), Verdict::Tolerated);
        assert_eq!(verdict("b", "a", "GET /x/*"), Verdict::Tolerated);
        assert_eq!(verdict("c", "a", "POST /x"), Verdict::Refused);
    }

    #[test]
    fn nobody_may_play_the_broker() {
        assert_eq!(verdict("b", "a", "POST /events/b.made"), Verdict::Refused);
        assert_eq!(verdict("b", "a", "POST /events/dead-letter"), Verdict::Refused);
    }

    #[test]
    fn topics_are_refused_by_direction() {
        let uses = Matrix::parse(FILE).unwrap().topic_uses();
        let allowed = |app: &str, topic: &str, direction: Use| {
            uses.iter().any(|one| one.app == app && one.topic == topic && one.direction == direction && one.allowed)
        };
        assert!(allowed("b", "b.made", Use::Publish) && !allowed("b", "b.made", Use::Subscribe));
        assert!(allowed("a", "b.made", Use::Subscribe) && !allowed("a", "b.made", Use::Publish));
        assert_eq!(uses.len(), 2 * 3 * 2);
    }
}
