//! Strict base64url (RFC 7515 section 2): no padding, no white space, no unused bits set, no other alphabet.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::NO_PAD;

/// The decoder for this processor: which instructions it has is asked once.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static DECODER: LazyLock<base64::engine::simd::Simd> = LazyLock::new(|| base64::engine::simd::Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static DECODER: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

/// Appends what `text` stands for to `bytes`; `None` where it is not strict base64url, and `bytes` are worthless then.
pub(crate) fn decode_onto(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    DECODER.decode_vec(text, bytes).ok()
}
