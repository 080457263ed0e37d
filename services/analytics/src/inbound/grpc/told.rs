//! Figures as the contract tells them.

use contracts::{Timestamp as WireTimestamp, analytics::v1 as wire};
use jiff::Timestamp;

use crate::{
    domain::{
        metric::{
            Dimension, Metric, Topic, Unit,
            figure::{Cell, Series},
        },
        zone::Group,
    },
    service::{live::Update, overview::Item},
};

pub(super) fn metric(metric: &Metric) -> wire::Metric {
    let dimension = |dimension: &Dimension| {
        let told = match dimension {
            Dimension::Clinic => wire::Dimension::Clinic,
            Dimension::Practitioner => wire::Dimension::Practitioner,
            Dimension::Service => wire::Dimension::Service,
            Dimension::Family => wire::Dimension::Family,
            Dimension::Payer => wire::Dimension::Payer,
            Dimension::Age => wire::Dimension::Age,
        };
        told.into()
    };
    let unit = match metric.unit {
        Unit::Count => wire::Unit::Count,
        Unit::Minutes => wire::Unit::Minutes,
        Unit::Days => wire::Unit::Days,
        Unit::Ratio => wire::Unit::Ratio,
        Unit::Money => wire::Unit::Money,
    };
    let topic = match metric.topic {
        Topic::Patients => wire::Topic::Patients,
        Topic::Appointments => wire::Topic::Appointments,
        Topic::Services => wire::Topic::Services,
        Topic::Revenue => wire::Topic::Revenue,
        Topic::Claims => wire::Topic::Claims,
    };
    wire::Metric {
        metric: metric.name.to_owned(),
        title: metric.title.to_owned(),
        definition: metric.definition.to_owned(),
        unit: unit.into(),
        dimensions: metric.dimensions.iter().map(dimension).collect(),
        finest: group(metric.finest).into(),
        topic: topic.into(),
    }
}

pub(super) fn group(group: Group) -> wire::Group {
    match group {
        Group::Hour => wire::Group::Hour,
        Group::Day => wire::Group::Day,
        Group::Week => wire::Group::Week,
        Group::Month => wire::Group::Month,
    }
}

/// Series over a range, of which `starts` has the beginnings of the groups as they are written.
pub(super) fn series(series: Series, starts: &[String]) -> wire::Series {
    let placed = |cells: Vec<Cell>| {
        cells.into_iter().zip(starts).map(|(told, start)| wire::Cell { start: start.clone(), ..cell(told) }).collect()
    };
    wire::Series {
        key: series.key.value,
        currency_code: series.key.currency,
        items: placed(series.items),
        total: Some(cell(series.total)),
        compared: series.compared.map(cell),
        compared_items: placed(series.compared_items),
    }
}

pub(super) fn cell(cell: Cell) -> wire::Cell {
    wire::Cell {
        start: String::new(),
        value: cell.value,
        suppressed: cell.suppressed,
        restated_time: cell.restated.map(time),
    }
}

pub(super) fn item(item: &Item) -> wire::OverviewItem {
    wire::OverviewItem {
        metric: item.metric.name.to_owned(),
        currency_code: item.currency.clone(),
        current: Some(cell(item.current)),
        previous_period: Some(cell(item.previous_period)),
        previous_year: Some(cell(item.previous_year)),
    }
}

/// What has changed, for those who are told everything.
pub(super) fn update(update: &Update, now: Timestamp) -> wire::WatchOverviewResponse {
    wire::WatchOverviewResponse {
        event_id: update.change.to_string(),
        items: update.items.iter().map(item).collect(),
        restated: update.restated.iter().map(|name| (*name).to_owned()).collect(),
        as_of: update.taken_at.map(time),
        time: Some(time(now)),
    }
}

pub(super) fn time(time: Timestamp) -> WireTimestamp {
    WireTimestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}
