//! What a line says: the fixed formats of line mode, which scripts rely on.
//!
//! ```text
//! 12:34 #lobby <alice> hello      what is said
//! 12:34 #lobby * bob joined       what happens, also to the room and to messages
//! 12:34 ! …                       what concerns only me
//! ```
//!
//! Times are this computer's local ones. A line `!` names the day when it is not that of the line before; the first
//! line is taken to be of today. Everything that is not our own text is made safe here. On a terminal, an invisible mark
//! stands behind names from right to left (see [`crate::terminal_text::boundary_after`]); for programs, lines have nothing but their text.

use std::fmt::Display;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::channel::Fingerprint;
use crate::client::recent::Subject;
use crate::names::NOTICE_LINES_MAX;
use crate::terminal_text::{boundary_after, lines, one_line};
use crate::wire::{Device, PastMessage, SANCTION_BAN, Sanction};

/// Makes lines, and remembers the day of the last one.
pub(in crate::client) struct Transcript {
    zone: TimeZone,
    day: Date,
    pub(super) is_for_terminal: bool,
}

impl Transcript {
    /// Lines of which the first is of today.
    pub(in crate::client) fn new(zone: TimeZone, now: Timestamp, is_for_terminal: bool) -> Self {
        let day = now.to_zoned(zone.clone()).date();
        Self { zone, day, is_for_terminal }
    }

    /// Something was said, perhaps about an earlier message. A change of the room, or of what was said, is something that
    /// happens.
    pub(in crate::client) fn said(
        &mut self,
        room: &impl Display,
        message: &PastMessage,
        subject: &Subject,
    ) -> Vec<String> {
        let said = self.what_was_said(room, message, subject);
        said.into_iter().flat_map(|what| self.dated(message.at, what)).collect()
    }

    /// Someone joined.
    pub(in crate::client) fn arrived(&mut self, room: &impl Display, at: u64, name: &str) -> Vec<String> {
        let what = self.happened(room, format!("{name} joined"));
        self.dated(at, what)
    }

    /// Someone left.
    pub(in crate::client) fn left(&mut self, room: &impl Display, at: u64, name: &str) -> Vec<String> {
        let what = self.happened(room, format!("{name} left"));
        self.dated(at, what)
    }

    /// Something that concerns only this person.
    pub(in crate::client) fn note(&self, text: &str) -> String {
        self.own_note(one_line(text))
    }

    /// The same of what is made safe already.
    pub(super) fn own_note(&self, text: String) -> String {
        note(&self.now(), text)
    }

    fn now(&self) -> Zoned {
        Timestamp::now().to_zoned(self.zone.clone())
    }

    /// What the operator tells everyone who comes in; no more of it than there may be.
    pub(in crate::client) fn notice(&self, text: &str) -> Vec<String> {
        lines(text).iter().take(NOTICE_LINES_MAX).map(|line| self.note(line)).collect()
    }

    /// One's devices, each with the number by which it can be meant.
    pub(in crate::client) fn devices(&self, devices: &[Device]) -> Vec<String> {
        if devices.is_empty() {
            return vec![self.note("no device comes in as you without your password")];
        }
        (1..).zip(devices).map(|(number, device)| self.note(&self.device(number, device))).collect()
    }

    /// An invite that one has made.
    pub(in crate::client) fn invite(&self, link: &str, uses: u32, until: u64) -> Vec<String> {
        let works = if uses == 1 { "once".to_owned() } else { format!("{uses} times") };
        let until = self.day_and_time(until);
        vec![
            self.note(link),
            self.note(&format!("whoever has this link can sign up; it works {works}, until {until}")),
        ]
    }

    /// Someone who is banned or muted in a room.
    pub(in crate::client) fn sanction(&self, room: &str, sanction: &Sanction) -> String {
        let Sanction { name, kind, at, by, until, reason } = sanction;
        let kind = if *kind == SANCTION_BAN { "banned" } else { "muted" };
        let until = until.map_or_else(String::new, |until| format!(" until {}", self.day_and_time(until)));
        let by = if by.is_empty() { "whoever runs the server" } else { by };
        let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        self.note(&format!("{room}: {name} is {kind}{until}, by {by} on {}{reason}", self.day_and_time(*at)))
    }

