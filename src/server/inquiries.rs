//! Answers what is asked of the log, such as a page of what was said before. One thread with its own way into the log
//! serves one question after the other; whoever asks waits for the answer, so each session has one question there at
//! most and they take turns. A client that asks for everything at once waits for nobody but itself.
//!
//! What a question costs is bounded by whoever asks it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender, sync_channel};

use tracing::error;

use super::log::LogReader;

/// A question, which tells its answer itself.
type Question = Box<dyn FnOnce(&LogReader) + Send>;

/// Where questions are asked. It is bounded by the number of connections.
pub(super) struct Inquiries(Sender<Option<Question>>);

impl Inquiries {
    /// The way to ask, and its end for [`answer_all`].
    pub(super) fn new() -> (Self, Receiver<Option<Question>>) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    /// Asks, and waits for the answer. None comes when the server ends, or the question panics.
    pub(super) fn ask<A: Send + 'static>(
        &self,
        question: impl FnOnce(&LogReader) -> A + Send + 'static,
    ) -> Option<A> {
        let (answer, answered) = sync_channel(1);
        let question = move |log: &LogReader| {
            let _ = answer.send(question(log)); // whoever has asked waits for it
        };
        self.0.send(Some(Box::new(question))).ok()?;
        answered.recv().ok()
    }

    /// Ends the thread, after what was asked before.
    pub(super) fn stop(&self) {
        let _ = self.0.send(None);
    }
}

/// The thread. A question that panics has no answer, and others go on.
pub(super) fn answer_all(log: &LogReader, questions: &Receiver<Option<Question>>) {
    while let Ok(Some(question)) = questions.recv() {
        if catch_unwind(AssertUnwindSafe(|| question(log))).is_err() {
            error!("a question to the log panicked; the session that asked it ends");
        }
    }
}
