//! The JOSE header (RFC 7515 section 4), as far as the verdict depends on it.

use std::borrow::Cow;

use super::member::{must_be, string};
use crate::error::{Error, Malformed};
use crate::json::Object;

/// The members that are read. `jwk`, `jku`, `x5u` and `x5c` are not among them: a token does not choose its own key.
pub(crate) struct Header<'a> {
    /// The name of the algorithm, known or not.
    pub(crate) algorithm: Cow<'a, str>,
    /// `kid`
    pub(crate) key_id: Option<Cow<'a, str>>,
    /// `typ`
    pub(crate) media_type: Option<Cow<'a, str>>,
    /// All the members.
    pub(crate) members: Object<'a>,
}

impl<'a> Header<'a> {
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, Error> {
        Self::read(json).map_err(Error::MalformedHeader)
    }

    fn read(json: &'a [u8]) -> Result<Self, Malformed> {
        let members = Object::parse(json)?;
        let text = |name| members.get(name).map(|value| string(name, value).cloned()).transpose();
        let algorithm = text("alg")?.ok_or_else(|| must_be("alg", "present and a string"))?;
        let key_id = text("kid")?;
        let media_type = text("typ")?;
        Ok(Self { algorithm, key_id, media_type, members })
    }

    /// Rejects every header with an extension: none is supported, so every `crit` is rejected. `b64` (RFC 7797) changes what
    /// is signed, and is rejected whether it is listed in `crit` or not.
    pub(crate) fn check_extensions(&self) -> Result<(), Error> {
        for name in ["crit", "b64"] {
            if self.members.contains(name) {
                return Err(Error::UnsupportedCriticalHeader(name));
            }
        }
        Ok(())
    }
}
