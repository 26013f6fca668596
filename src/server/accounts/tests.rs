//! The accounts as a whole: a `users.db`, who signs up and logs in, and what people write into it meanwhile.

use std::path::PathBuf;
use std::sync::Barrier;
use std::{fs, thread};

use tempfile::TempDir;

use super::hashing_pool::somewhere;
use super::*;

const PASSWORD: &str = "Correct horse 1";
/// How every new hash begins here.
const HASH_START: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// A folder for `users.db`, and the accounts in it.
struct House {
    folder: TempDir,
    accounts: Accounts,
}

impl House {
    fn with(users_db: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("users.db"), users_db).unwrap();
        Self::of(folder)
    }

    fn empty() -> Self {
        Self::of(tempfile::tempdir().unwrap())
    }

    fn of(folder: TempDir) -> Self {
        let accounts = Accounts::open(&folder.path().join("users.db"), Cost::SMALL_HOST).unwrap();
        Self { folder, accounts }
    }

    fn path(&self) -> PathBuf {
        lock(&self.accounts.users_db).path().to_owned()
    }

    fn file(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count()
    }

    fn sign_up(&self, name: &str) -> Result<Account, SignUpError> {
        let password = NewPassword::parse(password(PASSWORD)).unwrap();
        self.accounts.sign_up(&new_name(name), &password, somewhere(), Role::Member, |_| true)
    }

    fn log_in(&self, name: &str, text: &str) -> Result<Account, LogInError> {
        let name = name.parse().ok();
        let (account, still_right) =
            self.accounts.log_in(name.as_ref(), &password(text), somewhere(), |account| account)?;
        assert_eq!(still_right, StillRight(true));
        Ok(account)
    }
}

fn password(text: &str) -> Password {
    Password::parse(Zeroizing::new(text.to_owned())).unwrap()
}

fn new_name(text: &str) -> NewUsername {
    NewUsername::parse(text.parse().unwrap()).unwrap()
}

fn line(name: &str, role: Role, memory_mib: u32) -> String {
    let cost = Cost::within_bounds(memory_mib * 1024, 2, 1).unwrap();
    let hash = StoredHash::compute(PASSWORD, cost, &mut Vec::new()).unwrap();
    format!("{name}:{role}:{hash}\n")
}

#[test]
fn who_signs_up_can_log_in_now_and_after_a_restart() {
    let house = House::empty();
    assert_eq!(house.files(), 0, "nothing is written before the first sign-up");
    let bob = house.sign_up("Bob").unwrap();
    assert_eq!((bob.name.as_str(), bob.role), ("bob", Role::Member));
    assert_eq!(house.log_in("BOB", PASSWORD), Ok(bob.clone()));
    assert_eq!(house.log_in("bob", "Wrong horse 1"), Err(LogInError::WrongNameOrPassword));
    let house = House::of(house.folder);
    assert_eq!(house.log_in("bob", PASSWORD), Ok(bob));
}

#[test]
fn unknown_and_invalid_names_cost_one_hash_and_get_the_answer_of_a_wrong_password() {
    let house = House::with(&line("alice", Role::Admin, 19));
    for (taken, name) in (1..).zip(["alice", "nobody", "no such: name", ""]) {
        assert_eq!(house.log_in(name, "Wrong horse 1"), Err(LogInError::WrongNameOrPassword));
        assert_eq!(house.accounts.pool.jobs_taken(), taken, "{name:?}");
    }
}

#[test]
fn of_two_who_want_one_name_at_once_exactly_one_gets_it_and_nobody_else_is_lost() {
    let house = House::empty();
    let barrier = Barrier::new(4);
    let signed_up = thread::scope(|scope| {
        let (house, barrier) = (&house, &barrier);
        let sign_up = |name| {
            scope.spawn(move || {
                barrier.wait();
                house.sign_up(name)
            })
        };
        ["bob", "bob", "carol", "dave"].map(sign_up).map(|thread| thread.join().unwrap())
    });
    let [first, second, ..] = &signed_up;
    assert!(first.is_ok() != second.is_ok());
    assert_eq!(signed_up.iter().filter(|one| matches!(one, Err(SignUpError::NameTaken))).count(), 1);
    assert_eq!(house.file().lines().count(), 3);
}

#[test]
fn a_taken_name_costs_no_hash() {
    let house = House::with(&line("alice", Role::Admin, 19));
    assert!(matches!(house.sign_up("Alice"), Err(SignUpError::NameTaken)));
    assert_eq!(house.accounts.pool.jobs_taken(), 0);
}

