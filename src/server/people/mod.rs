//! When people were here for the first and the last time, and whether they want that told. Apart from accounts, which a
//! person edits in a text file, and from presence, which is forgotten with the process.

mod registry;
mod store;

pub(super) use registry::People;
pub(super) use store::PeopleError;
