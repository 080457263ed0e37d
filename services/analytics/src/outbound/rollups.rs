//! Questions about rollups.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidecar::{Sidecar, failure::Failure};
use uuid::Uuid;

use crate::domain::{
    metric::{
        Dimension, Measure,
        distribution::{Distribution, Quantiles},
        sums::{Count, Key, Row},
    },
    range::Range,
    zone::ClinicZone,
};

/// Only what is of these.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filters {
    /// This clinic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<Uuid>,
    /// This practitioner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner_id: Option<Uuid>,
    /// This bookable service, or this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// This payer, or `patient`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which measures.
    pub measures: &'a [Measure],
    /// Told apart by what.
    pub by: Option<Dimension>,
    /// Of whom.
    pub filters: &'a Filters,
}

#[derive(Serialize)]
struct Question<'a> {
    measures: &'a [Measure],
    unit: &'static str,
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    #[serde(flatten)]
    filters: &'a Filters,
}

/// Rows, and when something was taken in last.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// When that was; nothing yet when it is not there.
    pub taken_at: Option<Timestamp>,
}

/// How far the figures have come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How often they have changed.
    pub change: i64,
    /// When something was taken in last.
    pub taken_at: Option<Timestamp>,
    /// Whether facts are gathered anew.
    pub rebuilding: bool,
    /// What has changed since it was asked, with the first day of it.
    pub changed: Vec<(Measure, DateTime)>,
}

/// The rollups.
#[derive(Clone, Debug)]
pub struct Rollups {
    sidecar: Sidecar,
}

