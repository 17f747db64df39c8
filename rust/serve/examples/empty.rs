//! hyper answering every request with an empty 200: what the gate is measured against.
//!
//! `cargo run --release -p watchword-serve --example empty -- 127.0.0.1:9300 2`

use std::convert::Infallible;
use std::env;
use std::io;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9300".to_owned());
    let threads = arguments.next().and_then(|threads| threads.parse().ok()).unwrap_or(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let empty = service_fn(|_| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
                // A connection that fails concerns nobody else.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), empty).await;
            });
        }
    })
}
