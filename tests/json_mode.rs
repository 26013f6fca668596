//! `chat client --json`: every request has its answer, everything that happens is told, and a line is exactly what was
//! said and nothing that a terminal obeys.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{ClientMessage, ServerMessage};
use client::{FakeServer, Home, Json, Piped, said};
use serde_json::{Value, json};
use support::{Peer, ServerProcess, body, is_said};

/// A server, someone in the lobby, and a program that is ready.
fn conversation() -> (ServerProcess, Peer, Json) {
    let server = ServerProcess::with_limits(&["messages-per-second=10000", "message-burst=10000"]);
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let robot = robot(&server, &["--signup"]);
    (server, bob, robot)
}

fn robot(server: &ServerProcess, arguments: &[&str]) -> Json {
    Json::ready(Home::new().client_as("robot", &server.link().to_string(), arguments))
}

#[test]
fn what_is_said_is_accepted_and_comes_in_its_place_exactly_as_it_was() {
    let (_server, mut bob, mut robot) = conversation();
    let text = "two\nlines \u{202e}\u{1b}[2J 👍 \"quoted\" \\ שלום";
    let id = "00112233445566778899aabbccddeeff";
    robot.ask(&json!({"do": "say", "room": "#lobby", "text": text, "id": id, "ref": {"any": ["thing"]}}));
    let accepted = robot.wait_for("accepted", |_| true);
    assert_eq!(accepted["ref"], json!({"any": ["thing"]}));
    assert_eq!(
        (&accepted["id"], &accepted["room"], &accepted["sequence"]),
        (&id.into(), &"#lobby".into(), &1.into())
    );
    let said = robot.wait_for("said", |_| true);
    let time = said["at"].as_str().unwrap();
    assert!(time.len() == "2026-11-20T10:34:00.123Z".len() && time.ends_with('Z'), "{time}");
    let expected = json!({
        "event": "said", "room": "#lobby", "sequence": 1, "at": time, "author": "robot", "id": id, "text": text,
    });
    assert_eq!(said, expected);
    assert_eq!(body(&bob.wait_for(is_said)), text);
    bob.say("\u{85}\u{7f}");
    assert_eq!(robot.wait_for("said", |said| said["author"] == "bob")["text"], "\u{85}\u{7f}");
    let ended = robot.finish().went_well();
    assert!(
        ended.stdout.bytes().all(|byte| byte == b'\n' || matches!(byte, b' '..=b'~')),
        "{}",
        ended.stdout
    );
}

#[test]
fn the_same_id_is_said_once() {
    let (_server, mut bob, mut robot) = conversation();
    let say = json!({"do": "say", "room": "#lobby", "text": "once", "id": "0f".repeat(16)});
    let places: Vec<_> = (0..2).map(|_| robot.answer(say.clone())["sequence"].clone()).collect();
    assert_eq!(places, [1, 1]);
    robot.answer(json!({"do": "say", "room": "#lobby", "text": "then"}));
    assert_eq!([body(&bob.wait_for(is_said)), body(&bob.wait_for(is_said))], ["once", "then"]);
    robot.finish().went_well();
}

#[test]
fn nothing_that_was_said_before_comes_unless_it_is_asked_for() {
    let (server, mut bob, robot) = conversation();
    robot.finish().went_well();
    for number in 1..=3 {
        let id = bob.say(&format!("number {number}"));
        bob.wait_until_accepted(id);
    }
    let mut robot = self::robot(&server, &[]);
    assert_eq!(robot.wait_for("joined", |_| true)["sequence"], 3);
    let page = robot.answer(json!({"do": "history", "room": "#lobby", "count": 2}));
    let texts: Vec<_> =
        page["messages"].as_array().unwrap().iter().map(|said| said["text"].clone()).collect();
    assert_eq!((json!(texts), &page["more"]), (json!(["number 2", "number 3"]), &true.into()));
    assert_eq!(page["messages"][0]["event"], "said");
    let page = robot.answer(json!({"do": "history", "room": "#lobby", "before": 2}));
    assert_eq!((page["messages"].as_array().unwrap().len(), &page["more"]), (1, &false.into()));
    bob.say("number 4");
    robot.wait_for("said", |said| said["text"] == "number 4");
    assert!(robot.events().iter().all(|event| event["event"] != "said" || event["text"] == "number 4"));
    robot.finish().went_well();
}

