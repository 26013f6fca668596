//! `chat admin export`: what a server has of one account, for its owner, in lines of JSON.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use super::{ArchiveError, io_error};
use crate::names::Username;
use crate::private_file;
use crate::server::accounts::role_in;
use crate::server::clock;
use crate::server::data_folder::DataFolder;
use crate::server::devices::{Device, devices_in};
use crate::server::log::{Authored, LogReader, Membership};
use crate::wire::BODY_TEXT;

/// Writes all that `name` has said in rooms, the rooms and the devices into a new file at `to`. Gives lines for the operator.
pub(in crate::server) fn export(
    data: &Path,
    name: &Username,
    to: &Path,
) -> Result<Vec<String>, ArchiveError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(ArchiveError::Exists(to.to_owned()));
    }
    let files = |error: &dyn ToString| ArchiveError::Files(error.to_string());
    let role = role_in(&data.join(DataFolder::USERS), name).map_err(|error| files(&error))?;
    let devices = devices_in(&data.join(DataFolder::DEVICES), name).map_err(|error| files(&error))?;
    let log = LogReader::open(&data.join(DataFolder::LOG)).map_err(|error| files(&error))?;
    let rooms = log.rooms_of(name).map_err(|error| files(&error))?;
    if role.is_none() && !log.has_said_anything(name).map_err(|error| files(&error))? {
        return Err(ArchiveError::Nobody(name.to_string()));
    }
    let account = json!({
        "type": "account",
        "name": name.as_str(),
        "role": role.map(|role| role.to_string()),
        "exported": clock::now(),
    });
    let mut messages = 0;
    private_file::create_by(to, |file| {
        let mut out = BufWriter::new(file);
        let lines = devices.iter().map(device).chain(rooms.iter().map(room));
        [account].into_iter().chain(lines).try_for_each(|line| write_line(&mut out, &line))?;
        log.each_of(name, |said| {
            messages += 1;
            write_line(&mut out, &message(&said))
        })?;
        out.flush()
    })
    .map_err(io_error(to))?;
    Ok(vec![format!(
        "{messages} messages, {} rooms and {} devices of {name} are in {}",
        rooms.len(),
        devices.len(),
        to.display()
    )])
}

fn write_line(out: &mut BufWriter<&mut File>, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn device(Device { key, label, first_seen, last_seen, .. }: &Device) -> Value {
    let fingerprint = key.fingerprint().to_string();
    json!({
        "type": "device",
        "label": label.as_str(),
        "fingerprint": fingerprint,
        "first_seen": first_seen,
        "last_seen": last_seen,
    })
}

fn room(Membership { room, is_operator, since }: &Membership) -> Value {
    let role = if *is_operator { "operator" } else { "member" };
    json!({ "type": "room", "room": room, "role": role, "since": since })
}

/// A text as text; anything else as it is, in base64url.
fn message(Authored { room, sequence, at, kind, body }: &Authored) -> Value {
    let mut line = json!({ "type": "message", "room": room, "sequence": sequence, "at": at, "kind": kind });
    let (key, value) = if *kind == BODY_TEXT {
        ("text", String::from_utf8_lossy(body).into_owned())
    } else {
        ("body", Base64UrlUnpadded::encode_string(body))
    };
    if let Some(fields) = line.as_object_mut() {
        fields.insert(key.to_owned(), value.into());
    }
    line
}
