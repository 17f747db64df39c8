//! An issuer as it is configured.

use watchword_kernel::{Backend, KeySet, Policy, Tenants};

use super::problem::Problems;
use super::section::{Key, Located, Section};
use super::token::{TokenConfig, check, values};

/// One of the `[[issuers]]`. Where its keys are fetched from is checked by whoever fetches them.
#[derive(Clone, PartialEq)]
pub struct IssuerConfig {
    /// The value of `iss`, or a template, or a SPIFFE trust domain.
    pub issuer: String,
    /// Other accepted spellings of it.
    pub aliases: Vec<String>,
    /// The accepted tenants, if it is a template.
    pub tenants: Option<Tenants>,
    /// The URL of its JWK Set.
    pub jwks_uri: Option<String>,
    /// The JWK Set itself, as JSON.
    pub jwks: Option<String>,
    /// A file with its keys.
    pub jwks_file: Option<String>,
    /// Its public key, as PEM.
    pub pem: Option<String>,
    /// Whether http to loopback is allowed, for development.
    pub allow_loopback_http: bool,
    /// Private hosts that its metadata may lead to.
    pub allow_private_hosts: Vec<String>,
    /// Hosts that its metadata and keys may be fetched from over plain http.
    pub allow_http_hosts: Vec<String>,
    /// The claim that names the audience, in place of `aud`.
    pub audience_claim: Option<String>,
    /// What its tokens must fulfil, in place of what `[token]` says.
    pub token: TokenConfig,
    /// The settings of fetching and caching, by their names.
    pub cache: Vec<(&'static str, CacheSetting)>,
}

/// The value of a setting of fetching and caching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CacheSetting {
    /// Seconds, or a share.
    Number(f64),
    /// A count.
    Whole(u64),
}

const SPIFFE: &str = "spiffe://";

const CACHE_NUMBERS: [&str; 11] = [
    "ttl",
    "min_ttl",
    "max_ttl",
    "refresh_ahead",
    "max_stale",
    "grace",
    "cooldown",
    "timeout",
    "backoff_base",
    "backoff_cap",
    "check_interval",
];
const CACHE_COUNTS: [&str; 3] = ["max_waiters", "max_bytes", "max_keys"];

impl IssuerConfig {
    pub(super) fn read(mut section: Section<'_>, schema: &mut Vec<Key>) -> Option<Self> {
        let problems = section.problems();
        let issuer = section.text("issuer");
        if issuer.is_none() && !section.has("issuer") {
            section.place().reject(problems, "issuer is missing: set it to the value of the tokens' iss claim");
        }
        let aliases = section.texts("aliases");
        let tenants = read_tenants(&mut section);
        let sources = ["jwks_uri", "jwks", "jwks_file", "pem"].map(|key| section.has(key).then_some(key));
        let jwks_uri = section.text("jwks_uri");
        let jwks = section.text_or_table("jwks");
        let jwks_file = section.text("jwks_file");
        let pem = section.text("pem");
        let given: Vec<&str> = sources.into_iter().flatten().collect();
        if given.len() > 1 {
            let message = format!("{} are given: keys must come from one of them", given.join(" and "));
            section.place().reject(problems, message);
        }
        check_keys(&section, jwks.as_ref(), pem.as_ref());
        let allow_loopback_http = section.flag("allow_loopback_http").unwrap_or_default();
        let allow_private_hosts = section.texts("allow_private_hosts");
        let allow_http_hosts = section.texts("allow_http_hosts");
        let audience_claim = section.text("audience_claim");
        if let Some(claim) = &audience_claim {
            check(&section, claim, Policy::default().with_audience_claim(&claim.value));
        }
        let token = TokenConfig::read(&mut section);
        let cache = section.section("cache").map(|cache| read_cache(cache, schema)).unwrap_or_default();
        schema.extend(section.finish());
        let aliases = aliases.as_ref().map(values).unwrap_or_default();
        let issuer = issuer?;
        check_names(&issuer, &aliases, tenants.as_ref(), !given.is_empty(), problems);
        Some(Self {
            issuer: issuer.value,
            aliases,
            tenants,
            jwks_uri: jwks_uri.map(|found| found.value),
            jwks: jwks.map(|found| found.value),
            jwks_file: jwks_file.map(|found| found.value),
            pem: pem.map(|found| found.value),
            allow_loopback_http,
            allow_private_hosts: allow_private_hosts.as_ref().map(values).unwrap_or_default(),
            allow_http_hosts: allow_http_hosts.as_ref().map(values).unwrap_or_default(),
            audience_claim: audience_claim.map(|found| found.value),
            token,
            cache,
        })
    }

