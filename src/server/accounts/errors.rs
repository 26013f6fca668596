//! What can go wrong with accounts, told to the person who can do something about it: [`AccountsError`] to
//! whoever runs the server, the others to whoever wants in. Apart, so that what strangers are told is seen in
//! one place.

use std::io;
use std::path::PathBuf;

use super::hashing_pool::HashingError;
use super::users_file::UsersFileError;

/// Why accounts can't be read or written. What is in memory is not changed then, nor is the file (for the one
/// exception see [`crate::private_file::replace`]).
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountsError {
    /// The file can't be read.
    #[error("{} can't be read ({reason}); see that it is a file which the server may read", .path.display())]
    Read {
        /// Of `users.db`.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file was there and is not any more.
    #[error("{} is gone; put it back (to begin again without accounts, restart the server)", .path.display())]
    Gone {
        /// Of `users.db`.
        path: PathBuf,
    },
    /// The file is wrong.
    #[error("{}: {reason}", .path.display())]
    Format {
        /// Of `users.db`.
        path: PathBuf,
        /// What is wrong, and on which line.
        reason: UsersFileError,
    },
    /// The file can't be replaced.
    #[error("{} can't be written ({reason}); make room, or let the server write there", .path.display())]
    Write {
        /// Of `users.db`.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// There are no threads to hash passwords.
    #[error("the threads that hash passwords can't be started ({0}); raise the limit on threads")]
    Threads(io::Error),
}

/// Why nobody was signed up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignUpError {
    /// Somebody has this name.
    #[error("this name is taken; choose another one, or log in if it is yours")]
    NameTaken,
    /// Somebody has a name that can be taken for this one.
    #[error("this name looks like a name that is taken; choose another one")]
    NameLooksTaken,
    /// The password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The account could not be saved. The reason is for the log, since it names the server's files.
    #[error("the server could not save the account, so there is none; tell the person who runs it")]
    NotSaved(#[from] AccountsError),
    /// What must be done first could not be.
    #[error("the server could not save the account, so there is none; tell the person who runs it")]
    NotReady,
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordChangeError {
    /// Whoever asks does not know the present one.
    #[error("that is not your present password; try again")]
    WrongPassword,
    /// A password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// Somebody else changed the account, here or in the file, while this was under way.
    #[error("your account was changed meanwhile, so the password is as it was; try again in a moment")]
    ChangedMeanwhile,
    /// The session that asks was ended meanwhile.
    #[error("this session is being ended, so the password is as it was")]
    Ended,
    /// The new hash could not be saved. The reason is for the log, since it names the server's files.
    #[error("the server could not save it, so the password is as it was; tell the person who runs it")]
    NotSaved(#[from] AccountsError),
}

/// Why an account is as it was although the operator wanted it otherwise.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdministrationError {
    /// There is none.
    #[error("there is no such account; 'chat admin users' lists all")]
    NoAccount,
    /// The password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The file can't be read or written.
    #[error(transparent)]
    NotSaved(#[from] AccountsError),
}

/// Why a login was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LogInError {
    /// Which of the two is not told, and can't be told from the time that it takes.
    #[error("the name or the password is wrong; try again, or sign up")]
    WrongNameOrPassword,
    /// The password could not be checked.
    #[error(transparent)]
    Hashing(#[from] HashingError),
}
