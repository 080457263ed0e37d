//! Reading the fields of requests: every wrong one is found at once, and named as the contract names it.

use contracts::analytics::v1 as wire;
use jiff::Timestamp;
use problem::{Kind, Problem, input::Findings};
use uuid::Uuid;

use crate::{
    domain::{
        fact::LONGEST_CODE,
        metric::{Dimension, Metric, catalogue},
        range::{Bound, Range},
        zone::Group,
    },
    outbound::rollups::Filters,
    service::{
        Figures,
        metrics::{Asked, Comparison},
    },
};

/// What is asked of a metric.
pub fn asked(
    figures: &Figures,
    request: &wire::GetMetricRequest,
    suppress: bool,
    now: Timestamp,
) -> Result<Asked, Problem> {
    let metric = catalogue::named(&request.metric).ok_or_else(|| {
        Problem::new(Kind::NotFound, "There is no such metric; GET /api/analytics/metrics lists all.")
    })?;
    let mut findings = Findings::default();
    let from = bound(request.from.as_deref(), "from", &mut findings);
    let to = bound(request.to.as_deref(), "to", &mut findings);
    let group = group(request.group.map(|_| request.group()), metric, &mut findings);
    let by = dimension(request.by.map(|_| request.by()), metric, &mut findings);
    let filters = Filters {
        clinic_id: id(request.clinic_id.as_deref(), Dimension::Clinic, "clinic_id", metric, &mut findings),
        practitioner_id: id(
            request.practitioner_id.as_deref(),
            Dimension::Practitioner,
            "practitioner_id",
            metric,
            &mut findings,
        ),
        service: text(request.service.as_deref(), Dimension::Service, "service", metric, &mut findings),
        payer: text(request.payer.as_deref(), Dimension::Payer, "payer", metric, &mut findings),
    };
    let compare = request.compare.map(|_| request.compare()).and_then(|compare| match compare {
        wire::Comparison::PreviousPeriod => Some(Comparison::PreviousPeriod),
        wire::Comparison::PreviousYear => Some(Comparison::PreviousYear),
        wire::Comparison::Unspecified => {
            findings.add("compare", "must be previous-period or previous-year");
            None
        }
    });
    let whole = group.map(|group| (from, to, group));
    let (from, to, group) = findings.into_result(whole)?;
    let range = Range::of(from, to, group, figures.zone(), now);
    let range = range.map_err(|refusal| Problem::invalid_field("from", refusal.to_string()))?;
    Ok(Asked { metric, range, by, filters, compare, suppress })
}

/// A period of the overview; the day when none is given.
pub fn period(period: Option<wire::Group>, findings: &mut Findings) -> Option<Group> {
    match period {
        None | Some(wire::Group::Day) => Some(Group::Day),
        Some(wire::Group::Week) => Some(Group::Week),
        Some(wire::Group::Month) => Some(Group::Month),
        Some(wire::Group::Hour | wire::Group::Unspecified) => {
            findings.add("period", "must be day, week or month");
            None
        }
    }
}

/// A clinic that may be given.
pub fn clinic(text: Option<&str>, findings: &mut Findings) -> Option<Uuid> {
    uuid(text, "clinic_id", findings)
}

fn bound(text: Option<&str>, field: &str, findings: &mut Findings) -> Option<Bound> {
    Bound::parse(text?).map_err(|detail| findings.add(field, detail)).ok()
}

fn group(group: Option<wire::Group>, metric: &Metric, findings: &mut Findings) -> Option<Group> {
    let group = match group {
        None | Some(wire::Group::Day) => Group::Day,
        Some(wire::Group::Week) => Group::Week,
        Some(wire::Group::Month) => Group::Month,
        Some(wire::Group::Hour) if metric.finest == Group::Hour => Group::Hour,
        Some(wire::Group::Hour) => {
            findings.add("group", "must be day, week or month: this metric is not told by the hour");
            return None;
        }
        Some(wire::Group::Unspecified) => {
            findings.add("group", "must be hour, day, week or month");
            return None;
        }
    };
    Some(group)
}

fn dimension(by: Option<wire::Dimension>, metric: &Metric, findings: &mut Findings) -> Option<Dimension> {
    let by = match by? {
        wire::Dimension::Clinic => Some(Dimension::Clinic),
        wire::Dimension::Practitioner => Some(Dimension::Practitioner),
        wire::Dimension::Service => Some(Dimension::Service),
        wire::Dimension::Family => Some(Dimension::Family),
        wire::Dimension::Payer => Some(Dimension::Payer),
        wire::Dimension::Age => Some(Dimension::Age),
        wire::Dimension::Unspecified => None,
    };
    let known = by.filter(|by| metric.dimensions.contains(by));
    if known.is_none() {
        findings.add(
            "by",
            "is nothing that this metric is told apart by; its dimensions are in GET /api/analytics/metrics",
        );
    }
    known
}

fn applies(dimension: Dimension, field: &str, metric: &Metric, findings: &mut Findings) -> bool {
    let applies = metric.dimensions.contains(&dimension);
    if !applies {
        findings.add(field, "is nothing that this metric is told apart by");
    }
    applies
}

fn uuid(text: Option<&str>, field: &str, findings: &mut Findings) -> Option<Uuid> {
    Uuid::parse_str(text?).map_err(|_| findings.add(field, "must be a UUID")).ok()
}

fn id(
    given: Option<&str>,
    dimension: Dimension,
    field: &str,
    metric: &Metric,
    findings: &mut Findings,
) -> Option<Uuid> {
    given.filter(|_| applies(dimension, field, metric, findings)).and_then(|text| uuid(Some(text), field, findings))
}

fn text(
    given: Option<&str>,
    dimension: Dimension,
    field: &str,
    metric: &Metric,
    findings: &mut Findings,
) -> Option<String> {
    let text = given.filter(|_| applies(dimension, field, metric, findings))?;
    if text.is_empty() || text.len() > LONGEST_CODE || text.contains('\0') {
        findings.add(field, "must be a code or an id");
        return None;
    }
    Some(text.to_owned())
}
