//! What a token states, unverified: for choosing among configured issuers and for display, never for a decision.

use std::borrow::Cow;

use super::{Compact, Decoded, Header, Limits};
use crate::error::Error;
use crate::json::{Object, Value};

/// A well-formed token, decoded. Nothing of it is verified: anybody can have written it.
#[derive(Clone)]
pub struct UnverifiedToken {
    decoded: Decoded,
}

/// The names that a token states. Nothing of it is verified.
#[derive(Clone, Default)]
pub struct UnverifiedNames {
    issuer: Option<String>,
    subject: Option<String>,
    decoded: Option<Decoded>,
}

/// The names that a token within the limits states. A name is `None` if it is absent or not a string, or if the token is
/// malformed.
pub fn unverified_names(token: &[u8], limits: &Limits) -> UnverifiedNames {
    let Ok(Compact { decoded, .. }) = Compact::parse(token, limits) else { return UnverifiedNames::default() };
    let owned = |name: Option<&str>| name.map(str::to_owned);
    let (issuer, subject) = read_names_in(&decoded, |issuer, subject| (owned(issuer), owned(subject)));
    UnverifiedNames { issuer, subject, decoded: Some(decoded) }
}

/// What `read` returns for the `iss` and the `sub` of a token, which are not copied; `None` if the token is malformed or
/// exceeds the limits.
pub(crate) fn read_unverified_names<T>(
    token: &[u8],
    limits: &Limits,
    read: impl FnOnce(Option<&str>, Option<&str>) -> T,
) -> Option<T> {
    Some(read_names_in(&Compact::parse(token, limits).ok()?.decoded, read))
}

/// What `read` returns for the unverified `iss` and `sub` of a token that is already decoded.
pub(crate) fn read_names_in<T>(decoded: &Decoded, read: impl FnOnce(Option<&str>, Option<&str>) -> T) -> T {
    let claims = Object::parse(decoded.payload()).ok();
    let text = |name| claims.as_ref()?.get(name).and_then(Value::as_str);
    read(text("iss"), text("sub"))
}

/// Decodes a token, as strictly as [`verify_jws`](crate::verify_jws) does before it looks for a key: the lengths, three
/// parts, strict base64url, a header that is strict JSON with an `alg`, and no extension that must be understood. Neither
/// the type, the algorithm nor the signature is checked, nor what the payload is.
///
/// # Errors
/// That of [`verify_jws`](crate::verify_jws), if one of these checks fails.
pub fn decode_unverified(token: &[u8], limits: &Limits) -> Result<UnverifiedToken, Error> {
    let Compact { decoded, .. } = Compact::parse(token, limits)?;
    Header::parse(decoded.header())?.check_extensions()?;
    Ok(UnverifiedToken { decoded })
}

impl UnverifiedToken {
    /// The JOSE header: strict JSON.
    pub fn header(&self) -> &[u8] {
        self.decoded.header()
    }

    /// The payload: any bytes.
    pub fn payload(&self) -> &[u8] {
        self.decoded.payload()
    }

    /// The signature: any bytes.
    pub fn signature(&self) -> &[u8] {
        self.decoded.signature()
    }
}

impl std::fmt::Debug for UnverifiedToken {
    /// Shows the sizes, nothing of the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedToken").field("payload_bytes", &self.payload().len()).finish_non_exhaustive()
    }
}

impl UnverifiedNames {
    /// `iss`: the issuer that the token claims.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// `sub`: in a JWT-SVID, its trust domain is all that names the issuer.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The `kid` of the header, which is parsed on demand: it is not needed to choose an issuer.
    pub fn key_id(&self) -> Option<String> {
        Header::parse(self.decoded.as_ref()?.header()).ok()?.key_id.map(Cow::into_owned)
    }
}

impl std::fmt::Debug for UnverifiedNames {
    /// Shows nothing of the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedNames").finish_non_exhaustive()
    }
}
