//! The sections for the proxy, proofs, the token cache and the decision log.

use watchword_kernel::dpop::PROOF_LIMITS;
use watchword_kernel::{AlgorithmSet, JwsPolicy, ProofPolicy};

use super::section::Section;
use super::token::{check, values};
use crate::names::is_plain_name;
use crate::proxy::{CertificateFormat, OriginHeaders};

/// `[proxy]`: what one trusted proxy says of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// The family of headers with the origin: `x-forwarded` or `forwarded`.
    pub origin: Option<&'static str>,
    /// The header with the certificate of the client.
    pub certificate_header: Option<String>,
    /// Its form: `escaped-pem` or `xfcc`.
    pub certificate_format: Option<&'static str>,
}

/// `[dpop]`: how proofs are verified.
#[derive(Clone, Default, PartialEq)]
pub struct DpopConfig {
    /// The longest age of a proof, in seconds.
    pub max_age: Option<f64>,
    /// How far a proof may be in the future, in seconds.
    pub leeway: Option<f64>,
    /// The accepted algorithms.
    pub algorithms: Option<Vec<String>>,
    /// How long a nonce is valid, in seconds. If this or the file is set, nonces are required.
    pub nonce_lifetime: Option<f64>,
    /// A file with the keys of nonces.
    pub nonce_keys_file: Option<String>,
    /// The replay store.
    pub replay: Replay,
    /// How many proofs the store of a process has room for.
    pub replay_capacity: Option<u64>,
}

/// Where used proofs are stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Replay {
    /// In this process.
    #[default]
    Memory,
    /// Nowhere: proofs may be replayed.
    None,
    /// In the Redis server with this URL, which may contain a password.
    Redis(String),
}

/// `[log]`: which decisions are logged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogConfig {
    /// Whether rejections are.
    pub rejections: Option<bool>,
    /// Whether allowed requests are.
    pub allowed: Option<bool>,
    /// The fraction of allowed requests.
    pub sample: Option<f64>,
    /// The maximum number of lines in a second.
    pub max_per_second: Option<f64>,
    /// How many lines may be written at once.
    pub burst: Option<u64>,
}

/// The schemes of URLs of Redis servers.
const REDIS: [&str; 3] = ["redis://", "rediss://", "unix://"];

impl ProxyConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let origin = section.one_of("origin", &OriginHeaders::NAMES);
        let header = section.text("certificate_header");
        if let Some(header) = &header
            && !is_plain_name(&header.value)
        {
            header.reject(section.problems(), "must be the name of a header: letters, digits and dashes");
        }
        let format = section.one_of("certificate_format", &CertificateFormat::NAMES);
        if let (Some(format), None) = (&format, &header) {
            format.reject(section.problems(), "has no effect without certificate_header: set that too");
        }
        Self {
            origin: origin.map(|found| found.value),
            certificate_header: header.map(|found| found.value),
            certificate_format: format.map(|found| found.value),
        }
    }
}

impl DpopConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let problems = section.problems();
        let max_age = section.number("max_age");
        let leeway = section.number("leeway");
        let algorithms = section.texts("algorithms");
        if let Some(algorithms) = &algorithms {
            if algorithms.value.is_empty() {
                check(section, algorithms, ProofPolicy::new(PROOF_LIMITS, AlgorithmSet::from_iter([]), 0.0, 0.0));
            }
            for one in &algorithms.value {
                check(section, one, JwsPolicy::default().with_algorithms(&[&one.value]));
            }
        }
        let nonce_lifetime = section.number("nonce_lifetime");
        if let Some(lifetime) = nonce_lifetime.as_ref().filter(|lifetime| lifetime.value == 0.0) {
            lifetime.reject(problems, "must be more than 0");
        }
        let nonce_keys_file = section.text("nonce_keys_file");
        let replay = section.text("replay");
        let store = match replay.as_ref().map(|replay| replay.value.as_str()) {
            None | Some("memory") => Replay::Memory,
            Some("none") => Replay::None,
            Some(url) if REDIS.iter().any(|scheme| url.starts_with(scheme)) => Replay::Redis(url.to_owned()),
            Some(_) => {
                if let Some(replay) = &replay {
                    // Not its value, which may contain a password.
                    replay.reject(
                        problems,
                        "must be \"memory\", \"none\", or the URL of a Redis server (redis://, rediss:// or unix://)",
                    );
                }
                Replay::Memory
            }
        };
        let replay_capacity = section.whole("replay_capacity", 1);
        if let Some(capacity) = replay_capacity.as_ref().filter(|_| store != Replay::Memory) {
            capacity.reject(problems, "is for replay = \"memory\" only: remove it");
        }
        Self {
            max_age: max_age.map(|found| found.value),
            leeway: leeway.map(|found| found.value),
            algorithms: algorithms.as_ref().map(values),
            nonce_lifetime: nonce_lifetime.map(|found| found.value),
            nonce_keys_file: nonce_keys_file.map(|found| found.value),
            replay: store,
            replay_capacity: replay_capacity.map(|found| found.value),
        }
    }

    /// Whether proofs must have a nonce.
    pub fn requires_nonces(&self) -> bool {
        self.nonce_lifetime.is_some() || self.nonce_keys_file.is_some()
    }
}

impl LogConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let problems = section.problems();
        let rejections = section.flag("rejections");
        let allowed = section.flag("allowed");
        let sample = section.number("sample");
        if let Some(sample) = sample.as_ref().filter(|sample| sample.value > 1.0) {
            sample.reject(problems, "must be a fraction, from 0 to 1");
        }
        let max_per_second = section.number("max_per_second");
        if let Some(rate) = max_per_second.as_ref().filter(|rate| rate.value == 0.0) {
            rate.reject(problems, "must be more than 0");
        }
        let burst = section.whole("burst", 1);
        Self {
            rejections,
            allowed,
            sample: sample.map(|found| found.value),
            max_per_second: max_per_second.map(|found| found.value),
            burst: burst.map(|found| found.value),
        }
    }
}
