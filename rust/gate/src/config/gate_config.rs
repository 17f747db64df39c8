//! The whole configuration of a gate.

use std::collections::BTreeMap;
use std::fmt;

use watchword_kernel::dpop::TargetUri;

use super::document::{Node, Value};
use super::issuer::IssuerConfig;
use super::lint;
use super::problem::{Position, Problem, Problems};
use super::route::RouteConfig;
use super::schema;
use super::section::{Context, Key, Located, Section};
use super::server::ServerConfig;
use super::settings::{DpopConfig, LogConfig, ProxyConfig};
use super::token::{TokenConfig, values};
use crate::challenge::is_quotable;
use crate::names::is_plain_name;
use crate::origin::PublicOrigin;
use crate::template::Template;

/// The configuration of a gate: plain data, valid by itself. What it says of files, URLs and servers is checked by whoever
/// opens them.
#[derive(Clone)]
pub struct GateConfig {
    /// The URLs by which clients know the service, the most important first.
    pub public_url: Vec<String>,
    /// The identifier of the protected resource (RFC 9728 section 1.2); `None`: the first of these URLs.
    pub resource: Option<String>,
    /// The realm of challenges.
    pub realm: Option<String>,
    /// The prefix of the identity headers.
    pub identity_prefix: Option<String>,
    /// A file with the secrets by which the application recognizes identity headers, of which the first is sent.
    pub identity_secret_file: Option<String>,
    /// The scopes that the metadata names; `None`: those of the routes that have no variables.
    pub scopes_supported: Option<Vec<String>>,
    /// What one trusted proxy says of a request.
    pub proxy: ProxyConfig,
    /// What the tokens of all issuers must fulfil, unless the issuer says otherwise.
    pub token: TokenConfig,
    /// The issuers.
    pub issuers: Vec<IssuerConfig>,
    /// How proofs are verified.
    pub dpop: DpopConfig,
    /// The maximum size of the cache of verified tokens, in bytes; 0: none.
    pub token_cache_bytes: u64,
    /// The routes: the first that matches a request applies.
    pub routes: Vec<RouteConfig>,
    /// Which decisions are logged; `None`: there is no such section.
    pub log: Option<LogConfig>,
    /// Whether there is a section for metrics.
    pub metrics: bool,
    /// Where the server of verdicts listens; `None`: there is no such section.
    pub server: Option<ServerConfig>,
    /// What is allowed, and probably not meant.
    pub warnings: Vec<Problem>,
    positions: BTreeMap<String, Position>,
}

/// Why a text is not a configuration: all errors, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The errors, at least one.
    pub problems: Vec<Problem>,
}

impl GateConfig {
    /// The size of the cache of verified tokens, in bytes, if none is configured.
    pub const DEFAULT_TOKEN_CACHE_BYTES: u64 = 64 * 1024 * 1024;