#[test]
fn a_name_is_made_ready_only_for_who_gets_it_and_must_be() {
    let house = House::with(&line("alice", Role::Admin, 19));
    let password = NewPassword::parse(password(PASSWORD)).unwrap();
    let sign_up = |name: &str, is_ready: Option<bool>| {
        let make_ready = |has_account: &dyn Fn(&Username) -> bool| {
            assert!(has_account(&"alice".parse().unwrap()) && !has_account(&name.parse().unwrap()));
            is_ready.expect("she is there")
        };
        house.accounts.sign_up(&new_name(name), &password, somewhere(), Role::Member, make_ready)
    };
    assert!(matches!(sign_up("alice", None), Err(SignUpError::NameTaken)));
    assert!(matches!(sign_up("bob", Some(false)), Err(SignUpError::NotReady)));
    assert_eq!(house.file().lines().count(), 1);
}

#[test]
fn what_people_wrote_into_the_file_survives_a_sign_up_even_if_they_wrote_it_just_now() {
    let house = House::with("# our people\r\n");
    let edited = format!("# our people\r\n\r\n# new:\r\n{}# no line end", line("alice", Role::Admin, 19));
    fs::write(house.path(), &edited).unwrap();
    assert!(matches!(house.sign_up("alice"), Err(SignUpError::NameTaken)));
    assert_eq!(house.file(), edited);
    house.sign_up("bob").unwrap();
    let file = house.file();
    let added = file.strip_prefix(&edited).unwrap();
    assert!(added.starts_with(&format!("\r\nbob:member:{HASH_START}")) && added.ends_with("\r\n"));
}

#[test]
fn a_bad_file_is_refused_at_start_with_its_path_and_line_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.db");
    let text = "# fine\n\nalice:admin:password\n";
    fs::write(&path, text).unwrap();
    let error = Accounts::open(&path, Cost::SMALL_HOST).err().unwrap().to_string();
    assert!(error.starts_with(&format!("{}: line 3: the hash can't be read", path.display())), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_file_that_was_made_bad_by_hand_is_not_written_over() {
    let house = House::with(&line("alice", Role::Admin, 19));
    let edited = format!("{}bob:memb", house.file());
    fs::write(house.path(), &edited).unwrap();
    assert!(matches!(house.sign_up("carol"), Err(SignUpError::NotSaved(AccountsError::Format { .. }))));
    assert_eq!(house.file(), edited);
}

#[test]
fn a_reload_takes_edits_and_a_bad_one_leaves_the_accounts_as_they_were() {
    let house = House::with(&line("alice", Role::Admin, 19));
    fs::write(house.path(), "alice:admin\n").unwrap();
    assert!(matches!(house.accounts.reload(), Err(AccountsError::Format { .. })));
    fs::remove_file(house.path()).unwrap();
    assert!(matches!(house.accounts.reload(), Err(AccountsError::Gone { .. })));
    assert!(house.log_in("alice", PASSWORD).is_ok());
    fs::write(house.path(), line("bob", Role::Admin, 19)).unwrap();
    house.accounts.reload().unwrap();
    assert_eq!(house.log_in("alice", PASSWORD), Err(LogInError::WrongNameOrPassword));
    assert_eq!(house.log_in("bob", PASSWORD).unwrap().role, Role::Admin);
}

#[test]
fn a_password_that_was_changed_while_it_was_checked_lets_nobody_in() {
    let house = House::with(&line("alice", Role::Admin, 19));
    let held = house.accounts.pool.hold();
    thread::scope(|scope| {
        let login = scope.spawn(|| house.log_in("alice", PASSWORD));
        while house.accounts.pool.jobs_waiting() == 0 {
            thread::yield_now();
        }
        fs::write(house.path(), EXAMPLE).unwrap(); // alice with another password
        house.accounts.reload().unwrap();
        drop(held);
        assert_eq!(login.join().unwrap(), Err(LogInError::WrongNameOrPassword));
    });
}

#[test]
fn a_password_that_is_changed_while_its_owner_is_let_in_is_told_to_be_wrong_by_now() {
    let house = House::with(&line("alice", Role::Admin, 19));
    let new = NewPassword::parse(password("Better horse 2")).unwrap();
    let name: Username = "alice".parse().unwrap();
    let log_in = |text: &str, meanwhile: &dyn Fn()| {
        let logged_in = house.accounts.log_in(Some(&name), &password(text), somewhere(), |_| meanwhile());
        logged_in.unwrap().1
    };
    let change = |old: &str| {
        house.accounts.change_password(&name, &password(old), &new, somewhere(), || true).unwrap();
    };
    assert_eq!(log_in(PASSWORD, &|| change(PASSWORD)), StillRight(false));
    assert_eq!(log_in("Better horse 2", &|| ()), StillRight(true));
    // Another hash of the same password is no change, and an account that is gone is one.
    assert_eq!(log_in("Better horse 2", &|| change("Better horse 2")), StillRight(true));
    let remove = || {
        fs::write(house.path(), "").unwrap();
        house.accounts.reload().unwrap();
    };
    assert_eq!(log_in("Better horse 2", &remove), StillRight(false));
}

#[test]
fn a_login_brings_a_weaker_hash_up_to_the_cost_and_touches_no_other_line() {
    let (strong, weak) = (line("alice", Role::Admin, 20), line("bob", Role::Member, 8));
    let house = House::with(&format!("# first\n{strong}{weak}# last\n"));
    assert!(house.log_in("alice", PASSWORD).is_ok() && house.log_in("bob", "Wrong horse 1").is_err());
    assert_eq!(house.file(), format!("# first\n{strong}{weak}# last\n"));
    house.log_in("bob", PASSWORD).unwrap();
    let file = house.file();
    let rest = file.strip_prefix(&format!("# first\n{strong}bob:member:")).unwrap();
    assert!(rest.starts_with(HASH_START) && rest.ends_with("\n# last\n"));
    let jobs_before = house.accounts.pool.jobs_taken();
    house.log_in("bob", PASSWORD).unwrap();
    assert_eq!(house.accounts.pool.jobs_taken(), jobs_before + 1, "the new hash is strong enough");
}

#[test]
fn a_login_succeeds_though_its_better_hash_can_not_be_saved() {
    let house = House::with(&line("bob", Role::Member, 8));
    fs::remove_file(house.path()).unwrap();
    assert!(house.log_in("bob", PASSWORD).is_ok());
    assert_eq!(house.files(), 0);
}

#[test]
fn a_sign_up_that_can_not_be_written_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A name that can be read, but leaves no room for a longer one beside it.
    let path = folder.path().join("u".repeat(250));
    let text = line("alice", Role::Admin, 19);
    fs::write(&path, &text).unwrap();
    let house = House { folder, accounts: Accounts::open(&path, Cost::SMALL_HOST).unwrap() };
    assert!(matches!(house.sign_up("bob"), Err(SignUpError::NotSaved(AccountsError::Write { .. }))));
    assert_eq!((house.file(), house.files()), (text, 1));
    assert_eq!(house.log_in("bob", PASSWORD), Err(LogInError::WrongNameOrPassword));
}

