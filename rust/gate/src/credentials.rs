//! The credentials of a request: the `Authorization` header (RFC 6750 section 2.1, RFC 9449 section 7.1), and the proof.

use crate::code::Scheme;

/// The unverified credentials of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The scheme of the `Authorization` header.
    pub scheme: Scheme,
    /// The token, as it was sent.
    pub token: &'a [u8],
    /// The value of the `DPoP` header; `None` if the scheme is `Bearer`.
    pub proof: Option<&'a [u8]>,
}

/// Why a request has no credentials to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsError {
    /// No `Authorization` header of either scheme.
    MissingToken,
    /// Several `Authorization` headers.
    Repeated,
    /// Not one token after the scheme.
    Malformed,
    /// The scheme `DPoP` without a `DPoP` header.
    MissingProof,
    /// Several proofs: a repeated header, or proofs that are joined by a comma.
    SeveralProofs,
}

impl CredentialsError {
    /// The stable name of the error.
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::Repeated | Self::Malformed => "malformed_request",
            Self::MissingProof => "dpop_missing_proof",
            Self::SeveralProofs => "dpop_several_proofs",
        }
    }

    /// One sentence for a person.
    pub fn detail(self) -> &'static str {
        match self {
            Self::MissingToken => "the request carries no access token",
            Self::Repeated => "the request has several Authorization headers",
            Self::Malformed => "the Authorization header must have one token after the scheme",
            Self::MissingProof => "the request lacks a DPoP proof",
            Self::SeveralProofs => "the request has more than one DPoP proof",
        }
    }
}

/// One of the two headers.
enum CredentialHeader {
    Authorization,
    Dpop,
}

impl CredentialHeader {
    fn of_name(name: &[u8]) -> Option<Self> {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"dpop") => Some(Self::Dpop),
            13 if name.eq_ignore_ascii_case(b"authorization") => Some(Self::Authorization),
            _ => None,
        }
    }
}

/// The values of the two headers of a request.
#[derive(Default, Clone, Copy)]
pub struct CredentialHeaders<'a> {
    authorization: Values<'a>,
    dpop: Values<'a>,
}

/// The values of one header, of which more than one is an error.
#[derive(Default, Clone, Copy)]
enum Values<'a> {
    #[default]
    None,
    One(&'a [u8]),
    Several,
}

impl<'a> Values<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = if matches!(self, Self::None) { Self::One(value) } else { Self::Several };
    }
}

impl<'a> CredentialHeaders<'a> {
    /// Whether a header with this name is one of the two.
    pub fn reads(name: &[u8]) -> bool {
        CredentialHeader::of_name(name).is_some()
    }

    /// Takes a header if it is one of the two. Returns whether it is.
    pub fn take(&mut self, name: &[u8], value: &'a [u8]) -> bool {
        let values = match CredentialHeader::of_name(name) {
            Some(CredentialHeader::Authorization) => &mut self.authorization,
            Some(CredentialHeader::Dpop) => &mut self.dpop,
            None => return false,
        };
        values.add(trimmed(value));
        true
    }

    /// The credentials. A proof that is sent with a bearer token is ignored, unless there are several.
    ///
    /// # Errors
    /// [`CredentialsError`] if there are none, or if they are repeated or malformed.
    pub fn read(&self) -> Result<Credentials<'a>, CredentialsError> {
        if matches!(self.authorization, Values::Several) {
            return Err(CredentialsError::Repeated);
        }
        let proof = match self.dpop {
            Values::None => None,
            // Servers and proxies may join repeated headers by a comma, which no proof contains.
            Values::One(proof) if !proof.contains(&b',') => Some(proof),
            _ => return Err(CredentialsError::SeveralProofs),
        };
        let Values::One(authorization) = self.authorization else { return Err(CredentialsError::MissingToken) };
        let end = authorization.iter().position(|byte| *byte == b' ').unwrap_or(authorization.len());
        let (scheme, token) = authorization.split_at(end);
        let scheme = if scheme.eq_ignore_ascii_case(b"bearer") {
            Scheme::Bearer
        } else if scheme.eq_ignore_ascii_case(b"dpop") {
            Scheme::Dpop
        } else if is_joined(authorization) {
            return Err(CredentialsError::Repeated);
        } else {
            return Err(CredentialsError::MissingToken);
        };
        let spaces = token.iter().take_while(|byte| **byte == b' ').count();
        let (_, token) = token.split_at(spaces);
        if !is_token(token) {
            return Err(CredentialsError::Malformed);
        }
        match scheme {
            Scheme::Bearer => Ok(Credentials { scheme, token, proof: None }),
            Scheme::Dpop => {
                Ok(Credentials { scheme, token, proof: Some(proof.ok_or(CredentialsError::MissingProof)?) })
            }
        }
    }
}

