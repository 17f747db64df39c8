//! Checking requests: from what a proxy asks to the answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use watchword_gate::{Decision, Failure, Gate, Header, Nonces, Progress, TraceIds};

use crate::answer::{of_decision, of_document, of_status};
use crate::clock;
use crate::family::Family;
use crate::lookups::{Lookups, Waited};
use crate::records::{Record, Records};
use crate::settings::Settings;
use crate::shared_replay::SharedReplay;
use crate::unwinding::{attempt, caught};
use crate::verdicts::Verdicts;

/// How often a request waits for keys: once, unless they change meanwhile.
const MAX_WAITS: u32 = 4;

/// The metadata of the protected resource (RFC 9728).
#[derive(Debug, Clone)]
pub struct Metadata {
    /// The path at which it is published.
    pub path: String,
    /// The document, in JSON.
    pub document: Vec<u8>,
}

/// What is replaced with the rules.
pub(crate) struct Beside {
    pub(crate) nonces: Option<Arc<Nonces>>,
    pub(crate) metadata: Option<Metadata>,
}

/// Checks requests.
pub(crate) struct Checker {
    pub(crate) settings: Settings,
    pub(crate) gate: Gate,
    pub(crate) beside: ArcSwap<Beside>,
    pub(crate) replay: Option<SharedReplay>,
    pub(crate) lookups: Lookups,
    pub(crate) verdicts: Verdicts,
    pub(crate) records: Records,
    pub(crate) trace_ids: TraceIds,
}

/// The answer to a request: there is one, or it has to be waited for.
pub(crate) enum Answering {
    Ready(Option<Response<Full<Bytes>>>),
    Waiting(Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>),
}

impl Future for Answering {
    type Output = Response<Full<Bytes>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(response) => response.take().map_or(Poll::Pending, Poll::Ready),
            Self::Waiting(future) => future.as_mut().poll(cx),
        }
    }
}

impl Checker {
    /// Answers a request of the proxy.
    pub(crate) fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Answering {
        let started = Instant::now();
        // The body says nothing about the request, and is not read.
        let (parts, _) = request.into_parts();
        if self.settings.family.is_for_metadata(parts.uri.path(), &self.settings.path_prefix) {
            return Answering::Ready(Some(self.metadata(&parts)));
        }
        let generation = self.lookups.generation();
        match attempt(|| self.begin(&parts)) {
            Some(Progress::Decided(decision)) => Answering::Ready(Some(self.finish(decision, started))),
            Some(progress) => {
                let this = Arc::clone(self);
                // In a box, as few requests wait: a future is as large as all that it may ever need.
                Answering::Waiting(Box::pin(async move {
                    let decision = caught(this.wait(progress, generation)).await;
                    this.finish(decision.unwrap_or_else(|| this.gate.rules().failed()), started)
                }))
            }
            None => Answering::Ready(Some(self.finish(self.gate.rules().failed(), started))),
        }
    }

    /// Answers with a decision, and counts it.
    fn finish(&self, decision: Decision, started: Instant) -> Response<Full<Bytes>> {
        let trace_id = self.trace_ids.next_id();
        let response = of_decision(&decision, self.settings.family, trace_id);
        let seconds = started.elapsed().as_secs_f64();
        self.verdicts.add(&decision, seconds);
        let is_recorded = match decision.is_allowed() {
            true => self.settings.record_allowed,
            false => self.settings.record_rejected,
        };
        if is_recorded {
            self.records.add(Record { decision, trace_id, seconds, at: clock::now().seconds() });
        }
        response
    }

    /// Decides on a request that has to wait: for keys of a later generation, or for the store of used proofs.
    async fn wait(&self, mut progress: Progress, mut generation: u64) -> Decision {
        let mut waits = 0;
        loop {
            let (sent, failure) = match progress {
                Progress::Decided(decision) => return decision,
                Progress::UnusedProof(unused) => {
                    return match &self.replay {
                        Some(replay) => replay.use_proof(unused).await,
                        None => unused.reject(Failure::new("dpop_replay_unavailable")),
                    };
                }
                Progress::NeedsKeys(sent, failure) => (sent, failure),
            };
            let Some(issuer) = sent.issuer_name().filter(|_| waits < MAX_WAITS) else { return sent.reject(failure) };
            waits += 1;
            let timeout = self.settings.lookup_timeout;
            match self.lookups.wait(issuer, sent.key_id(), generation, timeout).await {
                Waited::Changed => {}
                Waited::Finished => waits = MAX_WAITS,
                Waited::Unavailable => return sent.reject(Failure::new("keys_unavailable")),
            }
            generation = self.lookups.generation();
            let now = clock::now();
            let nonces = self.beside.load().nonces.as_ref().map(|nonces| nonces.valid(now));
            progress = self.gate.resume(sent, now, nonces.as_deref());
        }
    }

    /// Checks a request as far as that is possible without waiting.
    fn begin(&self, parts: &Parts) -> Progress {
        let headers: Vec<Header<'_>> = parts
            .headers
            .iter()
            .filter(|(name, _)| !Family::is_private(name.as_str()))
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
            .collect();
        let described = match parts.method {
            // An answer of 2xx to it would open a tunnel.
            Method::CONNECT => Err("the method of the proxy's request is CONNECT"),
            _ => self.settings.family.described(parts, &self.settings.path_prefix),
        };
        let (method, target) = match described {
            Ok(described) => described,
            Err(what) => {
                let failure = Failure::with_detail("malformed_request", what.to_owned());
                return Progress::Decided(self.gate.rules().reject(&headers, failure));
            }
        };
        let now = clock::now();
        let nonces = self.beside.load().nonces.as_ref().map(|nonces| nonces.valid(now));
        let request = watchword_gate::Request { method, target, headers: &headers, certificate: None, form: None };
        self.gate.progress(&request, now, nonces.as_deref())
    }

    /// The metadata of the resource, for a request that is no check.
    fn metadata(&self, parts: &Parts) -> Response<Full<Bytes>> {
        let beside = self.beside.load();
        let Some(metadata) = beside.metadata.as_ref().filter(|metadata| metadata.path == parts.uri.path()) else {
            return of_status(StatusCode::NOT_FOUND);
        };
        if parts.uri.authority().is_some() || !matches!(parts.method, Method::GET | Method::HEAD) {
            return of_status(StatusCode::METHOD_NOT_ALLOWED);
        }
        of_document(HeaderValue::from_static("application/json"), Bytes::copy_from_slice(&metadata.document))
    }
}
