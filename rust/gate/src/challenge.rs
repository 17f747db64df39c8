//! `WWW-Authenticate` (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3, RFC 9728 section 5.1).

use std::fmt::Write as _;

use crate::code::Scheme;

/// The maximum length of the `scope` of a challenge: the sender of a request chooses its path, and so a part of a scope.
const MAX_SCOPE: usize = 1024;

/// The parameters of a challenge. A value that a quoted string cannot have is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Challenge<'a> {
    /// What is protected, by a name for people.
    pub realm: Option<&'a str>,
    /// The `error`; a request without credentials gets none (RFC 6750 section 3.1).
    pub error: Option<&'a str>,
    /// The `error_description`.
    pub description: Option<&'a str>,
    /// The scopes that are required, separated by spaces.
    pub scope: Option<&'a str>,
    /// The algorithms of proofs, separated by spaces: a parameter of the scheme `DPoP` only.
    pub algorithms: Option<&'a str>,
    /// The accepted authentication contexts, separated by spaces, the best first (RFC 9470).
    pub acr_values: Option<&'a str>,
    /// The maximum age of the user's authentication, in seconds (RFC 9470).
    pub max_age: Option<u64>,
    /// The URL of the protected resource's metadata.
    pub resource_metadata: Option<&'a str>,
}

impl Challenge<'_> {
    /// The challenge of one scheme.
    pub fn to_text(&self, scheme: Scheme) -> String {
        let mut text = String::from(scheme.name());
        let mut separator = " ";
        let algorithms = self.algorithms.filter(|_| scheme == Scheme::Dpop);
        let scope = self.scope.filter(|scope| is_scope(scope));
        let max_age = self.max_age.map(|seconds| seconds.to_string());
        let parameters = [
            ("realm", self.realm),
            ("error", self.error),
            ("error_description", self.description),
            ("algs", algorithms),
            ("scope", scope),
            ("acr_values", self.acr_values),
            ("max_age", max_age.as_deref()),
            ("resource_metadata", self.resource_metadata),
        ];
        for (name, value) in parameters {
            if let Some(value) = value.filter(|value| is_quotable(value)) {
                // Writing to a String cannot fail.
                let _ = write!(text, "{separator}{name}=\"{value}\"");
                separator = ", ";
            }
        }
        text
    }

    /// The challenges for a request without credentials: both schemes, or `DPoP` alone.
    pub fn without_credentials(&self, dpop_only: bool) -> String {
        let plain = Self { error: None, description: None, ..*self };
        let dpop = plain.to_text(Scheme::Dpop);
        if dpop_only { dpop } else { format!("{dpop}, {}", plain.to_text(Scheme::Bearer)) }
    }
}

/// Whether a quoted string can have this text without escapes.
pub fn is_quotable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

/// Whether this is the value of a `scope` parameter (RFC 6749 section 3.3), and not too long.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_SCOPE && text.split(' ').all(|scope| !scope.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_in_one_order() {
        let challenge = Challenge {
            realm: Some("orders"),
            error: Some("insufficient_scope"),
            scope: Some("orders:read"),
            algorithms: Some("ES256"),
            resource_metadata: Some("https://api.example/.well-known/oauth-protected-resource"),
            ..Challenge::default()
        };
        assert_eq!(
            challenge.to_text(Scheme::Bearer),
            "Bearer realm=\"orders\", error=\"insufficient_scope\", scope=\"orders:read\", \
             resource_metadata=\"https://api.example/.well-known/oauth-protected-resource\""
        );
        assert_eq!(Challenge::default().to_text(Scheme::Bearer), "Bearer");
        assert_eq!(
            Challenge { algorithms: Some("ES256 EdDSA"), error: Some("x"), ..Challenge::default() }
                .without_credentials(false),
            "DPoP algs=\"ES256 EdDSA\", Bearer"
        );
    }

    #[test]
    fn what_cannot_be_quoted_is_left_out() {
        for scope in ["a\"b", "a  b", "", "caf\u{e9}", &"a".repeat(MAX_SCOPE + 1)] {
            let challenge = Challenge { scope: Some(scope), ..Challenge::default() };
            assert_eq!(challenge.to_text(Scheme::Bearer), "Bearer", "{scope}");
        }
    }
}
