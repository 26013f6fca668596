//! How a server's key hands over to the next one: a statement, signed by the old key, that the new one is the same
//! server's from now on, for a time. A server brings its latest statements with the second message of the handshake; a
//! client that knows any key in their chain follows it to the key that the handshake has proved.
//!
//! The payload of the second message is a sequence of items: type `u8`, length `u16`, so many bytes. A type that the
//! receiver does not know is passed over. The statements, oldest first, are type 1.
//!
//! ```text
//! statement: old key (32), new key (32), issued:u64, expires:u64, signature (64)      144 bytes, big-endian
//! signed:    label (23), and the statement up to the signature
//! ```

use std::time::Duration;

use super::keys::{PublicKey, StaticKey};
use super::labels;
use super::signature::{SIGNATURE_BYTES, is_signed, sign};

/// The bytes of a statement.
pub const STATEMENT_BYTES: usize = 144;

/// The most statements that a server brings.
pub const STATEMENTS_MAX: usize = 4;

/// The longest that a statement may be valid, from its issue.
pub const VALIDITY_MAX: Duration = Duration::from_secs(365 * DAY);

/// How far the clock of who issued a statement may be ahead of ours: a whole day, as that of a host is that takes its
/// local time for UTC.
pub const CLOCK_SLACK: Duration = Duration::from_secs(DAY);

const DAY: u64 = 24 * 60 * 60;

/// The item of the payload that holds statements.
const ITEM_STATEMENTS: u8 = 1;

/// The bytes of a statement that are signed, after the label.
const SIGNED_BYTES: usize = STATEMENT_BYTES - SIGNATURE_BYTES;

/// That one key of a server hands over to another one. Times are seconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    old: PublicKey,
    new: PublicKey,
    issued: u64,
    expires: u64,
    signature: [u8; SIGNATURE_BYTES],
}

/// Why a chain of statements does not lead from one key to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandoverError {
    /// There are no statements.
    #[error("it brought no statement that one hands over to the other")]
    None,
    /// The payload is cut, has something after its end, or holds statements that are none.
    #[error("what it brought to explain this means nothing")]
    Malformed,
    /// More than [`STATEMENTS_MAX`].
    #[error("it brought more statements than it may")]
    TooMany,
    /// They hand over between other keys.
    #[error("it brought statements about other keys than these two")]
    OtherKeys,
    /// A key hands over and is handed over to.
    #[error("it brought statements that lead in a circle")]
    Circle,
    /// A signature is not the old key's.
    #[error("it brought a statement that the old key has not signed")]
    Forged,
    /// It expired, at this time.
    #[error("it brought a statement that has expired")]
    Expired(u64),
    /// It is issued later than now, at this time.
    #[error("it brought a statement from the future, as far as the clock of this computer knows")]
    FromTheFuture(u64),
    /// It wants to be valid for longer than [`VALIDITY_MAX`], or ends before it begins.
    #[error("it brought a statement that is valid for longer than any may be")]
    TooLong,
}

impl Statement {
    /// The old key says at the time `issued` that `new` is its next one, for the time `valid_for`, at most
    /// [`VALIDITY_MAX`].
    pub fn sign(old: &StaticKey, new: PublicKey, issued: u64, valid_for: Duration) -> Self {
        let expires = issued.saturating_add(valid_for.min(VALIDITY_MAX).as_secs());
        let unsigned = Self { old: old.public(), new, issued, expires, signature: [0; SIGNATURE_BYTES] };
        Self { signature: sign(old, &unsigned.signed_bytes()), ..unsigned }
    }

