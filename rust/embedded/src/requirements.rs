//! Requirements for requests whose route the proxy has chosen.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use watchword_gate::Guard;
use watchword_gate::config::RouteConfig;

use crate::loaded::Loaded;
use crate::open_error::OpenError;

/// The keys of one of the `[[routes]]`, without `path` and `methods`, for requests whose route the proxy has chosen. They are
/// for one gate, and are compiled again if its configuration changes.
pub struct Requirements {
    route: RouteConfig,
    /// Compiled for a configuration, which is not kept alive: a proxy may keep requirements longer than a gate.
    compiled: ArcSwapOption<(Weak<Loaded>, Arc<Guard>)>,
}

impl Requirements {
    pub(crate) fn new(route: RouteConfig) -> Self {
        Self { route, compiled: ArcSwapOption::empty() }
    }

    /// What they are under this configuration.
    ///
    /// # Errors
    /// [`OpenError`] if they contradict it.
    pub(crate) fn guard(&self, loaded: &Arc<Loaded>) -> Result<Arc<Guard>, OpenError> {
        if let Some(compiled) = &*self.compiled.load()
            && Weak::as_ptr(&compiled.0) == Arc::as_ptr(loaded)
        {
            return Ok(Arc::clone(&compiled.1));
        }
        let is_configured = |name: &String| loaded.config.issuers.iter().any(|issuer| issuer.issuer == *name);
        if let Some(name) = self.route.issuers.iter().flatten().find(|name| !is_configured(name)) {
            return Err(OpenError::new(format!("issuers: no issuer has the name {name:?} any more")));
        }
        let guard = loaded.config.guard_of(&self.route).map_err(|error| OpenError::of_config(None, &error))?;
        let guard = Arc::new(guard);
        self.compiled.store(Some(Arc::new((Arc::downgrade(loaded), Arc::clone(&guard)))));
        Ok(guard)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{ConfigSource, EmbeddedGate, Format, Options};

    const CONFIG: &str = r#"{
        "public_url": "https://api.example",
        "token": {"any_audience": true},
        "issuers": [{"issuer": "https://as.example", "jwks": {"keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        ]}}],
        "routes": [{"path": "/"}]
    }"#;

    #[test]
    fn requirements_keep_no_gate_alive() {
        let source = ConfigSource::Text(CONFIG.to_owned(), Format::Json, PathBuf::new());
        let gate = EmbeddedGate::open(source, Options::default(), Box::new(|_| ())).unwrap();
        let requirements = gate.requirements("{}", "").unwrap();
        let loaded = gate.shared.loaded.load_full();
        let guard = requirements.guard(&loaded).unwrap();
        assert!(Arc::ptr_eq(&guard, &requirements.guard(&loaded).unwrap()));
        let left = Arc::downgrade(&loaded);
        drop((gate, loaded));
        // Until the thread that reads the files has ended.
        for _ in 0..10_000 {
            if left.upgrade().is_none() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        unreachable!("the gate is still there");
    }
}
