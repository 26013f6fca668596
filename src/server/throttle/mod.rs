//! What a guess at a password costs the one who guesses: a wait that grows with the failures and that time makes up for.
//! It is asked before anything is hashed, so whoever must wait costs the server a look-up.
//!
//! Three counts, each of which refuses by itself:
//! - **name and address**: the one who has forgotten a password, or guesses one. Right after the tries of one connection
//!   each wait is twice the one before, up to a quarter of an hour.
//! - **address**: the one who tries a few passwords on every name. A class behind one router may mistype some dozens.
//! - **name**: those who guess at one account from many addresses. It would be unkind to make the owner compete with them
//!   for the next try, so this count only puts off: while it is up, whoever comes with that name from an address is told
//!   to wait, a minute at most, and then has their try, whatever others do meanwhile.
//!
//! An address from which an account has been logged in to by password answers for that account to the first count alone,
//! so attackers elsewhere, or behind the same router, can't keep anyone out who comes from where they always do. A login
//! by device is asked nothing at all: a key can't be guessed.
//!
//! A name counts the same whether there is such an account or not, and a right password that comes too early is not
//! looked at, so nothing can be learnt from a refusal. A try is counted when it begins, and taken back when it was right
//! or was none, so a thousand at once are no better than one after the other.
//!
//! All tables are bounded; a full one forgets first what is made up for the soonest, that is, the ones who tried least.
//! To have their own count forgotten attackers would have to bring thousands of others up to it.

mod expiring;
mod score;
mod throttles;

pub(super) use throttles::{Throttled, Throttles, Try};
