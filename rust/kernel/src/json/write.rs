//! Writing JSON text.

use std::fmt::Write;

/// Writes a JSON string, escaped as Go's `encoding/json` does by default, which is safe inside HTML, too.
pub(crate) fn write_string(text: &str, json: &mut String) {
    json.push('"');
    for ch in text.chars() {
        match ch {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\0'..=' ' if ch != ' ' => push_escape(ch, json),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => push_escape(ch, json),
            _ => json.push(ch),
        }
    }
    json.push('"');
}

fn push_escape(ch: char, json: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(json, "\\u{:04x}", u32::from(ch));
}
