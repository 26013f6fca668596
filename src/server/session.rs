//! One connection's life, on a thread of its own: handshake, login, conversation, end. The thread only reads; what it
//! has to say goes through the outbox like everyone's.

use std::borrow::Cow;
use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{debug, error, info, warn};

use super::accounts::{Account, Role, StillRight};
use super::bots::{self, Token};
use super::clock;
use super::history;
use super::hub::{Client, Ending, Member};
use super::login::{self, Newcomer, TRIES_MAX};
use super::moderation;
use super::outbox::{Flushed, Outbox};
use super::own_account::{CHANGED, Owner, REVOKED};
use super::pace::{Cost, Pace};
use super::reload::GONE;
use super::room_requests::{Guest, Stopping};
use super::search;
use super::shared::Shared;
use crate::channel::{self, ChannelError, Incoming, PublicKey, Record, Suite};
use crate::names::{MESSAGE_BYTES_MAX, PASSWORD_RULE, Username};
use crate::socket::Deadlined;
use crate::wire::{
    self, ClientMessage, Code, Decoded, PROTOCOL, ROLE_ADMIN, ROLE_BOT, ROLE_MEMBER, ServerMessage,
};

/// How long a client that was told goodbye may take to close its side.
const LINGER: Duration = Duration::from_secs(2);

/// Serves a connection until it ends. Whatever happens, also a panic, it is taken off the map and out of its rooms.
pub(super) fn serve(shared: &Shared, client: &Arc<Client>) {
    let _leaving = Leaving { shared, client };
    debug!(address = %client.address, "connected");
    let settings = shared.settings();
    let limits = &settings.limits;
    let mut handshake = Deadlined::new(&client.stream, limits.handshake);
    let identity = shared.stores.identity.present();
    let statements = identity.payload(clock::seconds());
    let accepted = channel::accept_with(&mut handshake, &identity.key, &Suite::ALL, &statements);
    let mut established = match accepted {
        Ok(established) => established,
        Err(error) => {
            debug!(%error, "no handshake");
            return;
        }
    };
    debug!(suite = %established.suite, "handshake done");
    established.sealer.limit(limits.rekey);
    let bound = limits.outbox_bytes;
    let outbox = Arc::new(Outbox::new(client.id, Arc::clone(&client.stream), established.sealer, bound));
    let mut session =
        Session { shared, client, key: established.peer, outbox, tries: 0, pace: None, scratch: Vec::new() };
    drop(settings); // those of a session that goes on for days are not kept for it
    let end = session.converse(established.incoming);
    session.finish(end);
}

/// Undoes what a session has left in the server, when its thread ends.
struct Leaving<'s> {
    shared: &'s Shared,
    client: &'s Arc<Client>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let server_will_say_goodbye = self.shared.hub.leave(self.client);
        let Some(member) = self.client.member() else { return };
        self.shared.stores.devices.was_seen(&member.key, clock::now());
        self.shared.stores.people.was_seen(&member.name, clock::now());
        self.shared.presence.went(&member.name);
        if server_will_say_goodbye {
            return;
        }
        let mut touched = Vec::new();
        self.shared.rooms.leave_all(&member.name, &member.outbox, &mut touched);
        self.shared.flusher.hand_over(&mut touched);
    }
}

/// A session between handshake and end.
struct Session<'s> {
    shared: &'s Shared,
    client: &'s Arc<Client>,
    /// The client's static key, which the handshake has proved.
    key: PublicKey,
    outbox: Arc<Outbox>,
    /// How many passwords were wrong.
    tries: u32,
    /// How fast someone may send who has logged in. Before, the door has bounds of its own.
    pace: Option<Pace>,
    scratch: Vec<u8>,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if self.client.member().is_some() && self.shared.hub.is_stopping() {
            return; // the server says goodbye to its members when all have stopped reading
        }
        self.outbox.close();
        self.shared.flusher.forget(&self.outbox);
    }
}