    fn device(&self, number: usize, device: &Device) -> String {
        let fingerprint = Fingerprint::from_bytes(*device.fingerprint.as_bytes());
        let this = if device.is_this { " (this one)" } else { "" };
        let (first, last) = (self.day_and_time(device.first_seen), self.day_and_time(device.last_seen));
        format!("{number}. {}{this}: first seen {first}, last {last}, key {fingerprint}", device.label)
    }

    /// A time as a day and the hours and minutes of it.
    pub(in crate::client) fn day_and_time(&self, at: u64) -> String {
        self.local(at).map_or_else(|| "?".to_owned(), |time| time.strftime("%F %H:%M").to_string())
    }

    /// A time that a line speaks of: with its day when it is not that of the line before.
    pub(super) fn when(&self, at: u64) -> String {
        let is_today = self.local(at).is_some_and(|time| time.date() == self.day);
        let local = self.local(at).filter(|_| is_today);
        local.map_or_else(|| self.day_and_time(at), |time| time.strftime("%H:%M").to_string())
    }

    /// A server can send any number; what no calendar knows is no time.
    fn local(&self, at: u64) -> Option<Zoned> {
        let time = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
        Some(time.to_zoned(self.zone.clone()))
    }

    /// The day of a time.
    pub(in crate::client) fn day(&self, at: u64) -> String {
        self.local(at).map_or_else(|| "?".to_owned(), |time| time.strftime("%F").to_string())
    }

    fn happened(&self, room: &impl Display, what: String) -> String {
        format!("{} * {}", self.place(room), one_line(what))
    }

    /// A room as it stands in a line; it can have a person's name in it.
    pub(super) fn place(&self, room: &impl Display) -> String {
        let mut room = one_line(room.to_string());
        room.push_str(self.boundary_after(&room));
        room
    }

    /// On a terminal, what keeps a name apart from what follows it.
    pub(super) fn boundary_after(&self, name: &str) -> &'static str {
        if self.is_for_terminal { boundary_after(name) } else { "" }
    }

    fn dated(&mut self, at: u64, what: String) -> Vec<String> {
        let Some(time) = self.local(at) else {
            return vec![format!("--:-- {what}")];
        };
        let line = format!("{} {what}", time.strftime("%H:%M"));
        if time.date() == self.day {
            return vec![line];
        }
        self.day = time.date();
        vec![note(&time, time.strftime("%A, %-d %B %Y")), line]
    }
}

