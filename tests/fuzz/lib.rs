//! The fuzz targets of `chat`; see `README.md` beside this file.

use chat::names; // where the parser of `users.db` looks for it

pub mod targets;