#[test]
fn a_sign_up_into_a_folder_that_is_gone_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone").join("users.db");
    let house = House { folder, accounts: Accounts::open(&path, Cost::SMALL_HOST).unwrap() };
    let error = house.sign_up("bob").err().unwrap();
    assert!(matches!(&error, SignUpError::NotSaved(AccountsError::Write { .. })));
    assert!(!error.to_string().contains("gone"), "files of the server are not told to everyone");
    assert_eq!(house.log_in("bob", PASSWORD), Err(LogInError::WrongNameOrPassword));
}

#[test]
fn the_example_accounts_log_in_with_the_passwords_beside_them_and_are_recognised() {
    let house = House::with(EXAMPLE);
    let told = [("alice", "Example-alice-1", Role::Admin), ("bob", "Example-bob-2", Role::Member)];
    for (name, password, role) in told {
        assert!(EXAMPLE.contains(&format!("# {name}'s password: {password}\n{name}:{role}:")));
        assert_eq!(house.log_in(name, password).unwrap().role, role);
    }
    assert!(house.accounts.uses_example_accounts());
    assert_eq!(house.file(), EXAMPLE);

    let bob = EXAMPLE.lines().find(|line| line.starts_with("bob")).unwrap();
    assert!(House::with(&bob.replace("bob", "robert")).accounts.uses_example_accounts());
    assert!(!House::with(&line("bob", Role::Member, 19)).accounts.uses_example_accounts());
}

#[test]
fn logins_fail_at_once_after_the_accounts_are_closed() {
    let house = House::with(&line("alice", Role::Admin, 19));
    house.accounts.close();
    assert_eq!(house.log_in("alice", PASSWORD), Err(LogInError::Hashing(HashingError::Interrupted)));
}