fn note(time: &Zoned, text: impl Display) -> String {
    format!("{} ! {text}", time.strftime("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RoomName;

    /// 20 November 2026, 10:34 UTC.
    const NOW: u64 = 1_795_170_840_000;
    const DAY: u64 = 24 * 60 * 60 * 1000;

    fn lobby() -> RoomName {
        RoomName::lobby()
    }

    fn message(at: u64, author: &str, kind: u16, body: impl AsRef<[u8]>) -> PastMessage {
        let id = crate::wire::MessageId::from_bytes([7; 16]);
        let (author, body) = (author.to_owned(), body.as_ref().to_vec().into());
        PastMessage { sequence: 7, at, author, id, kind, body, of: None, edited: None }
    }

    fn transcript() -> Transcript {
        transcript_for(false)
    }

    fn transcript_for(terminal: bool) -> Transcript {
        let now = Timestamp::from_millisecond(NOW.try_into().unwrap()).unwrap();
        Transcript::new(TimeZone::UTC, now, terminal)
    }

    fn said(transcript: &mut Transcript, at: u64, author: &str, kind: u16, body: &[u8]) -> Vec<String> {
        transcript.said(&lobby(), &message(at, author, kind, body), &Subject::None)
    }

    #[test]
    fn lines_have_the_formats_that_scripts_rely_on() {
        let mut transcript = transcript();
        assert_eq!(said(&mut transcript, NOW, "alice", 0, b"hello"), ["10:34 #lobby <alice> hello"]);
        assert_eq!(transcript.arrived(&lobby(), NOW, "bob"), ["10:34 #lobby * bob joined"]);
        assert_eq!(transcript.left(&lobby(), NOW, "bob"), ["10:34 #lobby * bob left"]);
        let note = transcript.note("alone");
        assert_eq!((note.len(), note.get(5..)), (13, Some(" ! alone")));
    }

    #[test]
    fn what_was_said_before_is_a_note_with_its_day_and_stays_on_its_line() {
        let past = message(NOW - DAY, "eve\nx", 0, b"a\nb\x1b");
        let line = transcript().past(&lobby(), std::slice::from_ref(&past)).concat();
        assert_eq!(line.get(5..), Some(" ! 2026-11-19 10:34 #lobby <eve⏎x> a⏎b\u{fffd}"));
        let never = transcript().past(&lobby(), &[PastMessage { at: u64::MAX, ..past }]).concat();
        assert!(never.contains(" ! ? #lobby <eve"), "{never}");
    }

    #[test]
    fn a_notice_has_its_lines_and_no_more_than_there_may_be() {
        let told = transcript().notice(&format!("rules:\x1b[2J\n{}", "x\n".repeat(1000)));
        assert_eq!(told.len(), NOTICE_LINES_MAX);
        assert!(told[0].ends_with(" ! rules:\u{fffd}[2J") && told[1].ends_with(" ! x"), "{told:?}");
    }

    #[test]
    fn a_new_day_is_named_before_its_first_line() {
        let mut transcript = transcript();
        let yesterday = ["10:34 ! Thursday, 19 November 2026", "10:34 #lobby <bob> late"];
        assert_eq!(said(&mut transcript, NOW - DAY, "bob", 0, b"late"), yesterday);
        assert_eq!(said(&mut transcript, NOW - DAY, "bob", 0, b"later").len(), 1);
        let today = said(&mut transcript, NOW, "bob", 0, b"morning");
        assert_eq!(today[0], "10:34 ! Friday, 20 November 2026");
    }

    #[test]
    fn whatever_comes_from_the_network_stays_on_its_line_and_is_safe() {
        let mut transcript = transcript();
        let line = said(&mut transcript, NOW, "eve\n12:00 #lobby <bob", 0, b"\x1b[2Jgone\r\nand \xff");
        assert_eq!(line, ["10:34 #lobby <eve⏎12:00 #lobby <bob> \u{fffd}[2Jgone⏎and \u{fffd}"]);
        assert_eq!(
            transcript.arrived(&lobby(), NOW, "\u{202e}bob").concat(),
            "10:34 #lobby * \u{fffd}bob joined"
        );
        assert!(transcript.note("no\x07").ends_with("! no\u{fffd}"));
    }

    #[test]
    fn names_of_any_script_stand_where_names_stand() {
        for name in ["алиса", "王伟", "שלום", "سارة٢", "अमित"] {
            let shown =
                |terminal| said(&mut transcript_for(terminal), NOW, name, 0, "<ב 5 hi".as_bytes()).concat();
            assert_eq!(shown(false), format!("10:34 #lobby <{name}> <ב 5 hi"));
            assert_eq!(shown(true).replace('\u{200e}', ""), shown(false));
            assert_eq!(shown(true).contains(">\u{200e} "), ["שלום", "سارة٢"].contains(&name), "{name}");
            assert_eq!(
                transcript_for(true).left(&lobby(), NOW, name).concat(),
                format!("10:34 #lobby * {name} left")
            );
        }
    }

    #[test]
    fn the_name_in_a_direct_conversation_stands_where_a_room_stands() {
        let said = |name: &str, terminal| {
            transcript_for(terminal)
                .said(&format!("@{name}"), &message(NOW, "alice", 0, "5"), &Subject::None)
                .concat()
        };
        assert_eq!(said("bob", true), "10:34 @bob <alice> 5");
        assert_eq!(said("שלום", false), "10:34 @שלום <alice> 5");
        assert_eq!(said("שלום", true), "10:34 @שלום\u{200e} <alice> 5");
    }

    #[test]
    fn what_a_newer_version_says_has_a_place_and_impossible_times_have_none() {
        let mut transcript = transcript();
        let shown = said(&mut transcript, NOW, "bob", 7, b"\x00\x01").concat();
        assert_eq!(shown, "10:34 #lobby <bob> (something of kind 7, which this version of chat can't show)");
        for at in [u64::MAX, i64::MAX.unsigned_abs()] {
            assert_eq!(said(&mut transcript, at, "bob", 0, b"hi"), ["--:-- #lobby <bob> hi"]);
        }
    }
}
