//! The end of `chat admin`: asks the running server over its control socket, or does the same on the files when no
//! server runs. It never makes a data folder.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::address::Address;
use super::execute::execute;
use super::framing::{ANSWER_BYTES_MAX, GREETING, REQUEST_BYTES_MAX, frame, unframe};
use super::request::{AdminRequest, Answer, WireAnswer};
use crate::names::Username;
use crate::server::accounts::Cost;
use crate::server::archive::{self, ArchiveError};
use crate::server::data_folder::{DataFolder, DataFolderError};
use crate::server::stores::Stores;

/// How long a server may take to greet, or one that is just starting or stopping to make up its mind.
const GREETED_WITHIN: Duration = Duration::from_secs(10);

/// How long it may take to do what it is asked.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// How often it is looked whether a server that starts or stops has done so.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What `chat admin` is to do.
pub struct AdminConfig {
    /// The data folder of the server.
    pub data: PathBuf,
    /// What for.
    pub errand: Errand,
}

/// What an operator wants.
pub enum Errand {
    /// Something of the server, or of the files of a stopped one.
    Ask(AdminRequest),
    /// A copy of everything in a new folder, while the server goes on.
    Backup {
        /// The folder.
        to: PathBuf,
    },
    /// Such a copy in the place of the data folder.
    Restore {
        /// The copy.
        from: PathBuf,
        /// Whether what is in the data folder is moved away.
        may_replace: bool,
    },
    /// What one account has said, and all else of it, in a new file.
    Export {
        /// The account.
        name: Username,
        /// The file.
        to: PathBuf,
    },
}

secret!(AdminConfig, Errand);

/// Why it was not done. Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No server has ever run there.
    #[error("{0} is not the data folder of a chat server; give the folder of yours with --data DIR")]
    NoServer(PathBuf),
    /// The folder or the socket in it can't be opened.
    #[error("{path} can't be used: {source}; run this as the user who runs the server")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something holds the folder and does not answer.
    #[error(
        "a server uses {0} and does not answer; it may be starting, stopping or stuck: try again in a moment, or see \
         what it logs"
    )]
    NoAnswer(PathBuf),
    /// The server has got the request, and has not answered it.
    #[error("the server did not answer ({0}), so it may have been done or not; look before you do it again")]
    Lost(io::Error),
    /// The files of a stopped server can't be used.
    #[error("{0}")]
    Files(String),
    /// There is no copy.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It was refused; holds the reason.
    #[error("{0}")]
    Refused(String),
}

/// Does what the configuration says, by the running server or without. Gives lines of text for the operator; what
/// others have written may stand in them, so they are not safe to print as they are.
pub fn administer(AdminConfig { data, errand }: AdminConfig) -> Result<Vec<String>, AdminError> {
    match errand {
        Errand::Ask(request) => ask_or_do(data, request),
        Errand::Backup { to } => {
            see_that_it_is_a_servers(&data)?;
            Ok(archive::back_up(&data, &to)?)
        }
        Errand::Restore { from, may_replace } => Ok(archive::restore(&data, &from, may_replace)?),
        Errand::Export { name, to } => {
            see_that_it_is_a_servers(&data)?;
            Ok(archive::export(&data, &name, &to)?)
        }
    }
}

fn see_that_it_is_a_servers(data: &Path) -> Result<(), AdminError> {
    match std::fs::metadata(data.join(DataFolder::SERVER_KEY)) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(AdminError::NoServer(data.to_owned()))
        }
        Err(source) => Err(AdminError::Unusable { path: data.to_owned(), source }),
    }
}

fn ask_or_do(data: PathBuf, request: AdminRequest) -> Result<Vec<String>, AdminError> {
    let unusable = |source| AdminError::Unusable { path: data.clone(), source };
    let until = Instant::now() + GREETED_WITHIN;
    loop {
        see_that_it_is_a_servers(&data)?;
        if let Some(stream) = reach(&data, until)?
            && let Some(answer) = ask(stream, &request)?
        {
            return answer.map_err(AdminError::Refused);
        }
        match DataFolder::take_existing(&data) {
            Ok(folder) => return do_it_here(folder, request)?.map_err(AdminError::Refused),
            Err(DataFolderError::InUse(_)) if Instant::now() < until => thread::sleep(LOOK_EVERY),
            Err(DataFolderError::InUse(_)) => return Err(AdminError::NoAnswer(data)),
            Err(DataFolderError::Unusable { source, .. }) => return Err(unusable(source)),
        }
    }
}

/// A server that has greeted; none if nobody listens (any more).
fn reach(data: &Path, until: Instant) -> Result<Option<UnixStream>, AdminError> {
    let unusable = |source| AdminError::Unusable { path: data.to_owned(), source };
    let address = Address::of(data).map_err(unusable)?;
    let mut stream = match UnixStream::connect(address.path()) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(unusable(error)),
    };
    let left = until.saturating_duration_since(Instant::now()).max(LOOK_EVERY);
    let mut greeting = [0];
    match stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut greeting)) {
        Ok(1..) if greeting == [GREETING] => Ok(Some(stream)),
        Ok(1..) => Err(AdminError::NoAnswer(data.to_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(AdminError::NoAnswer(data.to_owned()))
        }
        // It was stopped before it took us.
        Ok(0) | Err(_) => Ok(None),
    }
}

/// The answer; none if the server has not read all of the request, and so has not done it.
fn ask(mut stream: UnixStream, request: &AdminRequest) -> Result<Option<Answer>, AdminError> {
    let no_message = |error| AdminError::Lost(io::Error::new(ErrorKind::InvalidData, error));
    let framed = frame(request, REQUEST_BYTES_MAX).map_err(|error| AdminError::Refused(error.to_string()))?;
    stream
        .set_read_timeout(Some(ANSWERED_WITHIN))
        .and_then(|()| stream.set_write_timeout(Some(ANSWERED_WITHIN)))
        .map_err(AdminError::Lost)?;
    if stream.write_all(&framed).is_err() {
        return Ok(None);
    }
    let (mut arrived, mut chunk) = (Zeroizing::new(Vec::new()), Zeroizing::new([0; 16 * 1024]));
    loop {
        match stream.read(chunk.as_mut()) {
            Ok(0) => return Err(AdminError::Lost(ErrorKind::UnexpectedEof.into())),
            Ok(count) => arrived.extend(chunk.iter().take(count)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // It hung up on what it had not read: that is what a reset means on such a socket.
            Err(error) if error.kind() == ErrorKind::ConnectionReset && arrived.is_empty() => {
                return Ok(None);
            }
            Err(error) => return Err(AdminError::Lost(error)),
        }
        if let Some(answer) = unframe::<WireAnswer>(&arrived, ANSWER_BYTES_MAX).map_err(no_message)? {
            return Ok(Some(answer.into()));
        }
    }
}

fn do_it_here(folder: DataFolder, request: AdminRequest) -> Result<Answer, AdminError> {
    let stores =
        Stores::open(folder, Cost::STANDARD).map_err(|error| AdminError::Files(error.to_string()))?;
    Ok(execute(request, &stores, None))
}
