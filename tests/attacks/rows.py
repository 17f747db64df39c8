"""Which tests cover which row of the list of attacks, and which rows belong elsewhere."""

from __future__ import annotations

#: The beginning of a row's first cell -> the tests, as module::name.
COVERED: dict[str, tuple[str, ...]] = {
    "alg none, any case": ("test_algorithm::test_alg_none_any_case", "test_algorithm::test_alg_none_without_a_kid"),
    "public key as HMAC secret": ("test_algorithm::test_public_key_as_hmac_secret",),
    "algorithm taken from the header": ("test_algorithm::test_algorithm_taken_from_the_header",),
    "allow-list bypass through key-bound alg": ("test_algorithm::test_allow_list_bypass_through_key_bound_alg",),
    "embedded `jwk` trusted": ("test_key_injection::test_embedded_jwk_trusted",),
    "`jku`/`x5u` fetch": ("test_key_injection::test_jku_x5u_fetch",),
    "unknown `crit`": ("test_critical_header::test_unknown_crit",),
    "empty `crit`": ("test_critical_header::test_empty_crit",),
    "`b64:false` with or without crit": (
        "test_critical_header::test_b64_with_or_without_crit",
        "test_critical_header::test_unencoded_payload",
    ),
    "psychic signature r=s=0": (
        "test_signature_range::test_psychic_signature_and_its_range",
        "test_signature_range::test_ecdsa_signature_of_another_form",
    ),
    "ES256 with wrong curve or off-curve key": ("test_weak_keys::test_es256_with_wrong_curve_or_off_curve_key",),
    "S >= L, small-order A/R": (
        "test_signature_range::test_ed25519_s_not_below_the_order",
        "test_signature_range::test_ed25519_small_order_r",
        "test_signature_range::test_ed25519_non_canonical_r",
        "test_weak_keys::test_ed25519_small_order_or_non_canonical_key",
    ),
    "RSA < 2048, e = 1": ("test_weak_keys::test_rsa_keys_that_are_rejected",),
    "key `use`/`key_ops`/`alg` mismatch": ("test_weak_keys::test_key_use_key_ops_alg_mismatch_and_the_like",),
    "type confusion": ("test_claim_types::test_type_confusion_of_times",),
    "iss by substring/prefix": (
        "test_issuer_audience::test_iss_by_substring_or_prefix",
        "test_claim_types::test_sub_aud_list_confusion_of_strings",
        "test_claim_types::test_sub_aud_list_confusion_of_audiences",
    ),
    "duplicate JSON members": (
        "test_strict_json::test_duplicate_json_members",
        "test_strict_json::test_duplicate_json_members_that_contradict",
    ),
    "non-canonical base64": (
        "test_wire_format::test_base64_unused_bits",
        "test_wire_format::test_base64_with_padding_space_or_another_alphabet",
        "test_wire_format::test_base64_standard_alphabet",
    ),
    "BOM, invalid UTF-8, lone surrogates": (
        "test_strict_json::test_bom_and_other_leading_bytes",
        "test_strict_json::test_invalid_utf8",
        "test_strict_json::test_lone_surrogates",
        "test_strict_json::test_trailing_json",
    ),
    "4 segments, empty segments": (
        "test_wire_format::test_segments_other_than_three",
        "test_wire_format::test_empty_segments",
        "test_wire_format::test_json_serialisation_is_rejected",
    ),
    "huge header/segment": (
        "test_size::test_huge_segment",
        "test_size::test_token_cap_is_exact",
        "test_size::test_header_cap_is_exact",
    ),
    "deep nesting": ("test_size::test_deep_nesting", "test_size::test_nesting_cap_is_exact"),
    "JWE bomb": ("test_wire_format::test_jwe_is_unsupported",),
    "typ confusion": ("test_typ::test_typ_confusion",),
    "DPoP": ("test_dpop::test_dpop", "test_dpop::test_dpop_nonce_mismatch", "test_dpop::test_dpop_replay"),
    "act: not an object": (
        "test_act::test_act_is_not_an_object",
        "test_act::test_act_without_a_sub_that_is_a_name",
        "test_act::test_claims_inside_act_that_identify_nobody",
        "test_act::test_act_nested_too_deeply",
    ),
}

#: The beginning of a row's first cell -> why it is not tested here.
ELSEWHERE: dict[str, str] = {
    "unknown-kid flood": "a property of the key sources: tests/jwks",
    "token-cache key truncation": "its keys are compared in full: tests/test_token_cache.py",
    "ReDoS in claim patterns": "there are no patterns over claims",
}
