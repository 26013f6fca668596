//! Rooms as an operator sees them.

use super::request::Answer;
use crate::server::clock;
use crate::server::log::{LogReader, LogStore, RoomSize};
use crate::server::stores::Stores;

/// All rooms, with what is in them. `is_live` if a server writes the log.
pub(super) fn list(stores: &Stores, is_live: bool) -> Answer {
    let path = stores.folder.log();
    let reader = if is_live {
        LogReader::open(&path)
    } else {
        LogStore::open(&path, clock::now()).and_then(|(store, _)| store.reader())
    };
    let sizes = reader.and_then(|reader| reader.room_sizes()).map_err(|error| error.to_string())?;
    Ok(sizes.iter().map(line).collect())
}

fn line(RoomSize { room, members, messages, bytes }: &RoomSize) -> String {
    let is_lobby = room.parse().is_ok_and(|room: crate::names::RoomName| room.is_lobby());
    let members = match members {
        _ if is_lobby => "everyone".to_owned(),
        1 => "1 member".to_owned(),
        count => format!("{count} members"),
    };
    format!("{room}  {members}, {messages} messages, {} KiB", bytes.div_ceil(1024))
}