/// How a session ends.
enum End {
    /// The client said goodbye.
    Left,
    /// The connection is gone, or what came over it was not what the client sealed.
    Lost(ChannelError),
    /// The server ends it, and says why.
    Closed(Code, Cow<'static, str>),
    /// The whole server ends.
    Stopping,
}

impl From<Ending> for End {
    fn from(Ending { code, text }: Ending) -> Self {
        Self::Closed(code, text)
    }
}

impl From<Stopping> for End {
    fn from(Stopping: Stopping) -> Self {
        Self::Stopping
    }
}

impl From<ChannelError> for End {
    fn from(error: ChannelError) -> Self {
        Self::Lost(error)
    }
}

impl Session<'_> {
    fn converse(&mut self, mut incoming: Incoming) -> End {
        let stream = Arc::clone(&self.client.stream);
        let mut login_time = Some(Deadlined::new(&stream, self.welcome()));
        loop {
            let handled = self.handle_records(&mut incoming);
            self.shared.flusher.flush(&self.outbox, &mut self.scratch);
            self.scratch = Vec::new(); // it may have become large, and this thread may rest for hours
            if let Err(end) = handled {
                return end;
            }
            if self.shared.hub.is_stopping() {
                return End::Stopping;
            }
            if self.client.member().is_some()
                && let Some(deadlined) = login_time.take()
                && let Err(error) = deadlined.lift()
            {
                return End::Lost(error.into());
            }
            let fed = match &mut login_time {
                Some(deadlined) => incoming.feed_from(deadlined),
                None => incoming.feed_from(&mut &*stream),
            };
            match fed {
                Ok(()) => self.client.was_heard(),
                Err(ChannelError::Io(error))
                    if error.kind() == ErrorKind::TimedOut && login_time.is_some() =>
                {
                    return End::Closed(
                        Code::LoginTimeout,
                        "nobody logged in within the time allowed; connect again".into(),
                    );
                }
                Err(_) if self.shared.hub.is_stopping() => return End::Stopping,
                Err(error) => return self.client.ending().map_or(End::Lost(error), End::from),
            }
        }
    }

    /// Tells whom the client has reached. Gives how long it may take to log in.
    fn welcome(&self) -> Duration {
        let settings = self.shared.settings();
        self.outbox.push(&ServerMessage::Welcome {
            protocol: PROTOCOL,
            software: concat!("chat ", env!("CARGO_PKG_VERSION")).to_owned(),
            password_rule: PASSWORD_RULE.to_owned(),
            body_max: u32::try_from(MESSAGE_BYTES_MAX).unwrap_or(u32::MAX),
            registration: Some(settings.door.registration.number()),
            wants_server_password: Some(settings.door.wants_server_password()),
        });
        settings.limits.login
    }

