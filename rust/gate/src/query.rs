//! Access tokens where they do not belong: in the query or in a form (RFC 6750 sections 2.2, 2.3 and 5.3).
//!
//! URIs are logged and kept in histories, and a form may be read by somebody who has not verified the token. Both ways
//! are optional by RFC 6750 and forbidden by OAuth 2.1.

use crate::path::encoded_byte;

const ACCESS_TOKEN: &[u8] = b"access_token";

/// Whether a query, or a form in the same encoding, has a parameter `access_token`, in any case and however encoded.
pub(crate) fn has_access_token(query: &[u8]) -> bool {
    query.split(|byte| matches!(byte, b'&' | b';')).any(|parameter| {
        let name = parameter.split(|byte| *byte == b'=').next().unwrap_or_default();
        is_access_token(name)
    })
}

fn is_access_token(name: &[u8]) -> bool {
    let mut bytes = name.iter().copied();
    let mut expected = ACCESS_TOKEN.iter();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' { encoded_byte(&mut bytes) } else { Some(byte) };
        match (byte, expected.next()) {
            (Some(byte), Some(expected)) if byte.eq_ignore_ascii_case(expected) => {}
            _ => return false,
        }
    }
    expected.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_found_however_it_is_written() {
        for query in [
            "access_token=a",
            "x=1&access_token=a",
            "x;access_token",
            "ACCESS_TOKEN=",
            "access%5Ftoken=a",
            "%61ccess_token=a",
        ] {
            assert!(has_access_token(query.as_bytes()), "{query}");
        }
        for query in ["", "x=access_token", "access_tokens=a", "access_toke", "access%_token=a", "my_access_token=a"] {
            assert!(!has_access_token(query.as_bytes()), "{query}");
        }
    }
}
