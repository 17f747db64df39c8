//! Forks of the process: see `watchword_kernel::forks`.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use watchword_kernel::forks::{self, Held};

thread_local! {
    /// What the thread that forks holds meanwhile.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Has everything in the kernel that a fork must find at rest held across every fork of Python's (`os.fork`).
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
    // What a fork that failed left behind is released first: nobody waits for himself.
    drop(take());
    let held = forks::hold();
    HELD.with(|place| place.replace(Some(held)));
}

#[pyfunction]
fn after_fork_in_parent() {
    drop(take());
}

#[pyfunction]
fn after_fork_in_child() {
    if let Some(held) = take() {
        held.release_in_child();
    }
}

fn take() -> Option<Held> {
    HELD.with(RefCell::take)
}
