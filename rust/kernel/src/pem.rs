//! The blocks of a PEM text (RFC 7468).

use spki::der::pem::decode_vec;

/// The label and the content, in DER, of each block; `None` for a block that is malformed, which is the last one. Text
/// around the blocks is ignored (RFC 7468 section 2).
pub(crate) fn blocks(pem: &str) -> impl Iterator<Item = Option<(&str, Vec<u8>)>> {
    let mut rest = pem;
    std::iter::from_fn(move || {
        let start = rest.find("-----BEGIN ")?;
        let block = split_block(rest.get(start..).unwrap_or_default()).and_then(|(text, after)| {
            rest = after;
            decode_vec(text.as_bytes()).ok()
        });
        if block.is_none() {
            rest = "";
        }
        Some(block)
    })
}

/// Splits a text that starts with a block after the block's END line.
fn split_block(text: &str) -> Option<(&str, &str)> {
    const DASHES: &str = "-----";
    let label = text.find("-----END ")? + DASHES.len();
    let end = label + text.get(label..)?.find(DASHES)? + DASHES.len();
    text.split_at_checked(end)
}
