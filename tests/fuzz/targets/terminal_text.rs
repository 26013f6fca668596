//! What makes text safe to print: no character reaches the terminal that it would obey or that reorders a line, and a
//! second pass changes nothing.

use chat::terminal_text::{lines, one_line};

/// Whether the text may be printed as it is.
pub fn run(bytes: &[u8]) -> bool {
    let line = one_line(bytes);
    assert_safe(&line);
    assert!(line.len() <= 4 * bytes.len(), "it grows");
    for line in lines(bytes) {
        assert_safe(&line);
        let again = if line.is_empty() { Vec::new() } else { vec![line.clone()] };
        assert_eq!(lines(&line), again);
    }
    line.as_bytes() == bytes
}

fn assert_safe(line: &str) {
    assert!(!line.contains(is_obeyed), "{line:?}");
    assert_eq!(one_line(line), line, "a second pass");
}

/// Controls, the two separators, and what UAX #9 (section 2) reorders lines by.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
