//! Names of headers, as servers that are less strict read them.
//!
//! To CGI, WSGI and many servers `X_Auth_Sub`, `X.Auth.Sub` and `X-Auth-Sub` are one name. A client must not be able to
//! send one of ours under another spelling, so they are compared in one form: in lower case, with dashes.

/// Whether two names are the same in the form that the least strict server reads.
pub(crate) fn looks_like(name: &[u8], other: &[u8]) -> bool {
    name.len() == other.len() && starts_like(name, other)
}

/// Whether a name begins with a prefix, in the same form.
pub(crate) fn starts_like(name: &[u8], prefix: &[u8]) -> bool {
    name.len() >= prefix.len() && name.iter().zip(prefix).all(|(a, b)| canonical(*a) == canonical(*b))
}

fn canonical(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        byte => byte.to_ascii_lowercase(),
    }
}

/// Whether the text is the name of a header (RFC 9110 section 5.1), without characters that servers read differently.
pub fn is_plain_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name() {
        for name in ["X-Auth-Sub", "x-auth-sub", "X_Auth_Sub", "x.auth.sub", "X-AUTH_sub"] {
            assert!(looks_like(name.as_bytes(), b"X-Auth-Sub"), "{name}");
            assert!(starts_like(name.as_bytes(), b"X-Auth-"), "{name}");
        }
        assert!(!looks_like(b"X-Auth-Subject", b"X-Auth-Sub"));
        assert!(!starts_like(b"X-Auth", b"X-Auth-"));
    }
}
