//! The status pages: rendered by the host, in a thread that may block.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;

use crate::answer::of_status;
use crate::settings::MAX_PAGES;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The type of the content.
    pub content_type: String,
    /// The content.
    pub content: Vec<u8>,
}

/// Renders the page at a path; `None` if that fails.
pub type Render = dyn Fn(&str) -> Option<Page> + Send + Sync;

/// The pages.
pub(crate) struct Pages {
    render: Arc<Render>,
    places: Arc<Semaphore>,
}

impl Pages {
    pub(crate) fn new(render: Arc<Render>) -> Self {
        Self { render, places: Arc::new(Semaphore::new(MAX_PAGES)) }
    }

    /// Answers a request for a page.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = of_status(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        self.page(request.uri().path()).await.unwrap_or_else(|| of_status(StatusCode::SERVICE_UNAVAILABLE))
    }

    async fn page(&self, path: &str) -> Option<Response<Full<Bytes>>> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let (render, path) = (Arc::clone(&self.render), path.to_owned());
        // A panic in it ends the task only.
        let rendering = tokio::task::spawn_blocking(move || {
            let page = render(&path);
            drop(place);
            page
        });
        let page = rendering.await.ok()??;
        let mut response = Response::new(Full::from(page.content));
        *response.status_mut() = StatusCode::from_u16(page.status).ok().filter(|status| !status.is_informational())?;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::try_from(page.content_type).ok()?);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
        headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
        Some(response)
    }
}
