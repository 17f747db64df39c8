//! The keys of nonces.

use data_encoding::{BASE64URL, BASE64URL_NOPAD};
use watchword_gate::Nonces;
use watchword_gate::config::GateConfig;

use crate::config_source::ConfigReader;
use crate::file::WatchedFile;
use crate::open_error::OpenError;
use crate::options::ReplayStore;

/// The maximum length of the file, in bytes.
const MAX_NONCE_KEYS: usize = 64 * 1024;

/// The nonces that a configuration requires in proofs; `None` if it requires none.
///
/// # Errors
/// [`OpenError`] if the file of their keys is invalid, or missing where several processes need it.
pub(crate) fn nonces(
    config: &GateConfig,
    reader: &ConfigReader,
    replay: ReplayStore,
) -> Result<Option<Nonces>, OpenError> {
    if !config.dpop.requires_nonces() {
        return Ok(None);
    }
    let keys = match (&config.dpop.nonce_keys_file, replay) {
        (Some(name), _) => read(&mut WatchedFile::new(reader.folder().join(name), MAX_NONCE_KEYS))?,
        (None, ReplayStore::Memory) => {
            let mut key = [0; Nonces::MIN_KEY];
            getrandom::fill(&mut key).map_err(|error| OpenError::new(format!("no random key: {error}")))?;
            vec![key.to_vec()]
        }
        (None, ReplayStore::External) => {
            return Err(OpenError::new(
                "dpop.nonce_keys_file is missing: processes that answer the same clients must share the keys of nonces",
            ));
        }
    };
    let lifetime = config.dpop.nonce_lifetime.unwrap_or(Nonces::DEFAULT_LIFETIME);
    let invalid = |error| OpenError::new(format!("dpop.nonce_keys_file: {error}"));
    Nonces::new(&keys, lifetime).map(Some).map_err(invalid)
}

/// One key a line, in base64url.
fn read(file: &mut WatchedFile) -> Result<Vec<Vec<u8>>, OpenError> {
    let content = file.read().map_err(|error| OpenError::new(format!("dpop.nonce_keys_file: {error}")))?;
    let path = file.path().display();
    let decode = |(index, line): (usize, &[u8])| {
        let encoding = if line.ends_with(b"=") { BASE64URL } else { BASE64URL_NOPAD };
        encoding.decode(line).map_err(|_| {
            OpenError::new(format!(
                "dpop.nonce_keys_file: key {} of {path} is not base64url: write one key a line, the first issues nonces",
                index + 1
            ))
        })
    };
    content.split(u8::is_ascii_whitespace).filter(|line| !line.is_empty()).enumerate().map(decode).collect()
}
