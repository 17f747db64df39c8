//! One connection: HTTP/1.1 within limits.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until};

use crate::connections::{Connection, count};
use crate::listener::Stream;
use crate::phase::{Phase, Timeouts};
use crate::stream::Watched;

/// The limits of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    pub(crate) timeouts: Timeouts,
    pub(crate) max_header_bytes: usize,
}

/// How a connection ended.
enum End {
    /// As the peer wanted, or as it had to.
    Closed,
    /// By a request that is not HTTP/1.1.
    Malformed,
    TimedOut,
}

/// Answers the requests of a connection by `answer`, to its end.
pub(crate) async fn serve<A, F>(stream: Stream, connection: Connection, limits: ConnectionLimits, answer: A)
where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Full<Bytes>>>,
{
    let activity = &connection.activity;
    let service = service_fn(|request| {
        activity.handling();
        let answer = answer(request);
        async {
            let answer = answer.await;
            activity.enter(Phase::Writing);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut http = http1::Builder::new();
    // The phases of `Activity` have timeouts of their own: hyper has one, for the head of a request. It accepts 100 headers.
    http.header_read_timeout(None).max_buf_size(limits.max_header_bytes);
    let mut http = pin!(http.serve_connection(TokioIo::new(Watched::new(stream, Arc::clone(activity))), service));
    let mut stop = pin!(activity.stop.notified());
    let mut timer = pin!(sleep_until(Instant::now() + limits.timeouts.header));
    let mut is_stopping = false;
    let end = poll_fn(|cx| {
        loop {
            let is_told = !is_stopping && stop.as_mut().poll(cx).is_ready();
            is_stopping |= is_told;
            if is_stopping && !activity.is_idle() {
                // Before the answer is written, so that it says that the connection is closed.
                http.as_mut().graceful_shutdown();
            }
            if let Poll::Ready(result) = http.as_mut().poll(cx) {
                let is_malformed = result.is_err_and(|error| error.is_parse() || error.is_parse_too_large());
                return Poll::Ready(if is_malformed { End::Malformed } else { End::Closed });
            }
            if !is_told {
                break;
            }
            // What had been received by then has been read.
            if activity.is_idle() {
                return Poll::Ready(End::Closed);
            }
        }
        let wanted = activity.deadline(limits.timeouts);
        if let Some(earlier) = wanted.filter(|wanted| *wanted < timer.deadline()) {
            timer.as_mut().reset(earlier);
        }
        while timer.as_mut().poll(cx).is_ready() {
            match wanted {
                Some(wanted) if wanted <= Instant::now() => return Poll::Ready(End::TimedOut),
                Some(wanted) => timer.as_mut().reset(wanted),
                // While a request is being checked there is no limit: it is asked again later what the connection does.
                None => timer.as_mut().reset(Instant::now() + limits.timeouts.header),
            }
        }
        Poll::Pending
    })
    .await;
    match end {
        End::Closed => {}
        End::Malformed => count(&connection.counts().malformed),
        End::TimedOut if activity.phase() == Phase::Closing => {}
        End::TimedOut => count(&connection.counts().timed_out),
    }
}