#[test]
fn rooms_are_made_entered_changed_and_left() {
    let (server, mut bob, mut robot) = conversation();
    let made = robot.answer(json!({"do": "create", "room": "#plans", "private": true}));
    let room = made["room"].as_str().unwrap().to_owned();
    assert!(made["event"] == "accepted" && room.starts_with("#plans."), "{made}");
    robot.wait_for("joined", |joined| joined["room"] == *room);
    for (request, change) in [
        (json!({"do": "topic", "topic": "where to go"}), json!({"change": "topic", "topic": "where to go"})),
        (json!({"do": "add", "name": "bob"}), json!({"change": "added", "name": "bob"})),
        (json!({"do": "op", "name": "bob"}), json!({"change": "role", "name": "bob", "operator": true})),
        (json!({"do": "deop", "name": "bob"}), json!({"change": "role", "name": "bob", "operator": false})),
    ] {
        let mut request = request;
        request["room"] = room.as_str().into();
        assert_eq!(robot.answer(request.clone())["event"], "accepted", "{request}");
        let fields = change.as_object().unwrap();
        robot.wait_for("changed", |event| fields.iter().all(|(name, value)| event[name] == *value));
    }
    let members = robot.answer(json!({"do": "members", "room": room}));
    assert_eq!(members["members"][0], json!({"name": "bob", "operator": false}));
    let card = robot.answer(json!({"do": "describe", "room": room}));
    assert_eq!(
        (&card["topic"], &card["members"], &card["operator"]),
        (&"where to go".into(), &2.into(), &true.into())
    );
    assert_eq!(robot.answer(json!({"do": "rooms"}))["rooms"], json!(["#lobby", room]));
    assert_eq!(robot.answer(json!({"do": "list"}))["rooms"][0]["room"], "#lobby");
    assert_eq!(robot.answer(json!({"do": "people", "room": "#lobby"}))["names"], json!(["bob", "robot"]));
    bob.send(&ClientMessage::Join { room: room.clone(), after: None });
    robot.wait_for("arrived", |event| event["room"] == *room && event["name"] == "bob");
    robot.answer(json!({"do": "op", "room": room, "name": "bob"}));
    assert_eq!(robot.answer(json!({"do": "part", "room": room}))["event"], "accepted");
    robot.wait_for("room-removed", |event| event["room"] == *room);
    drop(server);
    robot.wait_for("lost", |_| true);
}

#[test]
fn what_means_nothing_or_is_refused_is_answered_and_costs_nothing_else() {
    let (_server, mut bob, mut robot) = conversation();
    let long = format!("{{\"do\":\"say\",\"room\":\"#lobby\",\"text\":\"{}\"}}\n", "x".repeat(200_000));
    robot.write("no json\n\n  \n");
    robot.write(b"\xff\xfe\n");
    robot.write(&long);
    robot.wait_for("error", |error| error["reason"].as_str().unwrap().contains("the line has 200"));
    let errors = robot.events().iter().filter(|event| event["event"] == "error").count();
    assert_eq!(errors, 3);
    let reason = |answer: Value| {
        (answer["event"].clone(), answer["reason"].as_str().unwrap().to_owned(), answer["code"].clone())
    };
    let (event, text, _) =
        reason(robot.answer(json!({"do": "say", "room": "#lobby", "text": "x".repeat(16_385)})));
    assert!(event == "error" && text.contains("16385 bytes"), "{text}");
    let (event, text, _) = reason(robot.answer(json!({"do": "dance"})));
    assert!(event == "error" && text.contains("unknown variant `dance`"), "{text}");
    for (request, code) in [
        (json!({"do": "join", "room": "#nowhere"}), 9),
        (json!({"do": "history", "room": "#nowhere"}), 9),
        (json!({"do": "describe", "room": "#nowhere"}), 9),
        (json!({"do": "topic", "room": "#lobby", "topic": "mine"}), 33),
        (json!({"do": "create", "room": "#lobby"}), 31),
    ] {
        let (event, _, found) = reason(robot.answer(request.clone()));
        assert_eq!((event, found), ("refused".into(), code.into()), "{request}");
    }
    let (event, text, _) = reason(robot.answer(json!({"do": "say", "room": "#nowhere", "text": "hi"})));
    assert!(event == "refused" && text.contains("join it first"), "{text}");
    let longest = "\u{1}".repeat(16_384);
    assert_eq!(robot.answer(json!({"do": "say", "room": "#lobby", "text": longest}))["event"], "accepted");
    assert_eq!(body(&bob.wait_for(is_said)), longest);
    robot.finish().says(1, &["11 requests were not done"]);
}

