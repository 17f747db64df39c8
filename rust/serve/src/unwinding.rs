//! Panics while a request is answered: a defect, which must neither end the process nor let the request pass.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// The result of a function; `None` if it panicked.
pub(crate) fn attempt<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// The result of a future; `None` if it panicked.
pub(crate) async fn caught<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        // What a panic leaves behind is dropped, or behind locks that ignore poisoning: counters and queues.
        match attempt(|| future.as_mut().poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(value)) => Poll::Ready(Some(value)),
            None => Poll::Ready(None),
        }
    })
    .await
}

#[cfg(test)]
#[allow(clippy::panic, reason = "what is tested")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_has_no_result() {
        assert_eq!(caught(async { 1 }).await, Some(1));
        assert_eq!(
            caught(async {
                tokio::task::yield_now().await;
                panic!("a defect");
            })
            .await,
            None::<()>
        );
    }
}
