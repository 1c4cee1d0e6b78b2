//! The credentials of the flags and of the files that they name.

use std::io;
use std::path::{Path, PathBuf};

use broker_server::Credentials;

use super::arguments::Arguments;

/// An error of the credentials that clap does not find.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the first line of {} is empty; write the secret there", .0.display())]
    Empty(PathBuf),
    #[error("--user needs a password; give --password-file, or --password")]
    NoPassword,
    #[error("--password needs a user; give --user")]
    NoUser,
    #[error(
        "a token, user or password is empty, which would let any client in; set it or leave it out"
    )]
    Nothing,
}

/// Reads the first line of a file: editors end it with a newline.
fn secret_in(path: &Path) -> Result<String, SecretError> {
    let text = std::fs::read_to_string(path).map_err(|source| SecretError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(SecretError::Empty(path.to_owned())),
    }
}

/// Returns the credentials of the flags, if there are any.
///
/// # Errors
///
/// Flags that contradict each other, and files that cannot be read.
pub(super) fn credentials(arguments: &Arguments) -> Result<Option<Credentials>, SecretError> {
    let secret = |given: &Option<String>, file: &Option<PathBuf>| match (given, file) {
        (Some(given), _) if given.is_empty() => Err(SecretError::Nothing),
        (Some(given), _) => Ok(Some(given.clone())),
        (None, file) => file.as_deref().map(secret_in).transpose(),
    };
    if let Some(token) = secret(&arguments.token, &arguments.token_file)? {
        return Ok(Some(Credentials::Token(token)));
    }
    let password = secret(&arguments.password, &arguments.password_file)?;
    match (&arguments.user, password) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(SecretError::NoPassword),
        (None, Some(_)) => Err(SecretError::NoUser),
        (Some(user), _) if user.is_empty() => Err(SecretError::Nothing),
        (Some(user), Some(password)) => Ok(Some(Credentials::User(user.clone(), password))),
    }
}
