//! Files that are read again if they change.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What of a file changes if its content does: also if it is replaced by another, or a symbolic link to it is, or if its
/// time of modification is set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    node: (u64, u64),
    #[cfg(unix)]
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            node: (metadata.dev(), metadata.ino()),
            #[cfg(unix)]
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file, and its stamp when it was last read.
#[derive(Debug, Clone)]
pub(crate) struct WatchedFile {
    path: PathBuf,
    max_bytes: u64,
    stamp: Option<Stamp>,
    /// Why it is refused.
    refusal: Option<String>,
}

impl WatchedFile {
    /// The file at this path, of which at most `max_bytes` are read. It has changed until it is read.
    pub(crate) fn new(path: PathBuf, max_bytes: usize) -> Self {
        Self { path, max_bytes: u64::try_from(max_bytes).unwrap_or(u64::MAX), stamp: None, refusal: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes that its content is in use.
    pub(crate) fn accept(&mut self) {
        self.refusal = None;
    }

    /// Notes why its content is not. Returns the reason if it is another than before: a file that cannot be read is tried
    /// again each time.
    pub(crate) fn refuse(&mut self, reason: String) -> Option<String> {
        let is_new = self.refusal.as_ref() != Some(&reason);
        self.refusal = Some(reason.clone());
        is_new.then_some(reason)
    }

    /// Whether it is another than the one that was read. A file that cannot be examined has not changed: one that is being
    /// replaced may be absent for a moment.
    pub(crate) fn has_changed(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| self.stamp != Some(Stamp::of(&metadata)))
    }

    /// Its content. The stamp is taken before, so that a change while it is read is noticed later.
    ///
    /// # Errors
    /// A sentence with its path, if it cannot be read or is longer than the limit.
    pub(crate) fn read(&mut self) -> Result<Vec<u8>, String> {
        let path = self.path.display();
        let cannot = |error: io::Error| format!("{path} cannot be read: {error}");
        // Before it is opened, as that waits for a writer if it is a pipe.
        if !fs::metadata(&self.path).map_err(cannot)?.is_file() {
            return Err(format!("{path} is not a regular file"));
        }
        let file = File::open(&self.path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        self.stamp = Some(Stamp::of(&metadata));
        let mut content = Vec::new();
        let length = file.take(self.max_bytes.saturating_add(1)).read_to_end(&mut content).map_err(cannot)?;
        if u64::try_from(length).is_ok_and(|length| length > self.max_bytes) {
            return Err(format!("{path} has more than {} bytes", self.max_bytes));
        }
        Ok(content)
    }
}