#[test]
fn a_file_of_requests_of_any_size_is_done_in_its_order() {
    let (server, mut bob, robot) = conversation();
    robot.finish().went_well();
    let requests: Vec<String> = (0..500)
        .map(|n| format!("{{\"do\":\"say\",\"room\":\"#lobby\",\"text\":\"{n}\",\"ref\":{n}}}\n"))
        .collect();
    let home = Home::new();
    let mut command = home.client_as("robot", &server.link().to_string(), &[]);
    command.arg("--json");
    let ended = Piped::run(command, requests.concat()).went_well();
    let events: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let accepted: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "accepted")
        .map(|event| event["ref"].as_u64().unwrap())
        .collect();
    assert_eq!(accepted, (0..500).collect::<Vec<_>>());
    for number in 0..500 {
        assert_eq!(body(&bob.wait_for(is_said)), number.to_string());
    }
}

#[test]
fn a_lost_connection_is_told_and_nothing_is_missed_or_said_twice() {
    let (server, bob, mut robot) = conversation();
    drop(bob);
    let server = server.kill_and_restart();
    let mut bob = Peer::logged_in(server.link(), "bob");
    bob.say("meanwhile");
    robot.wait_for("lost", |_| true);
    robot.answer(json!({"do": "say", "room": "#lobby", "text": "back again"}));
    robot.wait_for("back", |_| true);
    robot.wait_for("said", |said| said["text"] == "back again");
    let texts: Vec<_> = robot
        .events()
        .iter()
        .filter(|event| event["event"] == "said")
        .map(|said| said["text"].clone())
        .collect();
    assert_eq!(texts.iter().filter(|text| **text == "meanwhile").count(), 1, "{texts:?}");
    assert_eq!(texts.len(), 2);
    robot.finish().went_well();
}

#[test]
fn what_a_hostile_server_sends_is_told_in_lines_that_stay_lines() {
    let fake = FakeServer::new();
    let link = fake.link().to_string();
    let running = fake.run(|fake| {
        let mut guest = fake.try_guest().unwrap();
        guest.welcome();
        let name = guest.login_name();
        guest.send(&ServerMessage::LoggedIn { name, role: 0 });
        let (room, read, unread, mentions) = ("#lobby".into(), None, None, None);
        guest.send(&ServerMessage::RoomAdded { room, role: 0, head: 0, read, unread, mentions });
        guest.send(&ServerMessage::AllRooms {});
        guest.receive_join();
        guest.let_in(0, 0);
        guest.send(&said(1, "eve\n{\"event\":\"ready\"}", b"\xff\n\x1b[2J"));
        guest.send(&said(u64::MAX, "", ""));
        // Answers that nobody has asked for.
        guest.send(&ServerMessage::RoomList { rooms: Vec::new(), more: true });
        guest.send(&ServerMessage::RoomRefused {
            room: "#x".into(),
            code: chat::wire::Code::Other(999),
            text: "\x1b".into(),
        });
        guest.see_off();
    });
    let home = Home::new();
    let robot = Json::start(home.client_as("robot", &link, &[]));
    let heard = robot.wait_for("said", |said| said["sequence"] == 1);
    assert_eq!(
        (&heard["author"], &heard["text"]),
        (&"eve\n{\"event\":\"ready\"}".into(), &"\u{fffd}\n\u{1b}[2J".into())
    );
    assert_eq!(robot.wait_for("missing", |_| true)["first"], 2);
    let ended = robot.finish();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    running.join().unwrap();
}
