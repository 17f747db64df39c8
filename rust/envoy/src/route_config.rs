//! The requirements of one of Envoy's routes, in place of the `[[routes]]` of the gate.

use std::sync::Arc;

use arc_swap::ArcSwap;
use watchword_embedded::{EmbeddedGate, Requirements};
use watchword_gate::config::{GateConfig, IssuerConfig};
use watchword_kernel::json::{Object, Value};

/// What is configured for one of Envoy's routes: the keys of `[[routes]]` but for `path` and `methods`.
///
/// Envoy configures routes without saying for which filter, and may share them among filters. So the requirements are
/// compiled when the first request comes, for each gate.
pub(crate) struct RouteConfig {
    text: String,
    name: String,
    /// For the gates with these numbers, the newest last.
    compiled: ArcSwap<Vec<(u64, Arc<Requirements>)>>,
}

/// For how many gates requirements are kept: Envoy makes a new filter for each version of a listener.
const MAX_GATES: usize = 8;

impl RouteConfig {
    /// Reads the requirements. `name` is the name of the route if they have none.
    ///
    /// # Errors
    /// What is wrong. Whether the gate has the issuers that are named is not known yet.
    pub(crate) fn read(text: &[u8], name: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(text).map_err(|_| "filter_config is not text: use a google.protobuf.Struct")?;
        if text.trim_ascii().is_empty() {
            return Err("filter_config is missing: set requirements in a google.protobuf.Struct".to_owned());
        }
        let name = String::from_utf8_lossy(name).into_owned();
        any_gate(text)?.route_requirements(text, &name).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), name, compiled: ArcSwap::default() })
    }

    /// What is required by this gate, whose number no other has.
    ///
    /// # Errors
    /// Why the requirements contradict the configuration of the gate.
    pub(crate) fn requirements(&self, number: u64, gate: &EmbeddedGate) -> Result<Arc<Requirements>, String> {
        let of_gate = |compiled: &Vec<(u64, Arc<Requirements>)>| {
            compiled.iter().find(|(known, _)| *known == number).map(|(_, requirements)| Arc::clone(requirements))
        };
        if let Some(requirements) = of_gate(&self.compiled.load()) {
            return Ok(requirements);
        }
        let requirements = Arc::new(gate.requirements(&self.text, &self.name).map_err(|error| error.to_string())?);
        self.compiled.rcu(|compiled| {
            let mut compiled = Vec::clone(compiled);
            compiled.push((number, Arc::clone(&requirements)));
            compiled.drain(..compiled.len().saturating_sub(MAX_GATES));
            compiled
        });
        Ok(requirements)
    }
}

/// A configuration that has all issuers that the requirements name, so that these can be checked by themselves.
fn any_gate(requirements: &str) -> Result<GateConfig, String> {
    let members = Object::parse(requirements.as_bytes()).map_err(|error| format!("this is not JSON: {error}"))?;
    let mut config = GateConfig::from_json(ANY_GATE).map_err(|error| error.to_string())?;
    if let (Some(Value::Array(names)), Some(any)) = (members.get("issuers"), config.issuers.pop()) {
        let named = names.iter().filter_map(|name| name.as_str().map(str::to_owned));
        config.issuers.extend(named.map(|issuer| IssuerConfig { issuer, ..any.clone() }));
    }
    Ok(config)
}

const ANY_GATE: &str = r#"{
    "public_url": "https://api.example",
    "token": {"any_audience": true},
    "issuers": [{"issuer": "https://as.example"}]
}"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        RouteConfig::read(text.as_bytes(), b"watchword").err().unwrap_or_default()
    }

    #[test]
    fn requirements_are_checked_without_a_gate() {
        for text in ["{}", r#"{"public": true}"#, r#"{"scopes": ["a"], "dpop": "required", "issuers": ["https://b"]}"#]
        {
            assert_eq!(error(text), "", "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error("").contains("filter_config is missing"));
        assert!(error("public = true").contains("not JSON"));
        assert!(error(r#"{"path": "/"}"#).contains("path"));
        assert!(error(r#"{"disabled": true}"#).contains("disabled: unknown key"));
        assert!(error(r#"{"scope": ["a"]}"#).contains("did you mean \"scopes\"?"));
        assert!(error(r#"{"scopes": ["a:{id}"]}"#).contains("{id}"));
        assert!(error(r#"{"public": true, "scopes": ["a"]}"#).contains("public"));
        assert!(error(r#"{"issuers": []}"#).contains("issuers"));
    }
}
