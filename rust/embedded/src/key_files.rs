//! The keys of all issuers, from the configuration and from files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchword_gate::Keys;
use watchword_gate::config::KeyLocation;
use watchword_kernel::{Backend, KeySet, MAX_DOCUMENT, UnixTime};

use crate::event::Event;
use crate::file::WatchedFile;
use crate::open_error::OpenError;
use crate::synced_keys::{self, MAX_SYNCED, SyncedKeys};

/// The keys of all issuers, in their order.
pub(crate) struct KeyFiles {
    issuers: Vec<(Arc<str>, IssuerKeys)>,
    synced: Option<WatchedFile>,
}

/// The keys of one issuer.
enum IssuerKeys {
    Given(Arc<KeySet>),
    File(WatchedFile, Arc<KeySet>),
    /// From the file of `watchword keys sync`; `None` if that does not list the issuer.
    Synced(Option<SyncedKeys>),
}

impl KeyFiles {
    /// Reads the keys of these issuers. Names of files are relative to `folder`.
    ///
    /// # Errors
    /// [`OpenError`] if a file cannot be read or is invalid, or if keys have to be fetched and there is no file with them.
    pub(crate) fn open(
        issuers: Vec<(Arc<str>, KeyLocation)>,
        folder: &Path,
        keys_file: Option<&PathBuf>,
    ) -> Result<Self, OpenError> {
        let mut opened = Self { issuers: Vec::with_capacity(issuers.len()), synced: None };
        for (name, location) in issuers {
            let keys = match location {
                KeyLocation::Given(keys) => {
                    keys.prepare();
                    IssuerKeys::Given(keys)
                }
                KeyLocation::File(file) => {
                    let mut file = WatchedFile::new(folder.join(file), MAX_DOCUMENT);
                    let keys = read_keys(&mut file).map_err(OpenError::new)?;
                    IssuerKeys::File(file, keys)
                }
                KeyLocation::Remote => IssuerKeys::Synced(None),
            };
            opened.issuers.push((name, keys));
        }
        let is_synced = |(_, keys): &&(Arc<str>, IssuerKeys)| matches!(keys, IssuerKeys::Synced(_));
        match (opened.issuers.iter().find(is_synced), keys_file) {
            (None, _) => {}
            (Some((name, _)), None) => {
                return Err(OpenError::new(format!(
                    "the keys of {name:?} are fetched, which is not done here: run `watchword keys sync` beside this \
                     process and give the file that it writes, or set jwks_file, jwks or pem"
                )));
            }
            (Some(_), Some(path)) => {
                let mut file = WatchedFile::new(path.clone(), MAX_SYNCED);
                let found = read_synced(&mut file).map_err(OpenError::new)?;
                opened.take(found);
                opened.synced = Some(file);
            }
        }
        Ok(opened)
    }

    /// The names of the issuers, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.issuers.iter().map(|(name, _)| &**name)
    }

    /// The keys that may be used at this time.
    pub(crate) fn current(&self, now: UnixTime) -> Keys {
        self.issuers.iter().map(|(_, keys)| keys.current(now)).collect()
    }

    /// When the next keys that may be used now may not be used any more, in Unix seconds.
    pub(crate) fn next_end(&self, now: UnixTime) -> Option<f64> {
        let ends = self.issuers.iter().filter_map(|(_, keys)| match keys {
            IssuerKeys::Synced(Some(synced)) if now.seconds() < synced.valid_until => Some(synced.valid_until),
            _ => None,
        });
        ends.min_by(f64::total_cmp)
    }

    /// Reads the files that have changed. One that is invalid leaves the keys as they are.
    pub(crate) fn refresh(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for (name, keys) in &mut self.issuers {
            let IssuerKeys::File(file, current) = keys else { continue };
            if !file.has_changed() {
                continue;
            }
            match read_keys(file) {
                Ok(keys) => {
                    file.accept();
                    events.push(Event::KeysLoaded(name.to_string(), keys.keys().len()));
                    *current = keys;
                }
                Err(reason) => events.extend(file.refuse(reason).map(Event::KeysRefused)),
            }
        }
        if let Some(file) = self.synced.as_mut().filter(|file| file.has_changed()) {
            match read_synced(file) {
                Ok(found) => {
                    file.accept();
                    events.extend(self.take(found));
                }
                Err(reason) => events.extend(file.refuse(reason).map(Event::KeysRefused)),
            }
        }
        events
    }

    /// Takes the keys that a file of `watchword keys sync` has. The same keys with a later end stay the same set, so that
    /// verified tokens stay in the cache.
    fn take(&mut self, mut found: HashMap<String, SyncedKeys>) -> Vec<Event> {
        let mut events = Vec::new();
        for (name, keys) in &mut self.issuers {
            let IssuerKeys::Synced(current) = keys else { continue };
            let new = found.remove(&**name);
            match (current.as_mut(), new) {
                (Some(old), Some(new)) if old.document == new.document => old.valid_until = new.valid_until,
                (_, Some(new)) => {
                    events.push(Event::KeysLoaded(name.to_string(), new.keys.keys().len()));
                    *current = Some(new);
                }
                (_, None) => *current = None,
            }
        }
        events
    }
}

impl IssuerKeys {
    fn current(&self, now: UnixTime) -> Option<Arc<KeySet>> {
        match self {
            Self::Given(keys) | Self::File(_, keys) => Some(Arc::clone(keys)),
            Self::Synced(synced) => {
                let synced = synced.as_ref().filter(|synced| now.seconds() < synced.valid_until);
                synced.map(|synced| Arc::clone(&synced.keys))
            }
        }
    }
}

fn read_keys(file: &mut WatchedFile) -> Result<Arc<KeySet>, String> {
    let document = file.read()?;
    let keys = KeySet::from_document(&document, Backend::Default);
    let keys = keys.map_err(|error| format!("{}: {error}", file.path().display()))?;
    if keys.keys().is_empty() {
        return Err(format!("{} has no usable key: `watchword keys` shows why", file.path().display()));
    }
    keys.prepare();
    Ok(Arc::new(keys))
}

fn read_synced(file: &mut WatchedFile) -> Result<HashMap<String, SyncedKeys>, String> {
    let document = file.read()?;
    synced_keys::parse(&document).map_err(|error| format!("{}: {error}", file.path().display()))
}
