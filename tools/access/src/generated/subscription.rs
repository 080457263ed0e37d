//! `dapr/subscriptions/<topic>.<app>.yaml`.

use super::NOTICE;
use crate::{cells::event_route, matrix::Topic};

/// A delivery to an app of so many topics has at most this many events.
///
/// Measured: in bulk an event costs the sidecar a quarter, and each delivery costs its consumer a call of its own.
/// Of a backlog analytics takes 5,011 events a second in deliveries of 256, 5,197 of 512, and 6,939 of 1,024.
fn max_messages(topics: usize) -> u16 {
    if hears_much(topics) { 1024 } else { 256 }
}

fn hears_much(topics: usize) -> bool {
    topics > 4
}

/// No event waits longer than this for others, in milliseconds, before it is delivered to an app of so many topics.
///
/// Dapr's Kafka component delivers from one partition of an app after another, and each of them has had to wait once this is
/// over: where that is less than one round through all partitions takes, every delivery is a handful of events, whatever waits.
/// Of analytics that is some 285 deliveries a second for 44 partitions, so about 150 ms.
fn max_wait(topics: usize) -> u16 {
    if hears_much(topics) { 300 } else { 100 }
}

/// The name of the subscription and of its file.
pub(super) fn name(topic: &Topic, app: &str) -> String {
    if topic.is_dead_letter() { topic.name.clone() } else { format!("{}.{app}", topic.name) }
}

/// The app's subscription to the topic, which is one of so many.
pub(super) fn of(topic: &Topic, app: &str, topics: usize, dead_letter: Option<&str>) -> String {
    let Topic { name: topic_name, .. } = topic;
    let name = name(topic, app);
    let route = event_route(topic_name, topic.is_dead_letter());
    let delivery = if topic.is_dead_letter() { String::new() } else { bulk(topics, dead_letter) };
    format!(
        "\
# {NOTICE}
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: {name}
spec:
  pubsubname: pubsub
  topic: {topic_name}
  routes:
    default: {route}
  metadata:
    # The bytes as they are: what is no CloudEvent has to reach the app too.
    rawPayload: \"true\"
    # Where a topic is read from a queue: one that is on the disk of most of its servers before it is confirmed.
    queueType: quorum
{delivery}scopes: [{app}]
"
    )
}

fn bulk(topics: usize, dead_letter: Option<&str>) -> String {
    let (max_messages, max_wait) = (max_messages(topics), max_wait(topics));
    let dead_letter = dead_letter
        .map(|topic| {
            format!(
                "  # For what the app answers DROP to, and for nothing else: the retries before it have no end.
  deadLetterTopic: {topic}
"
            )
        })
        .unwrap_or_default();
    format!(
        "  bulkSubscribe:
    enabled: true
    maxMessagesCount: {max_messages}
    maxAwaitDurationMs: {max_wait}
{dead_letter}"
    )
}
