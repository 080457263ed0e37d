//! A time as somebody names it.

use jiff::{Timestamp, civil::DateTime};

use crate::domain::calendar::zone::Zone;

/// An instant, or what a clinic's clock shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum When {
    /// The same everywhere.
    At(Timestamp),
    /// By the clock of the clinic.
    Local(DateTime),
}

impl When {
    /// Reads a time to the minute, with an offset or without.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let form = "must be a time to the minute, such as 2026-11-30T09:00 or 2026-11-30T09:00:00+01:00";
        let (when, seconds) = match (text.parse::<Timestamp>(), text.parse::<DateTime>()) {
            (Ok(at), _) => (Self::At(at), at.as_nanosecond() % 60_000_000_000),
            // A date alone would be midnight.
            (_, Ok(local)) if text.contains('T') && !text.contains('Z') => {
                let seconds = i128::from(local.second()) * 1_000_000_000 + i128::from(local.subsec_nanosecond());
                (Self::Local(local), seconds)
            }
            _ => return Err(form),
        };
        if seconds == 0 { Ok(when) } else { Err(form) }
    }

    /// The instant; a time that the clock skips or shows twice is none.
    pub fn at(self, zone: &Zone) -> Result<Timestamp, String> {
        match self {
            Self::At(at) => Ok(at),
            Self::Local(local) => zone.only(local),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_or_the_clinics() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let at = |text: &str| When::parse(text).map_err(str::to_owned).and_then(|when| when.at(&berlin));
        let nine: Timestamp = "2026-11-30T08:00:00Z".parse().unwrap();
        for same in ["2026-11-30T09:00:00+01:00", "2026-11-30T08:00Z", "2026-11-30T09:00", "2026-11-30T09:00:00"] {
            assert_eq!(at(same), Ok(nine), "{same}");
        }
        for none in ["2026-11-30", "2026-11-30T09:00:01", "2026-11-30T08:00:00.5Z", "nine", "2026-11-31T09:00"] {
            assert!(at(none).is_err(), "{none}");
        }
        assert!(at("2027-03-28T02:30").unwrap_err().contains("does not exist"));
        assert!(at("2026-10-25T02:30").unwrap_err().contains("twice"));
        assert_eq!(at("2026-10-25T02:30+01:00"), Ok("2026-10-25T01:30:00Z".parse().unwrap()));
    }
}
