//! What is required of requests whose route another router has chosen.

use super::document::{Entry, Node, Value};
use super::gate_config::{ConfigError, GateConfig};
use super::problem::{Problem, Problems};
use super::route::RouteConfig;
use super::schema;
use super::section::{Context, Section};

/// The keys of `[[routes]]` that say which requests a route is for.
const MATCHED_BY: [&str; 2] = ["path", "methods"];

impl GateConfig {
    /// Reads the keys of one of the `[[routes]]`, without `path` and `methods`, in JSON. Without a `name` it has this one,
    /// or `/` if this is empty: an application must get a name.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong.
    pub fn route_requirements(&self, json: &str, name: &str) -> Result<RouteConfig, ConfigError> {
        let mut document = Node::from_json(json).map_err(|problems| ConfigError { problems })?;
        if let Value::Table(entries) = &mut document.value {
            if let Some(entry) = entries.iter().find(|entry| MATCHED_BY.contains(&entry.key.as_str())) {
                let message = "the route is chosen elsewhere: remove it".to_owned();
                let problem = Problem { position: entry.position, path: entry.key.clone(), message };
                return Err(ConfigError { problems: vec![problem] });
            }
            let node = Node { position: None, value: Value::Text("/".to_owned()) };
            entries.push(Entry { key: "path".to_owned(), position: None, node });
        }
        let problems = Problems::default();
        let names: Vec<String> = self.issuers.iter().map(|issuer| issuer.issuer.clone()).collect();
        let keys = schema::keys();
        let mut section = Section::root(&document, Context { problems: &problems, schema: &keys });
        let route = RouteConfig::read(&mut section, &names);
        section.finish();
        match (route, problems.into_sorted()) {
            (Some((route, _)), problems) if problems.is_empty() => {
                let given = Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
                Ok(RouteConfig { name: route.name.or(given), ..route })
            }
            (_, problems) => Err(ConfigError { problems }),
        }
    }
}
