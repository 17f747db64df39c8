//! Nonces for proofs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use watchword_gate::Nonces;
use watchword_kernel::UnixTime;

const NONCES: [(usize, &str); 3] = [
    (32, "zjtW8I8nbrDD7BhjKgqnYlTsdlfyIfTuB9Tf4e1IU7Q"),
    (64, "0Y2UR3Ky0MfTtYOcwPB1EC5GT6NNMGEFkE3GortAnjY"),
    (65, "R2dl-kKcGWTiVTFE_C8DxxB3YW4_WJR3wcq2C2eZpiA"),
];

fn valid(nonces: &Nonces, now: f64) -> Vec<String> {
    nonces.valid(UnixTime::new(now).unwrap()).to_vec()
}

#[test]
fn a_nonce_is_valid_in_its_window_and_the_next() {
    let nonces = Nonces::new(&[[1; 32]], 300.0).unwrap();
    let first = valid(&nonces, 600.0);
    assert_eq!(valid(&nonces, 899.9), first);
    let second = valid(&nonces, 900.0);
    assert_eq!(second[1], first[0]);
    assert!(!valid(&nonces, 1200.0).contains(&first[0]));
    // A clock that steps back.
    assert_eq!(valid(&nonces, 600.0), first);
}

#[test]
fn all_keys_are_accepted_and_the_first_issues() {
    let both = Nonces::new(&[[2; 32], [1; 32]], 300.0).unwrap();
    let old = Nonces::new(&[[1; 32]], 300.0).unwrap();
    assert!(valid(&both, 0.0).contains(&valid(&old, 0.0)[0]));
    assert_ne!(valid(&both, 0.0)[0], valid(&old, 0.0)[0]);
}

#[test]
fn the_values_of_one_key() {
    // BLAKE2b as Python's hashlib computes it, for keys that it takes and for one that it hashes first.
    for (length, nonce) in NONCES {
        let nonces = Nonces::new(&[vec![7; length]], 300.0).unwrap();
        assert_eq!(valid(&nonces, 1_700_000_000.0)[0], nonce, "{length}");
    }
}

#[test]
fn short_keys_and_other_lifetimes_are_refused() {
    assert!(Nonces::new(&[[1; 31]], 300.0).is_err());
    assert!(Nonces::new::<[u8; 32]>(&[], 300.0).is_err());
    for lifetime in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(Nonces::new(&[[1; 32]], lifetime).is_err(), "{lifetime}");
    }
}
