//! Every metric of the catalogue, by a week whose figures were worked out by hand.
//!
//! A line has the name, the currency where it is money, what there is on each day from Monday to Sunday, and of all of them;
//! `-` where nothing is divided. What it follows from is written beside it.

use std::collections::{BTreeMap, BTreeSet};

use access::Role;
use anyhow::{Context as _, ensure};
use contracts::analytics::v1::{Dimension, GetMetricRequest, GetMetricResponse, Group, ListMetricsRequest, Series};
use jiff::Timestamp;
use testkit::{Parts, Result};

use crate::{
    asking::{figures, metric, over, values},
    books, clinic,
    ingest::{ingest, sidecar},
};

const FIRST: &str = "2007-03-05";
const END: &str = "2007-03-12";

const WEEK: &str = "
patient-load                   1 0 3 0 0 0 1 = 5          # a1; a4, a5 by B's clock, e2; e4
registrations                  1 1 0 0 0 0 1 = 3          # p1; p2; p3
panel                          1 2 2 2 2 2 2 = 2          # not p3
new-patients                   1 0 0 0 0 0 1 = 2          # e1; e4
returning-patients             0 0 1 1 0 0 0 = 2          # e2; e3
bookings                       2 0 1 1 0 0 0 = 4          # a3, a4; a5; a6; a1, a2 and a9 were booked before
appointments-booked            2 1 1 1 1 0 1 = 7          # a1, a2; a3; a4; a5; a6; a9
appointments-kept              1 0 1 1 0 0 0 = 3          # a1; a4; a5
appointments-cancelled         0 1 0 0 0 0 1 = 2          # a3; a9
appointments-cancelled-late    0 1 0 0 0 0 0 = 1          # a3
late-cancel-rate               0 1 0 0 0 - 0 = 1/7
no-shows                       1 0 0 0 0 0 0 = 1          # a2
no-show-rate                   1/2 - 0 0 - - - = 1/4
no-show-rate-of-booked         1/2 0 0 0 0 - 0 = 1/7
reschedules                    0 0 1 0 0 0 0 = 1          # a4
lead-time-median               3 1 1 0 0 - 8 = 1          # 3 7; 1; 1; 0; 0; 8: the fourth of 0 0 1 1 3 7 8
lead-time-p90                  7 1 1 0 0 - 8 = 8
wait-time-median               15 - 20 - - - - = 20       # 15; 20 30
wait-time-p90                  15 - 30 - - - - = 30
cycle-time-median              45 - 60 - - - - = 60       # 45; 60 70
cycle-time-p90                 45 - 70 - - - - = 70
waitlist-filled                0 1 0 0 0 0 0 = 1          # a6
waitlist-fill-rate             - 1/2 - - - - - = 1/2      # a6 of a6 and a7
utilisation                    1/2 0 1/2 1/3 1/2 - - = 180/500  # a1 30 a2 30; a4 60; a5 20; a6 40
utilisation-kept               1/4 0 1/2 1/3 0 - - = 110/500    # a1 30; a4 60; a5 20
encounters                     1 0 1 1 0 0 1 = 4          # e1; e2; e3; e4
service-units                  3 0 1 1 0 0 0 = 5          # 1 2; 1; 1
charged CHF                    12000 4000 0 0 0 0 0 = 16000         # j1; j5
charged JPY                    0 70 0 0 0 0 0 = 70                  # j6
allowed CHF                    11000 4000 -2000 0 0 0 0 = 13000     # j1 less its discount; j5; by contract
allowed JPY                    0 70 0 0 0 0 0 = 70
collected CHF                  0 0 6000 0 700 0 0 = 6700            # of X; of the patient
paid-in CHF                    2500 0 0 0 700 0 0 = 3200            # y1; y2
paid-in JPY                    0 50 0 0 0 0 0 = 50                  # y3
written-off CHF                0 0 0 0 0 300 0 = 300                # j4
outstanding CHF                20000 24000 16000 16000 15300 15000 15000 = 15000  # 9000 + 11000; + 4000; - 6000 - 2000; - 700; - 300
outstanding JPY                0 70 70 70 70 70 70 = 70
net-collection-rate CHF        0 0 -3 - - - - = 67/130              # 6000 by -2000; 700 by nothing
net-collection-rate JPY        - 0 - - - - - = 0
days-in-ar CHF                 600/7 432/5 288/5 90 6885/80 675/8 675/8 = 675/8   # until Wednesday with the 9000 of j0
days-in-ar JPY                 - 90 90 90 90 90 90 = 90
claims-submitted               1 2 1 0 0 0 0 = 4                    # c1; c2, c3; c4
claims-charged CHF             10000 7000 0 0 0 0 0 = 17000
claims-charged JPY             0 0 300 0 0 0 0 = 300
claims-allowed CHF             8000 2000 0 0 0 0 0 = 10000
claims-allowed JPY             0 0 0 0 0 0 0 = 0
claims-paid CHF                6000 2000 0 0 0 0 0 = 8000
claims-paid JPY                0 0 0 0 0 0 0 = 0
claims-answered                0 0 1 1 0 0 0 = 2                    # c1; c2
claims-denied                  0 0 0 1 0 0 0 = 1                    # c2
denial-rate                    - - 0 1 - - - = 1/2
first-pass-rate                - - 1 0 - - - = 1/2
denied-amount CHF              0 0 0 3000 0 0 0 = 3000
denied-amount-rate CHF         - - 0 3/5 - - - = 1/5
";

