//! Marks the module as one that is never unloaded.

fn main() {
    // The gate has a thread. Envoy unloads a module with its last configuration, unless `do_not_close` is set: the thread
    // would run on in code that is gone.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
