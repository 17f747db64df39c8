//! The audit of a log: whether each token was valid when it was used, with the keys and the policy of that time.

mod audited;
mod auditor;
mod failure;
mod issuer_keys;
mod place;
mod repeated;
mod row;

pub use audited::AuditedToken;
pub use auditor::{AuditVerdict, Auditor};
pub use failure::AuditFailure;
pub use issuer_keys::AuditKeys;
pub use row::{AuditRow, AuditedRequest, time_of_use};