/// Of now: by age, and the part that is older than ninety days.
const NOW: &str = "
receivables-by-age 0-30 CHF = 1500          # i2
receivables-by-age 31-60 CHF = 0
receivables-by-age 61-90 CHF = 0
receivables-by-age 91-120 CHF = 0
receivables-by-age 120+ CHF = 3000          # i1
receivables-by-age 0-30 JPY = 0
receivables-by-age 31-60 JPY = 0
receivables-by-age 61-90 JPY = 0
receivables-by-age 91-120 JPY = 0
receivables-by-age 120+ JPY = 70            # i3
ar-over-90-rate . CHF = 2/3
ar-over-90-rate . JPY = 1
";

/// Totals told apart: the metric, by what, and each value; at least one of every sort of formula.
const APART: &str = "
patient-load clinic : A 4, B 1
patient-load practitioner : P 4, Q 1
new-patients clinic : A 2
returning-patients practitioner : P 1, Q 1
appointments-booked service : S 4, T 3                # a1 a2 a5 a9; a3 a4 a6
late-cancel-rate practitioner : P 1/5, Q 0
late-cancel-rate service : S 0, T 1/3
no-show-rate clinic : A 1/3, B 0                      # a2 of a2, a1 and a4; a5
waitlist-fill-rate practitioner : . 0, Q 1            # a7 is with nobody yet
lead-time-median service : S 3, T 1                   # 0 3 7 8; 0 1 1
lead-time-p90 service : S 8, T 1
wait-time-median clinic : A 15, B 30                  # 15 20; 30
cycle-time-p90 practitioner : P 70, Q 60
utilisation clinic : A 120/360, B 60/140
utilisation-kept practitioner : P 90/360, Q 20/140
service-units service : 99213 2, 85025 2, 90471 1
service-units family : evaluation-and-management 2, pathology-and-laboratory 2, medicine 1
charged clinic : A/CHF 12000, A/JPY 70, B/CHF 4000
charged service : 99213/CHF 7000, 99213/JPY 70, 85025/CHF 5000, 90471/CHF 4000
charged family : evaluation-and-management/CHF 7000, evaluation-and-management/JPY 70, pathology-and-laboratory/CHF 5000, medicine/CHF 4000
collected payer : X/CHF 6000, patient/CHF 700
collected service : 99213/CHF 2700, 85025/CHF 4000
written-off payer : patient/CHF 300
outstanding payer : X/CHF 1500, patient/CHF 13500, patient/JPY 70   # 10000 - 6000 - 2000 - 500
outstanding clinic : A/CHF 11000, A/JPY 70, B/CHF 4000
net-collection-rate service : 99213/CHF 27/40, 99213/JPY 0, 85025/CHF 4/5, 90471/CHF 0   # 2700 by 7000 - 1000 - 2000
claims-submitted payer : X 2, Y 2
claims-paid payer : X/CHF 6000, Y/CHF 2000, Y/JPY 0
denial-rate payer : X 0, Y 1
denied-amount-rate clinic : A/CHF 0, B/CHF 3/5
";

