//! The C library, part by part.

use super::text::{escape, line};
use crate::library::LibraryReport;

pub(super) fn library(text: &mut String, survey: &LibraryReport) {
    line(text, "## C library\n");
    if let Some(why) = &survey.failure {
        line(text, &format!("failed: {}\n", escape(why)));
    }
    if let Some(comparison) = &survey.comparison {
        line(text, &comparison.to_markdown());
    }
    if let Some(file) = &survey.plot {
        line(
            text,
            &format!("![Parts of the C library, relative to glibc]({file})\n"),
        );
    }
}
