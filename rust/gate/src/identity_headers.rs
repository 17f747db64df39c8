//! The application's side of the identity headers: what they say, if they are the gate's.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};

use crate::credentials::trimmed;
use crate::failure::Failure;
use crate::identity::{IDENTITY_NAMES, SECRET_NAME, UNNAMED};
use crate::names::{looks_like, starts_like};
use crate::path::encoded_byte;
use crate::request::Header;
use crate::secrets::Secret;

/// Reads the identity headers of requests that have passed a gate with one of these secrets.
#[derive(Clone)]
pub struct IdentityHeaders {
    prefix: String,
    secrets: Vec<Secret>,
    empty: EmptyHeaders,
}

/// What the proxy does with headers that have empty values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyHeaders {
    /// It passes them on: none may be missing.
    Sent,
    /// It drops them, as nginx does: one that is missing is unknown.
    Dropped,
}

/// Who sent a request, as the gate has verified.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    /// The `sub` of the token.
    pub subject: Option<String>,
    /// Its `iss`.
    pub issuer: Option<String>,
    /// Its `client_id`.
    pub client_id: Option<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Who acts for the subject, the current actor first; `None` for one whose name is unknown.
    pub actors: Vec<Option<String>>,
    /// Its `jti`.
    pub token_id: Option<String>,
    /// Its `exp` in Unix seconds, rounded down.
    pub expires_at: Option<f64>,
    /// The thumbprint of the key whose possession was proved.
    pub proof_key: Option<String>,
    /// The name of the route.
    pub route: String,
    /// The trace id.
    pub trace_id: String,
}

impl IdentityHeaders {
    /// A reader of the headers below `prefix`, which ends with a dash. Any of the secrets is accepted.
    pub fn new(prefix: String, secrets: Vec<Secret>, empty: EmptyHeaders) -> Self {
        Self { prefix, secrets, empty }
    }

    /// Whether a header is below the prefix, in any spelling: the application must not read it unverified.
    pub fn is_below_prefix(&self, name: &[u8]) -> bool {
        starts_like(name, self.prefix.as_bytes())
    }

    /// The identity in the headers of a request.
    ///
    /// # Errors
    /// A [`Failure`] with the code `untrusted_identity` if the headers are not, or not only, those of the gate.
    pub fn read(&self, headers: &[Header<'_>]) -> Result<Identity, Failure> {
        // The secret first: the headers of a request that did not pass the gate are not read at all.
        match self.only(headers, SECRET_NAME)? {
            None => {
                return Err(
                    self.fail(SECRET_NAME, "is missing: the request did not pass the gate, or the gate has no secret")
                );
            }
            Some(sent) if !self.accepts(sent) => {
                return Err(self.fail(SECRET_NAME, "has another secret than those that are accepted here"));
            }
            Some(_) => {}
        }
        let mut values = [const { String::new() }; IDENTITY_NAMES.len()];
        for (name, value) in IDENTITY_NAMES.iter().zip(&mut values) {
            match self.only(headers, name)?.map(std::str::from_utf8) {
                Some(Ok(text)) if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b',') => {
                    text.clone_into(value);
                }
                // A comma joins repeated headers.
                Some(_) => return Err(self.fail(name, "is repeated, or has characters that the gate encodes")),
                None if self.empty == EmptyHeaders::Dropped => {}
                None => {
                    let why = "is missing: the proxy must pass on every identity header of the gate, empty ones too";
                    return Err(self.fail(name, why));
                }
            }
        }
        let [subject, issuer, client_id, scopes, actors, token_id, expires_at, proof_key, route, trace_id] = &values;
        let [sub, iss, client, scope, actor, jti, exp, jkt, route_name, trace] = IDENTITY_NAMES;
        Ok(Identity {
            subject: self.one(sub, subject)?,
            issuer: self.one(iss, issuer)?,
            client_id: self.one(client, client_id)?,
            scopes: elements(scopes).map(decoded).collect::<Option<_>>().ok_or_else(|| self.malformed(scope))?,
            actors: elements(actors)
                .map(|name| if name == UNNAMED { Some(None) } else { decoded(name).map(Some) })
                .collect::<Option<_>>()
                .ok_or_else(|| self.malformed(actor))?,
            token_id: self.one(jti, token_id)?,
            expires_at: seconds(expires_at).ok_or_else(|| self.malformed(exp))?,
            proof_key: self.one(jkt, proof_key)?,
            // These two are never empty, so that no proxy drops them.
            route: self.one(route_name, route)?.ok_or_else(|| self.fail(route_name, "is empty"))?,
            trace_id: self.one(trace, trace_id)?.ok_or_else(|| self.fail(trace, "is empty"))?,
        })
    }

    /// The value of the header with this name below the prefix.
    fn only<'h>(&self, headers: &[Header<'h>], name: &str) -> Result<Option<&'h [u8]>, Failure> {
        let full = format!("{}{name}", self.prefix);
        let mut found = None;
        for &(sent, value) in headers.iter().filter(|(sent, _)| looks_like(sent, full.as_bytes())) {
            if !sent.eq_ignore_ascii_case(full.as_bytes()) {
                return Err(self.fail(name, "is there in another spelling: the proxy must remove what clients send so"));
            }
            if found.replace(trimmed(value)).is_some() {
                return Err(self.fail(name, "is repeated: the proxy must replace what clients send"));
            }
        }
        Ok(found)
    }

    /// Compares with every secret, in constant time.
    fn accepts(&self, sent: &[u8]) -> bool {
        let accepted = self.secrets.iter().map(|secret| secret.text().as_bytes().ct_eq(sent));
        accepted.fold(Choice::from(0), |any, one| any | one).into()
    }

    fn one(&self, name: &str, value: &str) -> Result<Option<String>, Failure> {
        match value {
            "" => Ok(None),
            _ => decoded(value).map(Some).ok_or_else(|| self.malformed(name)),
        }
    }

    fn malformed(&self, name: &str) -> Failure {
        self.fail(name, "has a value that no gate writes")
    }

    /// The failure for a header. Its value is not quoted.
    fn fail(&self, name: &str, why: &str) -> Failure {
        Failure::with_detail("untrusted_identity", format!("{}{name} {why}", self.prefix))
    }
}