    /// The statement with these bytes, whoever made it.
    pub fn from_bytes(bytes: &[u8; STATEMENT_BYTES]) -> Option<Self> {
        let (old, rest) = bytes.split_first_chunk()?;
        let (new, rest) = rest.split_first_chunk()?;
        let (issued, rest) = rest.split_first_chunk()?;
        let (expires, rest) = rest.split_first_chunk()?;
        Some(Self {
            old: PublicKey::from_bytes(*old),
            new: PublicKey::from_bytes(*new),
            issued: u64::from_be_bytes(*issued),
            expires: u64::from_be_bytes(*expires),
            signature: rest.try_into().ok()?,
        })
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; STATEMENT_BYTES] {
        let mut bytes = [0; STATEMENT_BYTES];
        let parts = self.unsigned_bytes().into_iter().chain(self.signature);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// The key that hands over.
    pub fn old_key(&self) -> PublicKey {
        self.old
    }

    /// The key that is handed over to.
    pub fn new_key(&self) -> PublicKey {
        self.new
    }

    /// When the old key was replaced.
    pub fn issued(&self) -> u64 {
        self.issued
    }

    /// From when on nobody follows it any more.
    pub fn expires(&self) -> u64 {
        self.expires
    }

    /// Whether it may be followed at the time `now`.
    pub fn check(&self, now: u64) -> Result<(), HandoverError> {
        let valid_for = self.expires.checked_sub(self.issued).ok_or(HandoverError::TooLong)?;
        if valid_for > VALIDITY_MAX.as_secs() {
            return Err(HandoverError::TooLong);
        }
        if self.issued > now.saturating_add(CLOCK_SLACK.as_secs()) {
            return Err(HandoverError::FromTheFuture(self.issued));
        }
        if self.expires <= now {
            return Err(HandoverError::Expired(self.expires));
        }
        if is_signed(&self.old, &self.signed_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(HandoverError::Forged)
        }
    }

    fn unsigned_bytes(&self) -> Vec<u8> {
        let (issued, expires) = (self.issued.to_be_bytes(), self.expires.to_be_bytes());
        let mut bytes = Vec::with_capacity(SIGNED_BYTES);
        bytes.extend_from_slice(self.old.as_bytes());
        bytes.extend_from_slice(self.new.as_bytes());
        bytes.extend(issued.into_iter().chain(expires));
        bytes
    }

    fn signed_bytes(&self) -> Vec<u8> {
        [labels::HANDOVER, &self.unsigned_bytes()].concat()
    }
}

/// The payload of the second message of a handshake that brings these statements, the last [`STATEMENTS_MAX`] of them.
/// Empty without any.
pub fn payload(statements: &[Statement]) -> Vec<u8> {
    let from = statements.len().saturating_sub(STATEMENTS_MAX);
    let latest: Vec<u8> = statements.iter().skip(from).flat_map(Statement::to_bytes).collect();
    match u16::try_from(latest.len()) {
        Ok(length @ 1..) => {
            let [high, low] = length.to_be_bytes();
            [&[ITEM_STATEMENTS, high, low], latest.as_slice()].concat()
        }
        Ok(0) | Err(_) => Vec::new(),
    }
}

/// The statements that lead, at the time `now`, from the key `known` to the key `proved`, oldest first: at least one, if
/// the payload of the second message has them. Whatever it says of other keys does not count.
pub fn follow(
    payload: &[u8],
    known: PublicKey,
    proved: PublicKey,
    now: u64,
) -> Result<Vec<Statement>, HandoverError> {
    let statements = statements(payload)?;
    let from = statements.iter().position(|statement| statement.old == known);
    let chain = from.and_then(|from| statements.get(from..)).ok_or(HandoverError::OtherKeys)?;
    let mut key = known;
    let mut left = Vec::new();
    for statement in chain {
        if statement.old != key {
            return Err(HandoverError::OtherKeys);
        }
        left.push(key);
        key = statement.new;
        if left.contains(&key) {
            return Err(HandoverError::Circle);
        }
        statement.check(now)?;
    }
    if key == proved { Ok(chain.to_vec()) } else { Err(HandoverError::OtherKeys) }
}

/// The statements in a payload.
fn statements(payload: &[u8]) -> Result<Vec<Statement>, HandoverError> {
    let (mut rest, mut found) = (payload, None);
    while let Some((kind, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk().ok_or(HandoverError::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (value, after) = after.split_at_checked(length).ok_or(HandoverError::Malformed)?;
        if *kind == ITEM_STATEMENTS && found.replace(value).is_some() {
            return Err(HandoverError::Malformed);
        }
        rest = after;
    }
    let (whole, cut) = found.ok_or(HandoverError::None)?.as_chunks();
    match (whole.len(), cut) {
        (0, []) => Err(HandoverError::None),
        (1..=STATEMENTS_MAX, []) => {
            whole.iter().map(|bytes| Statement::from_bytes(bytes).ok_or(HandoverError::Malformed)).collect()
        }
        (_, []) => Err(HandoverError::TooMany),
        _ => Err(HandoverError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_800_000_000;
    const MONTH: Duration = Duration::from_secs(30 * DAY);

    fn key(number: u8) -> StaticKey {
        StaticKey::from_bytes(&[number; 32])
    }

    fn public(number: u8) -> PublicKey {
        key(number).public()
    }

    /// From each of these keys to the next one.
    fn chain(numbers: &[u8]) -> Vec<Statement> {
        numbers.windows(2).map(|pair| Statement::sign(&key(pair[0]), public(pair[1]), NOW, MONTH)).collect()
    }

    /// A statement of the key 1 about the key 2, properly signed, whatever it says.
    fn signed(issued: u64, expires: u64) -> Statement {
        let unsigned = Statement { issued, expires, ..chain(&[1, 2])[0] };
        Statement { signature: sign(&key(1), &unsigned.signed_bytes()), ..unsigned }
    }

    /// An item of a payload.
    fn item(kind: u8, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[kind], length.as_slice(), value].concat()
    }

    fn bytes(statements: &[Statement]) -> Vec<u8> {
        statements.iter().flat_map(Statement::to_bytes).collect()
    }

    /// Whether who knows the key 1 follows to the key 2.
    fn result(payload: &[u8]) -> Result<(), HandoverError> {
        follow(payload, public(1), public(2), NOW).map(drop)
    }

    #[test]
    fn from_each_key_of_the_chain_one_comes_to_the_last() {
        let all = chain(&[1, 2, 3, 4, 5]);
        let payload = payload(&all);
        assert_eq!(payload.len(), 3 + 4 * 144);
        for known in 1..=4 {
            let way = follow(&payload, public(known), public(5), NOW).unwrap();
            assert_eq!(way, all[usize::from(known) - 1..]);
            assert_eq!(way[0].old_key(), public(known));
        }
        assert!(super::payload(&[]).is_empty());
        assert_eq!(super::payload(&chain(&[9, 1, 2, 3, 4, 5])), payload, "the latest four");
    }

    #[test]
    fn statement_replayed_for_another_key() {
        let payload = payload(&chain(&[1, 2]));
        assert_eq!(follow(&payload, public(1), public(3), NOW), Err(HandoverError::OtherKeys));
        assert_eq!(follow(&payload, public(3), public(2), NOW), Err(HandoverError::OtherKeys));
        assert_eq!(follow(&payload, public(2), public(1), NOW), Err(HandoverError::OtherKeys));
        let moved = Statement { new: public(3), ..chain(&[1, 2])[0] };
        assert_eq!(follow(&super::payload(&[moved]), public(1), public(3), NOW), Err(HandoverError::Forged));
    }

    #[test]
    fn chain_with_a_gap_a_circle_or_something_after_its_end() {
        let [gap, circle, back, longer] =
            [[1, 2, 3, 4], [1, 3, 1, 2], [1, 2, 1, 2], [1, 2, 3, 4]].map(|it| chain(&it));
        assert_eq!(result(&payload(&[gap[0], gap[2]])), Err(HandoverError::OtherKeys));
        assert_eq!(result(&payload(&circle)), Err(HandoverError::Circle));
        assert_eq!(result(&payload(&back)), Err(HandoverError::Circle));
        assert_eq!(result(&payload(&chain(&[1, 1, 2]))), Err(HandoverError::Circle));
        assert_eq!(result(&payload(&longer)), Err(HandoverError::OtherKeys));
    }

    #[test]
    fn chain_too_long() {
        let five = item(ITEM_STATEMENTS, &bytes(&chain(&[9, 8, 7, 6, 1, 2])));
        assert_eq!(result(&five), Err(HandoverError::TooMany));
    }

    #[test]
    fn what_stands_before_the_key_that_one_knows_does_not_matter() {
        let forged = Statement { issued: NOW + 1, ..chain(&[7, 1])[0] };
        assert_eq!(result(&payload(&[forged, chain(&[1, 2])[0]])), Ok(()));
        // And behind it everything does.
        let forged = Statement { issued: NOW + 1, ..chain(&[3, 2])[0] };
        assert_eq!(result(&payload(&[chain(&[1, 3])[0], forged])), Err(HandoverError::Forged));
    }

    #[test]
    fn truncated_trailing_and_doubled() {
        let good = payload(&chain(&[1, 2]));
        for length in 1..good.len() {
            assert_eq!(result(&good[..length]), Err(HandoverError::Malformed), "{length} bytes");
        }
        for length in (1..144).chain(145..288) {
            let cut = item(ITEM_STATEMENTS, &bytes(&chain(&[1, 2, 3]))[..length]);
            assert_eq!(result(&cut), Err(HandoverError::Malformed), "{length} bytes");
        }
        assert_eq!(result(&[]), Err(HandoverError::None));
        assert_eq!(result(&item(ITEM_STATEMENTS, &[])), Err(HandoverError::None));
        assert_eq!(result(&[good.as_slice(), &[0]].concat()), Err(HandoverError::Malformed));
        assert_eq!(result(&[good.as_slice(), &good].concat()), Err(HandoverError::Malformed));
    }

    #[test]
    fn items_of_the_future_are_passed_over() {
        let good = payload(&chain(&[1, 2]));
        let around = [item(0, &[]), item(2, b"later"), good, item(255, &[7; 300])].concat();
        assert_eq!(result(&around), Ok(()));
        assert_eq!(result(&item(2, &bytes(&chain(&[1, 2])))), Err(HandoverError::None));
    }

    #[test]
    fn no_bit_of_a_statement_can_be_changed() {
        let good = chain(&[1, 2])[0].to_bytes();
        for bit in 0..good.len() * 8 {
            let mut changed = good;
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = item(ITEM_STATEMENTS, &changed);
            assert!(result(&changed).is_err(), "bit {bit}");
            // A time that was changed may be refused as such; a changed key never leads to a key that counts.
            assert!(follow(&changed, public(1), public(3), NOW).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_signature_without_the_label_or_with_another_one_is_none() {
        let statement = chain(&[1, 2])[0];
        for label in [b"".as_slice(), b"chat server handover v2", labels::SIGNATURE_NONCE] {
            let signature = sign(&key(1), &[label, &statement.unsigned_bytes()].concat());
            assert_eq!(result(&payload(&[Statement { signature, ..statement }])), Err(HandoverError::Forged));
        }
        assert_eq!(labels::HANDOVER.len(), 23);
    }

    #[test]
    fn times_are_held_to_the_second() {
        let (slack, longest) = (CLOCK_SLACK.as_secs(), VALIDITY_MAX.as_secs());
        let at = |issued, expires| result(&payload(&[signed(issued, expires)]));
        assert_eq!(at(NOW - 5, NOW + 1), Ok(()));
        assert_eq!(at(NOW - 5, NOW), Err(HandoverError::Expired(NOW)));
        assert_eq!(at(NOW + slack, NOW + slack + 9), Ok(()));
        assert_eq!(at(NOW + slack + 1, NOW + slack + 9), Err(HandoverError::FromTheFuture(NOW + slack + 1)));
        assert_eq!(at(NOW - 1, NOW - 1 + longest), Ok(()));
        assert_eq!(at(NOW - 1, NOW + longest), Err(HandoverError::TooLong));
        assert_eq!(at(NOW, NOW - 1), Err(HandoverError::TooLong));
        assert_eq!(at(0, u64::MAX), Err(HandoverError::TooLong));
        assert_eq!(at(u64::MAX, u64::MAX), Err(HandoverError::FromTheFuture(u64::MAX)));
        let longest_that_is_made = Statement::sign(&key(1), public(2), NOW, Duration::MAX);
        assert_eq!(longest_that_is_made.expires(), NOW + longest);
    }

    proptest! {
        #[test]
        fn any_bytes_lead_nowhere(payload in proptest::collection::vec(any::<u8>(), 0..800)) {
            prop_assert!(result(&payload).is_err());
        }

        #[test]
        fn any_statements_survive_their_bytes(content in proptest::collection::vec(any::<u8>(), 144)) {
            let bytes: [u8; STATEMENT_BYTES] = content.try_into().unwrap();
            let statement = Statement::from_bytes(&bytes).unwrap();
            prop_assert_eq!(statement.to_bytes(), bytes);
            prop_assert!(statement.check(NOW).is_err());
        }
    }
}
