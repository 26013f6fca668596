//! Where the control socket is: in the data folder, so that whoever may open the folder may ask.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::net::SocketAddrUnix;

/// The socket's name in the data folder.
const NAME: &str = "admin.sock";

/// A way to the socket that fits in a socket's address, and what must stay open as long as it is used.
pub(super) struct Address {
    path: PathBuf,
    _folder: Option<File>,
}

impl Address {
    /// The socket of a data folder. An address takes some hundred bytes (unix(7)); to a folder with a longer path there
    /// is a short way where the system has `/proc`.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let path = file(folder);
        if SocketAddrUnix::new(&path).is_ok() {
            return Ok(Self { path, _folder: None });
        }
        let opened = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", opened.as_raw_fd()));
        Ok(Self { path, _folder: Some(opened) })
    }

    /// The way.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The socket as a file, for whoever removes it.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join(NAME)
}
