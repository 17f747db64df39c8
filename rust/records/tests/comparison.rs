//! What is read, against serde_json and the `csv` crate.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Row, read};
use proptest::prelude::*;
use watchword_records::Format;

/// A value that a JSON document or a CSV field may have.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9._-]{0,40}", "[\",\r\n a\\\\\u{0}\u{7f}é\u{feff}😀-]{0,12}", any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn ndjson(records in prop::collection::vec((text(), any::<f64>(), text(), text()), 0..20)) {
        let mut input = String::new();
        let mut expected = Vec::new();
        for (line, (token, time, name, other)) in (1..).zip(&records) {
            let mut object = serde_json::json!({"token": token, "time": time});
            if let Some(members) = object.as_object_mut() {
                members.entry(name.as_str()).or_insert_with(|| serde_json::json!({name: [other]}));
            }
            input.push_str(&object.to_string());
            input.push('\n');
            // Numbers that are not finite are null for serde_json.
            expected.push(Row::Read(line, Some(token.clone()), Some(*time).filter(|time| time.is_finite())));
        }
        prop_assert_eq!(read(Format::Ndjson, input), expected);
    }

    #[test]
    fn csv_as_it_is_written(records in prop::collection::vec((text(), text(), any::<u32>()), 0..20), crlf in any::<bool>()) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(["x", "token", "time"]).expect("in memory");
        let mut expected = Vec::new();
        let mut line = 2;
        for (x, token, time) in &records {
            writer.write_record([x, token, &time.to_string()]).expect("in memory");
            expected.push(Row::Read(line, Some(token.clone()).filter(|token| !token.is_empty()), Some(f64::from(*time))));
            line += 1 + u64::try_from(x.matches('\n').count() + token.matches('\n').count()).expect("few");
        }
        prop_assert_eq!(read(Format::Csv, writer.into_inner().expect("in memory")), expected);
    }

    /// Whatever is readable is what the `csv` crate reads; whatever it reads as a record of two fields is readable, unless
    /// there is text after a quoted field or a quote that is not closed.
    #[test]
    fn csv_as_others_read_it(text in "(a|b|1|\"|\"\"|,|,|\n|\r|\r\n| ){0,40}") {
        let input = format!("token,time\n{text}");
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input.as_bytes());
        let records: Vec<_> = reader.byte_records().map(|record| record.expect("in memory")).collect();
        let rows = read(Format::Csv, &input);
        if rows.iter().any(|row| matches!(row, Row::Bad(_, "text after a quoted field" | "a quoted field is not closed"))) {
            return Ok(());
        }
        if records.iter().any(|record| record.len() != 2 && record.iter().any(|field| field.contains(&b'\n'))) {
            // Read line by line.
            return Ok(());
        }
        // Several records may begin on a line, after bare CRs.
        let (mut tokens, mut unreadable) = (Vec::new(), 0);
        for row in rows {
            match row {
                Row::Read(_, token, _) => tokens.push(token.unwrap_or_default()),
                Row::Bad(_, reason) => {
                    prop_assert_eq!(reason, "another number of fields than the header");
                    unreadable += 1;
                }
            }
        }
        let expected = records.iter().filter(|record| record.len() == 2).map(|record| record[0].to_vec());
        prop_assert_eq!(unreadable + tokens.len(), records.len());
        prop_assert_eq!(tokens.into_iter().map(String::into_bytes).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}
