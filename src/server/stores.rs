//! What a server keeps on its disk apart from the log, opened together. A running server and `chat admin` on a stopped
//! one hold the same.

use super::accounts::{Accounts, Cost};
use super::bans::Bans;
use super::bots::Bots;
use super::clock;
use super::data_folder::DataFolder;
use super::devices::Devices;
use super::error::ServerError;
use super::identity::Identity;
use super::invites::Invites;
use super::people::People;
use crate::channel::Purpose;

/// The durable parts of a server. Each guards itself.
pub(super) struct Stores {
    /// Who the server is.
    pub(super) identity: Identity,
    /// Who may come in.
    pub(super) accounts: Accounts,
    /// Which devices come in without a password.
    pub(super) devices: Devices,
    /// Who may not come in.
    pub(super) bans: Bans,
    /// What lets people sign up.
    pub(super) invites: Invites,
    /// What lets bots in.
    pub(super) bots: Bots,
    /// When people were here.
    pub(super) people: People,
    /// Where they are. It is held as long as they are open, and let go last.
    pub(super) folder: DataFolder,
}

secret!(Stores);

impl Stores {
    /// Opens everything in a folder, and makes what is not there. New password hashes will have the cost `cost`.
    pub(super) fn open(folder: DataFolder, cost: Cost) -> Result<Self, ServerError> {
        let identity = Identity::open(folder.server_key(), folder.statements())?;
        let mut accounts = Accounts::open(&folder.users(), cost)?;
        accounts.pretend_by(identity.present().key.derive(Purpose::LoginCosts));
        let devices = Devices::open(&folder.devices())?;
        let bans = Bans::open(&folder.bans(), clock::now())?;
        let invites = Invites::open(&folder.invites(), |name| accounts.account(name).is_some())?;
        let bots = Bots::open(&folder.bots())?;
        let people = People::open(&folder.people())?;
        Ok(Self { identity, accounts, devices, bans, invites, bots, people, folder })
    }
}
