//! The wire form of a token: a JWS in compact form (RFC 7515 section 7.1) and its header, parsed strictly.

pub(crate) mod base64url;
mod compact;
mod header;
mod media_type;
pub(crate) mod member;
mod policy;
mod unverified;

pub use compact::Limits;
pub use policy::JwsPolicy;
pub use unverified::{UnverifiedNames, UnverifiedToken, decode_unverified, unverified_names};

pub(crate) use compact::{Compact, Decoded};
pub(crate) use header::Header;
pub(crate) use media_type::MediaType;
pub(crate) use unverified::{read_names_in, read_unverified_names};
