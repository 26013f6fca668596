//! The parser of links: what it understands, it writes so that it understands the same again.

use chat::link::Link;

/// Whether the bytes are a link.
pub fn run(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let link: Link = match text.parse() {
        Ok(link) => link,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    assert_eq!(link.to_string().parse(), Ok(link.clone()));
    assert_eq!(link.address().parse(), Ok(Link::to_host(&link.host, link.port)));
    true
}
