//! The client as programs speak with it: one JSON object a line, each way.

use std::process::Command;

use serde_json::Value;

use super::{Ended, Piped};

/// A running client with `--json`.
pub struct Json(Piped);

impl Json {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        command.arg("--json");
        Self(Piped::start(command))
    }

    /// Starts it, and waits until it may be asked for something.
    pub fn ready(command: Command) -> Self {
        let json = Self::start(command);
        json.wait_for("ready", |_| true);
        json
    }

    /// Asks for something.
    pub fn ask(&mut self, request: &Value) {
        self.write(format!("{request}\n"));
    }

    /// Writes anything at all.
    pub fn write(&mut self, text: impl AsRef<[u8]>) {
        self.0.write(text);
    }

    /// Waits for an event of which `wanted` is true.
    pub fn wait_for(&self, event: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.0.wait_for(&format!("there is an event {event:?}"), |line| {
            Some(object(line)).filter(|object| object["event"] == *event && wanted(object))
        })
    }

    /// Asks for something, and waits for its answer.
    pub fn answer(&mut self, mut request: Value) -> Value {
        let number = self.events().len();
        let name = format!("{number}-{}", request["do"]);
        request["ref"] = name.as_str().into();
        self.ask(&request);
        self.0.wait_for("there is an answer", |line| {
            Some(object(line)).filter(|object| object["ref"] == name.as_str())
        })
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Value> {
        let text = self.0.stdout();
        text.rsplit_once('\n').map_or("", |(whole, _)| whole).lines().map(object).collect()
    }

    /// Ends its input, and waits for its end.
    pub fn finish(self) -> Ended {
        self.0.finish()
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Piped {
        &mut self.0
    }
}

/// Every line is an object with an event.
fn object(line: &str) -> Value {
    let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    assert!(object["event"].is_string(), "{line}");
    object
}
