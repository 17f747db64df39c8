//! EMSA-PKCS1-v1_5 (RFC 8017 section 9.2).
//!
//! There is one encoding of a digest, and every byte of it is compared. Nothing is parsed: verifiers that searched for
//! the digest in a parsed structure accepted forgeries with other content around it (CVE-2006-4339).

/// The bytes of a `DigestInfo` before the digest, as in note 1 of section 9.2, with the NULL.
pub(super) const SHA256: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
pub(super) const SHA384: &[u8] = b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
pub(super) const SHA512: &[u8] = b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

/// The minimum length of the padding.
const MIN_PADDING: usize = 8;

/// Whether this is 0x00, 0x01, padding of 0xff, 0x00, the start of a `DigestInfo`, and the digest.
pub(super) fn is_encoding(encoded: &[u8], digest_info: &[u8], digest: &[u8]) -> bool {
    let before = encoded.strip_suffix(digest).and_then(|before| before.strip_suffix(digest_info));
    let Some([0, 1, padding @ .., 0]) = before else { return false };
    padding.len() >= MIN_PADDING && padding.iter().all(|&byte| byte == 0xff)
}