/// What of the week is another after the corrections.
const CORRECTED: &str = "
patient-load                   2 0 1 0 0 0 1 = 4          # a1, a2; e2; e4
panel                          0 1 1 1 1 1 1 = 1          # p2
new-patients                   0 0 1 0 0 0 1 = 2          # e2; e4
returning-patients             0 0 0 1 0 0 0 = 1          # e3
bookings                       2 0 0 1 0 0 0 = 3          # without a5
appointments-booked            2 1 0 0 1 1 1 = 6          # a4 on Saturday, without a5
appointments-kept              2 0 0 0 0 0 0 = 2          # a1, a2
late-cancel-rate               0 1 - - 0 0 0 = 1/6
no-shows                       0 0 0 0 0 0 0 = 0
no-show-rate                   0 - - - - - - = 0
no-show-rate-of-booked         0 0 - - 0 0 0 = 0
reschedules                    0 0 0 0 0 1 0 = 1
lead-time-median               3 1 - - 0 4 8 = 3          # the third of 0 1 3 4 7 8
lead-time-p90                  7 1 - - 0 4 8 = 8
wait-time-median               5 - - - - - - = 5          # 5 15
wait-time-p90                  15 - - - - - - = 15
cycle-time-median              35 - - - - - - = 35        # 35 45
cycle-time-p90                 45 - - - - - - = 45
utilisation                    1/2 0 0 0 1/2 - - = 160/500    # a1 30 a2 30; a6 40; a4 60, when nobody has hours
utilisation-kept               1/2 0 0 0 0 - - = 60/500
encounters                     0 0 1 1 0 0 1 = 3
service-units                  0 0 1 1 0 0 0 = 2
charged CHF                    12000 4000 0 -4000 0 0 0 = 12000
allowed CHF                    11000 4000 -2000 -4000 0 0 0 = 9000
collected CHF                  0 0 6000 0 700 -700 0 = 6000
paid-in CHF                    2500 0 0 0 0 0 0 = 2500
outstanding CHF                20000 24000 16000 12000 11300 11700 11700 = 11700
net-collection-rate CHF        0 0 -3 0 - - - = 2/3
days-in-ar CHF                 600/7 432/5 288/5 90 339/4 351/4 351/4 = 351/4
claims-allowed CHF             8000 4500 0 0 0 0 0 = 12500
claims-paid CHF                6000 4000 0 0 0 0 0 = 10000
";

const NOW_CORRECTED: &str = "
receivables-by-age 120+ CHF = 0
ar-over-90-rate . CHF = 0
";

/// By name and currency: what there is on each day, and of all of them.
type Expected = BTreeMap<(String, String), Vec<Option<f64>>>;

fn lines(table: &str) -> impl Iterator<Item = &str> {
    table.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty())
}

fn number(text: &str) -> Result<Option<f64>> {
    let (top, bottom) = text.split_once('/').unwrap_or((text, "1"));
    Ok(if text == "-" { None } else { Some(top.parse::<f64>()? / bottom.parse::<f64>()?) })
}

fn expected(tables: &[&str]) -> Result<Expected> {
    let mut expected = Expected::new();
    for line in tables.iter().flat_map(|table| lines(table)) {
        let mut words = line.split_whitespace().filter(|word| *word != "=").peekable();
        let name = words.next().context("no name")?.to_owned();
        let currency = words.next_if(|word| matches!(*word, "CHF" | "JPY")).unwrap_or_default().to_owned();
        expected.insert((name, currency), words.map(number).collect::<Result<_>>()?);
    }
    Ok(expected)
}

fn is(told: Option<f64>, expected: Option<f64>) -> bool {
    match (told, expected) {
        (Some(told), Some(expected)) => (told - expected).abs() < 1e-9,
        (told, expected) => told == expected,
    }
}

fn total(series: &Series) -> Option<f64> {
    series.total.as_ref().and_then(|total| total.value)
}

/// Asks for every metric, and holds it against the tables.
async fn check_week(parts: &Parts, week: &[&str], now: &[&str]) -> Result {
    let (week, mut now_by) = (expected(week)?, BTreeMap::new());
    for line in now.iter().flat_map(|table| lines(table)) {
        let (what, value) = line.split_once(" = ").context("no value")?;
        now_by.insert(what.replace(" . ", "  "), number(value)?);
    }
    let listed = figures(parts, Role::Admin).await?.list_metrics(ListMetricsRequest {}).await?.into_inner();
    let names: BTreeSet<_> = listed.items.iter().map(|metric| metric.metric.clone()).collect();
    let known = week.keys().map(|(name, _)| name.clone());
    let known = known.chain(now_by.keys().filter_map(|what| Some(what.split(' ').next()?.to_owned())));
    ensure!(known.collect::<BTreeSet<_>>() == names, "each metric has its figures here: {names:?}");
    for name in names {
        let answer = metric(parts, over(&name, FIRST, END)).await?;
        if name == "receivables-by-age" || name == "ar-over-90-rate" {
            for series in answer.series.iter().filter(|series| matches!(&*series.currency_code, "CHF" | "JPY")) {
                let what = format!("{name} {} {}", series.key, series.currency_code);
                let expected = now_by.remove(&what).with_context(|| what.clone())?;
                ensure!(is(total(series), expected), "{what}: {:?}, not {expected:?}", total(series));
            }
            continue;
        }
        let told: Expected = answer
            .series
            .iter()
            .map(|series| {
                let days = series.items.iter().map(|item| item.value).chain([total(series)]);
                ((name.clone(), series.currency_code.clone()), days.collect())
            })
            .collect();
        // What was never told of the week in another currency has no series, or one of nothing.
        let expected: Expected = week.clone().into_iter().filter(|((of, _), _)| *of == name).collect();
        let same = |(key, days): (&(String, String), &Vec<Option<f64>>)| {
            expected.get(key).is_some_and(|expected| {
                expected.len() == days.len() && days.iter().zip(expected).all(|(told, expected)| is(*told, *expected))
            })
        };
        let told: Expected =
            told.into_iter().filter(|((_, currency), _)| !matches!(&**currency, "EUR" | "USD")).collect();
        ensure!(told.len() == expected.len() && told.iter().all(same), "{name}: {told:?}, not {expected:?}");
    }
    ensure!(now_by.is_empty(), "nothing is told of {now_by:?}");
    Ok(())
}

