//! Files of secrets: one a line, of which the first is used and all are accepted, so that secrets can be replaced.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

/// The minimum length of a secret, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;

/// A secret of [`MIN_SECRET_BYTES`] or more, and its base64url.
#[derive(Clone)]
pub struct Secret {
    text: String,
    bytes: Vec<u8>,
}

/// Why a text or a file has no usable secrets. Secrets are counted from 1; none is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretsError {
    /// There is none.
    Missing,
    /// One is not base64url.
    NotBase64url(usize),
    /// One is shorter than [`MIN_SECRET_BYTES`].
    TooShort(usize),
}

impl Secret {
    /// Reads one secret in base64url, with padding or without.
    ///
    /// # Errors
    /// [`SecretsError`] if it is not base64url, or too short.
    pub fn parse(text: &str) -> Result<Self, SecretsError> {
        Self::numbered(1, text.as_bytes())
    }

    fn numbered(number: usize, text: &[u8]) -> Result<Self, SecretsError> {
        let length = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
        let text = text.get(..length).unwrap_or_default();
        let bytes = BASE64URL_NOPAD.decode(text).map_err(|_| SecretsError::NotBase64url(number))?;
        match bytes.len() {
            ..MIN_SECRET_BYTES => Err(SecretsError::TooShort(number)),
            // One form for one secret: the decoder rejects unused bits.
            _ => Ok(Self { text: BASE64URL_NOPAD.encode(&bytes), bytes }),
        }
    }

    /// The secret.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The secret in base64url without padding.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Reads the content of a file of secrets: base64url of 32 bytes or more, one a line. Empty lines are skipped.
///
/// # Errors
/// [`SecretsError`] if one is unusable, or if there is none.
pub fn read_secrets(document: &[u8]) -> Result<Vec<Secret>, SecretsError> {
    let lines = document.split(u8::is_ascii_whitespace).filter(|line| !line.is_empty());
    let secrets =
        lines.enumerate().map(|(index, line)| Secret::numbered(index + 1, line)).collect::<Result<Vec<_>, _>>()?;
    if secrets.is_empty() { Err(SecretsError::Missing) } else { Ok(secrets) }
}

impl fmt::Debug for Secret {
    /// Shows nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for SecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FORM: &str = "write secrets of 32 bytes or more in base64url, one a line, the one to use first";
        match self {
            Self::Missing => write!(f, "there is no secret: {FORM}"),
            Self::NotBase64url(number) => write!(f, "secret {number} is not base64url: {FORM}"),
            Self::TooShort(number) => write!(f, "secret {number} is shorter than {MIN_SECRET_BYTES} bytes: {FORM}"),
        }
    }
}

impl std::error::Error for SecretsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_secret_a_line() {
        let (one, two) = (BASE64URL_NOPAD.encode(&[0xff; 32]), BASE64URL_NOPAD.encode(&[7; 40]));
        for document in [format!("{one}\n{two}\n"), format!("\r\n{one}=\r\n\r\n  {two}==  ")] {
            let found = read_secrets(document.as_bytes());
            let texts: Vec<&str> = found.iter().flatten().map(Secret::text).collect();
            assert_eq!(texts, [one.as_str(), two.as_str()]);
        }
        assert_eq!(Secret::parse(&one).map(|secret| secret.bytes().to_vec()), Ok(vec![0xff; 32]));
    }

    #[test]
    fn an_unusable_secret_is_named_by_its_number_only() {
        let good = BASE64URL_NOPAD.encode(&[1; 32]);
        for (document, error) in [
            (String::new(), SecretsError::Missing),
            ("\n \n".to_owned(), SecretsError::Missing),
            ("SECRET".to_owned(), SecretsError::NotBase64url(1)),
            (format!("{good}\nSECRETSE"), SecretsError::TooShort(2)),
            (format!("{good}\n{good},"), SecretsError::NotBase64url(2)),
            // The last character has bits that encode nothing.
            (format!("{}B", good.get(..42).unwrap_or_default()), SecretsError::NotBase64url(1)),
            ("==".to_owned(), SecretsError::TooShort(1)),
        ] {
            let found = read_secrets(document.as_bytes());
            assert_eq!(found.as_ref().map(Vec::len), Err(&error), "{document:?}");
            assert!(!error.to_string().contains("SECRET"));
        }
        assert_eq!(format!("{:?}", Secret::parse(&good)), "Ok(Secret)");
    }
}