    /// Reads a configuration in TOML.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::of(Node::from_toml(text))
    }

    /// Reads a configuration in JSON, with the same names.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Self::of(Node::from_json(text))
    }

    /// The routes: the first that matches a request applies.
    pub fn routes(&self) -> &[RouteConfig] {
        &self.routes
    }

    /// Where a value is in the text, by its path, as `issuers[0].jwks_uri`; `None` for JSON, and if there is none.
    pub fn position(&self, path: &str) -> Option<Position> {
        self.positions.get(path).copied()
    }

    fn of(document: Result<Node, Vec<Problem>>) -> Result<Self, ConfigError> {
        let document = document.map_err(|problems| ConfigError { problems })?;
        let problems = Problems::default();
        let keys = schema::keys();
        let (config, templates, _) = Self::read(&document, Context { problems: &problems, schema: &keys });
        let problems = problems.into_sorted();
        match config {
            Some(config) if problems.is_empty() => {
                let mut config = Self { positions: positions(&document), ..config };
                // A route without one is a problem.
                let templates: Vec<Template> = templates.into_iter().flatten().collect();
                config.warnings = lint::warnings(&config, &templates);
                Ok(config)
            }
            _ => Err(ConfigError { problems }),
        }
    }

    /// Reads the document as far as it can be read, and the keys that it may have.
    pub(super) fn read(document: &Node, context: Context<'_>) -> (Option<Self>, Vec<Option<Template>>, Vec<Key>) {
        let problems = context.problems;
        let mut keys = Vec::new();
        let mut root = Section::root(document, context);
        let public_url = root.text_or_texts("public_url");
        if public_url.is_none() && !root.has("public_url") {
            root.place().reject(
                problems,
                "public_url is missing: set it to the scheme and host that clients use, such as \"https://api.example\"",
            );
        }
        if let Some(urls) = &public_url {
            check_public_url(urls, problems);
        }
        let resource = root.text("resource");
        if let Some(resource) = &resource
            && let Err(message) = check_resource(&resource.value)
        {
            resource.reject(problems, message);
        }
        let realm = root.text("realm");
        if let Some(realm) = &realm
            && !is_quotable(&realm.value)
        {
            realm.reject(problems, "must be printable ASCII without quotes and backslashes");
        }
        let identity_prefix = root.text("identity_prefix");
        if let Some(prefix) = &identity_prefix
            && !(is_plain_name(&prefix.value) && prefix.value.ends_with('-') && prefix.value.len() > 1)
        {
            prefix.reject(problems, "must be letters, digits and dashes, with a dash at the end, such as \"X-Auth-\"");
        }
        let identity_secret_file = root.text("identity_secret_file");
        let scopes_supported = root.texts("scopes_supported");
        let proxy = root.section("proxy").map(|mut section| {
            let proxy = ProxyConfig::read(&mut section);
            keys.extend(section.finish());
            proxy
        });
        let token = root.section("token").map(|mut section| {
            let token = TokenConfig::read(&mut section);
            keys.extend(section.finish());
            token
        });
        let sections = root.sections("issuers");
        if sections.is_empty() && !root.has("issuers") {
            root.place().reject(problems, "issuers are missing: add an [[issuers]] section for each trusted issuer");
        }
        let issuers = read_issuers(sections, context, &mut keys);
        let dpop = root.section("dpop").map(|mut section| {
            let dpop = DpopConfig::read(&mut section);
            keys.extend(section.finish());
            dpop
        });
        let token_cache = root.section("token_cache").and_then(|mut section| {
            let max_bytes = section.whole("max_bytes", 0);
            keys.extend(section.finish());
            max_bytes
        });
        let names: Vec<String> = issuers.iter().map(|issuer| issuer.issuer.clone()).collect();
        let (mut routes, mut templates) = (Vec::new(), Vec::new());
        for mut section in root.sections("routes") {
            if let Some((route, template)) = RouteConfig::read(&mut section, &names) {
                routes.push(route);
                templates.push(template);
            }
            keys.extend(section.finish());
        }
        let log = root.section("log").map(|mut section| {
            let log = LogConfig::read(&mut section);
            keys.extend(section.finish());
            log
        });
        let metrics = root.section("metrics").map(|section| keys.extend(section.finish())).is_some();
        let server = root.section("server").map(|mut section| {
            let server = ServerConfig::read(&mut section);
            keys.extend(section.finish());
            server
        });
        keys.splice(0..0, root.finish());
        let config = public_url.map(|public_url| Self {
            public_url: values(&public_url),
            resource: resource.map(|found| found.value),
            realm: realm.map(|found| found.value),
            identity_prefix: identity_prefix.map(|found| found.value),
            identity_secret_file: identity_secret_file.map(|found| found.value),
            scopes_supported: scopes_supported.as_ref().map(values),
            proxy: proxy.unwrap_or_default(),
            token: token.unwrap_or_default(),
            issuers,
            dpop: dpop.unwrap_or_default(),
            token_cache_bytes: token_cache.map_or(Self::DEFAULT_TOKEN_CACHE_BYTES, |found| found.value),
            routes,
            log,
            metrics,
            server,
            warnings: Vec::new(),
            positions: BTreeMap::new(),
        });
        (config, templates, keys)
    }
}

fn read_issuers(sections: Vec<Section<'_>>, context: Context<'_>, keys: &mut Vec<Key>) -> Vec<IssuerConfig> {
    let mut issuers: Vec<IssuerConfig> = Vec::with_capacity(sections.len());
    for section in sections {
        let place = section.place();
        let Some(issuer) = IssuerConfig::read(section, keys) else { continue };
        let is_taken = |name: &&str| issuers.iter().any(|other| other.spellings().any(|taken| taken == *name));
        if let Some(name) = issuer.spellings().find(is_taken) {
            place.reject(context.problems, format!("another issuer has the name {name:?}"));
        }
        issuers.push(issuer);
    }
    issuers
}

/// The places of all values, by their paths.
fn positions(document: &Node) -> BTreeMap<String, Position> {
    fn walk(node: &Node, path: &str, positions: &mut BTreeMap<String, Position>) {
        if let Some(position) = node.position {
            positions.insert(path.to_owned(), position);
        }
        match &node.value {
            Value::Table(entries) => {
                for entry in entries {
                    let dot = if path.is_empty() { "" } else { "." };
                    walk(&entry.node, &format!("{path}{dot}{}", entry.key), positions);
                }
            }
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{path}[{index}]"), positions);
                }
            }
            _ => {}
        }
    }
    let mut positions = BTreeMap::new();
    walk(document, "", &mut positions);
    positions
}

/// Each URL by itself, so that its place is known; then all of them together.
fn check_public_url(urls: &Located<Vec<Located<String>>>, problems: &Problems) {
    let mut are_valid = true;
    for url in &urls.value {
        if let Err(error) = PublicOrigin::new(std::slice::from_ref(&url.value)) {
            url.reject(problems, error.to_string());
            are_valid = false;
        }
    }
    if are_valid && let Err(error) = PublicOrigin::new(&values(urls)) {
        urls.reject(problems, error.to_string());
    }
}

/// RFC 9728 section 1.2.
fn check_resource(url: &str) -> Result<(), String> {
    if url.contains('#') {
        return Err(format!("{url:?} must have no fragment"));
    }
    match TargetUri::parse(url) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{url:?} must be a URL such as \"https://api.example\": {error}")),
    }
}

impl fmt::Debug for GateConfig {
    /// Shows the number of issuers and routes: the rest may have secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GateConfig({} issuers, {} routes)", self.issuers.len(), self.routes.len())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
