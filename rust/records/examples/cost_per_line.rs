//! Prints how long a line takes in each format: `cargo run --release -p watchword-records --example cost_per_line`.

#![allow(clippy::expect_used, reason = "an example stops if something is wrong")]

use std::time::Instant;

use watchword_records::{Fields, Format, Limits, Reader};

const LINES: u32 = 200_000;

fn main() {
    let token = "e".repeat(700);
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let ndjson = format!(
        r#"{{"time":"2026-01-01T00:00:00.123Z","level":"info","client":"10.0.0.1","status":200,"method":"GET","uri":"https://api.example/orders/17","agent":"{agent}","request":{{"id":"0123456789abcdef","bytes":512}},"token":"{token}"}}"#
    );
    let csv = format!("2026-01-01T00:00:00.123Z,info,10.0.0.1,200,GET,https://api.example/orders/17,{agent},{token}");
    let quoted = format!("\"{}\"", csv.replace(',', "\",\""));
    let header = "time,level,client,status,method,uri,agent,token\n";
    for (name, format, header, line) in [
        ("NDJSON", Format::Ndjson, "", &ndjson),
        ("CSV", Format::Csv, header, &csv),
        ("CSV, quoted", Format::Csv, header, &quoted),
        ("lines", Format::Lines, "", &token),
    ] {
        let input = format!("{header}{}", format!("{line}\n").repeat(LINES.try_into().expect("few")));
        let fields = Fields { token: "token".into(), time: Some("time".into()), ..Fields::default() };
        let best = (0..5)
            .map(|_| {
                let mut reader = Reader::new(format, fields.clone(), Limits::default());
                let start = Instant::now();
                let mut rows = 0;
                for piece in input.as_bytes().chunks(1 << 20) {
                    reader.feed(piece).expect("not ended");
                    while let Some(block) = reader.take(65_536).expect("readable") {
                        rows += block.len();
                    }
                }
                reader.finish();
                while let Some(block) = reader.take(65_536).expect("readable") {
                    rows += block.len();
                }
                assert_eq!(u32::try_from(rows), Ok(LINES));
                start.elapsed()
            })
            .min()
            .expect("some runs");
        println!("{name}: {} ns a line of {} bytes", best.as_nanos() / u128::from(LINES), line.len());
    }
}
