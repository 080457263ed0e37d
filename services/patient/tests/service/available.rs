//! `patient.v1.Availability`: how long patients can be seen.

use access::Role;
use contracts::patient::v1::{
    AvailableDay, AvailableTime, ListAvailableMinutesRequest, ListAvailableMinutesResponse,
    availability_client::AvailabilityClient,
};
use libtest_mimic::Trial;
use serde_json::json;
use testkit::{Parts, Result, test};
use tonic::{Code, Request, Status, transport::Endpoint};
use uuid::Uuid;

use super::{
    person,
    place::{Place, ask},
    registered, unique,
};

async fn available(
    parts: &Parts,
    asked: ListAvailableMinutesRequest,
) -> Result<std::result::Result<ListAvailableMinutesResponse, Status>> {
    let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
    let mut request = Request::new(asked);
    request.metadata_mut().insert("dapr-api-token", parts.app_api_token().parse()?);
    Ok(AvailabilityClient::new(channel).list_available_minutes(request).await.map(tonic::Response::into_inner))
}

fn days(from: &str, to: &str) -> ListAvailableMinutesRequest {
    ListAvailableMinutesRequest { from: from.to_owned(), to: to.to_owned(), ..Default::default() }
}

fn told(days: &[(&str, i32)]) -> Vec<AvailableDay> {
    days.iter().map(|(date, minutes)| AvailableDay { date: (*date).to_owned(), minutes: *minutes }).collect()
}

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![
        test("a_day_of_23_hours_with_a_leave_has_what_is_left", parts, |parts| async move {
            let place = Place::open(&parts, "Europe/Berlin", ("00:00", "24:00")).await?;
            let practitioner = place.practitioner.to_string();
            let of = |practitioner_id: &str| ListAvailableMinutesRequest {
                practitioner_id: Some(practitioner_id.to_owned()),
                // The clock is set forward on the 28th.
                ..days("2027-03-27", "2027-03-29")
            };
            let whole = available(&parts, of(&practitioner)).await??;
            let (a_day, short) = (24 * 60, 23 * 60);
            let expected = told(&[("2027-03-27", a_day), ("2027-03-28", short), ("2027-03-29", a_day)]);
            let time = |days| AvailableTime {
                practitioner_id: practitioner.clone(),
                clinic_id: place.clinic.to_string(),
                days,
            };
            assert_eq!((whole.items, whole.next), (vec![time(expected)], None));

            // What is booked takes nothing of it, and leave does: from one to half past three there is an hour and a half.
            let patient = registered(&parts, &person(&unique("Booked"))).await?;
            assert_eq!(place.book(&parts, &patient, "2027-03-29T09:00").await?.0, 201);
            let leave = json!({
                "clinicId": place.clinic, "from": "2027-03-28T01:00", "to": "2027-03-28T03:30", "reason": "sick",
            });
            let leaves = format!("/api/practitioners/{practitioner}/leaves");
            let (status, answer) = ask(&parts, Role::FrontDesk, &leaves, &unique("key"), None, &leave).await?;
            assert_eq!(status, 201, "{answer}");
            let left = told(&[("2027-03-27", a_day), ("2027-03-28", short - 90), ("2027-03-29", a_day)]);
            let at_clinic = ListAvailableMinutesRequest {
                practitioner_id: None,
                clinic_id: Some(place.clinic.to_string()),
                ..of(&practitioner)
            };
            for asked in [of(&practitioner), at_clinic] {
                assert_eq!(available(&parts, asked).await??.items, [time(left.clone())]);
            }
            let stranger =
                ListAvailableMinutesRequest { clinic_id: Some(Uuid::now_v7().to_string()), ..of(&practitioner) };
            assert!(available(&parts, stranger).await??.items.is_empty(), "they have no hours there");
            Ok(())
        }),
        test("everybodys_time_is_told_page_by_page", parts, |parts| async move {
            let mut made = Vec::new();
            for _ in 0..3 {
                made.push(Place::open(&parts, "America/New_York", ("08:00", "12:00")).await?.practitioner.to_string());
            }
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let asked = ListAvailableMinutesRequest { cursor, limit: Some(2), ..days("2027-03-13", "2027-03-14") };
                let page = available(&parts, asked).await??;
                found.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let order: Vec<_> = found.iter().map(|one| one.practitioner_id.clone()).collect();
            assert!(order.is_sorted(), "{order:?}");
            for practitioner in &made {
                let own: Vec<_> = found.iter().filter(|one| one.practitioner_id == *practitioner).collect();
                assert_eq!(own.len(), 1, "each once");
                assert_eq!(own[0].days, told(&[("2027-03-13", 240), ("2027-03-14", 240)]));
            }
            Ok(())
        }),
        test("what_cannot_be_available_is_named", parts, |parts| async move {
            let wrong = ListAvailableMinutesRequest {
                practitioner_id: Some("x".to_owned()),
                clinic_id: Some("y".to_owned()),
                cursor: Some("z".to_owned()),
                limit: Some(0),
                ..days("2026-02-30", "")
            };
            let named = |answer: std::result::Result<ListAvailableMinutesResponse, Status>| -> Vec<_> {
                let problem = answer.err().map(problem::Problem::from);
                problem.into_iter().flat_map(|problem| problem.errors).map(|error| error.pointer).collect()
            };
            let fields = ["from", "to", "practitioner_id", "clinic_id", "cursor", "limit"];
            assert_eq!(named(available(&parts, wrong).await?), fields);
            assert_eq!(named(available(&parts, days("2026-01-02", "2026-01-01")).await?), ["to"]);
            assert_eq!(named(available(&parts, days("2026-01-01", "2027-02-05")).await?), ["to"]);
            assert!(available(&parts, days("2026-01-01", "2027-02-04")).await?.is_ok(), "400 days");
            let channel = Endpoint::from_shared(parts.app_url(""))?.connect().await?;
            let mut stranger = AvailabilityClient::new(channel);
            let refused = stranger.list_available_minutes(days("2026-01-01", "2026-01-01")).await;
            assert_eq!(refused.err().map(|status| status.code()), Some(Code::Unauthenticated));
            Ok(())
        }),
    ]
}
