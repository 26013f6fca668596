use std::sync::mpsc::sync_channel;

use super::super::connection::connect;
use super::super::fake::{FakeServer, Scripted};
use super::super::known_servers::KnownServers;
use super::super::pass::Proof;
use super::*;
use crate::channel::StaticKey;

#[test]
fn a_server_that_is_not_there_any_more_after_a_nap_is_given_up_and_one_that_answers_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeServer::with_key(1);
    let mut place = fake.link();
    place.server_key = Some(fake.key());
    let known_servers = KnownServers::within(folder.path());
    let server = Server::identify(place.clone(), known_servers, &mut Scripted::answering(&[])).unwrap();
    let (asked, was_asked) = sync_channel(2);
    let running = fake.run(move |fake| {
        let mut guest = fake.guest().unwrap();
        for answers in [true, false] {
            assert!(matches!(guest.receive(), Some(ClientMessage::Ping {})));
            if answers {
                guest.send(&ServerMessage::Pong {});
            }
            asked.send(()).unwrap();
        }
        assert!(
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| guest.receive())).is_err(),
            "it is cut"
        );
    });
    let key = StaticKey::from_bytes(&[9; 32]);
    let connection = connect(&place, &key, &Suite::ALL, |_, _| Ok(()));
    let connection = connection.unwrap_or_else(|_| panic!("the server holds its key"));
    let (events, inbox) = sync_channel(8);
    let pass = Pass::new(key, Proof::Device("alice".parse().unwrap()));
    let mut uplink = Uplink::new(server, pass, connection, events, &Limits::default()).unwrap();

    let now = Instant::now();
    uplink.look(now);
    was_asked.recv().unwrap();
    let Event::Server(line, pong) = inbox.recv().unwrap() else { panic!("it has answered") };
    assert!(matches!(uplink.pass(line, pong), Passed::On(ServerMessage::Pong {})));
    assert_eq!(uplink.next_cut(), None);
    uplink.cut_if_due(now + ANSWERS_WITHIN);
    uplink.look(now);
    was_asked.recv().unwrap();
    uplink.cut_if_due(now + ANSWERS_WITHIN / 2);
    assert_eq!(uplink.next_cut(), Some(now + ANSWERS_WITHIN));
    uplink.cut_if_due(now + ANSWERS_WITHIN);
    let Event::Ended(line, _) = inbox.recv().unwrap() else { panic!("it was cut") };
    assert!(matches!(uplink.ended(line), Gone::Present));
    running.join().unwrap();

    uplink.lost();
    uplink.look(now);
    assert!(uplink.next_try().is_some_and(|due| due <= Instant::now()), "who waits waits no longer");
}
