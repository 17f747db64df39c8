//! Dates and times, against the examples of RFC 3339 and known seconds.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use watchword_records::rfc3339::parse_time;

#[test]
fn times() {
    let cases = [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1969-12-31T23:59:59.5Z", -0.5),
        ("2000-02-29T00:00:00Z", 951_782_400.0),
        ("2026-11-21t09:30:00z", 1_795_253_400.0),
        ("2026-11-21 09:30:00+00:00", 1_795_253_400.0),
        ("2026-11-21T09:30:00-00:00", 1_795_253_400.0),
        ("2026-11-21T10:30:00+01:00", 1_795_253_400.0),
        ("2026-11-21T00:00:00.123456789012345678901234567890-09:30", 1_795_253_400.123_456_7),
        ("0001-01-01T00:00:00Z", -62_135_596_800.0),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140.0),
        ("9999-12-31T23:59:59Z", 253_402_300_799.0),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139.0),
        // Section 5.8.
        ("1985-04-12T23:20:50.52Z", 482_196_050.52),
        ("1996-12-19T16:39:57-08:00", 851_042_397.0),
        ("1990-12-31T23:59:60Z", 662_688_000.0),
        ("1990-12-31T15:59:60-08:00", 662_688_000.0),
        ("1937-01-01T12:00:27.87+00:20", -1_041_337_172.13),
        // Leap seconds may be at the end of any month.
        ("2026-02-28T23:59:60.5Z", 1_772_323_200.5),
        ("9999-12-31T23:59:60Z", 253_402_300_800.0),
    ];
    for (text, seconds) in cases {
        assert_eq!(parse_time(text), Some(seconds), "{text}");
    }
}

#[test]
fn what_is_none() {
    let texts = [
        "",
        "2026-11-21",
        "2026-11-21T09:30:00",
        "2026-11-21T09:30Z",
        "2026-11-21T09:30:00.Z",
        "2026-11-21T09:30:00,5Z",
        "2026-11-21T09:30:00 Z",
        "2026-11-21T09:30:00Z ",
        " 2026-11-21T09:30:00Z",
        "2026-11-21_09:30:00Z",
        "2026-11-21T09:30:00+0100",
        "2026-11-21T09:30:00+01",
        "2026-11-21T09:30:00+1:00",
        "2026-11-21T09:30:00+24:00",
        "2026-11-21T09:30:00+00:60",
        "2026-11-21T24:00:00Z",
        "2026-11-21T09:60:00Z",
        "2026-11-21T09:30:61Z",
        // No leap second: not at the end of a month in UTC.
        "2026-11-21T23:59:60Z",
        "2026-11-30T22:59:60Z",
        "2026-11-30T23:59:60+01:00",
        "2026-11-30T23:58:60Z",
        "2026-00-21T09:30:00Z",
        "2026-13-21T09:30:00Z",
        "2026-11-00T09:30:00Z",
        "2026-11-31T09:30:00Z",
        "2026-02-29T09:30:00Z",
        "1900-02-29T09:30:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-2026-01-01T00:00:00Z",
        "26-11-21T09:30:00Z",
        "２０２６-11-21T09:30:00Z",
        "2026-W47-6T09:30:00Z",
        "20261121T093000Z",
    ];
    for text in texts {
        assert_eq!(parse_time(text), None, "{text}");
    }
}

#[test]
fn every_day_follows_the_one_before() {
    let mut expected = -62_135_596_800.0;
    for year in 1..=9999 {
        for month in 1..=12 {
            for day in 1..=31 {
                if let Some(seconds) = parse_time(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")) {
                    assert_eq!(seconds, expected, "{year}-{month}-{day}");
                    expected += 86_400.0;
                }
            }
            // A leap second at the end of each month, and on no other day.
            let leap = |day| parse_time(&format!("{year:04}-{month:02}-{day:02}T23:59:60Z"));
            assert_eq!((28..=31).filter_map(leap).collect::<Vec<_>>(), [expected]);
        }
    }
    assert_eq!(expected, 253_402_300_800.0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in any::<String>()) {
        parse_time(&text);
    }

    #[test]
    fn nothing_close_panics(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,400})?([Zz]|[+-][0-9]{2}:[0-9]{2})?") {
        parse_time(&text);
    }
}
