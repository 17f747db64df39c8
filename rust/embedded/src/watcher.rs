//! The thread that reads the files again if they change.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use watchword_kernel::UnixTime;

use crate::clock;
use crate::config_source::ConfigReader;
use crate::embedded_gate::Shared;
use crate::event::{Event, Listener, Status};
use crate::file::WatchedFile;
use crate::loaded::{Files, Kept, Loaded};
use crate::open_error::OpenError;
use crate::options::Options;

const MIN_SILENCE: Duration = Duration::from_secs(30);

const INTERVALS_OF_SILENCE: u32 = 30;

/// How long keys may be used without a sign of this thread.
pub(crate) fn silence(check_interval: Duration) -> Duration {
    MIN_SILENCE.max(check_interval.saturating_mul(INTERVALS_OF_SILENCE))
}

/// What the thread reads, and whom it tells.
pub(crate) struct Watcher {
    pub(crate) shared: Arc<Shared>,
    pub(crate) reader: ConfigReader,
    pub(crate) files: Files,
    pub(crate) kept: Kept,
    pub(crate) options: Options,
    pub(crate) listener: Listener,
    /// The issuers without keys that may be used.
    pub(crate) unavailable: HashSet<String>,
    /// Why the configuration of now is refused: it is read again, as the reason may be another file.
    pub(crate) refusal: Option<String>,
    /// As of when the keys that are in use were chosen.
    pub(crate) chosen: UnixTime,
}

impl Watcher {
    /// Starts the thread. It ends once what is returned is dropped.
    ///
    /// # Errors
    /// [`OpenError`] if there can be no other thread.
    pub(crate) fn start(mut self) -> Result<Sender<()>, OpenError> {
        let (stop, stopped) = mpsc::channel();
        thread::Builder::new()
            .name("watchword-files".to_owned())
            .spawn(move || self.run(&stopped))
            .map_err(|error| OpenError::new(format!("no thread can be started: {error}")))?;
        Ok(stop)
    }

    fn run(&mut self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(self.pause()) == Err(RecvTimeoutError::Timeout) {
            self.look();
            self.shared.liveness.sign();
        }
    }

    /// How long nothing has to be done: keys whose time ends are withdrawn then, however seldom files are examined.
    fn pause(&self) -> Duration {
        // Those whose time has ended since they were chosen are still in use.
        let now = clock::now();
        let end = self.files.keys.next_end(self.chosen).map(|end| (end - now.seconds()).max(0.0));
        let end = end.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        end.map_or(self.options.check_interval, |end| end.min(self.options.check_interval))
    }

    fn look(&mut self) {
        let now = clock::now();
        let has_changed = self.reader.has_changed() || self.files.secrets.iter().any(WatchedFile::has_changed);
        if has_changed || self.refusal.is_some() {
            self.load_config(now);
        }
        for event in self.files.keys.refresh() {
            self.report(event);
        }
        self.replace_keys(now);
        self.chosen = now;
    }

    fn load_config(&mut self, now: UnixTime) {
        let loaded = self.reader.read().and_then(|config| {
            let keys_file = self.options.keys_file.as_ref();
            Loaded::new(config, &self.reader, keys_file, self.options.replay, &self.kept, now)
        });
        match loaded {
            Ok((loaded, files)) => {
                self.files = files;
                self.shared.loaded.store(Arc::new(loaded));
                self.refusal = None;
                self.report(Event::ConfigLoaded);
            }
            Err(error) => {
                let reason = error.to_string();
                if self.refusal.as_ref() != Some(&reason) {
                    self.refusal = Some(reason.clone());
                    self.report(Event::ConfigRefused(reason));
                }
            }
        }
    }

    /// Hands over the keys that may be used now, those that are others than before.
    fn replace_keys(&mut self, now: UnixTime) {
        let loaded = self.shared.loaded.load_full();
        let current: Vec<_> = self.files.keys.names().map(str::to_owned).zip(self.files.keys.current(now)).collect();
        for (name, keys) in current {
            let before = loaded.gate.keys_of(&name);
            let is_same = match (&before, &keys) {
                (Some(before), Some(keys)) => Arc::ptr_eq(before, keys),
                (None, None) => true,
                _ => false,
            };
            if !is_same {
                loaded.gate.replace_keys(&name, keys.clone());
            }
            if keys.is_some() {
                self.unavailable.remove(&name);
            } else if self.unavailable.insert(name.clone()) {
                self.report(Event::KeysUnavailable(name));
            }
        }
    }

    fn report(&self, event: Event) {
        let mut status = Status::clone(&self.shared.status.load());
        match &event {
            Event::ConfigLoaded => status.configs_loaded += 1,
            Event::ConfigRefused(reason) | Event::KeysRefused(reason) => {
                status.refused += 1;
                status.last_refusal = Some(reason.clone());
            }
            Event::KeysLoaded(..) | Event::KeysUnavailable(_) => {}
        }
        self.shared.status.store(Arc::new(status));
        (self.listener)(&event);
    }
}
