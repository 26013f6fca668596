//! Reports as lines of standard output.

use std::io::{self, Stdout, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::report::Report;
use super::request::Ref;

/// Standard output, one report a line.
pub(in crate::client) struct Output(Stdout);

impl Output {
    /// Nothing is written yet.
    pub(in crate::client) fn new() -> Self {
        Self(io::stdout())
    }

    /// Writes a report out, at once.
    pub(in crate::client) fn print(&mut self, report: &Report) -> io::Result<()> {
        self.answer(&None, report)
    }

    /// The same, of one that answers the request that has called itself so.
    pub(super) fn answer(&mut self, r#ref: &Ref, report: &Report) -> io::Result<()> {
        self.0.write_all(line(r#ref, report)?.as_bytes())?;
        self.0.flush()
    }
}

/// What stands in a line.
#[derive(Serialize)]
struct Object<'r> {
    #[serde(flatten)]
    report: &'r Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#ref: &'r Ref,
}

pub(super) fn line(r#ref: &Ref, report: &Report) -> io::Result<String> {
    let mut bytes = Vec::new();
    Object { report, r#ref }.serialize(&mut Serializer::with_formatter(&mut bytes, Ascii))?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// Compact JSON in printable ASCII: everything else is written `\uXXXX`, in UTF-16 where one is not enough (RFC 8259,
/// section 7). A parser gets the text as it was said; a terminal that shows the line has nothing to obey or to reorder.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for letter in fragment.chars() {
            if matches!(letter, ' '..='~') {
                write!(writer, "{letter}")?;
            } else {
                letter
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_ascii_and_reads_back_as_it_was_said() {
        let text = "\"a\\b\"\n\x1b[2J\u{7f}\u{202e}שלום 👍\u{0}";
        let written = line(&Some(7.into()), &Report::Notice { text: text.into() }).unwrap();
        let content = written.strip_suffix('\n').unwrap();
        assert!(content.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{content}");
        let read: serde_json::Value = serde_json::from_str(content).unwrap();
        assert_eq!(read, serde_json::json!({"event": "notice", "text": text, "ref": 7}));
    }
}
