//! Whether a person may see what the program has written.

/// What only a program's inside looks like: panics, backtraces, debug prints.
const INSIDE: [&str; 11] = [
    "panicked",
    "RUST_BACKTRACE",
    "stack backtrace",
    "Error {",
    "src/",
    "Some(",
    "None)",
    "Ok(",
    "kind:",
    "Os {",
    "ServerMessage",
];

/// Nothing in `text` shows the program's inside, and nothing in it is for a terminal to obey.
#[track_caller]
pub fn assert_presentable(text: &str) {
    for inside in INSIDE {
        assert!(!text.contains(inside), "{inside:?} is in:\n{text}");
    }
    // Behind a name from the right the client itself puts a mark, and there only.
    let text = text.replace(">\u{200e} ", "> ");
    if let Some(unsafe_one) = text.chars().find(|letter| is_obeyed(*letter)) {
        panic!("{unsafe_one:?} is in:\n{text:?}");
    }
}

/// Whether a terminal obeys it, or it hides or reorders what stands around it. A line feed ends a line.
fn is_obeyed(letter: char) -> bool {
    let hides_or_reorders = matches!(
        letter,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    letter != '\n' && (letter.is_control() || hides_or_reorders)
}
