//! The header is what cbindgen makes of the crate, and the Lua code has its version.

use std::path::Path;

#[test]
fn the_header_is_current() -> Result<(), Box<dyn std::error::Error>> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut generated = Vec::new();
    cbindgen::generate(crate_folder)?.write(&mut generated);
    let path = crate_folder.join("include/watchword.h");
    if std::env::var_os("WATCHWORD_UPDATE_HEADER").is_some() {
        std::fs::write(&path, &generated)?;
    }
    let update = "WATCHWORD_UPDATE_HEADER=1 cargo test -p watchword-capi --test header";
    assert!(std::fs::read(&path)? == generated, "include/watchword.h is not current: {update}");
    Ok(())
}

#[test]
fn the_lua_code_has_the_version_of_the_library() {
    let version = format!("_VERSION = {:?}", env!("CARGO_PKG_VERSION"));
    assert!(include_str!("../lua/watchword.lua").contains(&version), "write {version}");
}