pub(crate) async fn by_hand(parts: Parts) -> Result {
    ingest(&sidecar(&parts)?, &clinic::week(&Timestamp::now().to_string())).await?;
    check_week(&parts, &[WEEK], &[NOW]).await
}

pub(crate) async fn told_apart(parts: Parts) -> Result {
    ingest(&sidecar(&parts)?, &clinic::week(&Timestamp::now().to_string())).await?;
    for line in lines(APART) {
        let (question, values) = line.split_once(" : ").context("no values")?;
        let (name, by) = question.split_once(' ').context("no dimension")?;
        let dimension = Dimension::from_str_name(&format!("DIMENSION_{}", by.to_ascii_uppercase())).context("which")?;
        let answer = metric(&parts, GetMetricRequest { by: Some(dimension.into()), ..over(name, FIRST, END) }).await?;
        let mut told: BTreeMap<_, _> = answer
            .series
            .iter()
            .map(|series| ((series.key.clone(), series.currency_code.clone()), total(series)))
            .collect();
        for value in values.split(", ") {
            let (key, value) = value.split_once(' ').context("no value")?;
            let (key, currency) = key.split_once('/').unwrap_or((key, ""));
            let key = match key {
                "." => String::new(),
                one if one.len() == 1 => clinic::id(one).to_string(),
                code => code.to_owned(),
            };
            let found = told.remove(&(key, currency.to_owned())).with_context(|| format!("{line}: {answer:?}"))?;
            ensure!(is(found, number(value)?), "{line}: {value}, not {found:?}");
        }
        // Others have other currencies; what they are owed comes from before the week.
        told.retain(|(_, currency), _| !matches!(&**currency, "EUR" | "USD"));
        ensure!(told.is_empty(), "{line}: {told:?}");
    }
    let of_b = GetMetricRequest { clinic_id: Some(clinic::id("B").to_string()), ..over("no-show-rate", FIRST, END) };
    let answer = metric(&parts, of_b).await?;
    ensure!(answer.series.len() == 1 && total(&answer.series[0]) == Some(0.0), "{answer:?}");
    Ok(())
}

async fn hours(parts: &Parts, from: &str, to: &str) -> Result<GetMetricResponse> {
    metric(parts, GetMetricRequest { group: Some(Group::Hour.into()), ..over("patient-load", from, to) }).await
}

/// A day of 23 hours, and hours of a clinic whose clock is three quarters of an hour off.
pub(crate) async fn by_the_hour(parts: Parts) -> Result {
    ingest(&sidecar(&parts)?, &clinic::week(&Timestamp::now().to_string())).await?;
    let sunday = values(&hours(&parts, "2007-03-11", END).await?);
    ensure!(sunday.len() == 23, "{sunday:?}");
    // e4 at 03:30, in the third hour of the day.
    ensure!(
        sunday.iter().enumerate().all(|(hour, count)| *count == Some(f64::from(u8::from(hour == 2)))),
        "{sunday:?}"
    );
    let wednesday = values(&hours(&parts, "2007-03-07", "2007-03-08").await?);
    // a4 at 10:00; a5 at 23:55 in Kathmandu, in the hour that began there when it was 12:15 in New York; e2 at 15:00.
    let told: Vec<_> =
        wednesday.iter().enumerate().filter(|(_, count)| **count == Some(1.0)).map(|(hour, _)| hour).collect();
    let sum: f64 = wednesday.iter().flatten().sum();
    ensure!(told == [10, 12, 15] && Some(sum) == Some(3.0), "{wednesday:?}");
    Ok(())
}

pub(crate) async fn corrected(parts: Parts) -> Result {
    let (sidecar, now) = (sidecar(&parts)?, Timestamp::now().to_string());
    ingest(&sidecar, &clinic::week(&now)).await?;
    ingest(&sidecar, &clinic::corrections()).await?;
    check_week(&parts, &[WEEK, CORRECTED], &[NOW, NOW_CORRECTED]).await?;
    // What was true before comes once more, and changes nothing.
    ingest(&sidecar, &clinic::week(&now)).await?;
    check_week(&parts, &[WEEK, CORRECTED], &[NOW, NOW_CORRECTED]).await?;
    books::check(&parts).await
}
