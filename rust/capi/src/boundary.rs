//! What every function at the boundary needs: no unwinding, borrowed bytes, texts for C.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Runs `work`; `otherwise` if it panics. What a panic leaves half done is never used again: a decision is reset before it
/// is filled, and a gate is replaced as a whole.
pub(crate) fn no_unwinding<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

/// The bytes that a caller lends: none if the length is 0; `None` if the pointer is NULL and the length is not 0, or if no
/// object can be so long.
///
/// # Safety
/// Unless it is NULL, `data` points to `length` values, which nobody changes during `'a`.
pub(crate) unsafe fn borrowed<'a, T>(data: *const T, length: usize) -> Option<&'a [T]> {
    if length == 0 {
        return Some(&[]);
    }
    let size = length.checked_mul(size_of::<T>())?;
    if data.is_null() || !data.is_aligned() || isize::try_from(size).is_err() {
        return None;
    }
    // SAFETY: not NULL and aligned, not longer than an object can be; the rest is the caller's promise.
    Some(unsafe { std::slice::from_raw_parts(data, length) })
}

/// The text as a caller reads it.
pub(crate) fn as_chars(text: &str) -> *const c_char {
    text.as_ptr().cast()
}

/// The path in a NUL-terminated text; `None` if the pointer is NULL.
///
/// # Safety
/// Unless it is NULL, `text` points to a NUL-terminated text, which nobody changes during `'a`.
pub(crate) unsafe fn path<'a>(text: *const c_char) -> Option<&'a Path> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL; the rest is the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    Some(Path::new(OsStr::from_bytes(text.to_bytes())))
}

/// Copies as much of a text as fits, and a NUL, into the buffer of a caller. No character is cut.
///
/// # Safety
/// Unless it is NULL, `buffer` points to `capacity` bytes, which nobody else uses during the call.
pub(crate) unsafe fn copy_text(text: &str, buffer: *mut c_char, capacity: usize) {
    let Some(room) = capacity.checked_sub(1) else { return };
    if buffer.is_null() {
        return;
    }
    let length = text.floor_char_boundary(room);
    // SAFETY: `length` is at most that of the text, and less than the capacity; nobody else has the buffer.
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast::<u8>(), length) };
    // SAFETY: `length` is less than the capacity.
    let end = unsafe { buffer.add(length) };
    // SAFETY: within the buffer, as above.
    unsafe { end.write(0) };
}
