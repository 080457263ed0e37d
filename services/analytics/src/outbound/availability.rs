//! Minutes that practitioners could have been booked for, asked of `patient`.

use std::{collections::BTreeMap, time::Duration};

use contracts::patient::v1::{AvailableTime, ListAvailableMinutesRequest, availability_client::AvailabilityClient};
use jiff::{
    ToSpan as _,
    civil::{Date, DateTime},
};
use problem::Problem;
use sidecar::{Sidecar, invoke::AppChannel};
use tonic::Request;

use super::rollups::Filters;
use crate::domain::{
    metric::Dimension,
    range::Range,
    zone::{ClinicZone, first_day},
};

/// Somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// `patient` is asked for so many days at once.
const MOST_DAYS: i32 = 400;

/// The hours of practitioners.
#[derive(Clone, Debug)]
pub struct Availability {
    client: AvailabilityClient<AppChannel>,
}

impl Availability {
    /// As the app `patient` has them.
    pub fn new(sidecar: &Sidecar) -> Self {
        Self { client: AvailabilityClient::new(sidecar.app("patient")) }
    }

    /// Minutes in each group of a range, by the value of the dimension; by the calendar as it is now.
    pub async fn minutes(
        &self,
        zone: &ClinicZone,
        range: &Range,
        by: Option<Dimension>,
        filters: &Filters,
    ) -> Result<BTreeMap<String, Vec<f64>>, Problem> {
        let mut minutes: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let last_day = zone.day(range.end());
        let mut first = zone.day(range.start());
        while first < last_day {
            let last = first.saturating_add((MOST_DAYS - 1).days()).min(last_day.yesterday().unwrap_or(first));
            let mut cursor = None;
            loop {
                let (times, next) = self.page(first, last, filters, cursor).await?;
                for time in &times {
                    let key = match by {
                        Some(Dimension::Practitioner) => time.practitioner_id.clone(),
                        Some(Dimension::Clinic) => time.clinic_id.clone(),
                        _ => String::new(),
                    };
                    let groups = minutes.entry(key).or_insert_with(|| vec![0.0; range.len()]);
                    add(groups, time, range);
                }
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            let Ok(next) = last.tomorrow() else { break };
            first = next;
        }
        Ok(minutes)
    }

    async fn page(
        &self,
        first: Date,
        last: Date,
        filters: &Filters,
        cursor: Option<String>,
    ) -> Result<(Vec<AvailableTime>, Option<String>), Problem> {
        let mut request = Request::new(ListAvailableMinutesRequest {
            from: first.to_string(),
            to: last.to_string(),
            practitioner_id: filters.practitioner_id.map(|id| id.to_string()),
            clinic_id: filters.clinic_id.map(|id| id.to_string()),
            cursor,
            limit: Some(100),
        });
        request.set_timeout(PATIENCE);
        let asked = tokio::time::timeout(PATIENCE, self.client.clone().list_available_minutes(request)).await;
        let answer = asked.map_err(Problem::unavailable)?.map_err(Problem::unavailable)?.into_inner();
        Ok((answer.items, answer.next))
    }
}

/// Adds each day to the group that it is in.
fn add(groups: &mut [f64], time: &AvailableTime, range: &Range) {
    for day in &time.days {
        let Ok(date) = day.date.parse::<Date>() else { continue };
        let label: DateTime = first_day(range.group(), date).into();
        if let Some(place) = range.place(label) {
            groups[place] += f64::from(day.minutes);
        }
    }
}
