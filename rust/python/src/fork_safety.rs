//! Holds the kernel's locks across forks of the process: see `watchword_kernel::fork_safety`.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use watchword_kernel::fork_safety::{ForkGuard, lock_all};

thread_local! {
    /// The locks, while this thread forks.
    static GUARD: RefCell<Option<ForkGuard>> = const { RefCell::new(None) };
}

/// Registers hooks that hold the kernel's locks across every fork of Python's (`os.fork`).
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    // Not every system has forks.
    let Some(register) = py.import("os")?.getattr_opt("register_at_fork")? else { return Ok(()) };
    let hooks = PyDict::new(py);
    hooks.set_item("before", wrap_pyfunction!(before_fork, py)?)?;
    hooks.set_item("after_in_parent", wrap_pyfunction!(after_fork_in_parent, py)?)?;
    hooks.set_item("after_in_child", wrap_pyfunction!(after_fork_in_child, py)?)?;
    register.call((), Some(&hooks)).map(drop)
}

#[pyfunction]
fn before_fork() {
    // A fork that failed may have left its guard behind: release it first, or this thread would wait for itself.
    drop(take());
    let guard = lock_all();
    GUARD.with(|cell| cell.replace(Some(guard)));
}

#[pyfunction]
fn after_fork_in_parent() {
    drop(take());
}

#[pyfunction]
fn after_fork_in_child() {
    if let Some(guard) = take() {
        guard.release_in_child();
    }
}

fn take() -> Option<ForkGuard> {
    GUARD.with(RefCell::take)
}
