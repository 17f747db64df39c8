//! Dates with a time and an offset (RFC 3339 section 5.6).

const SECONDS_A_DAY: i64 = 86_400;

/// Returns the Unix seconds of a time such as `2026-11-21T09:30:00.5+01:00` (RFC 3339 section 5.6); `None` if it is
/// none.
///
/// The offset is required; `-00:00` is UTC (section 4.3). `T` and `Z` may be in lower case, and a space may stand for
/// `T` (section 5.6, notes). A fraction may have any number of digits. Years are 0001 to 9999; the day must exist in
/// its month. The leap second `60` is accepted if it is the last second of a month in UTC (section 5.7), whether or not
/// one was announced; Unix time has no number for it, and it is the first second of the next day, as in POSIX.
pub fn parse_time(text: &str) -> Option<f64> {
    let mut text = Cursor(text.as_bytes());
    let year = text.number(4)?;
    text.take(b"-")?;
    let month = text.number(2)?;
    text.take(b"-")?;
    let day = text.number(2)?;
    text.take(b"Tt ")?;
    let hour = text.number(2)?;
    text.take(b":")?;
    let minute = text.number(2)?;
    text.take(b":")?;
    let second = text.number(2)?;
    let fraction = text.fraction()?;
    let offset = text.offset()?;
    if !text.0.is_empty() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let whole = days_since_epoch(year, month, day)? * SECONDS_A_DAY + hour * 3600 + minute * 60 + second - offset;
    if second == 60 && !begins_month(whole) {
        return None;
    }
    // At most 12 digits, so exact.
    let (days, rest) = (whole.div_euclid(SECONDS_A_DAY), whole.rem_euclid(SECONDS_A_DAY));
    let seconds = f64::from(i32::try_from(days).ok()?) * 86_400.0 + f64::from(i32::try_from(rest).ok()?);
    Some(seconds + fraction)
}

/// What is left of the text.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Past one of these bytes, which is returned.
    fn take(&mut self, allowed: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        allowed.contains(&first).then_some(first)
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let mut number = 0;
        for _ in 0..digits {
            number = number * 10 + i64::from(self.take(b"0123456789")? - b'0');
        }
        Some(number)
    }

    /// The fraction of a second, 0 if there is none.
    fn fraction(&mut self) -> Option<f64> {
        if self.0.first() != Some(&b'.') {
            return Some(0.0);
        }
        let digits = self.0.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        let (written, rest) = self.0.split_at_checked(digits + 1)?;
        self.0 = rest;
        (digits > 0).then(|| std::str::from_utf8(written).ok()?.parse().ok())?
    }

    /// The seconds by which the time is ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.take(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2)?;
        self.take(b":")?;
        let minutes = self.number(2)?;
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

/// The days from 1970-01-01 to a date of the Gregorian calendar, if there is one.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => return None,
    };
    if year == 0 || day == 0 || day > days_in_month {
        return None;
    }
    // Years from March on, so that the leap day is the last of its year: appendix B counts weekdays like this.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Whether these Unix seconds are the beginning of the first day of a month.
fn begins_month(seconds: i64) -> bool {
    let days = seconds.div_euclid(SECONDS_A_DAY);
    // Right, or one too much or too little.
    let year = (days * 400).div_euclid(146_097) + 1970;
    seconds.rem_euclid(SECONDS_A_DAY) == 0
        && (year - 1..=year + 1).any(|year| (1..=12).any(|month| days_since_epoch(year, month, 1) == Some(days)))
}
