//! All that was found out, in the form in which it is kept as JSON.

use serde::Serialize;
use serde_json::Value;

use crate::matrix::Variant;
use crate::section::Section;
use crate::system::System;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// Whether everything that was to be measured was.
    pub(crate) complete: bool,
    pub(crate) started: String,
    pub(crate) finished: String,
    /// Whether it was only to show that it works.
    pub(crate) quick: bool,
    /// Name of the variant that the others are compared with.
    pub(crate) baseline: Option<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) system: System,
    pub(crate) variants: Vec<VariantReport>,
    pub(crate) sections: Vec<Section>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct VariantReport {
    #[serde(flatten)]
    pub(crate) variant: Variant,
    pub(crate) allocations_bytes: Option<u64>,
    pub(crate) program_bytes: Option<u64>,
    pub(crate) info: Option<Value>,
    pub(crate) info_note: Option<String>,
}

impl Report {
    /// How many measurements there were, those of each column counted, and how many failed.
    pub(crate) fn failures(&self) -> (usize, usize) {
        let counts = || self.sections.iter().map(Section::failures);
        (
            counts().map(|(all, _)| all).sum(),
            counts().map(|(_, failed)| failed).sum(),
        )
    }
}
