//! The numbers of keys that were judged, remembered for a while.
//!
//! A key is met again: a set is fetched anew and holds the same keys, a client signs each of its proofs by the same key.
//! What is known of it then, its decoded point and its table, need not be found out again. The memory is bounded, shared
//! by the whole process, and changes no verdict: what is remembered of a key follows from its numbers alone.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use once_cell::race::OnceBox;

use crate::forks::lock_within_patience;

use crate::material::{Defect, Material};
use crate::signature::{KeyOptions, Verifier};

/// A key's numbers, judged, and what follows from them.
pub(super) struct Known {
    pub(super) material: Material,
    pub(super) verifier: Verifier,
    thumbprint: OnceBox<String>,
}

/// How many bytes may be remembered; as many again until they are forgotten.
const MAX_BYTES: usize = 1024 * 1024;

/// What one key takes beside its own numbers, about.
const OVERHEAD: usize = 512;

/// Two generations of keys: those that were met lately, and those of before. When there are too many of the first, they
/// become the second, and who is not met again is forgotten.
#[derive(Default)]
struct Memory {
    recent: HashSet<ByMaterial>,
    recent_bytes: usize,
    earlier: HashSet<ByMaterial>,
}

static MEMORY: Mutex<Option<Memory>> = Mutex::new(None);

/// The memory, as long as a fork is under way: see [`forks`](crate::forks).
pub(crate) struct Held(#[expect(dead_code, reason = "is held")] Option<MutexGuard<'static, Option<Memory>>>);

pub(crate) fn hold() -> Held {
    Held(lock_within_patience(&MEMORY))
}

/// What is known of a key with these numbers, which are judged where they are met for the first time.
pub(super) fn of(material: Material, options: KeyOptions) -> Result<Arc<Known>, Defect> {
    if !options.has_tables() {
        return Known::new(material, options);
    }
    // Where another thread is at it, the memory is gone without: waiting would cost as much.
    if let Some(known) = MEMORY.try_lock().ok().and_then(|mut memory| memory.as_mut()?.recall(&material)) {
        return Ok(known);
    }
    let known = Known::new(material, options)?;
    if let Ok(mut memory) = MEMORY.try_lock() {
        memory.get_or_insert_default().remember(&known);
    }
    Ok(known)
}

impl Known {
    fn new(material: Material, options: KeyOptions) -> Result<Arc<Self>, Defect> {
        let verifier = Verifier::new(&material, options)?;
        Ok(Arc::new(Self { material, verifier, thumbprint: OnceBox::new() }))
    }

    /// The RFC 7638 thumbprint.
    pub(super) fn thumbprint(&self) -> &str {
        self.thumbprint.get_or_init(|| Box::new(self.material.thumbprint()))
    }
}

impl Memory {
    fn recall(&mut self, material: &Material) -> Option<Arc<Known>> {
        if let Some(ByMaterial(known)) = self.recent.get(material) {
            return Some(Arc::clone(known));
        }
        let ByMaterial(known) = self.earlier.take(material)?;
        self.remember(&known);
        Some(known)
    }

    fn remember(&mut self, known: &Arc<Known>) {
        let bytes = OVERHEAD + 3 * known.material.bits() / 8;
        if self.recent_bytes + bytes > MAX_BYTES {
            self.earlier = std::mem::take(&mut self.recent);
            self.recent_bytes = 0;
        }
        if self.recent.insert(ByMaterial(Arc::clone(known))) {
            self.recent_bytes += bytes;
        }
    }
}

/// A key, looked up by its numbers.
struct ByMaterial(Arc<Known>);

impl Borrow<Material> for ByMaterial {
    fn borrow(&self) -> &Material {
        &self.0.material
    }
}

impl Hash for ByMaterial {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.material.hash(state);
    }
}

impl PartialEq for ByMaterial {
    fn eq(&self, other: &Self) -> bool {
        self.0.material == other.0.material
    }
}

impl Eq for ByMaterial {}
