//! Strict base64url (RFC 7515 section 2): no padding, no white space, no unused bits set, no other alphabet.
//!
//! Every byte of an untrusted token is decoded here first, so this is safe code only, dependencies included: `base64`
//! without its feature `simd-unsafe`. (SECURITY.md has what that costs.)

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

static DECODER: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD);

/// Appends the decoded `text` to `bytes`. `None` if `text` is not strict base64url; the content of `bytes` is then
/// unspecified.
pub(crate) fn decode_onto(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    DECODER.decode_vec(text, bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Compares with another implementation, and with an encoder: strict base64url has one form.
    fn agrees(text: &[u8]) {
        let mut bytes = b"before".to_vec();
        let decoded = decode_onto(text, &mut bytes).and_then(|()| bytes.strip_prefix(b"before"));
        let expected = data_encoding::BASE64URL_NOPAD.decode(text).ok();
        assert_eq!(decoded, expected.as_deref(), "{text:?}");
        if let Some(decoded) = decoded {
            assert_eq!(data_encoding::BASE64URL_NOPAD.encode(decoded).as_bytes(), text);
        }
    }

    #[test]
    fn every_byte_at_every_place_of_every_length() {
        for length in 0..200_usize {
            let good = data_encoding::BASE64URL_NOPAD.encode(&vec![0xfb; length]).into_bytes();
            agrees(&good);
            for place in 0..good.len() {
                for byte in 0..=255 {
                    // All bytes in texts of a few groups, and those that others accept in longer ones.
                    if length < 24 || b"+/=. \n\0\x80".contains(&byte) {
                        let mut text = good.clone();
                        if let Some(there) = text.get_mut(place) {
                            *there = byte;
                        }
                        agrees(&text);
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_comes(text in prop::collection::vec(any::<u8>(), 0..400)) {
            agrees(&text);
        }

        #[test]
        fn nearly_good(
            mut text in prop::collection::vec(prop::sample::select(&b"ABCXYZabcxyz0189-_"[..]), 0..400),
            place: prop::sample::Index,
            byte: u8,
        ) {
            agrees(&text);
            if !text.is_empty() {
                let place = place.index(text.len());
                if let Some(there) = text.get_mut(place) {
                    *there = byte;
                }
                agrees(&text);
            }
        }
    }
}
