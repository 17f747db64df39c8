//! The limit of open files.

use rlimit::Resource;

/// The file descriptors that are left to everything but the connections: key files, the log, the replay store.
const RESERVE: u64 = 256;

/// Raises the soft limit of open files so that so many connections fit, and returns how many do.
pub(crate) fn raise_limit(connections: usize) -> usize {
    let Ok((soft, hard)) = Resource::NOFILE.get() else { return connections };
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(RESERVE);
    if soft >= wanted {
        return connections;
    }
    let limit = wanted.min(hard);
    let limit = if Resource::NOFILE.set(limit, hard).is_ok() { limit } else { soft };
    let fitting = usize::try_from(limit.saturating_sub(RESERVE)).unwrap_or(usize::MAX);
    fitting.clamp(1, connections)
}
