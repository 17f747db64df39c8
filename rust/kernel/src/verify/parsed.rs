//! A token between its header and its signature.

use super::VerifiedJws;
use crate::algorithm::Algorithm;
use crate::error::Error;
use crate::jws::Compact;
use crate::key::{PublicKey, SignedMessage, verify_signatures};
use crate::key_set::Candidates;

/// A token before its signature is verified, and the keys that it may have been signed with.
pub(super) struct ParsedToken<'t, 'k> {
    pub(super) parts: Compact<'t>,
    pub(super) algorithm: Algorithm,
    pub(super) keys: Candidates<'k>,
}

impl<'k> ParsedToken<'_, 'k> {
    /// The first of the keys under which the signature is valid.
    pub(super) fn signing_key(&self) -> Option<&'k PublicKey> {
        self.signed_with(self.keys.as_slice())
    }

    /// The first of these keys under which the signature is valid.
    pub(super) fn signed_with<'a>(&self, keys: &[&'a PublicKey]) -> Option<&'a PublicKey> {
        let signature = self.parts.decoded.signature();
        keys.iter().copied().find(|key| key.verify(self.algorithm, self.parts.signing_input, signature))
    }

    /// The key under which the signature is valid, by the result of [`verify_together`].
    pub(super) fn key_after(&self, valid: Option<bool>) -> Option<&'k PublicKey> {
        match valid {
            Some(valid) => self.only_key().filter(|_| valid),
            None => self.signing_key(),
        }
    }

    /// The only key that the token may have been signed with; `None` if there are several.
    fn only_key(&self) -> Option<&'k PublicKey> {
        match *self.keys.as_slice() {
            [key] => Some(key),
            _ => None,
        }
    }

    /// What is to be verified if there is only one key.
    fn message_of_only_key(&self) -> Option<SignedMessage<'_>> {
        let (message, signature) = (self.parts.signing_input, self.parts.decoded.signature());
        self.only_key().map(|key| SignedMessage { key, algorithm: self.algorithm, message, signature })
    }

    /// The token as signed by `key`, under which the signature is valid.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`] if there is no such key.
    pub(super) fn signed_by(self, key: Option<&PublicKey>) -> Result<VerifiedJws, Error> {
        let key = key.ok_or(Error::InvalidSignature)?;
        Ok(VerifiedJws::new(self.parts.decoded, self.algorithm, key))
    }
}

/// Verifies the signatures of tokens that can be by one key only, which is nearly all of them, together. Returns for each
/// whether it is valid; `None` for a token with several keys, and for one that could not be parsed.
pub(super) fn verify_together<'a, 'k: 'a>(
    tokens: impl IntoIterator<Item = Option<&'a ParsedToken<'a, 'k>>>,
) -> Vec<Option<bool>> {
    let messages: Vec<_> = tokens.into_iter().map(|token| token?.message_of_only_key()).collect();
    let together: Vec<_> = messages.iter().flatten().copied().collect();
    let mut valid = verify_signatures(&together).into_iter();
    messages.iter().map(|message| message.and_then(|_| valid.next())).collect()
}