fn elements(value: &str) -> impl Iterator<Item = &str> {
    value.split(' ').filter(|_| !value.is_empty())
}

/// What the gate encoded: `None` if it encodes nothing so.
fn decoded(value: &str) -> Option<String> {
    let mut bytes = value.bytes();
    let mut decoded = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => decoded.push(encoded_byte(&mut bytes)?),
            b' ' => return None,
            _ => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok().filter(|text| !text.is_empty())
}

/// A whole number of seconds, `None` in it if it is empty.
fn seconds(value: &str) -> Option<Option<f64>> {
    if value.is_empty() {
        return Some(None);
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole { value.parse().ok().filter(|seconds: &f64| seconds.is_finite()).map(Some) } else { None }
}

impl fmt::Debug for IdentityHeaders {
    /// Shows the prefix and the number of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityHeaders({:?}, {} secrets)", self.prefix, self.secrets.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use data_encoding::BASE64URL_NOPAD;

    use super::*;

    fn secret(byte: u8) -> Secret {
        Secret::parse(&BASE64URL_NOPAD.encode(&[byte; 32])).unwrap()
    }

    fn reader(empty: EmptyHeaders) -> IdentityHeaders {
        IdentityHeaders::new("X-Auth-".to_owned(), vec![secret(2), secret(1)], empty)
    }

    /// The headers of a gate whose secret is the second that is accepted.
    fn sent() -> Vec<(String, String)> {
        let values = ["a%20b%2C%25", "https://as.example", "", "x y:%C3%A9", "% b %", "", "1700000000", "", "/o", "7"];
        let mut headers: Vec<_> = IDENTITY_NAMES
            .iter()
            .zip(values)
            .map(|(name, value)| (format!("x-auth-{name}"), value.to_owned()))
            .collect();
        headers.push(("X-AUTH-SECRET".to_owned(), format!(" {}\t", secret(1).text())));
        headers.push(("Host".to_owned(), "x".to_owned()));
        headers
    }

    fn read(headers: &[(String, String)], empty: EmptyHeaders) -> Result<Identity, String> {
        let headers: Vec<Header<'_>> =
            headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        reader(empty).read(&headers).map_err(|failure| {
            assert_eq!(failure.code, "untrusted_identity");
            failure.detail
        })
    }

    #[test]
    fn what_the_gate_encodes_is_decoded() {
        let identity = read(&sent(), EmptyHeaders::Sent).unwrap();
        assert_eq!(identity.subject.as_deref(), Some("a b,%"));
        assert_eq!(identity.client_id, None);
        assert_eq!(identity.scopes, ["x", "y:é"]);
        assert_eq!(identity.actors, [None, Some("b".to_owned()), None]);
        assert_eq!((identity.expires_at, identity.route.as_str()), (Some(1.7e9), "/o"));
        let present: Vec<_> = sent().into_iter().filter(|(_, value)| !value.is_empty()).collect();
        assert_eq!(read(&present, EmptyHeaders::Dropped), Ok(identity));
        assert!(read(&present, EmptyHeaders::Sent).unwrap_err().starts_with("X-Auth-Client-Id is missing"));
    }

    #[test]
    fn a_repeated_or_missing_header_is_an_error() {
        for (index, (name, value)) in sent().into_iter().enumerate().filter(|(_, (name, _))| name != "Host") {
            for other in [name.clone(), name.to_uppercase(), name.replace('-', "_"), name.replacen('-', ".", 1)] {
                for first in [true, false] {
                    let mut headers = sent();
                    headers.insert(if first { 0 } else { index + 1 }, (other.clone(), value.clone()));
                    assert!(read(&headers, EmptyHeaders::Dropped).is_err(), "{other}");
                }
            }
            let mut headers = sent();
            headers.remove(index);
            assert!(read(&headers, EmptyHeaders::Sent).is_err(), "{name}");
            let is_needed = ["route", "trace-id", "secret"].iter().any(|end| name.to_lowercase().ends_with(end));
            assert_eq!(read(&headers, EmptyHeaders::Dropped).is_err(), is_needed, "{name}");
        }
    }

    #[test]
    fn a_value_that_no_gate_writes_is_an_error() {
        for (index, values) in [
            (0, vec!["a,b", "a b", "%", "%4", "%zz", "%ff", "é", "a\u{7f}"]),
            (3, vec!["a  b", "a,b", "% a"]),
            (4, vec!["a  b", "%%", "%2"]),
            (6, vec!["1e3", "+1", "-", "1.5", "0x10", "inf", "1 2"]),
            (8, vec![""]),
            (10, vec!["", "x", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQA"]),
        ] {
            for value in values {
                let mut headers = sent();
                headers[index].1 = value.to_owned();
                let error = read(&headers, EmptyHeaders::Sent).unwrap_err();
                assert!(!error.contains("zz") && !error.contains(secret(1).text()), "{error}");
            }
        }
    }
}