    /// `example.org` for the SPIFFE trust domain `spiffe://example.org`; otherwise `None`.
    pub fn trust_domain(&self) -> Option<&str> {
        self.issuer.strip_prefix(SPIFFE)
    }

    /// The accepted values of `iss`, templates included; the first is the name.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.issuer).chain(&self.aliases).map(String::as_str)
    }
}

/// `"any"`, or a list of tenants.
fn read_tenants(section: &mut Section<'_>) -> Option<Tenants> {
    let found = section.text_or_texts("tenants")?;
    let names = values(&found);
    if let Some(one) = found.value.first().filter(|one| one.path == found.path) {
        if one.value == "any" {
            return Some(Tenants::Any);
        }
        one.reject(section.problems(), format!("must be \"any\", or a list of tenants: write [{:?}]", one.value));
    }
    Some(Tenants::OneOf(names))
}

fn check_names(
    issuer: &Located<String>,
    aliases: &[String],
    tenants: Option<&Tenants>,
    has_keys: bool,
    problems: &Problems,
) {
    let spellings: Vec<String> = std::iter::once(&issuer.value).chain(aliases).cloned().collect();
    if aliases.contains(&issuer.value) {
        issuer.reject(problems, "an alias is the issuer itself");
    }
    let name = &issuer.value;
    let policy = match (name.strip_prefix(SPIFFE), tenants) {
        (Some(_), _) if tenants.is_some() || !aliases.is_empty() => {
            issuer
                .reject(problems, format!("{name:?} is a SPIFFE trust domain, which has neither aliases nor tenants"));
            return;
        }
        (Some(domain), _) => Policy::default().with_trust_domain(domain),
        (None, Some(tenants)) => Policy::default().with_tenants(spellings, tenants.clone()),
        (None, None) => Policy::default().with_issuers(spellings),
    };
    if let Err(error) = policy {
        issuer.reject(problems, error.to_string());
    } else if !has_keys && (name.starts_with(SPIFFE) || tenants.is_some()) {
        let kind = if tenants.is_some() { "a template" } else { "a SPIFFE trust domain" };
        issuer.reject(problems, format!("{name:?} is {kind}, which has no metadata: set jwks_uri, jwks or jwks_file"));
    }
}

fn check_keys(section: &Section<'_>, jwks: Option<&Located<String>>, pem: Option<&Located<String>>) {
    let jwks = jwks.map(|found| (found.place(), KeySet::from_json(found.value.as_bytes(), Backend::Default)));
    let pem = pem.map(|found| (found.place(), KeySet::from_pem(&found.value, None, None, Backend::Default)));
    for (place, keys) in [jwks, pem].into_iter().flatten() {
        match keys {
            Err(error) => place.reject(section.problems(), error.to_string()),
            Ok(keys) if keys.keys().is_empty() => {
                let why = keys.rejected().iter().take(4).map(|key| format!("; key {}: {}", key.index, key.defect));
                place.reject(section.problems(), format!("has no usable key{}", why.collect::<String>()));
            }
            Ok(_) => {}
        }
    }
}

fn read_cache(mut section: Section<'_>, schema: &mut Vec<Key>) -> Vec<(&'static str, CacheSetting)> {
    let mut settings = Vec::new();
    for key in CACHE_NUMBERS {
        settings.extend(section.number(key).map(|found| (key, CacheSetting::Number(found.value))));
    }
    for key in CACHE_COUNTS {
        settings.extend(section.whole(key, 0).map(|found| (key, CacheSetting::Whole(found.value))));
    }
    schema.extend(section.finish());
    settings
}
