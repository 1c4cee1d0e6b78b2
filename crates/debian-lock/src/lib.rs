//! Turns a list of wanted Debian packages and a `Packages` index into a lock file.
//!
//! The steps are [`index`] (reads binary packages), [`source`] (reads source packages),
//! [`wanted`] (reads the wanted list), [`resolve`] (adds dependencies) and [`lock`] (writes the
//! result).

#![forbid(unsafe_code)]

pub mod index;
pub mod lock;
mod near;
pub mod relation;
pub mod resolve;
pub mod source;
pub mod version;
pub mod wanted;
