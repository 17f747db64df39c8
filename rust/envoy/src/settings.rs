//! The configuration of the filter: what Envoy passes on of `filter_config`.
//!
//! Envoy passes a `google.protobuf.Struct` on as JSON, and the text of a `google.protobuf.StringValue` or `BytesValue` as it
//! is. JSON has the configuration of the gate under `gate`, or the name of a file with it under `gate_file`; any other text
//! is the configuration of the gate itself, in TOML.

use std::path::PathBuf;

use watchword_kernel::json::{self, Object};

use crate::metadata::MetadataSettings;

/// The namespace of the metadata if none is configured: that of Envoy's own filter for JWTs, so that policies which read it
/// need no change.
const DEFAULT_NAMESPACE: &str = "envoy.filters.http.jwt_authn";

/// The configuration of the filter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The configuration of the gate.
    pub(crate) gate: GateSource,
    /// The file with keys of all issuers.
    pub(crate) keys_file: Option<PathBuf>,
    /// What is written into the dynamic metadata of a request that is allowed.
    pub(crate) metadata: MetadataSettings,
}

/// Where the configuration of the gate is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GateSource {
    /// This TOML.
    Toml(String),
    /// This JSON.
    Json(String),
    /// In this file, in TOML or, if its name ends so, in JSON.
    File(PathBuf),
}

const KEYS: [&str; 7] = [
    "gate",
    "gate_file",
    "keys_file",
    "metadata_namespace",
    "payload_in_metadata",
    "header_in_metadata",
    "space_delimited_claims",
];

impl Settings {
    /// Reads the configuration of the filter.
    ///
    /// # Errors
    /// What is wrong, and what to write instead. What the gate itself says of its configuration is not checked here.
    pub(crate) fn read(text: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(text).map_err(|_| {
            "filter_config is not text: use a google.protobuf.Struct, or a google.protobuf.StringValue with TOML"
                .to_owned()
        })?;
        match text.trim_ascii_start().as_bytes().first() {
            None => {
                Err("filter_config is missing: set \"gate\" or \"gate_file\" in a google.protobuf.Struct".to_owned())
            }
            Some(b'{') => Self::from_json(text),
            Some(_) => Ok(Self {
                gate: GateSource::Toml(text.to_owned()),
                keys_file: None,
                metadata: MetadataSettings::default(),
            }),
        }
    }

    fn from_json(document: &str) -> Result<Self, String> {
        let members = Object::parse(document.as_bytes()).map_err(|error| format!("this is not JSON: {error}"))?;
        if let Some((name, _)) = members.iter().find(|(name, _)| !KEYS.contains(name)) {
            return Err(format!("unknown key {name:?}: known are {}", KEYS.join(", ")));
        }
        let gate = match (members.get("gate"), text(&members, "gate_file")?.map(PathBuf::from)) {
            (Some(json::Value::Object(gate)), None) => GateSource::Json(gate.as_json().to_owned()),
            (Some(json::Value::String(toml)), None) => GateSource::Toml(toml.clone().into_owned()),
            (Some(_), None) => return Err("gate must be an object, or a string with TOML".to_owned()),
            (None, Some(path)) => GateSource::File(path),
            (Some(_), Some(_)) => return Err("gate and gate_file contradict each other: remove one of them".to_owned()),
            (None, None) => return Err("there is no gate: set \"gate\" or \"gate_file\"".to_owned()),
        };
        Ok(Self { gate, keys_file: text(&members, "keys_file")?.map(PathBuf::from), metadata: metadata(&members)? })
    }
}

fn metadata(members: &Object<'_>) -> Result<MetadataSettings, String> {
    let (payload, header) = (text(members, "payload_in_metadata")?, text(members, "header_in_metadata")?);
    let namespace = text(members, "metadata_namespace")?;
    let lists = texts(members, "space_delimited_claims")?;
    if payload.is_none() && header.is_none() && namespace.is_some() {
        return Err("metadata_namespace is set, but nothing is written: set payload_in_metadata".to_owned());
    }
    if payload.is_none() && !lists.is_empty() {
        return Err("space_delimited_claims is for payload_in_metadata: set it, too".to_owned());
    }
    if payload.is_some() && payload == header {
        return Err("payload_in_metadata and header_in_metadata must differ".to_owned());
    }
    let namespace = namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    Ok(MetadataSettings { namespace, payload, header, lists })
}

fn text(members: &Object<'_>, key: &str) -> Result<Option<String>, String> {
    match members.get(key) {
        None => Ok(None),
        Some(json::Value::String(text)) if !text.is_empty() => Ok(Some(text.clone().into_owned())),
        Some(_) => Err(format!("{key} must be a string that is not empty")),
    }
}

fn texts(members: &Object<'_>, key: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("{key} must be a list of strings");
    match members.get(key) {
        None => Ok(Vec::new()),
        Some(json::Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Settings::read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn the_forms_of_a_configuration() {
        let toml = Settings::read(b"\npublic_url = 'https://api.example'").unwrap();
        assert_eq!(toml.gate, GateSource::Toml("\npublic_url = 'https://api.example'".to_owned()));
        let json = Settings::read(br#"{"gate":{"public_url":"https://a"},"payload_in_metadata":"claims"}"#).unwrap();
        assert_eq!(json.gate, GateSource::Json(r#"{"public_url":"https://a"}"#.to_owned()));
        assert_eq!(json.metadata.namespace, DEFAULT_NAMESPACE);
        let file = Settings::read(br#"{"gate_file":"/etc/gate.toml","keys_file":"/run/keys.json"}"#).unwrap();
        assert_eq!(file.gate, GateSource::File("/etc/gate.toml".into()));
        assert_eq!(file.keys_file, Some("/run/keys.json".into()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error("").contains("filter_config is missing"));
        assert!(error("{}").contains("there is no gate"));
        assert!(error("{\"gate\":1}").contains("gate must be an object"));
        assert!(error("{\"gate\":{},\"gate_file\":\"/a\"}").contains("contradict"));
        assert!(error("{\"gate_file\":1}").contains("gate_file must be a string"));
        assert!(error("{\"gate\":{},\"keysfile\":\"/a\"}").contains("unknown key \"keysfile\""));
        assert!(error("{\"gate\":{},\"metadata_namespace\":\"a\"}").contains("payload_in_metadata"));
        assert!(error("{\"gate\":{},\"space_delimited_claims\":[\"scope\"]}").contains("payload_in_metadata"));
        assert!(error("{\"gate\":{},\"payload_in_metadata\":\"a\",\"header_in_metadata\":\"a\"}").contains("differ"));
        assert!(Settings::read(b"\xff").unwrap_err().contains("not text"));
    }
}
