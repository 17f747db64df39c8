//! Options for the linker.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        // The name by which programs that are linked with it look for the library, wherever it was built.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libwatchword.so");
        // A gate has a thread. LuaJIT unloads libraries before its process ends: code that runs must stay where it is.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
