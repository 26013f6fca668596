//! Who writes into the log what an operator wants of it: the log writer of the server that runs or, if none does, we.

use super::clock;
use super::log::{Change, LogError, LogReader, LogStore, Outcome, SearchIndex, Wish, Write};
use super::room_requests::hand_in_for;
use super::shared::Shared;
use super::stores::Stores;
use crate::names::Username;
use crate::wire::MessageId;

/// Writes for someone who is not there.
pub(super) enum Deputy<'s> {
    /// The server's log writer.
    Live(&'s Shared),
    /// We do; no server runs.
    Here(LogStore),
}

impl<'s> Deputy<'s> {
    /// For the log of these stores, which are those of `live` if it runs.
    pub(super) fn to(stores: &Stores, live: Option<&'s Shared>) -> Result<Self, LogError> {
        match live {
            Some(shared) => Ok(Self::Live(shared)),
            None => LogStore::open(&stores.folder.log(), clock::now()).map(|(store, _)| Self::Here(store)),
        }
    }

    /// A way to read what is written.
    pub(super) fn reader(&self, stores: &Stores) -> Result<LogReader, LogError> {
        match self {
            Self::Live(_) => LogReader::open(&stores.folder.log()),
            Self::Here(store) => store.reader(),
        }
    }

    /// Does what `name` would ask for. False when it was not done.
    pub(super) fn change(&mut self, name: &Username, wish: Wish) -> Result<bool, LogError> {
        match self {
            Self::Live(shared) => Ok(hand_in_for(shared, name, wish)),
            Self::Here(store) => {
                let id = MessageId::random().ok_or(LogError::NoEntropy)?;
                let change = Change { by: name.clone(), id, is_admin: false, rooms_max: usize::MAX, wish };
                let outcomes = store.write([Write::Change(&change)], clock::now())?;
                Ok(matches!(outcomes[..], [Outcome::Changed(..)]))
            }
        }
    }

    /// A server that runs does by itself what is left to do. The index of one that does not is gathered anew at its start.
    pub(super) fn finish(self, stores: &Stores) -> Result<(), LogError> {
        match self {
            Self::Live(_) => Ok(()),
            Self::Here(mut store) => {
                SearchIndex::remove(&stores.folder.search_index())?;
                store.wipe()
            }
        }
    }
}
