//! One message, said from a script: it has failed unless the server has acknowledged it. A connection that is lost before
//! the answer is tried again, with the same id, so that it is said once however often it is sent.

use std::io::{self, IsTerminal, Read};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::names::{MESSAGE_BYTES_MAX, MessageText, MessageTextError, RoomName};
use crate::wire::{BODY_TEXT, ClientMessage, MessageId, ServerMessage};

use super::backoff::Backoff;
use super::connection::{Connection, End};
use super::login::LoggedIn;
use super::pass::{come_back, is_for_good};
use super::server_identity::Server;
use super::{ClientError, Config, come_in, person};

/// The time for the answer on one connection; then another one is tried.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The time for a server that has acknowledged everything to take our goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// Where to say it.
    pub room: RoomName,
    /// What to say.
    pub words: Words,
    /// How long to try, once one is logged in.
    pub within: Duration,
}

/// Where the text of a message comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// It was typed.
    Given(String),
    /// It is all that stands on standard input, but for one line end at its end.
    OfStandardInput,
}

/// How far it is.
enum Progress {
    /// There is no connection (any more); holds the reason.
    Lost(String),
    /// It was acknowledged, or never will be.
    Done(Result<(), ClientError>),
}

/// Says it, and waits until the server has it.
pub(super) fn send(config: &Config, dispatch: &Dispatch) -> Result<(), ClientError> {
    let Dispatch { room, words, within } = dispatch;
    let text = words.read()?;
    let (server, logged_in) = come_in(config, &mut person::nobody())?;
    let address = server.address();
    let letter = Letter::new(room.clone(), text)?;
    let until = Instant::now() + *within;
    let (tell, told) = sync_channel(1);
    // A try takes its time, and what is left of it when ours is over ends with the process.
    let carry = move || carry(&server, logged_in, &letter, &tell);
    thread::Builder::new().name("send".into()).spawn(carry)?;
    let mut reason = "it does not answer".to_owned();
    loop {
        match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Progress::Done(done)) => return done,
            Ok(Progress::Lost(why)) => reason = why,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(ClientError::NotAcknowledged { address, within: *within, reason });
            }
        }
    }
}

impl Words {
    fn read(&self) -> Result<MessageText, ClientError> {
        match self {
            Self::Given(text) => Ok(text.parse()?),
            Self::OfStandardInput if io::stdin().is_terminal() => Err(ClientError::NoText),
            Self::OfStandardInput => read_all(&mut io::stdin().lock()),
        }
    }
}

/// Keeps no more than a message can have, and counts the rest.
fn read_all(source: &mut impl Read) -> Result<MessageText, ClientError> {
    let most = MESSAGE_BYTES_MAX + 2; // the line end does not count
    let mut bytes = Vec::new();
    source.by_ref().take(most.try_into().unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    let rest = io::copy(source, &mut io::sink())?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let size = if rest == 0 { line.len() } else { bytes.len() + usize::try_from(rest).unwrap_or(usize::MAX) };
    if size > MESSAGE_BYTES_MAX {
        return Err(MessageTextError::TooLong(size).into());
    }
    Ok(str::from_utf8(line).map_err(|_| ClientError::TextNotUtf8)?.parse()?)
}

/// What is said, and the id by which the server knows it when it comes again.
struct Letter {
    room: RoomName,
    text: MessageText,
    id: MessageId,
}

impl Letter {
    fn new(room: RoomName, text: MessageText) -> Result<Self, ClientError> {
        Ok(Self { room, text, id: MessageId::random().ok_or(ClientError::NoEntropy)? })
    }

    fn say(&self) -> ClientMessage {
        let body = self.text.as_str().as_bytes().to_vec().into();
        ClientMessage::Say { room: self.room.to_string(), id: self.id, kind: BODY_TEXT, body, of: None }
    }

    /// Says it on one connection. Gives how it was answered, or how the connection ended before it was.
    fn say_on(&self, connection: &mut Connection) -> Result<Result<(), ClientError>, End> {
        connection.sending.send(&self.say(), ANSWER_WITHIN)?;
        loop {
            match connection.receiving.receive(ANSWER_WITHIN)? {
                ServerMessage::Accepted { id, .. } if id == self.id => return Ok(Ok(())),
                ServerMessage::Refused { id: Some(id), text: reason, .. } if id == self.id => {
                    return Ok(Err(ClientError::NotSaid { room: self.room.clone(), reason }));
                }
                ServerMessage::Closing { code, text } if is_for_good(code) => {
                    return Ok(Err(ClientError::Revoked(text)));
                }
                ServerMessage::Ping {} => connection.sending.send(&ClientMessage::Pong {}, ANSWER_WITHIN)?,
                _ => {}
            }
        }
    }
}

/// Says it on one connection after the other, until it is answered.
fn carry(server: &Server, logged_in: LoggedIn, letter: &Letter, tell: &SyncSender<Progress>) {
    let LoggedIn { connection, pass, .. } = logged_in;
    let (mut backoff, mut connection) = (Backoff::default(), Some(connection));
    loop {
        let mut wait = Duration::ZERO;
        let lost = match connection.take().map_or_else(|| come_back(server, &pass), Ok) {
            Ok(mut present) => match letter.say_on(&mut present) {
                Ok(answer) => {
                    present.sending.say_goodbye(GOODBYE_WITHIN);
                    let _ = tell.send(Progress::Done(answer));
                    return;
                }
                Err(end) => end.to_string(),
            },
            Err(error) if error.is_final() => {
                let _ = tell.send(Progress::Done(Err(error)));
                return;
            }
            Err(error) => {
                if let ClientError::PutOff { wait: asked, .. } = &error {
                    wait = *asked;
                }
                error.to_string()
            }
        };
        if tell.send(Progress::Lost(lost)).is_err() {
            return;
        }
        thread::sleep(wait + backoff.wait(rand::random()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        read_all(&mut &*bytes).map(|text| text.as_str().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn all_of_the_input_is_one_message_but_for_its_last_line_end() {
        for (input, text) in [("one\ntwo\n", "one\ntwo"), ("one\n\n", "one\n"), ("é", "é"), ("a\r\n", "a")]
        {
            assert_eq!(read(input.as_bytes()).as_deref(), Ok(text));
        }
        let longest = "x".repeat(MESSAGE_BYTES_MAX);
        assert_eq!(read(format!("{longest}\r\n").as_bytes()), Ok(longest));
    }

    #[test]
    fn what_is_no_message_is_told_with_its_size() {
        for size in [MESSAGE_BYTES_MAX + 1, MESSAGE_BYTES_MAX + 2, 1_000_000] {
            let told = read(&vec![b'x'; size]).unwrap_err();
            assert!(told.contains(&format!("the message has {size} bytes")), "{told}");
        }
        assert!(read(b" \n").unwrap_err().contains("nothing to say"));
        assert!(read(b"\xff").unwrap_err().contains("not UTF-8"));
    }
}
