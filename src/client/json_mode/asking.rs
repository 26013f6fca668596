//! Questions, which the server answers in their order without saying what it answers. So one is asked after the other,
//! and only while nothing else is under way that could be refused in the same words.

use std::collections::VecDeque;

use super::request::Ref;
use crate::wire::ClientMessage;

/// Questions, each with what the program has called it.
#[derive(Default)]
pub(super) struct Asking {
    waiting: VecDeque<(Ref, ClientMessage)>,
    due: Option<Ref>,
}

secret!(Asking);

impl Asking {
    /// How many are not answered.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.due.is_some())
    }

    /// Asks this after the others.
    pub(super) fn ask(&mut self, r#ref: Ref, question: ClientMessage) {
        self.waiting.push_back((r#ref, question));
    }

    /// The next question, when it is time for it.
    pub(super) fn next(&mut self) -> Option<ClientMessage> {
        if self.due.is_some() {
            return None;
        }
        let (r#ref, question) = self.waiting.pop_front()?;
        self.due = Some(r#ref);
        Some(question)
    }

    /// An answer has come. Gives what the question has called itself; nothing if none was asked.
    pub(super) fn answered(&mut self) -> Option<Ref> {
        self.due.take()
    }
}
