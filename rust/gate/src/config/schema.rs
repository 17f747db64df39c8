//! All keys of a configuration, as the code that reads it asks for them, and the same as a JSON Schema for editors.

use super::document::{Node, quoted};
use super::gate_config::GateConfig;
use super::problem::Problems;
use super::section::{Context, Key, Kind};

/// A document with every section, and no key in them.
const SECTIONS: &str = r#"{"proxy": {}, "token": {}, "issuers": [{"cache": {}}], "dpop": {}, "token_cache": {},
                           "routes": [{}], "log": {}, "metrics": {}, "server": {}}"#;

/// All keys, those of the top of the file first.
pub fn keys() -> Vec<Key> {
    let Ok(document) = Node::from_json(SECTIONS) else { return Vec::new() };
    let problems = Problems::default();
    let (_, _, keys) = GateConfig::read(&document, Context { problems: &problems, schema: &[] });
    keys
}

/// The JSON Schema of a configuration (draft 2020-12), by which editors complete and check a file.
pub fn json_schema() -> String {
    let keys = keys();
    let schema = object(&keys, "", &["issuers", "public_url"]);
    format!("{{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",{schema}}}")
}

fn object(keys: &[Key], section: &str, required: &[&str]) -> String {
    let properties: Vec<String> = keys
        .iter()
        .filter(|key| key.section == section)
        .map(|key| format!("{}:{{{}}}", quoted(key.name), value(keys, key)))
        .collect();
    let required: Vec<String> = required.iter().map(|name| quoted(name)).collect();
    format!(
        "\"type\":\"object\",\"additionalProperties\":false,\"required\":[{}],\"properties\":{{{}}}",
        required.join(","),
        properties.join(",")
    )
}

fn value(keys: &[Key], key: &Key) -> String {
    const TEXTS: &str = "\"type\":\"array\",\"items\":{\"type\":\"string\"}";
    let path = if key.section.is_empty() { key.name.to_owned() } else { format!("{}.{}", key.section, key.name) };
    match key.kind {
        Kind::Text => "\"type\":\"string\"".to_owned(),
        Kind::Texts => TEXTS.to_owned(),
        Kind::TextOrTexts => format!("\"anyOf\":[{{\"type\":\"string\"}},{{{TEXTS}}}]"),
        Kind::OneOf(known) => {
            let known: Vec<String> = known.iter().map(|one| quoted(one)).collect();
            format!("\"enum\":[{}]", known.join(","))
        }
        Kind::Flag => "\"type\":\"boolean\"".to_owned(),
        Kind::Number => "\"type\":\"number\",\"minimum\":0".to_owned(),
        Kind::Whole => "\"type\":\"integer\",\"minimum\":0".to_owned(),
        Kind::Table => object(keys, &path, if path == "server" { &["proxy"] } else { &[] }),
        Kind::Tables => {
            let required: &[&str] = if key.name == "routes" { &["path"] } else { &["issuer"] };
            format!("\"type\":\"array\",\"items\":{{{}}}", object(keys, &format!("{path}[]"), required))
        }
        Kind::TextOrTable => "\"type\":[\"string\",\"object\"]".to_owned(),
        Kind::Names => "\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":\
                        {\"type\":\"string\"},\"minItems\":2,\"maxItems\":2}]}"
            .to_owned(),
    }
}
