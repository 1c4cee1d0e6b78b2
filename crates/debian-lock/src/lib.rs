//! Turns a list of wanted Debian packages and a `Packages` index into a lock file.
//!
//! The steps are [`index`] (read what exists), [`source`] (the same of source
//! packages), [`wanted`] (read what is asked for), [`resolve`] (which packages that takes) and [`lock`] (write it down).

#![forbid(unsafe_code)]

pub mod index;
pub mod lock;
mod near;
pub mod relation;
pub mod resolve;
pub mod source;
pub mod version;
pub mod wanted;
