//! stub
use crate::{link::Link, names::Username};
use std::path::PathBuf;
/// x
pub struct Config {
    /// x
    pub link: Link,
    /// x
    pub user: Option<Username>,
    /// x
    pub sign_up: bool,
    /// x
    pub password: PasswordSource,
    /// x
    pub plain: bool,
    /// x
    pub data_dir: PathBuf,
}
/// x
pub enum PasswordSource {
    /// x
    Ask,
    /// x
    File(PathBuf),
    /// x
    Command(String),
}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ClientError;
impl ClientError {
    /// x
    pub fn exit_code(&self) -> u8 {
        1
    }
}
/// x
pub fn run(_: Config) -> Result<(), ClientError> {
    Ok(())
}
