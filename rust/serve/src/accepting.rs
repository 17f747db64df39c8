//! Accepting connections.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::sync::watch;

use crate::connection::{self, ConnectionLimits};
use crate::connections::{Connections, count};
use crate::listener::Listener;

/// How long nothing is accepted after an error: of file descriptors, for one, which does not pass at once.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Accepts connections, and answers their requests by `answer`, until `stop` changes.
pub(crate) async fn accept<A, F>(
    listener: Listener,
    connections: Arc<Connections>,
    limits: ConnectionLimits,
    mut stop: watch::Receiver<bool>,
    answer: A,
) where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        match accepted {
            Ok(stream) => {
                let Some(connection) = connections.open() else { continue };
                let (id, answer) = (connection.id, answer.clone());
                let task = tokio::spawn(connection::serve(stream, connection, limits, answer));
                connections.started(id, task.abort_handle());
            }
            Err(error) => {
                count(&connections.counts.accept_errors);
                if is_of_connection(&error) {
                    continue;
                }
                // File descriptors are exhausted: those of idle connections can be had.
                connections.evict_some();
                tokio::select! {
                    () = tokio::time::sleep(AFTER_ERROR) => {}
                    _ = stop.changed() => return,
                }
            }
        }
    }
}

/// Whether an error is that of the connection which would have been accepted.
fn is_of_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    // InvalidInput: the peer has closed it before an option was set.
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput)
}
