//! Audits of Arrow columns: a column of tokens and a column of times in, a column of verdicts and of what the tokens say out,
//! without an object for each row.
//!
//! [`capsule`] passes batches and streams to and from Python by the Arrow PyCapsule interface, and has the only unsafe code;
//! [`AuditColumns`] says which columns there are; [`audit_batch`] and [`AuditReader`] audit;
//! [`records_batch`] turns records of a text format into a batch.

mod audit;
mod bytes;
pub mod capsule;
mod columns;
mod records;
mod stream;
mod times;
mod verdicts;

pub use arrow_array::RecordBatch;
pub use arrow_schema::SchemaRef;
pub use audit::audit_batch;
pub use columns::{AuditColumns, RequestColumns, TimeOfUse};
pub use records::records_batch;
pub use stream::AuditReader;
