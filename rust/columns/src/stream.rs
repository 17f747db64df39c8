//! A stream in, a stream out, on several threads.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use watchword_kernel::audit::Auditor;

use crate::audit::audit_batch;
use crate::columns::AuditColumns;

/// The rows of a batch of the output, at most: few enough to divide a batch of the input among threads.
const MAX_ROWS: usize = 8192;

/// Reads batches, and returns the audit of their rows in the same order.
pub struct AuditReader {
    input: Box<dyn RecordBatchReader + Send>,
    audit: ThreadedAudit,
    ready: VecDeque<RecordBatch>,
}

/// What the threads share.
struct ThreadedAudit {
    auditor: Arc<Auditor>,
    columns: AuditColumns,
    output: SchemaRef,
    threads: NonZeroUsize,
}

impl AuditReader {
    /// A reader that audits the rows of `input` on up to `threads` threads. They are started for each batch and end with it:
    /// a pool of them would not survive a fork.
    ///
    /// # Errors
    /// As [`AuditColumns::output`].
    pub fn new(
        input: Box<dyn RecordBatchReader + Send>,
        auditor: Arc<Auditor>,
        columns: AuditColumns,
        threads: NonZeroUsize,
    ) -> Result<Self, ArrowError> {
        let output = columns.output(&input.schema())?;
        let audit = ThreadedAudit { auditor, columns, output, threads };
        Ok(Self { input, audit, ready: VecDeque::new() })
    }

    /// The schema of the output.
    pub fn output(&self) -> SchemaRef {
        Arc::clone(&self.audit.output)
    }
}

impl ThreadedAudit {
    fn batch(&self, batch: &RecordBatch) -> Result<VecDeque<RecordBatch>, ArrowError> {
        let pieces: Vec<_> = (0..batch.num_rows())
            .step_by(MAX_ROWS)
            .map(|start| batch.slice(start, MAX_ROWS.min(batch.num_rows().saturating_sub(start))))
            .collect();
        let next = AtomicUsize::new(0);
        // Whichever thread is idle takes the next piece, until there is none.
        let take = || {
            let index = next.fetch_add(1, Ordering::Relaxed);
            Some((index, audit_batch(&self.auditor, &self.columns, &self.output, pieces.get(index)?)))
        };
        let work = || std::iter::from_fn(take).collect::<Vec<_>>();
        let mut done = std::thread::scope(|scope| {
            let helpers = self.threads.get().min(pieces.len()).saturating_sub(1);
            // If the system cannot start a thread, the others do its work.
            let helpers: Vec<_> =
                (0..helpers).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
            let mut done = work();
            for helper in helpers {
                done.extend(helper.join().map_err(|_| died())?);
            }
            Ok::<_, ArrowError>(done)
        })?;
        done.sort_unstable_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, audited)| audited).collect()
    }
}

impl Iterator for AuditReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(batch));
            }
            // The consumer is C code, into which a panic must not unwind.
            let next = || Some(self.input.next()?.and_then(|batch| self.audit.batch(&batch)));
            match catch_unwind(AssertUnwindSafe(next)).unwrap_or_else(|_| Some(Err(died())))? {
                Ok(batches) => self.ready = batches,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl RecordBatchReader for AuditReader {
    fn schema(&self) -> SchemaRef {
        self.output()
    }
}

fn died() -> ArrowError {
    ArrowError::ComputeError("a thread of the audit ended early: this is a defect, please report it".to_owned())
}
