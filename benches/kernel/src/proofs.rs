//! DPoP proofs (RFC 9449): with new keys, and with a key seen before.

use sha2::{Digest as _, Sha256};
use watchword_kernel::{Algorithm, Limits, ProofPolicy, ProofRequest, verify_proof};

use crate::contender::Contender;
use crate::samples::{Signer, base64url, now};
use crate::tokens::moment;

const URI: &str = "https://api.example.com/v1/orders";
const ACCESS_TOKEN: [u8; 700] = [b'a'; 700];

pub(crate) fn proofs(algorithm: Algorithm) -> Vec<Contender> {
    let known = Signer::new(algorithm);
    let policy = ProofPolicy::new(Limits::default(), [algorithm].into_iter().collect(), 60.0, 5.0).expect("a policy");
    let (first, second) = (policy.clone(), policy);
    vec![
        Contender::fresh(
            "key never seen",
            move || proof(&Signer::new(algorithm)),
            move |proof| is_valid(&proof, &first),
        ),
        Contender::fresh("key seen before", move || proof(&known), move |proof| is_valid(&proof, &second)),
    ]
}

fn proof(signer: &Signer) -> String {
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"{}","jwk":{}}}"#, signer.algorithm().name(), signer.jwk());
    let hash = base64url(&Sha256::digest(ACCESS_TOKEN));
    let claims = format!(r#"{{"jti":"5f0c2b","htm":"GET","htu":"{URI}","iat":{},"ath":"{hash}"}}"#, now());
    signer.sign(&header, &claims).token
}

fn is_valid(proof: &str, policy: &ProofPolicy) -> bool {
    let request =
        ProofRequest { method: "GET", uri: URI, access_token: Some(&ACCESS_TOKEN), expected_jkt: None, nonces: None };
    verify_proof(proof.as_bytes(), &request, policy, moment()).is_ok()
}
