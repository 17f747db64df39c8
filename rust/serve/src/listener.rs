//! Listening sockets.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, Type};
use tokio::net::TcpStream;
use watchword_gate::config::ListenAddress;

/// How many connections may wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 4096;

/// A socket that is bound, and listens, before the server starts.
pub(crate) struct Bound {
    pub(crate) socket: Socket,
    /// The address, with the port that was chosen.
    pub(crate) address: ListenAddress,
    /// Removed with this object.
    _file: Option<SocketFile>,
}

pub(crate) enum Socket {
    Tcp(std::net::TcpListener),
    Unix(UnixListener),
}

/// The same in the runtime.
pub(crate) enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

/// A connection.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(tokio::net::UnixStream),
}

/// The file of a Unix socket.
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Bound {
    /// Binds an address. A file of a socket on which nobody listens any more is replaced.
    pub(crate) fn new(address: &ListenAddress, mode: u32) -> io::Result<Self> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
        match address {
            ListenAddress::Tcp(wanted) => {
                let socket = listen(*wanted).map_err(named)?;
                let address = ListenAddress::Tcp(socket.local_addr()?);
                Ok(Self { socket: Socket::Tcp(socket), address, _file: None })
            }
            ListenAddress::Unix(path) => {
                let path = Path::new(path);
                remove_stale(path).map_err(named)?;
                let socket = UnixListener::bind(path).map_err(named)?;
                let file = SocketFile::of(path).map_err(named)?;
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(named)?;
                socket.set_nonblocking(true)?;
                Ok(Self { socket: Socket::Unix(socket), address: address.clone(), _file: Some(file) })
            }
        }
    }

    /// A second handle for the runtime, in which this is called.
    pub(crate) fn listener(&self) -> io::Result<Listener> {
        Ok(match &self.socket {
            Socket::Tcp(socket) => Listener::Tcp(tokio::net::TcpListener::from_std(socket.try_clone()?)?),
            Socket::Unix(socket) => Listener::Unix(tokio::net::UnixListener::from_std(socket.try_clone()?)?),
        })
    }
}

impl Listener {
    pub(crate) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // An answer is one small segment: it must not wait for the acknowledgement of the last one.
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener) => listener.accept().await.map(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

/// A TCP socket, with a longer queue than the standard library asks for: a full one costs new connections a second.
fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A restart does not wait for connections of the last run.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Removes the file of a socket whose process has ended.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?.file_type().is_socket(),
    };
    if !is_socket {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of this name that is not a socket"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there")),
    }
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), identity: (found.dev(), found.ino()) })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A server that was started after this one may have replaced it.
        let is_ours = fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}
