//! Calls to the sidecars, counted by the sidecars themselves.
//!
//! daprd counts each call once, by kind, in series that do not depend on paths; `dapr/config` leaves those off that
//! would have a series for each patient.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use local::{App, Ports};

use crate::client::Client;

/// Calls by app and kind, `patient: state transaction`.
pub type Calls = BTreeMap<String, u64>;

/// What the sidecars have counted since their start.
pub async fn read(ports: Ports) -> Result<Calls> {
    let mut calls = Calls::new();
    for app in App::ALL {
        let client = Client::new(&format!("http://127.0.0.1:{}", ports.app(app).metrics), None)?;
        let answer =
            client.send(client.get("/metrics")?).await.with_context(|| format!("metrics of {app}'s sidecar"))?;
        for (kind, count) in count(&String::from_utf8_lossy(&answer.body)) {
            *calls.entry(format!("{app}: {kind}")).or_default() += count;
        }
    }
    Ok(calls)
}

/// How many more there are than `before`.
pub fn since(before: &Calls, after: &Calls) -> Calls {
    after
        .iter()
        .map(|(kind, count)| (kind.clone(), count.saturating_sub(before.get(kind).copied().unwrap_or_default())))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Whether a kind is a sidecar's call to its app, and not an app's to its sidecar.
pub fn is_delivery(kind: &str) -> bool {
    kind.contains("delivery")
}

/// The calls that a page of metrics tells of, by kind.
fn count(page: &str) -> Calls {
    let mut calls = Calls::new();
    for series in page.lines().filter_map(Series::parse) {
        if let Some(kind) = series.kind() {
            *calls.entry(kind).or_default() += series.value;
        }
    }
    calls
}

/// One line of the Prometheus text format.
#[derive(Debug, PartialEq)]
struct Series<'a> {
    name: &'a str,
    labels: &'a str,
    value: u64,
}

impl<'a> Series<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.strip_suffix('}').and_then(|series| series.split_once('{')).unwrap_or((series, ""));
        // Counters are whole; large ones come as 1.5e+06.
        let value: f64 = value.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter, checked above")]
        let value = value.round() as u64;
        Some(Self { name, labels, value })
    }

    /// The value of a label; those that are asked for here hold no quotation marks.
    fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'))
    }

    fn kind(&self) -> Option<String> {
        let operation = || self.label("operation").unwrap_or_default();
        Some(match self.name {
            // The callee of a gRPC call counts it as well.
            "dapr_runtime_service_invocation_req_sent_total" if self.label("app_id") != self.label("dst_app_id") => {
                format!("invocation of {}", self.label("dst_app_id").unwrap_or("?"))
            }
            "dapr_component_state_count" => format!("state {}", operation()),
            "dapr_component_output_binding_count" => format!("function {}", operation()),
            "dapr_component_pubsub_egress_count" => "publish".to_owned(),
            "dapr_component_pubsub_egress_bulk_count" => "bulk publish".to_owned(),
            "dapr_component_pubsub_ingress_count" => "delivery".to_owned(),
            "dapr_component_pubsub_ingress_bulk_count" => "bulk delivery".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"# HELP dapr_component_state_count The number of operations performed on the state component.
# TYPE dapr_component_state_count counter
dapr_component_state_count{app_id="patient",component="statestore",namespace="",operation="transaction",success="true"} 1.5e+06
dapr_component_state_count{app_id="patient",component="statestore",namespace="",operation="transaction",success="false"} 2
dapr_component_output_binding_count{app_id="patient",component="functions",namespace="",operation="query",success="true"} 7
dapr_runtime_service_invocation_req_sent_total{app_id="patient",dst_app_id="billing",namespace="",type="unary"} 3
dapr_runtime_service_invocation_req_sent_total{app_id="patient",dst_app_id="patient",namespace="",type="unary"} 9
dapr_component_pubsub_ingress_bulk_count{app_id="patient",component="pubsub",namespace="",topic="t"} 4
go_goroutines 12
process_start_time_seconds NaN
"#;

    #[test]
    fn a_page_of_metrics_is_counted_by_kind() {
        let expected = [
            ("bulk delivery", 4),
            ("function query", 7),
            ("invocation of billing", 3),
            ("state transaction", 1_500_002),
        ];
        assert_eq!(count(PAGE), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    }

    #[test]
    fn a_difference_leaves_out_what_did_not_happen() {
        let calls = |pairs: &[(&str, u64)]| -> Calls { pairs.iter().map(|(k, n)| ((*k).to_owned(), *n)).collect() };
        let more = since(&calls(&[("a", 3), ("b", 5)]), &calls(&[("a", 3), ("b", 9), ("c", 1)]));
        assert_eq!(more, calls(&[("b", 4), ("c", 1)]));
    }
}