    fn handle_records(&mut self, incoming: &mut Incoming) -> Result<(), End> {
        while let Some(record) = incoming.next_record()? {
            let content = match record {
                Record::Messages(content) if !content.is_empty() => content,
                Record::Messages(_) | Record::KeyUpdate => {
                    self.keep_pace(Cost::Question)?;
                    continue;
                }
                Record::Goodbye => return Err(End::Left),
            };
            for item in wire::decode(content) {
                match item {
                    Ok(Decoded::Message(message)) => self.handle(message)?,
                    Ok(Decoded::UnknownKind(kind)) => {
                        self.keep_pace(Cost::Question)?;
                        let text = format!(
                            "this server does not know messages of kind {kind}; it may be older than the client"
                        );
                        self.refuse(Code::UnknownKind, text);
                    }
                    Ok(Decoded::Malformed) => {
                        self.keep_pace(Cost::Question)?;
                        self.refuse(
                            Code::Malformed,
                            "a message is not what the protocol says; see PROTOCOL.md",
                        );
                    }
                    Err(wire::NotCbor) => {
                        return Err(End::Closed(
                            Code::NotCbor,
                            "a record is not a sequence of CBOR items".into(),
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits when this account sends more than it may; what it sends meanwhile waits on its side.
    fn keep_pace(&mut self, cost: Cost) -> Result<(), End> {
        let settings = self.shared.settings();
        let limits = &settings.limits;
        let Some(rest) = self.pace.as_mut().and_then(|pace| pace.pay(cost, limits, Instant::now())) else {
            return Ok(());
        };
        let Some(slowed_for) = rest.slowed_for else {
            info!("slowed down: it sends more than it may");
            let seconds = u32::try_from(rest.time.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            self.outbox.push(&ServerMessage::Slowed { seconds });
            return self.rest(rest.time);
        };
        if slowed_for >= limits.flood && self.outbox.unread_for() >= limits.flood {
            let text = "you send much more than is allowed and read nothing of what is answered";
            return Err(End::Closed(Code::Flood, text.into()));
        }
        self.rest(rest.time)
    }

    /// Rests, unless the session ends. What was answered is not held back by it.
    fn rest(&mut self, time: Duration) -> Result<(), End> {
        self.shared.flusher.flush(&self.outbox, &mut self.scratch);
        self.client.rest(time);
        // What was read and not done is said again to the next server.
        if self.shared.hub.is_stopping() { Err(End::Stopping) } else { Ok(()) }
    }

    fn handle(&mut self, message: ClientMessage) -> Result<(), End> {
        self.keep_pace(match &message {
            ClientMessage::Say { body, .. } => Cost::Message(body.len()),
            _ => Cost::Question,
        })?;
        if let Some(ending) = self.client.ending() {
            return Err(ending.into());
        }
        let client = self.client;
        match (message, client.member()) {
            (ClientMessage::Ping {}, _) => {
                self.outbox.push(&ServerMessage::Pong {});
                Ok(())
            }
            (ClientMessage::Pong {}, _) => Ok(()),
            (message, None) => self.handle_of_stranger(message),
            (message, Some(member)) => self.handle_of_member(member, message),
        }
    }

    fn handle_of_stranger(&mut self, message: ClientMessage) -> Result<(), End> {
        let (shared, origin) = (self.shared, self.client.origin);
        match message {
            ClientMessage::SignUp { name, password, invite, server_password } => {
                self.refuse_if_banned(None)?;
                let newcomer = Newcomer { name, password, invite, server_password };
                match login::sign_up(shared, origin, newcomer) {
                    Ok(account) => self.let_in(account, None),
                    Err(refused) => self.turn_away(&refused),
                }
            }
            ClientMessage::LogIn { name, password } => {
                match login::log_in(shared, origin, &name, password, |account| self.let_in(account, None)) {
                    Ok((let_in, StillRight(true))) => let_in,
                    Ok((let_in, StillRight(false))) => let_in.and(Err(CHANGED.into())),
                    Err(refused) => self.turn_away(&refused),
                }
            }
            ClientMessage::LogInByDevice { name } => {
                match login::log_in_by_device(shared, &self.key, name.as_deref()) {
                    Ok(account) => self.admit_device(account),
                    Err(refused) => {
                        self.outbox.push(&refused); // no try: a key can't be guessed
                        Ok(())
                    }
                }
            }
            ClientMessage::LogInByToken { token } => match login::log_in_by_token(shared, token) {
                Ok((account, token)) => self.admit_bot(account, token),
                Err(refused) => self.turn_away(&refused),
            },
            ClientMessage::Say { id, .. } => {
                self.refuse_say(Code::NotNow, "log in first", id);
                Ok(())
            }
            _ => {
                self.refuse(Code::NotNow, "log in first");
                Ok(())
            }
        }
    }

    fn handle_of_member(&mut self, member: &Member, message: ClientMessage) -> Result<(), End> {
        let (name, scope) = (&member.name, member.token.as_ref().map(|token| &token.scope));
        if let Some(refused) = scope.and_then(|scope| bots::refusal(scope, &message)) {
            self.outbox.push(&refused);
            return Ok(());
        }
        let guest = Guest { shared: self.shared, name, scope, outbox: &self.outbox };
        let owner = Owner { shared: self.shared, client: self.client, name, key: self.key };
        let answer = match message {
            ClientMessage::Join { room, after } => return Ok(guest.join(&room, after)?),
            ClientMessage::Say { room, id, kind, body, of } => {
                return Ok(guest.say(&room, id, kind, body.into(), of)?);
            }
            ClientMessage::History { room, before, after, count } => {
                return Ok(guest.history(history::Wanted { room, before, after, count })?);
            }
            ClientMessage::Search { room, words, from, count } => {
                return Ok(guest.search(search::Wanted { room, words, from, count })?);
            }
            ClientMessage::MarkRead { room, sequence } => return Ok(guest.mark_read(&room, sequence)?),
            ClientMessage::Ignore { name, wanted } => return Ok(guest.ignore(name.as_deref(), wanted)?),
            ClientMessage::MyRooms {} => {
                guest.my_rooms();
                return Ok(());
            }
            ClientMessage::ListRooms { after } => guest.list(after.as_deref()),
            ClientMessage::DescribeRoom { room } => guest.describe(&room),
            ClientMessage::ListMembers { room, after } => guest.members(&room, after.as_deref()),
            ClientMessage::ModerationLog { room, before } => guest.moderation_log(&room, before)?,
            ClientMessage::ListSanctions { room, after } => guest.sanctions(&room, after.as_deref())?,
            ClientMessage::SetAway { away } => guest.set_away(away.as_deref()),
            ClientMessage::WhoIs { name } => guest.who_is(&name),
            ClientMessage::HideLastSeen { hide } => guest.hide_last_seen(hide),
            ClientMessage::Remember { label } => owner.remember(&label),
            ClientMessage::ListDevices {} => owner.devices(),
            ClientMessage::RevokeDevice { fingerprint } => owner.revoke(fingerprint),
            ClientMessage::RevokeOtherDevices {} => owner.revoke_others(),
            ClientMessage::MakeInvite { uses, seconds } => owner.invite(uses, seconds),
            ClientMessage::ChangePassword { old, new } => {
                let answer = owner.change_password(old, new);
                let is_wrong =
                    matches!(answer, ServerMessage::Refused { code: Code::WrongNameOrPassword, .. });
                self.outbox.push(&answer);
                return if is_wrong { self.count_failed_try() } else { Ok(()) };
            }
            _ => {
                self.refuse(
                    Code::NotNow,
                    "this session is logged in already; connect again to be someone else",
                );
                return Ok(());
            }
        };
        self.outbox.push(&answer);
        Ok(())
    }

    /// Tells a stranger why not, and ends the session of one who has tried too often.
    fn turn_away(&mut self, refused: &ServerMessage) -> Result<(), End> {
        self.outbox.push(refused);
        let is_put_off = matches!(refused, ServerMessage::Refused { code: Code::Busy | Code::Throttled, .. });
        if is_put_off { Ok(()) } else { self.count_failed_try() }
    }

    /// Lets in whoever's device this is, unless it has been revoked in this very moment: then the revocation has not
    /// seen this session, and this session sees the revocation.
    fn admit_device(&mut self, account: Account) -> Result<(), End> {
        let devices = &self.shared.stores.devices;
        devices.was_seen(&self.key, clock::now());
        let name = account.name.clone();
        self.let_in(account, None)?;
        if devices.account_of(&self.key) == Some(name) { Ok(()) } else { Err(REVOKED.into()) }
    }

    /// Lets a bot in, unless its token is revoked in this very moment: then the session sees that.
    fn admit_bot(&mut self, account: Account, token: Token) -> Result<(), End> {
        let id = token.id;
        self.let_in(account, Some(token))?;
        match self.shared.stores.bots.has(id) {
            Ok(true) => Ok(()),
            Ok(false) => Err(bots::ENDED.into()),
            Err(error) => {
                error!(%error, "bots.db can't be read");
                Err(bots::ENDED.into())
            }
        }
    }

    /// Lets someone in, by a token if it is a bot, unless they are banned. A ban that is made in this very moment has not seen this session, so it
    /// is asked again when they are in; and so is whether there is still such an account.
    fn let_in(&mut self, Account { name, role }: Account, token: Option<Token>) -> Result<(), End> {
        self.refuse_if_banned(Some(&name))?;
        info!(%name, device = %self.key.fingerprint(), "logged in");
        let role = match role {
            Role::Member => ROLE_MEMBER,
            Role::Admin => ROLE_ADMIN,
            Role::Bot => ROLE_BOT,
        };
        self.outbox.push(&ServerMessage::LoggedIn { name: name.to_string(), role });
        let notice = &self.shared.settings().notice;
        if !notice.is_empty() {
            self.outbox.push(&ServerMessage::Notice { text: notice.to_string() });
        }
        let outbox = Arc::clone(&self.outbox);
        let member = Member { name: name.clone(), key: self.key, outbox, token };
        self.shared.presence.came(&name);
        self.shared.stores.people.was_seen(&name, clock::now());
        self.shared.hub.log_in(self.client, member);
        self.pace = Some(Pace::new(self.shared.allowances.of(&name)));
        self.refuse_if_banned(Some(&name))?;
        let is_gone = self.shared.stores.accounts.account(&name).is_none();
        if is_gone { Err(GONE.into()) } else { Ok(()) }
    }

    fn refuse_if_banned(&self, name: Option<&Username>) -> Result<(), End> {
        let (bans, now) = (&self.shared.stores.bans, clock::now());
        let address = self.client.address.ip();
        let ban = match name {
            Some(name) => bans.of_member(name, &self.key, address, now),
            None => bans.of_stranger(&self.key, address, now),
        };
        ban.map_or(Ok(()), |ban| Err(moderation::ending(&ban, now).into()))
    }

    fn count_failed_try(&mut self) -> Result<(), End> {
        self.tries += 1;
        if self.tries < TRIES_MAX {
            return Ok(());
        }
        warn!(address = %self.client.address, "too many wrong passwords");
        let text = "too many failed tries; connect again to try once more".into();
        Err(End::Closed(Code::TooManyTries, text))
    }

    fn refuse(&self, code: Code, text: impl Into<String>) {
        self.outbox.push(&ServerMessage::Refused { code, text: text.into(), id: None, retry_after: None });
    }

    fn refuse_say(&self, code: Code, text: &str, id: wire::MessageId) {
        let text = text.to_owned();
        self.outbox.push(&ServerMessage::Refused { code, text, id: Some(id), retry_after: None });
    }

    fn finish(&mut self, end: End) {
        match end {
            End::Left => info!("left"),
            End::Stopping if self.client.member().is_some() => {} // all members are told together, at the very end
            End::Stopping => {
                self.outbox.end(&closing_for_shutdown());
                self.shared.flusher.flush(&self.outbox, &mut self.scratch);
            }
            End::Lost(ChannelError::Closed) => info!("the connection was lost"),
            End::Lost(error) => info!(%error, "the connection was lost"),
            End::Closed(code, text) => {
                info!(?code, "closed by the server");
                self.outbox.end(&ServerMessage::Closing { code, text: text.into_owned() });
                if self.shared.flusher.flush(&self.outbox, &mut self.scratch) == Flushed::Over {
                    let _ = self.client.stream.shutdown(Shutdown::Write);
                }
                self.linger();
            }
        }
    }

    /// Waits for the client to close its side: closing while its bytes are still coming would make the system throw
    /// away what we have just told it.
    fn linger(&self) {
        let mut lingering = Deadlined::new(&self.client.stream, LINGER);
        let mut discarded = [0; 1024];
        while matches!(lingering.read(&mut discarded), Ok(1..)) {}
    }
}

/// What everyone is told when the server ends.
pub(super) fn closing_for_shutdown() -> ServerMessage {
    let text = "the server is being stopped; what was said is kept".to_owned();
    ServerMessage::Closing { code: Code::ShuttingDown, text }
}
