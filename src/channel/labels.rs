//! Every label that goes into a hash or onto the wire, in one place, so that no two can be the same by accident.

/// The first bytes of both hellos.
pub(super) const MAGIC: [u8; 4] = *b"CHAT";

/// The version of the protocol that this program speaks.
pub(super) const VERSION: u8 = 1;

/// Noise section 8.1: the name that begins the handshake hash.
pub(super) const XX_HYBRID: &[u8] = b"Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256";

/// The same for the suite without a key encapsulation.
pub(super) const XX_CLASSICAL: &[u8] = b"Noise_XX_25519_AESGCM_SHA256";

/// What a statement by which a key hands over to another one is signed with.
pub(super) const HANDOVER: &[u8] = b"chat server handover v1";

/// What the secret is derived with of which the nonces of signatures are made.
pub(super) const SIGNATURE_NONCE: &[u8] = b"chat signature nonce v1";

/// HKDF's info for what logins cost for names that nobody has.
pub(super) const LOGIN_COSTS: &[u8] = b"chat login costs of unknown names";
