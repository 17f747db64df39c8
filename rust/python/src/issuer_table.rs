//! Which configured issuer a token is from.

use std::sync::Arc;

use pyo3::prelude::*;
use watchword_kernel::{IssuerNames, IssuerTable, Limits};

use crate::arguments::Given;
use crate::convert::Text;
use crate::policy;

/// The configured issuers, by all names that their tokens may have. It selects an issuer and verifies nothing.
///
/// issuers: for each its name, the values of `iss` that it uses, the tenants as for Policy, and the SPIFFE trust domain
/// (None: its tokens have an `iss`). An exact spelling, a listed tenant's too, comes before a template that accepts any
/// tenant, and `iss` before `sub`. max_token_bytes, max_header_bytes: the longest encoded forms that are read.
///
/// Raises ValueError if two issuers claim the same tokens.
#[pyclass(frozen, module = "watchword._kernel", name = "IssuerTable")]
pub(crate) struct PyIssuerTable {
    table: Arc<IssuerTable>,
    limits: Limits,
}

/// The names of an issuer, as Python gives them.
type Names<'py> = (String, Vec<String>, Option<Bound<'py, PyAny>>, Option<String>);

impl PyIssuerTable {
    pub(crate) fn kernel(&self) -> &Arc<IssuerTable> {
        &self.table
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}

#[pymethods]
impl PyIssuerTable {
    #[new]
    #[pyo3(
        signature = (issuers, max_token_bytes=Given::absent(), max_header_bytes=Given::absent()),
        text_signature = "(issuers, max_token_bytes=16384, max_header_bytes=4096)"
    )]
    #[allow(clippy::needless_pass_by_value, reason = "the shape of a Python method")]
    fn new(issuers: Vec<Names<'_>>, max_token_bytes: Given<'_>, max_header_bytes: Given<'_>) -> PyResult<Self> {
        let read = |(name, spellings, tenants, trust_domain): Names<'_>| {
            let tenants = tenants.as_ref().map(policy::read_tenants).transpose()?;
            Ok(IssuerNames { name, spellings, tenants, trust_domain })
        };
        let issuers = issuers.into_iter().map(read).collect::<PyResult<Vec<_>>>()?;
        let table = IssuerTable::new(&issuers).map_err(|error| policy::value_error(&error))?;
        Ok(Self { table: Arc::new(table), limits: policy::limits(max_token_bytes, max_header_bytes)? })
    }

    /// Return the index of the issuer that an unverified token names; None if it names none of them.
    fn find(&self, token: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
        Ok(self.table.find_in(Text::of_token(token)?.as_ref(), &self.limits))
    }

    /// Return the index of the issuer of a token with this `iss` and this `sub`; None if neither names one of them.
    fn find_by_names(&self, issuer: Option<&str>, subject: Option<&str>) -> Option<usize> {
        self.table.find(issuer, subject)
    }

    /// Return the first template that `issuer` matches with any tenant, listed or not; None if there is none.
    fn template_of(&self, issuer: &str) -> Option<&str> {
        self.table.template_of(issuer)
    }

    #[allow(clippy::unused_self, reason = "the shape of a Python method")]
    fn __repr__(&self) -> &'static str {
        "IssuerTable()"
    }
}
