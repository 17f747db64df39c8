//! The filter: from a request in Envoy to the decision of the gate, and what follows of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use watchword_embedded::{Checked, ConfigSource, EmbeddedGate, Event, Format, IdentityFields, Options, ReplayStore};
use watchword_gate::path::{NormalPath, split_target};
use watchword_gate::{Allowed, Decision, Failure, Outcome, Request, Rules};
use watchword_kernel::ClientCertificate;

use crate::metadata::MetadataSettings;
use crate::route_config::RouteConfig;
use crate::settings::{GateSource, Settings};
use crate::stats::{FileEvents, Stats};
use crate::stream::{Header, HeaderMap, LogLevel, Metrics, Stream};

/// What Envoy is to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is passed on.
    Continue,
    /// It was answered.
    Answered,
}

/// The room for headers that are read of a request: more than most have.
const READ_HEADERS: usize = 8;

/// A line for Envoy's log, from any thread.
pub(crate) type Log = fn(LogLevel, &str);

/// A filter as it is configured. All threads share it.
pub(crate) struct Filter {
    gate: EmbeddedGate,
    /// No other filter of this process has it.
    number: u64,
    metadata: MetadataSettings,
    stats: Stats,
    files: Arc<FileEvents>,
    log: Log,
}

impl Filter {
    /// Opens the filter: reads all files that its configuration names. Filters with the same name have one replay
    /// cache.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn open(name: &[u8], text: &[u8], metrics: &mut impl Metrics, log: Log) -> Result<Self, String> {
        static FILTERS: AtomicU64 = AtomicU64::new(0);
        let Settings { gate, keys_file, metadata } = Settings::read(text)?;
        let source = match gate {
            GateSource::Toml(text) => ConfigSource::Text(text, Format::Toml, PathBuf::new()),
            GateSource::Json(text) => ConfigSource::Text(text, Format::Json, PathBuf::new()),
            GateSource::File(path) => ConfigSource::File(path),
        };
        let files = Arc::new(FileEvents::default());
        let noted = Arc::clone(&files);
        let listener = move |event: &Event| {
            noted.note(event);
            let level = match event {
                Event::ConfigLoaded | Event::KeysLoaded(..) => LogLevel::Info,
                Event::ConfigRefused(_) | Event::KeysRefused(_) => LogLevel::Warning,
                _ => LogLevel::Error,
            };
            log(level, &format!("watchword: {event}"));
        };
        // Envoy makes a new filter for each version of a listener, and its workers are threads: all have one replay cache.
        let replay_group = Some(String::from_utf8_lossy(name).into_owned());
        let options = Options { keys_file, replay: ReplayStore::Memory, replay_group, ..Options::default() };
        let gate = EmbeddedGate::open(source, options, Box::new(listener)).map_err(|error| error.to_string())?;
        let stats = Stats::define(metrics).ok_or("Envoy does not define the counters")?;
        Ok(Self { gate, number: FILTERS.fetch_add(1, Ordering::Relaxed), metadata, stats, files, log })
    }

    /// Decides on a request by its headers.
    pub(crate) fn on_headers<S: Stream<RouteConfig = RouteConfig>>(&self, stream: &mut S) -> Verdict {
        let rules = self.gate.rules();
        let mut received = Received::read(stream, &rules);
        let normal = normal_target(received.target);
        if received.has_removed || normal.is_some() {
            drop(received);
            remove_headers(stream, HeaderMap::Headers, &rules);
            if let Some(target) = normal {
                stream.set_target(&target);
            }
            // Envoy may have chosen the route by what the client must not send, or by another spelling of the path.
            stream.clear_route_cache();
            received = Received::read(stream, &rules);
        }
        let decision = self.decide(stream, &received, &rules);
        let applied = match decision.outcome() {
            Outcome::Allowed(allowed) => {
                is_clean(stream, &decision, &rules) && self.pass_on(stream, &decision, allowed)
            }
            Outcome::Rejected(_) => true,
        };
        let decision = if applied { decision } else { rules.failed() };
        self.stats.count(stream, &decision, &self.files);
        match decision.is_allowed() {
            true => Verdict::Continue,
            false => {
                self.reject(stream, &decision);
                Verdict::Answered
            }
        }
    }

    /// Removes identity headers from the trailers, which some servers merge into the headers.
    pub(crate) fn on_trailers<S: Stream>(&self, stream: &mut S) {
        remove_headers(stream, HeaderMap::Trailers, &self.gate.rules());
    }

    fn decide<S: Stream<RouteConfig = RouteConfig>>(
        &self,
        stream: &S,
        received: &Received<'_>,
        rules: &Arc<Rules>,
    ) -> Decision {
        let Ok(method) = str::from_utf8(received.method) else { return rules.failed() };
        let certificate = stream.certificate_digest().and_then(decode_digest).map(ClientCertificate::Sha256);
        let Received { target, headers, .. } = received;
        let request = Request { method, target, headers, certificate, form: None };
        let check_for = |route: &RouteConfig| {
            let requirements = route.requirements(self.number, &self.gate)?;
            self.gate.check_for(&requirements, &request).map_err(|error| error.to_string())
        };
        let checked = match stream.route_config().map_or_else(|| Ok(self.gate.check(&request)), check_for) {
            Ok(checked) => checked,
            Err(reason) => {
                (self.log)(LogLevel::Error, &format!("watchword: a route contradicts the gate: {reason}"));
                return rules.failed();
            }
        };
        match checked {
            Checked::Decided(decision) => decision,
            // The gate has its own replay cache.
            Checked::UnusedProof(unused) => unused.reject(Failure::new("dpop_replay_unavailable")),
        }
    }

    /// Sets the identity headers and the metadata. Returns whether Envoy has taken them: what it has not taken would be
    /// missing without anybody noticing.
    fn pass_on<S: Stream>(&self, stream: &mut S, decision: &Decision, allowed: &Allowed) -> bool {
        let headers = IdentityFields::of(decision, self.gate.trace_id());
        // Envoy sets no empty header: what is unknown is absent.
        let mut known = headers.iter().filter(|(_, value)| !value.is_empty());
        if !known.all(|(name, value)| stream.add_header(name, value)) {
            (self.log)(LogLevel::Error, "watchword: Envoy does not take the identity headers");
            return false;
        }
        if let Some(token) = allowed.token.as_deref().filter(|_| !self.metadata.is_empty()) {
            let Some(metadata) = self.metadata.serialize(token) else {
                (self.log)(LogLevel::Error, "watchword: the claims of a token are nested too deeply for metadata");
                return false;
            };
            stream.set_metadata(&self.metadata.namespace, &metadata);
        }
        true
    }

    fn reject<S: Stream>(&self, stream: &mut S, decision: &Decision) {
        let Some(answer) = decision.answer(self.gate.trace_id()) else { return };
        let headers: Vec<(&str, &str)> = answer.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        stream.respond(answer.status, &headers, &answer.body, &format!("watchword{{{}}}", decision.code()));
    }
}

