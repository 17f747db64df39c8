//! The statuses of gRPC: Envoy answers a gRPC request with status 200 and a `grpc-status`, which would be 0 (OK) if the
//! module set none.

/// The header with the status of a call.
pub(crate) const STATUS: &str = "grpc-status";

/// Whether a request with this `Content-Type` may be one that Envoy answers as gRPC. Others, such as gRPC-Web, may be among
/// them: an unneeded `grpc-status` does no harm.
pub(crate) fn is_grpc(content_type: &[u8]) -> bool {
    content_type.starts_with(b"application/grpc")
}

/// The status of gRPC for the HTTP status of a rejection, as the gate's interceptor for gRPC servers has it.
pub(crate) fn status_of(http: u16) -> &'static str {
    match http {
        400 => INVALID_ARGUMENT,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        429 => RESOURCE_EXHAUSTED,
        503 => UNAVAILABLE,
        _ => INTERNAL,
    }
}

const INVALID_ARGUMENT: &str = "3";
const PERMISSION_DENIED: &str = "7";
const RESOURCE_EXHAUSTED: &str = "8";
const INTERNAL: &str = "13";
const UNAVAILABLE: &str = "14";
const UNAUTHENTICATED: &str = "16";
