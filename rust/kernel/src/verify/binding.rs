//! The last checks: what is sent with a token must fulfil every confirmation method that the token names (RFC 7800
//! section 3).

use crate::certificate::ClientCertificate;
use crate::claims::Confirmation;
use crate::dpop::{DpopProof, Possession, ProofError, UnverifiedProof};
use crate::error::Error;
use crate::policy::Policy;
use crate::time::UnixTime;

/// What is sent with a token to show that its sender has the key that it is bound to (RFC 7800 section 3). The default is
/// nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProofOfPossession<'a> {
    /// The DPoP proof of the request. The token must be bound to its key, and the proof must be for this token (RFC 9449
    /// sections 6 and 7.1).
    pub proof: Option<&'a DpopProof>,
    /// The client certificate of the connection (RFC 8705 section 3). It is ignored if the token is not bound to one.
    pub certificate: Option<ClientCertificate<'a>>,
}

/// Checks the binding of a token by a proof that is already verified, or without one.
pub(super) fn check(
    token: &[u8],
    bound: Option<&Confirmation>,
    policy: &Policy,
    possession: ProofOfPossession<'_>,
) -> Result<(), Error> {
    let Some(bound) = bound else {
        return possession.proof.map_or(Ok(()), |_| Err(unbound_token()));
    };
    let ProofOfPossession { proof, certificate } = possession;
    check_all_but_proof(bound, policy, proof.is_some(), certificate)?;
    match proof {
        Some(proof) => proof.check_possession(token, bound),
        None if policy.accepts_bound_tokens() || !bound.names_key() => Ok(()),
        None => Err(Error::ProofRequired),
    }
}

/// Checks the binding of a token by a proof that is still to be verified, and verifies it.
pub(super) fn check_with(
    token: &[u8],
    bound: Option<&Confirmation>,
    policy: &Policy,
    proof: &UnverifiedProof<'_>,
    certificate: Option<ClientCertificate<'_>>,
    now: UnixTime,
) -> Result<DpopProof, Error> {
    let bound = bound.ok_or_else(unbound_token)?;
    check_all_but_proof(bound, policy, true, certificate)?;
    proof.verify(token, bound, now)
}

/// Comparing certificates is cheaper than verifying a proof, so it comes first.
fn check_all_but_proof(
    bound: &Confirmation,
    policy: &Policy,
    has_proof: bool,
    certificate: Option<ClientCertificate<'_>>,
) -> Result<(), Error> {
    let accepts = policy.accepts_bound_tokens();
    if bound.has_other && (has_proof || !accepts) {
        return Err(Error::Unsupported("the token is bound by a confirmation method that is not supported (RFC 7800)"));
    }
    match (&bound.certificate, certificate) {
        (None, _) => Ok(()),
        (Some(_), None) if accepts => Ok(()),
        (Some(_), None) => Err(Error::CertificateRequired),
        (Some(thumbprint), Some(certificate)) if certificate.thumbprint() == *thumbprint => Ok(()),
        (Some(_), Some(_)) => Err(Error::CertificateMismatch),
    }
}

fn unbound_token() -> Error {
    ProofError::from(Possession::UnboundToken).into()
}
