//! The time of use, as logs write it.

use crate::rfc3339::parse_time;

/// The Unix seconds of a text: decimal digits, which may have a sign and a fraction, or a date and time of RFC 3339.
pub(crate) fn parse_seconds_or_date(text: &str) -> Option<f64> {
    if is_decimal(text) {
        return text.parse().ok().filter(|seconds: &f64| seconds.is_finite());
    }
    parse_time(text)
}

/// Whether this is a number without an exponent. `str::parse` would accept `1e9`, `inf` and `.5`, too.
fn is_decimal(text: &str) -> bool {
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_seconds_or_date;

    #[test]
    fn seconds_and_dates() {
        assert_eq!(parse_seconds_or_date("1735689600"), Some(1_735_689_600.0));
        assert_eq!(parse_seconds_or_date("1735689600.25"), Some(1_735_689_600.25));
        assert_eq!(parse_seconds_or_date("-1.5"), Some(-1.5));
        assert_eq!(parse_seconds_or_date("2025-01-01T00:00:00Z"), Some(1_735_689_600.0));
    }

    #[test]
    fn what_is_neither() {
        let too_large = "9".repeat(400);
        for text in ["", "-", ".", "1.", ".5", "1e9", "inf", "NaN", "+1", " 1", "1 ", "1_000", "٣", "0x10", &too_large]
        {
            assert_eq!(parse_seconds_or_date(text), None, "{text:?}");
        }
    }
}
