//! What the filter needs of Envoy, as safe functions.

/// A header: its name, in lower case, and its value.
pub(crate) type Header<'a> = (&'a [u8], &'a [u8]);

/// The headers or the trailers of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderMap {
    /// The headers, with the pseudo-headers.
    Headers,
    /// The trailers.
    Trailers,
}

/// The level of a line in Envoy's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// What happened.
    Info,
    /// What should be looked at.
    Warning,
    /// What failed.
    Error,
}

/// A counter that was defined for a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counter(pub(crate) usize);

/// Defines the counters of a filter, while it is configured.
pub(crate) trait Metrics {
    /// A counter with this name and these labels.
    fn define_counter(&mut self, name: &str, labels: &[&str]) -> Option<Counter>;
}

/// A request that passes through the filter, for the duration of one hook.
pub(crate) trait Stream {
    /// What was configured for the route that Envoy has chosen.
    type RouteConfig;

    /// Visits all headers, or trailers, in the order in which they were received.
    fn each_header<'s>(&'s self, map: HeaderMap, visit: impl FnMut(&'s [u8], &'s [u8]));

    /// Removes all headers with this name.
    fn remove_header(&mut self, map: HeaderMap, name: &[u8]);

    /// Replaces the path and the query.
    fn set_target(&mut self, target: &[u8]);

    /// Adds a header. Returns whether Envoy has taken it.
    fn add_header(&mut self, name: &str, value: &str) -> bool;

    /// The lower-case hexadecimal SHA-256 of the certificate that the client presented on this connection.
    fn certificate_digest(&self) -> Option<&[u8]>;

    /// What is configured for the route.
    fn route_config(&self) -> Option<&Self::RouteConfig>;

    /// Makes Envoy choose the route again, by the headers as they are now.
    fn clear_route_cache(&mut self);

    /// Merges a serialized `google.protobuf.Struct` into the dynamic metadata of this namespace.
    fn set_metadata(&mut self, namespace: &str, serialized: &[u8]);

    /// Adds to a counter.
    fn count(&mut self, counter: Counter, labels: &[&str], value: u64);

    /// Answers the request. `details` are what access logs show as `%RESPONSE_CODE_DETAILS%`.
    fn respond(&mut self, status: u16, headers: &[(&str, &str)], body: &str, details: &str);
}
