//! The whole result, in the form of its JSON.

use serde::Serialize;
use serde_json::Value;

use crate::matrix::Variant;
use crate::section::Section;
use crate::system::System;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// Whether everything was measured.
    pub(crate) complete: bool,
    pub(crate) started: String,
    pub(crate) finished: String,
    /// Whether the run was only a test.
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
    /// Returns the number of measurements, counted per column, and of failures.
    pub(crate) fn failures(&self) -> (usize, usize) {
        let counts = || self.sections.iter().map(Section::failures);
        (
            counts().map(|(all, _)| all).sum(),
            counts().map(|(_, failed)| failed).sum(),
        )
    }
}
