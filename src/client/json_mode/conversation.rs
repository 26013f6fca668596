//! The conversation of a program, from the login to the goodbye.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};

use super::asking::Asking;
use super::doing::Doing;
use super::output::Output;
use super::report::{Report, hexadecimal};
use super::request::{self, LINE_BYTES_MAX, NoRequest, Ref, Request};
use crate::client::event::{EVENTS_MAX, Event};
use crate::client::leaving::{Leaving, UnderWay};
use crate::client::line_mode::{PlainLines, TypedLine};
use crate::client::login::LoggedIn;
use crate::client::model::{Model, OWN_MAX};
use crate::client::reader::{end_without_reader, unless_nobody_reads};
use crate::client::server_identity::Server;
use crate::client::signals::Signals;
use crate::client::turn::Turn;
use crate::client::uplink::Uplink;
use crate::client::{ClientError, Config};
use crate::names::{MessageText, RoomName};
use crate::wire::{MessageId, RoomEvent};

/// Converses until the program ends its input, a signal asks for it, or the server can't be come back to.
pub(in crate::client) fn converse(
    server: Server,
    logged_in: LoggedIn,
    config: &Config,
    handled: Signals,
) -> Result<(), ClientError> {
    let (events, inbox) = sync_channel(EVENTS_MAX);
    let signals = Signals::listen(events.clone())?;
    handled.ignore();
    end_without_reader(events.clone())?;
    let mut conversation = Conversation::start(server, logged_in, config, events)?;
    let ended = conversation.take_events(&inbox);
    let left = conversation.leave(inbox, ended);
    signals.ignore();
    left
}

/// One program's conversation.
pub(super) struct Conversation {
    pub(super) model: Model,
    pub(super) uplink: Uplink,
    pub(super) output: Output,
    lines: PlainLines,
    pub(super) asking: Asking,
    /// What is to be said and is not answered, with what the program has called it.
    pub(super) saying: HashMap<MessageId, Ref>,
    /// The rooms that are to be entered, likewise.
    pub(super) joining: HashMap<RoomName, Ref>,
    /// Those of which the program was told that they are entered.
    pub(super) entered: HashSet<RoomName>,
    /// All rooms of the account were told once.
    pub(super) knows_rooms: bool,
    /// The program was told that it may begin.
    pub(super) is_ready: bool,
    /// The program was told that the connection is lost, and not yet that it is back.
    pub(super) is_lost: bool,
    /// Why the server ends the session, if it said so.
    pub(super) closing: Option<String>,
    leaving: Option<Leaving>,
    /// Requests that were not done.
    failed: usize,
}

secret!(Conversation);

impl Conversation {
    fn start(
        server: Server,
        logged_in: LoggedIn,
        config: &Config,
        events: SyncSender<Event>,
    ) -> Result<Self, ClientError> {
        let LoggedIn { connection, name, pass } = logged_in;
        let mut model = Model::for_news(name);
        if let Some(room) = &config.link.room {
            model.want(room.clone());
        }
        let lines = PlainLines::start(events.clone(), LINE_BYTES_MAX)?;
        let uplink = Uplink::new(server, pass, connection, events, &config.limits)?;
        uplink.begin(&mut model);
        Ok(Self {
            model,
            uplink,
            output: Output::new(),
            lines,
            asking: Asking::default(),
            saying: HashMap::new(),
            joining: HashMap::new(),
            entered: HashSet::new(),
            knows_rooms: false,
            is_ready: false,
            is_lost: false,
            closing: None,
            leaving: None,
            failed: 0,
        })
    }

