//! What is sent with a token to show that its sender has the key that it is bound to.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use watchword_kernel::{ClientCertificate, ProofOfPossession};

use crate::convert::type_name;
use crate::dpop::PyDpopProof;

/// What was sent with a token.
pub(crate) fn possession<'a>(
    proof: Option<&'a Bound<'_, PyDpopProof>>,
    certificate: Option<&'a Bound<'_, PyAny>>,
) -> PyResult<ProofOfPossession<'a>> {
    let certificate = certificate.map(client_certificate).transpose()?;
    Ok(ProofOfPossession { proof: proof.map(|proof| proof.get().kernel()), certificate })
}

/// The client certificate of a connection, in DER. PEM in its place would match no token.
pub(crate) fn client_certificate<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<ClientCertificate<'a>> {
    let der = object.cast::<PyBytes>().map_err(|_| {
        PyTypeError::new_err(format!("certificate must be bytes (a certificate in DER), not {}", type_name(object)))
    })?;
    match der.as_bytes() {
        [] => Err(PyValueError::new_err("certificate is empty: it must be None if the client has none")),
        [b'-', b'-', ..] => {
            Err(PyValueError::new_err("certificate must be in DER, not PEM: ssl.PEM_cert_to_DER_cert converts it"))
        }
        der => Ok(ClientCertificate::Der(der)),
    }
}
