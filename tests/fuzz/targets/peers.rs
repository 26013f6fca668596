//! Two peers who draw the same "random" numbers in each run, so that their genuine messages can be seeds.

use std::convert::Infallible;
use std::sync::LazyLock;

use chat::channel::{
    ClientHello, Initiator, InitiatorSentOne, Responder, ResponderSentTwo, ServerHello, StaticKey, Suite,
};
use rand::{TryCryptoRng, TryRng};

/// Each draw gives nothing but bytes of one value, which is one more than that of the draw before it.
pub(super) struct Draws(u8);

impl Draws {
    fn of_client() -> Self {
        Self(0)
    }

    pub(super) fn of_server() -> Self {
        Self(100)
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        self.0 += 1;
        to.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

/// A client and a server, what they have said before the handshake, and the genuine messages of theirs.
pub(super) struct Peers {
    pub(super) client: StaticKey,
    pub(super) server: StaticKey,
    hellos: (ClientHello, ServerHello),
    pub(super) messages: [Vec<u8>; 3],
    pub(super) handshake_hash: [u8; 32],
}

/// The payloads of the genuine messages, so that every byte that a message can have is there to be attacked.
pub(super) const PAYLOADS: [&[u8]; 3] = [b"one", b"two", b"three"];

impl Peers {
    /// Those who speak this suite, always the same.
    pub(super) fn of(suite: Suite) -> &'static Self {
        static HYBRID: LazyLock<Peers> = LazyLock::new(|| Peers::new(Suite::Hybrid));
        static CLASSICAL: LazyLock<Peers> = LazyLock::new(|| Peers::new(Suite::Classical));
        match suite {
            Suite::Hybrid => &HYBRID,
            Suite::Classical => &CLASSICAL,
        }
    }

    fn new(suite: Suite) -> Self {
        let client_hello = ClientHello::offering(&[suite]);
        let server_hello = ServerHello::answering(&client_hello, &Suite::ALL);
        let mut peers = Self {
            client: StaticKey::from_bytes(&[0x11; 32]),
            server: StaticKey::from_bytes(&[0x33; 32]),
            hellos: (client_hello, server_hello),
            messages: Default::default(),
            handshake_hash: [0; 32],
        };
        let (one, client) = peers.client_after_one();
        let (two, server) =
            peers.server().read_one(&one).unwrap().1.write_two(&mut Draws::of_server(), PAYLOADS[1]).unwrap();
        let (three, client) = client.read_two(&two).unwrap().1.write_three(PAYLOADS[2]).unwrap();
        let (_, server) = server.read_three(&three).unwrap();
        assert_eq!(client.handshake_hash, server.handshake_hash);
        let handshake_hash = client.handshake_hash;
        (peers.messages, peers.handshake_hash) = ([one, two, three], handshake_hash);
        peers
    }

    /// The genuine message one, and the client that waits for message two.
    pub(super) fn client_after_one(&self) -> (Vec<u8>, InitiatorSentOne<'_>) {
        let initiator = Initiator::new(&self.hellos.0, self.hellos.1, &self.client).unwrap();
        initiator.write_one(&mut Draws::of_client(), PAYLOADS[0]).unwrap()
    }

    /// The server that waits for message one.
    pub(super) fn server(&self) -> Responder<'_> {
        Responder::new(&self.hellos.0, self.hellos.1, &self.server).unwrap()
    }

    /// The server that waits for message three, after the genuine message one.
    pub(super) fn server_after_two(&self) -> ResponderSentTwo<'_> {
        let (_, server) = self.server().read_one(&self.messages[0]).unwrap();
        server.write_two(&mut Draws::of_server(), PAYLOADS[1]).unwrap().1
    }
}
