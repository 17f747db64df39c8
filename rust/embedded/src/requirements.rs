//! Requirements for requests whose route the proxy has chosen.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use watchword_gate::Guard;
use watchword_gate::config::RouteConfig;

use crate::loaded::Loaded;

/// The keys of one of the `[[routes]]`, without `path` and `methods`, for requests whose route the proxy has chosen. They are
/// for one gate, and are compiled again if its configuration changes.
pub struct Requirements {
    route: RouteConfig,
    /// Compiled for a configuration.
    compiled: ArcSwapOption<(Arc<Loaded>, Arc<Guard>)>,
}

impl Requirements {
    pub(crate) fn new(route: RouteConfig) -> Self {
        Self { route, compiled: ArcSwapOption::empty() }
    }

    /// What they are under this configuration; `None` if they contradict it.
    pub(crate) fn guard(&self, loaded: &Arc<Loaded>) -> Option<Arc<Guard>> {
        if let Some(compiled) = &*self.compiled.load()
            && Arc::ptr_eq(&compiled.0, loaded)
        {
            return Some(Arc::clone(&compiled.1));
        }
        let accepted = self.route.issuers.iter().flatten();
        let is_configured = |name: &String| loaded.config.issuers.iter().any(|issuer| issuer.issuer == *name);
        if !accepted.into_iter().all(is_configured) {
            return None;
        }
        let guard = loaded.config.guard_of(&self.route).ok().map(Arc::new)?;
        self.compiled.store(Some(Arc::new((Arc::clone(loaded), Arc::clone(&guard)))));
        Some(guard)
    }
}
