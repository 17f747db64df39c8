//! The files of secrets that a configuration names: keys of nonces, and the secret of identity headers.

use std::path::Path;

use watchword_gate::config::GateConfig;
use watchword_gate::{Nonces, Secret, read_secrets};

use crate::file::WatchedFile;
use crate::open_error::OpenError;
use crate::options::ReplayStore;

/// The maximum length of a file, in bytes.
const MAX_SECRETS: usize = 64 * 1024;

/// Files of secrets, read and to be read again if they change.
pub(crate) struct SecretFiles<'f> {
    folder: &'f Path,
    pub(crate) read: Vec<WatchedFile>,
}

impl<'f> SecretFiles<'f> {
    /// No files yet. Their names are relative to this folder.
    pub(crate) fn new(folder: &'f Path) -> Self {
        Self { folder, read: Vec::new() }
    }

    /// The secret that is sent with identity headers.
    ///
    /// # Errors
    /// [`OpenError`] if there is a file, and it is invalid.
    pub(crate) fn identity_secret(&mut self, name: Option<&str>) -> Result<Option<Secret>, OpenError> {
        let Some(name) = name else { return Ok(None) };
        Ok(self.secrets("identity_secret_file", name)?.into_iter().next())
    }

    /// The nonces that a configuration requires in proofs; `None` if it requires none.
    ///
    /// # Errors
    /// [`OpenError`] if the file of their keys is invalid, or missing where several processes need it.
    pub(crate) fn nonces(&mut self, config: &GateConfig, store: ReplayStore) -> Result<Option<Nonces>, OpenError> {
        if !config.dpop.requires_nonces() {
            return Ok(None);
        }
        let keys = match (&config.dpop.nonce_keys_file, store) {
            (Some(name), _) => {
                let secrets = self.secrets("dpop.nonce_keys_file", name)?;
                secrets.iter().map(|secret| secret.bytes().to_vec()).collect()
            }
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

    fn secrets(&mut self, key: &str, name: &str) -> Result<Vec<Secret>, OpenError> {
        let mut file = WatchedFile::new(self.folder.join(name), MAX_SECRETS);
        let content = file.read().map_err(|error| OpenError::new(format!("{key}: {error}")))?;
        let invalid = |error| OpenError::new(format!("{key}: {}: {error}", file.path().display()));
        let secrets = read_secrets(&content).map_err(invalid)?;
        self.read.push(file);
        Ok(secrets)
    }
}
