//! EMSA-PSS with MGF1 (RFC 8017 section 9.1.2 and appendix B.2.1), both with the hash of the message.
//!
//! The salt must be as long as the hash (RFC 7518 section 3.5).

use sha2::Digest;

/// Whether this is an encoding of the digest. The numbers in comments are the steps of section 9.1.2.
///
/// `encoded` is as long as the modulus, `unused_bits` are the bits above the modulus in its first byte. The encoding
/// has one bit less than the modulus, and therefore one byte less if the modulus has a single bit in its first byte.
pub(super) fn is_encoding<D: Digest>(encoded: &mut [u8], unused_bits: u32, digest: &[u8]) -> bool {
    let (encoded, zero_bits) = match encoded {
        [0, shorter @ ..] if unused_bits == 7 => (shorter, 0),
        _ if unused_bits == 7 => return false,
        _ => (encoded, unused_bits + 1),
    };
    let hash_length = <D as Digest>::output_size();

    // 3 to 5: the data block, the hash, the trailer.
    let block_length = encoded.len().checked_sub(hash_length + 1);
    let Some((block, [hash @ .., 0xbc])) = block_length.and_then(|length| encoded.split_at_mut_checked(length)) else {
        return false;
    };
    // 6 to 9: the bits above the encoding are zero under the mask.
    let used = 0xff_u8 >> zero_bits;
    if block.first().is_none_or(|first| first & !used != 0) {
        return false;
    }
    apply_mask::<D>(block, hash);
    if let Some(first) = block.first_mut() {
        *first &= used;
    }
    // 10 and 11: zeros, a one, and the salt.
    let padding_length = block.len().checked_sub(hash_length);
    let Some(([zeros @ .., 1], salt)) = padding_length.and_then(|length| block.split_at_checked(length)) else {
        return false;
    };
    // 12 to 14.
    let expected = D::new().chain_update([0; 8]).chain_update(digest).chain_update(salt).finalize();
    zeros.iter().all(|&byte| byte == 0) && *expected == *hash
}

/// XORs the block with MGF1 of the seed.
fn apply_mask<D: Digest>(block: &mut [u8], seed: &[u8]) {
    for (part, counter) in block.chunks_mut(<D as Digest>::output_size()).zip(0_u32..) {
        let mask = D::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
        for (byte, mask) in part.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}