/// What of a request is read.
struct Received<'s> {
    method: &'s [u8],
    target: &'s [u8],
    headers: Vec<Header<'s>>,
    /// Whether there are headers that must not reach the application.
    has_removed: bool,
}

impl<'s> Received<'s> {
    fn read<S: Stream>(stream: &'s S, rules: &Rules) -> Self {
        let headers = Vec::with_capacity(READ_HEADERS);
        let mut received = Self { method: b"", target: b"", headers, has_removed: false };
        stream.each_header(HeaderMap::Headers, |name, value| match name {
            b":method" => received.method = value,
            b":path" => received.target = value,
            b":authority" => received.headers.push((b"host", value)),
            name if rules.reads_header(name) => {
                received.has_removed |= rules.removes_header(name);
                received.headers.push((name, value));
            }
            _ => {}
        });
        received
    }
}

/// The target with its path in normal form, if it is not: Envoy compares its routes with the path as it is, and applications
/// decode it.
fn normal_target(target: &[u8]) -> Option<Vec<u8>> {
    let (path, _) = split_target(target);
    if !path.contains(&b'%') {
        return None;
    }
    // The gate rejects what has no normal form.
    let normal = NormalPath::parse(path).ok()?;
    let rest = target.get(path.len()..).unwrap_or_default();
    (normal.as_str().as_bytes() != path).then(|| [normal.as_str().as_bytes(), rest].concat())
}

/// Removes what the client must not send, in all spellings.
fn remove_headers<S: Stream>(stream: &mut S, map: HeaderMap, rules: &Rules) {
    let mut removed: Vec<Vec<u8>> = Vec::new();
    stream.each_header(map, |name, _| {
        if rules.removes_header(name) {
            removed.push(name.to_vec());
        }
    });
    for name in &removed {
        stream.remove_header(map, name);
    }
}

/// Whether nothing is left that must not reach the application, also if the configuration was replaced by one with other
/// identity headers before the decision.
fn is_clean(stream: &impl Stream, decision: &Decision, removed_by: &Arc<Rules>) -> bool {
    let mut is_clean = true;
    if !decision.is_by(removed_by) {
        stream.each_header(HeaderMap::Headers, |name, _| is_clean &= !decision.is_removed(name));
    }
    is_clean
}

/// The SHA-256 that Envoy gives as 64 hexadecimal digits.
fn decode_digest(text: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
