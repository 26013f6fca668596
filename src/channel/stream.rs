//! The whole handshake, and then the incoming half of a session, over anything that reads and writes. Deadlines are
//! the business of whoever owns the socket below.

use std::io::{ErrorKind, Read, Write};

use rand::rngs::SysRng;

use super::error::ChannelError;
use super::frame::{FrameReader, write_frame};
use super::handshake::{Initiator, Responder, Transport};
use super::hello::{ClientHello, HELLO_BYTES, ServerHello, Suite};
use super::keys::{PublicKey, StaticKey};
use super::record::{Opener, Record, Sealer};

/// The longest message of a handshake, in bytes: room for a key encapsulation and a payload.
const HANDSHAKE_BYTES_MAX: usize = 4096;

/// A session that is ready to carry messages both ways.
pub struct Established {
    /// What protects it.
    pub suite: Suite,
    /// The key that the other side has proved to hold.
    pub peer: PublicKey,
    /// Unique to this session and the same at both ends, 32 bytes.
    pub handshake_hash: [u8; 32],
    /// The half that sends.
    pub sealer: Sealer,
    /// The half that receives.
    pub incoming: Incoming,
}

secret!(Established, Incoming);

impl From<Transport> for Established {
    fn from(transport: Transport) -> Self {
        let Transport { suite, peer, handshake_hash, sealer, opener } = transport;
        let incoming = Incoming { frames: FrameReader::default(), opener };
        Self { suite, peer, handshake_hash, sealer, incoming }
    }
}

/// The client's side, from its hello to the end of the handshake. `verify` sees the server's key before the server
/// sees ours; its error ends the handshake there.
pub fn connect<S, E>(
    stream: &mut S,
    ours: &StaticKey,
    verify: impl FnOnce(PublicKey) -> Result<(), E>,
) -> Result<Established, E>
where
    S: Read + Write,
    E: From<ChannelError>,
{
    connect_with(stream, ours, &Suite::ALL, |key, _| verify(key))
}

/// The same with these suites only, strongest first, instead of all. `verify` also sees the payload of the server's
/// message, for which the server's key vouches.
pub fn connect_with<S, E>(
    stream: &mut S,
    ours: &StaticKey,
    suites: &[Suite],
    verify: impl FnOnce(PublicKey, &[u8]) -> Result<(), E>,
) -> Result<Established, E>
where
    S: Read + Write,
    E: From<ChannelError>,
{
    let client = ClientHello::offering(suites);
    write(stream, client.as_bytes())?;
    let server = ServerHello::from_bytes(read_array(stream)?)?;
    let (one, sent) = Initiator::new(&client, server, ours)?.write_one(&mut SysRng, &[])?;
    write_message(stream, &one)?;
    let (payload, verifies) = sent.read_two(&read_message(stream)?)?;
    verify(verifies.server_key(), &payload)?;
    let (three, transport) = verifies.write_three(&[])?;
    write_message(stream, &three)?;
    Ok(transport.into())
}

/// The server's side, from the client's hello to the end of the handshake.
pub fn accept<S: Read + Write>(stream: &mut S, ours: &StaticKey) -> Result<Established, ChannelError> {
    accept_with(stream, ours, &Suite::ALL, &[])
}

/// The same with these suites only, strongest first, instead of all, and with a payload for the client that only who
/// holds our key can have sent: so many bytes that the second message has no more than 4096.
pub fn accept_with<S: Read + Write>(
    stream: &mut S,
    ours: &StaticKey,
    suites: &[Suite],
    payload: &[u8],
) -> Result<Established, ChannelError> {
    let client = read_client_hello(stream)?;
    let server = ServerHello::answering(&client, suites);
    write(stream, &server.to_bytes())?;
    let responder = Responder::new(&client, server, ours)?;
    let (_, got) = responder.read_one(&read_message(stream)?)?;
    let (two, sent) = got.write_two(&mut SysRng, payload)?;
    write_message(stream, &two)?;
    let (_, transport) = sent.read_three(&read_message(stream)?)?;
    Ok(transport.into())
}

/// Tells a newcomer that the server is full, without a handshake.
pub fn refuse_full<S: Write>(stream: &mut S) -> Result<(), ChannelError> {
    write(stream, &ServerHello::full().to_bytes())
}

/// Tells a newcomer that the server takes no connections from its address, without a handshake.
pub fn refuse_banned<S: Write>(stream: &mut S) -> Result<(), ChannelError> {
    write(stream, &ServerHello::banned().to_bytes())
}

/// The half of a session that receives.
pub struct Incoming {
    frames: FrameReader,
    opener: Opener,
}

impl Incoming {
    /// Reads once from `source`. A stream that ends here ends without a goodbye: [`ChannelError::Closed`].
    pub fn feed_from(&mut self, source: &mut impl Read) -> Result<(), ChannelError> {
        match self.frames.feed_from(source)? {
            0 => Err(ChannelError::Closed),
            _ => Ok(()),
        }
    }

    /// The next record that has come whole, or `None` when more must be fed first. After an error the session is over.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, ChannelError> {
        self.frames.next_frame().map(|frame| self.opener.open(frame)).transpose()
    }
}

fn read_client_hello(stream: &mut impl Read) -> Result<ClientHello, ChannelError> {
    let start = read_array(stream)?;
    let rest = read_exactly(stream, ClientHello::rest(start)?)?;
    ClientHello::from_parts(start, &rest)
}

fn read_message(stream: &mut impl Read) -> Result<Vec<u8>, ChannelError> {
    let mut header = [0; 2];
    fill(stream, &mut header)?;
    let length = usize::from(u16::from_be_bytes(header));
    if length > HANDSHAKE_BYTES_MAX {
        return Err(ChannelError::BadLength);
    }
    read_exactly(stream, length)
}

fn write_message(stream: &mut impl Write, message: &[u8]) -> Result<(), ChannelError> {
    let mut frame = Vec::with_capacity(message.len() + 2);
    write_frame(&mut frame, |out| {
        out.extend_from_slice(message);
        Ok(())
    })?;
    write(stream, &frame)
}

fn read_array(stream: &mut impl Read) -> Result<[u8; HELLO_BYTES], ChannelError> {
    let mut bytes = [0; HELLO_BYTES];
    fill(stream, &mut bytes)?;
    Ok(bytes)
}

fn read_exactly(stream: &mut impl Read, length: usize) -> Result<Vec<u8>, ChannelError> {
    let mut bytes = vec![0; length];
    fill(stream, &mut bytes)?;
    Ok(bytes)
}

fn fill(stream: &mut impl Read, bytes: &mut [u8]) -> Result<(), ChannelError> {
    stream.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => ChannelError::Closed,
        _ => ChannelError::Io(error),
    })
}

fn write(stream: &mut impl Write, bytes: &[u8]) -> Result<(), ChannelError> {
    stream.write_all(bytes)?;
    Ok(())
}
