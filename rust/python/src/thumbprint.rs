//! Thumbprints of keys in JWK, PEM or DER.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use watchword_kernel as kernel;

use crate::convert::Text;
use crate::errors::KeySetError;
use crate::key_set::pem_text;

/// Return the RFC 7638 thumbprint of a key: SHA-256, base64url without padding, 43 characters.
///
/// The key is a JWK (EC, OKP, RSA or oct), PEM text with one public key (`pem=`), or a public key in DER (`der=`). It
/// is not checked: a thumbprint identifies a key, it does not vouch for it.
///
/// Raises KeySetError if the key lacks a member that the thumbprint needs, TypeError unless exactly one key is given.
#[pyfunction]
#[pyo3(signature = (jwk=None, *, pem=None, der=None))]
pub(crate) fn thumbprint(
    jwk: Option<&Bound<'_, PyAny>>,
    pem: Option<&Bound<'_, PyAny>>,
    der: Option<&[u8]>,
) -> PyResult<String> {
    let thumbprint = match (jwk, pem, der) {
        (Some(jwk), None, None) => {
            let document = Text::of_json(jwk, "jwk")?;
            let members = kernel::json::Object::parse(document.as_ref())
                .map_err(|error| KeySetError::new_err(format!("the document is not a JWK: {error}")))?;
            kernel::thumbprint(&members)
        }
        (None, Some(pem), None) => kernel::thumbprint_of_pem(&pem_text(pem)?),
        (None, None, Some(der)) => kernel::thumbprint_of_der(der),
        _ => return Err(PyTypeError::new_err("give exactly one key: a JWK, pem= or der=")),
    };
    thumbprint.map_err(|defect| KeySetError::new_err(defect.to_string()))
}

/// Return the URI of a key's thumbprint (RFC 9278): `urn:ietf:params:oauth:jwk-thumbprint:sha-256:` and the thumbprint.
///
/// Arguments and errors are those of `thumbprint`.
#[pyfunction]
#[pyo3(signature = (jwk=None, *, pem=None, der=None))]
pub(crate) fn thumbprint_uri(
    jwk: Option<&Bound<'_, PyAny>>,
    pem: Option<&Bound<'_, PyAny>>,
    der: Option<&[u8]>,
) -> PyResult<String> {
    thumbprint(jwk, pem, der).map(|thumbprint| kernel::thumbprint_uri(&thumbprint))
}