    fn take_events(&mut self, inbox: &Receiver<Event>) -> Result<(), ClientError> {
        loop {
            let is_calm = self.is_calm();
            self.uplink.keep_up(&mut self.model, is_calm);
            self.ask_next();
            if self.is_ready {
                let unsettled = self.under_way().unsettled;
                self.lines.allow(unsettled);
            }
            let under_way = self.under_way();
            if self.leaving.as_mut().is_some_and(|leaving| leaving.may_leave(under_way)) {
                return Ok(());
            }
            let patience = self.uplink.patience(self.is_calm(), self.leaving.as_ref().map(Leaving::until));
            match inbox.recv_timeout(patience) {
                Ok(event) => {
                    if self.take(event)?.is_break() {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<ControlFlow<()>, ClientError> {
        let is_calm = self.is_calm();
        match self.uplink.turn(&mut self.model, event, is_calm)? {
            Turn::Heard(message) => self.heard(message)?,
            Turn::Lost(end) => {
                let reason = self.closing.take().unwrap_or_else(|| end.to_string());
                self.lost(reason)?;
            }
            Turn::PutOff(text) | Turn::News(text) | Turn::Began(Some(text)) => {
                self.output.print(&Report::Notice { text })?;
            }
            Turn::Own(Event::Line(line)) => return self.line(line),
            Turn::Own(Event::Stop) => return Ok(Break(())),
            Turn::Own(_) | Turn::Began(None) | Turn::None => {}
        }
        Ok(Continue(()))
    }

    /// Ends what is left to end. Tells what the server never got.
    fn leave(mut self, inbox: Receiver<Event>, ended: Result<(), ClientError>) -> Result<(), ClientError> {
        let unanswered: Vec<(MessageId, Ref)> = self.saying.drain().collect();
        let told = unanswered.into_iter().try_for_each(|(id, r#ref)| {
            self.refuse(&r#ref, Some(id), None, "the server has not acknowledged it".to_owned())
        });
        self.uplink.leave(inbox);
        ended.and_then(|()| Ok(told?)).or_else(unless_nobody_reads)?;
        if self.failed == 0 { Ok(()) } else { Err(ClientError::NotDone { count: self.failed }) }
    }

    fn line(&mut self, line: TypedLine) -> Result<ControlFlow<()>, ClientError> {
        self.lines.took_one();
        if self.leaving.is_some() {
            return Ok(Continue(())); // what stands after `quit` was not meant for anyone
        }
        match line {
            TypedLine::Text(line) if line.trim().is_empty() => {}
            TypedLine::Text(line) => match request::read(&line) {
                Ok((r#ref, request)) => self.obey(r#ref, request)?,
                Err(NoRequest { r#ref, reason }) => self.error(&r#ref, reason)?,
            },
            TypedLine::TooLong(size) => {
                let reason = format!("not done: the line has {size} bytes and may have {LINE_BYTES_MAX}");
                self.error(&None, reason)?;
            }
            TypedLine::NotText => self.error(&None, "not done: the line is not UTF-8".to_owned())?,
            TypedLine::End => self.want_to_leave(),
        }
        Ok(Continue(()))
    }

    /// Does what was asked for, or begins to. Each request has one answer.
    fn obey(&mut self, r#ref: Ref, request: Request) -> Result<(), ClientError> {
        match request.into() {
            Doing::Say(room, text, id) => self.say(r#ref, room, text, id)?,
            Doing::Join(room) => self.join(r#ref, room)?,
            Doing::Change(room, event) => self.change(r#ref, room, event)?,
            Doing::Ask(question) => self.asking.ask(r#ref, question),
            Doing::Rooms => {
                let rooms = self.rooms();
                self.output.answer(&r#ref, &Report::Rooms { rooms })?;
            }
            Doing::People(room) => {
                let names = self.model.people_of(&room).map(str::to_owned).collect();
                self.output.answer(&r#ref, &Report::People { room: room.to_string(), names })?;
            }
            Doing::Quit => self.want_to_leave(),
        }
        Ok(())
    }

    fn say(
        &mut self,
        r#ref: Ref,
        room: RoomName,
        text: MessageText,
        id: Option<MessageId>,
    ) -> Result<(), ClientError> {
        if !self.model.rooms().any(|other| *other == room) {
            let reason = format!("you are not in {room}; join it first");
            return Ok(self.refuse(&r#ref, id, None, reason)?);
        }
        let id = id.or_else(MessageId::random).ok_or(ClientError::NoEntropy)?;
        if self.saying.contains_key(&id) {
            return Ok(self.refuse(&r#ref, None, None, format!("{} is being said", hexadecimal(id)))?);
        }
        if self.model.say_in(id, &room, text).is_err() {
            return Ok(self.too_much(&r#ref)?);
        }
        self.saying.insert(id, r#ref);
        Ok(())
    }

    fn change(&mut self, r#ref: Ref, room: RoomName, event: RoomEvent) -> Result<(), ClientError> {
        let id = MessageId::random().ok_or(ClientError::NoEntropy)?;
        if self.model.change(id, room, event).is_err() {
            return Ok(self.too_much(&r#ref)?);
        }
        self.saying.insert(id, r#ref);
        Ok(())
    }

    fn join(&mut self, r#ref: Ref, room: RoomName) -> io::Result<()> {
        if let Some(sequence) = self.model.entered_up_to(&room) {
            return self.output.answer(&r#ref, &Report::Joined { room: room.to_string(), sequence });
        }
        if self.joining.contains_key(&room) {
            return self.refuse(&r#ref, None, None, format!("{room} is being joined"));
        }
        self.model.want(room.clone());
        self.joining.insert(room, r#ref);
        Ok(())
    }

    /// Asks the next question if nothing else is under way that could be refused in the same words.
    fn ask_next(&mut self) {
        if self.uplink.is_up()
            && self.model.is_at_rest()
            && let Some(question) = self.asking.next()
        {
            self.uplink.send(&question);
        }
    }

    /// A request was not done.
    pub(super) fn refuse(
        &mut self,
        r#ref: &Ref,
        id: Option<MessageId>,
        code: Option<u16>,
        reason: String,
    ) -> io::Result<()> {
        self.failed += 1;
        let id = id.map(hexadecimal);
        self.output.answer(r#ref, &Report::Refused { id, code, reason })
    }

    fn too_much(&mut self, r#ref: &Ref) -> io::Result<()> {
        self.refuse(r#ref, None, None, format!("{OWN_MAX} messages wait already; say it again later"))
    }

    fn error(&mut self, r#ref: &Ref, reason: String) -> io::Result<()> {
        self.failed += 1;
        self.output.answer(r#ref, &Report::Error { reason })
    }

    fn lost(&mut self, reason: String) -> io::Result<()> {
        self.model.disconnected();
        self.uplink.lost();
        self.questions_lost()?;
        if self.is_lost {
            return Ok(());
        }
        self.is_lost = true;
        self.output.print(&Report::Lost { reason })
    }

    /// Answers that were due won't come.
    pub(super) fn questions_lost(&mut self) -> io::Result<()> {
        while let Some(r#ref) = self.asking.answered() {
            self.refuse(&r#ref, None, None, "the answer was lost; ask again".to_owned())?;
        }
        Ok(())
    }

    /// All rooms that are entered.
    pub(super) fn rooms(&self) -> Vec<String> {
        self.model.rooms().map(ToString::to_string).collect()
    }

    fn want_to_leave(&mut self) {
        self.leaving = Some(Leaving::begin(self.under_way()));
    }

    fn under_way(&self) -> UnderWay {
        UnderWay {
            unsettled: self.model.unsettled() + self.model.entering() + self.asking.len(),
            undelivered: self.model.undelivered().count(),
            is_greeted: self.is_ready,
        }
    }

    fn is_calm(&self) -> bool {
        self.is_ready
            && !self.is_lost
            && self.leaving.is_none()
            && self.asking.len() == 0
            && self.model.is_at_rest()
    }
}