/// Lists of which the n-th belong together: seconds of starts, values, things, and microseconds of restatements.
type SumLists = (Measure, String, String, Vec<Option<i64>>, Vec<f64>, Vec<u64>, Option<Vec<Option<i64>>>);
/// The same of medians and ninth tenths.
type UnitLists = (Measure, String, Vec<i64>, Vec<f64>, Vec<f64>, Vec<u64>, Option<Vec<Option<i64>>>);
/// Seconds of the start where it is a unit, bins, how many things are in each, and microseconds of the restatement.
type Counts = (Measure, String, Option<i64>, Vec<i32>, Vec<u64>, Option<i64>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Distributions {
    units: Vec<UnitLists>,
    counts: Vec<Counts>,
    taken_at: Option<Timestamp>,
}

impl Rollups {
    /// Rollups in this sidecar's database.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// Sums in each group, with all that was before the first where that is asked for; none while facts are gathered anew.
    pub async fn sums(
        &self,
        wanted: &Wanted<'_>,
        range: &Range,
        opening: Option<&ClinicZone>,
    ) -> Result<Option<Told<Row>>, Failure> {
        let first = opening.map(|zone| zone.day(range.start()));
        let question = Question {
            month: first.map(|day| day.first_of_month().to_string()),
            day: first.map(|day| day.to_string()),
            ..Question::of(wanted, range)
        };
        self.rows(&question).await
    }

    /// Sums of each day that there ever was.
    pub async fn of_all_days(&self, wanted: &Wanted<'_>) -> Result<Option<Told<Row>>, Failure> {
        let (unit, from, to) = ("day", "-infinity".to_owned(), "infinity".to_owned());
        let (month, day, by) = (None, None, code(wanted.by));
        let question = Question { measures: wanted.measures, unit, from, to, month, day, by, filters: wanted.filters };
        self.rows(&question).await
    }

    async fn rows(&self, question: &Question<'_>) -> Result<Option<Told<Row>>, Failure> {
        let told: Option<Told<SumLists>> = self.sidecar.query("sums", question).await?;
        let Some(Told { rows: lists, taken_at }) = told else { return Ok(None) };
        let mut rows = Vec::new();
        for (measure, value, currency, starts, values, things, restated) in lists {
            let key = Key { value: named(value), currency };
            for (n, ((start, value), things)) in starts.into_iter().zip(values).zip(things).enumerate() {
                let count = Count { value, things, restated: restatement(restated.as_deref(), n)? };
                rows.push(Row { measure, key: key.clone(), start: start.map(label).transpose()?, count });
            }
        }
        Ok(Some(Told { rows, taken_at }))
    }

    /// The middle and the ninth tenth in each group and in all of them; none while facts are gathered anew.
    pub async fn quantiles(&self, wanted: &Wanted<'_>, range: &Range) -> Result<Option<Told<Quantiles>>, Failure> {
        let told: Option<Distributions> = self.sidecar.query("distributions", &Question::of(wanted, range)).await?;
        let Some(Distributions { units, counts, taken_at }) = told else { return Ok(None) };
        let mut rows = Vec::new();
        for (measure, value, starts, medians, ninth_tenths, things, restated) in units {
            let key = Key { value: named(value), currency: String::new() };
            let figures = starts.into_iter().zip(medians).zip(ninth_tenths).zip(things);
            for (n, (((start, median), ninth_tenth), things)) in figures.enumerate() {
                let (place, restated) = (range.place(label(start)?), restatement(restated.as_deref(), n)?);
                // What is of no group was not asked for.
                if place.is_some() {
                    rows.push(Quantiles { key: key.clone(), place, measure, median, ninth_tenth, things, restated });
                }
            }
        }
        let mut together: BTreeMap<(Measure, Key), Distribution> = BTreeMap::new();
        for (measure, value, start, bins, things, restated) in counts {
            let key = Key { value: named(value), currency: String::new() };
            let counted = Distribution::of(bins.into_iter().zip(things), restatement(Some(&[restated]), 0)?);
            if let Some(place) = start.map(label).transpose()?.and_then(|start| range.place(start)) {
                rows.extend(counted.quantiles(measure, &key, Some(place)));
            }
            together.entry((measure, key)).or_default().add(&counted);
        }
        rows.extend(together.iter().filter_map(|((measure, key), all)| all.quantiles(*measure, key, None)));
        Ok(Some(Told { rows, taken_at }))
    }

    /// How far the figures have come, and what has changed after a change, where that is asked for.
    pub async fn progress(&self, after: Option<i64>) -> Result<Progress, Failure> {
        self.sidecar.query("progress", &json!({ "after": after })).await
    }
}

impl<'a> Question<'a> {
    fn of(wanted: &Wanted<'a>, range: &Range) -> Self {
        Self {
            measures: wanted.measures,
            unit: range.group().code(),
            from: range.first_label().to_string(),
            to: range.end_label().to_string(),
            month: None,
            day: None,
            by: code(wanted.by),
            filters: wanted.filters,
        }
    }
}

/// What the database calls it; families are made of services, and ages of days.
fn code(dimension: Option<Dimension>) -> Option<&'static str> {
    match dimension? {
        Dimension::Clinic => Some("clinic"),
        Dimension::Practitioner => Some("practitioner"),
        Dimension::Service | Dimension::Family => Some("service"),
        Dimension::Payer => Some("payer"),
        Dimension::Age => None,
    }
}

/// A label of a calendar, of its seconds since the beginning of 1970.
fn label(seconds: i64) -> Result<DateTime, Failure> {
    let time = Timestamp::from_second(seconds).map_err(|error| Failure::Bug(error.to_string()))?;
    Ok(Offset::UTC.to_datetime(time))
}

fn restatement(microseconds: Option<&[Option<i64>]>, n: usize) -> Result<Option<Timestamp>, Failure> {
    let told = microseconds.and_then(|told| told.get(n).copied().flatten());
    told.map(Timestamp::from_microsecond).transpose().map_err(|error| Failure::Bug(error.to_string()))
}

/// Whoever is nobody has no name.
fn named(value: String) -> String {
    if value == Uuid::nil().to_string() { String::new() } else { value }
}
