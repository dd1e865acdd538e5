//! The time of the day after which no table is started.

use handoff_settings::TimeOfDay;
use jiff::{ToSpan, Zoned};

/// The moment after which a run starts no table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    time: TimeOfDay,
    started: Zoned,
    at: Zoned,
}

impl Deadline {
    /// Returns the moment that `time` means for a run that starts at `started`: the nearest one, so
    /// that it lies within twelve hours before or after.
    ///
    /// A run of the night, started at 22:00, works until 05:30 of the next morning; one that was
    /// held up and starts at 05:31 starts no table into the working day. Where a clock that is
    /// changed shows a time twice, the first is meant; where it leaves it out, the same time
    /// after the change.
    pub fn nearest(time: TimeOfDay, started: &Zoned) -> Deadline {
        let hour = i8::try_from(time.hour()).expect("an hour is below 24");
        let minute = i8::try_from(time.minute()).expect("a minute is below 60");
        let on = |days: i64| {
            let day = started.date().checked_add(days.days()).ok()?;
            day.at(hour, minute, 0, 0).to_zoned(started.time_zone().clone()).ok()
        };
        let days = [-1, 0, 1].into_iter().filter_map(on);
        let at = days.min_by_key(|at| at.duration_since(started).abs());
        // Nothing is left only at the ends of the calendar.
        let at = at.unwrap_or_else(|| started.clone());
        Deadline { time, started: started.clone(), at }
    }

    /// Returns why no table is started at `now`, if it is too late.
    pub fn refusal(&self, now: &Zoned) -> Option<String> {
        if *now < self.at {
            return None;
        }
        let time = self.time;
        if self.started < self.at {
            return Some(format!("no table is started after {time} (until)"));
        }
        let again = self.at.checked_add(12.hours()).unwrap_or_else(|_| self.at.clone());
        Some(format!(
            "the run began at {}, after {time} (until); one that begins after {} goes on until the \
             next {time}",
            self.started.strftime("%H:%M"),
            again.strftime("%H:%M"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::DateTime;
    use jiff::tz::TimeZone;

    /// Central Europe: summer time begins on 2026-03-29 at 02:00 and ends on 2026-10-25 at 03:00.
    fn local(time: &str) -> Zoned {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        time.parse::<DateTime>().unwrap().to_zoned(zone).unwrap()
    }

    #[track_caller]
    fn check(until: &str, started: &str, expected: &str) {
        let deadline = Deadline::nearest(until.parse().unwrap(), &local(started));
        assert_eq!(deadline.at.datetime(), expected.parse::<DateTime>().unwrap());
    }

    #[test]
    fn the_nearest_is_meant() {
        check("05:30", "2026-01-10T22:00", "2026-01-11T05:30");
        check("05:30", "2026-01-11T02:00", "2026-01-11T05:30");
        check("05:30", "2026-01-11T05:31", "2026-01-11T05:30");
        check("05:30", "2026-01-11T17:29", "2026-01-11T05:30");
        check("05:30", "2026-01-11T17:31", "2026-01-12T05:30");
        check("23:30", "2026-01-11T00:10", "2026-01-10T23:30");
        check("00:00", "2026-01-11T20:00", "2026-01-12T00:00");
    }

    #[test]
    fn a_night_of_another_length_ends_at_the_same_time_of_the_day() {
        check("05:30", "2026-03-28T22:00", "2026-03-29T05:30");
        check("05:30", "2026-10-24T22:00", "2026-10-25T05:30");
        let night = |started: &str| {
            let started = local(started);
            let deadline = Deadline::nearest("05:30".parse().unwrap(), &started);
            deadline.at.duration_since(&started).as_secs() / 60
        };
        assert_eq!([night("2026-03-28T22:00"), night("2026-10-24T22:00")], [390, 510]);
        // 02:30 is left out on the one day, and comes twice on the other.
        check("02:30", "2026-03-28T22:00", "2026-03-29T03:30");
        let deadline = Deadline::nearest("02:30".parse().unwrap(), &local("2026-10-24T22:00"));
        assert_eq!(deadline.at.timestamp(), "2026-10-25T00:30:00Z".parse().unwrap());
    }

    #[test]
    fn a_run_that_comes_too_late_says_when_it_would_not_be() {
        let time = "05:30".parse().unwrap();
        let late = Deadline::nearest(time, &local("2026-01-11T05:31"));
        assert_eq!(
            late.refusal(&local("2026-01-11T05:31")).unwrap(),
            "the run began at 05:31, after 05:30 (until); one that begins after 17:30 goes on \
             until the next 05:30"
        );
        let night = Deadline::nearest(time, &local("2026-01-10T22:00"));
        assert_eq!(night.refusal(&local("2026-01-11T05:29")), None);
        assert_eq!(
            night.refusal(&local("2026-01-11T05:30")).unwrap(),
            "no table is started after 05:30 (until)"
        );
    }
}