/// The value without the white space around it, which is not part of it (RFC 9110 section 5.5).
pub(crate) fn trimmed(value: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last.saturating_add(1));
    value.get(start..end).unwrap_or_default()
}

/// Whether credentials of one of the two schemes follow those of another, as servers join repeated headers by a comma.
/// Credentials of other schemes may have commas of their own.
fn is_joined(authorization: &[u8]) -> bool {
    let mut parts = authorization.split(|byte| *byte == b',').skip(1).map(trimmed);
    parts.any(|part| {
        let scheme = part.split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop")
    })
}

/// Whether the text is a token68 (RFC 9110 section 11.2): a token has no other characters.
fn is_token(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let (unpadded, _) = text.split_at(text.len().saturating_sub(padding));
    // Without an early end, so that the compiler can check many bytes at once: nearly all tokens are well-formed.
    !unpadded.is_empty() && unpadded.iter().fold(true, |all, byte| all & is_token_byte(*byte))
}

fn is_token_byte(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit_or_near = byte.wrapping_sub(b'-') < 13; // - . / 0 to 9
    is_letter | is_digit_or_near | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(headers: &[(&str, &'a str)]) -> Result<Credentials<'a>, CredentialsError> {
        let mut found = CredentialHeaders::default();
        for (name, value) in headers {
            found.take(name.as_bytes(), value.as_bytes());
        }
        found.read()
    }

    #[test]
    fn the_characters_of_a_token() {
        for byte in u8::MIN..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_token_byte(byte), expected, "{byte:#04x}");
        }
    }

    #[test]
    fn one_token_of_one_scheme() {
        for (sent, token) in
            [("Bearer abc", "abc"), ("bEARER   a.b-c_d~+/==", "a.b-c_d~+/=="), (" Bearer abc\t", "abc")]
        {
            let found = read(&[("AUTHORIZATION", sent), ("dpop", "ignored")]).map(|found| (found.scheme, found.token));
            assert_eq!(found, Ok((Scheme::Bearer, token.as_bytes())), "{sent}");
        }
        let found = read(&[("authorization", "DPoP abc"), ("DPoP", " proof ")]).map(|found| found.proof);
        assert_eq!(found, Ok(Some("proof".as_bytes())));
    }

    #[test]
    fn anything_else_is_an_error() {
        use CredentialsError::*;
        let auth = "authorization";
        for (headers, error) in [
            (vec![], MissingToken),
            (vec![(auth, "")], MissingToken),
            (vec![(auth, "Basic abc")], MissingToken),
            (vec![(auth, "Bearer\tabc")], MissingToken),
            (vec![(auth, "Digest username=\"a\", realm=\"bearer b\"")], MissingToken),
            (vec![(auth, "Basic abc, Bearer b")], Repeated),
            (vec![(auth, "Basic abc,dpop b")], Repeated),
            (vec![(auth, "Bearer \tabc")], Malformed),
            (vec![(auth, "Bearer")], Malformed),
            (vec![(auth, "Bearer a b")], Malformed),
            (vec![(auth, "Bearer a,b")], Malformed),
            (vec![(auth, "Bearer a, Bearer b")], Malformed),
            (vec![(auth, "Bearer =")], Malformed),
            (vec![(auth, "Bearer a=b")], Malformed),
            (vec![(auth, "Bearer \u{e9}")], Malformed),
            (vec![(auth, "Bearer a"), (auth, "Bearer a")], Repeated),
            (vec![(auth, "DPoP a")], MissingProof),
            (vec![(auth, "DPoP a"), ("dpop", "p"), ("DPOP", "p")], SeveralProofs),
            (vec![(auth, "DPoP a"), ("dpop", "p,q")], SeveralProofs),
            (vec![(auth, "Bearer a"), ("dpop", "p"), ("dpop", "q")], SeveralProofs),
        ] {
            assert_eq!(read(&headers).err(), Some(error), "{headers:?}");
        }
    }
}
