//! Reasons why rows remain slow with fast musl, as data.

/// Why some rows take longer than with glibc.
#[derive(Debug)]
pub struct Reason {
    /// Row names, or the part of them before a comma or a space.
    pub rows: &'static [&'static str],
    /// One or more sentences.
    pub text: &'static str,
}

/// Returns the reason for a row: the one with the longest matching name.
#[must_use]
pub fn of(row: &str) -> Option<&'static str> {
    let fitting = REASONS.iter().flat_map(|reason| {
        let names = reason.rows.iter().filter(|name| fits(name, row));
        names.map(|name| (name.len(), reason.text))
    });
    fitting
        .max_by_key(|&(length, _)| length)
        .map(|(_, text)| text)
}

fn fits(name: &str, row: &str) -> bool {
    row.strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([',', ' ']))
}

/// All reasons.
pub const REASONS: &[Reason] = &[
    Reason {
        rows: &["time: strftime"],
        text: "musl calls snprintf for each field, and one such call takes about as long as all \
               of glibc's strftime, which writes the digits itself.",
    },
    Reason {
        rows: &["numbers: snprintf"],
        text: "musl parses the format twice, first to check it and then to print, and prints \
               through a stream that it sets up for each call; glibc parses it once and writes \
               into the buffer.",
    },
    Reason {
        rows: &["stdio: fprintf to /dev/null"],
        text: "musl parses the format twice, as in snprintf, and its streams have a buffer of 1 \
               KiB, glibc's one of 4 KiB: musl makes four times as many system calls.",
    },
    Reason {
        rows: &["stdio: fputs to /dev/null"],
        text: "musl's streams have a buffer of 1 KiB, glibc's one of 4 KiB: musl makes four times \
               as many system calls. A larger buffer, set with setvbuf, makes up for most of it.",
    },
    Reason {
        rows: &["numbers: strtod"],
        text: "musl converts all numbers except small integers by one exact algorithm, on \
               base-10⁹ digits and in extended precision; glibc multiplies by a power of ten from \
               a table. Rust's own parsing uses neither.",
    },
    Reason {
        rows: &["numbers: sscanf %d %lf"],
        text: "Two thirds of the time are spent in the conversion of %lf, which is strtod's (see \
               the reason for that row).",
    },
    Reason {
        rows: &["time: localtime_r", "time: mktime"],
        text: "musl looks up TZ in the environment on each call and computes the start and end of \
               summer time again; glibc caches these dates for a year, and localtime_r reads TZ \
               once.",
    },
    Reason {
        rows: &[
            "math: log",
            "math: log2",
            "math: pow",
            "math: powf",
            "math: expf",
            "math: logf",
        ],
        text: "The algorithm is the same, but glibc has a second build of it with fused \
               multiply-add (FMA), which it selects if the processor supports it; without FMA \
               (GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2) glibc takes as long as musl.",
    },
    Reason {
        rows: &["math: sinf"],
        text: "musl distinguishes nine ranges of the argument by comparisons and calls one of two \
               polynomials; glibc reduces the argument by one multiplication without a call, and \
               has a second build with fused multiply-add.",
    },
    Reason {
        rows: &["math: log10"],
        text: "musl's own algorithm represents each term by two numbers, for precision; glibc \
               multiplies the result of its log, which has a second build with fused \
               multiply-add.",
    },
    Reason {
        rows: &["math: hypot"],
        text: "musl splits both squares into two numbers, so their sum is exact before the square \
               root; glibc takes the root first and corrects it.",
    },
    Reason {
        rows: &["threads: condition variable, there and back"],
        text: "In musl, a thread that is woken while the mutex is still locked spins a hundred \
               times before it sleeps again, and the unlocking thread must wake it once more; \
               glibc's does not spin. Rust's std has its own condition variables on Linux.",
    },
    Reason {
        rows: &[
            "threads: pthread_create and join",
            "threads: std's spawn and join",
        ],
        text: "musl maps a stack for each thread, sets its guard page, and unmaps the stack \
               afterwards: three system calls, and a page fault for each page touched. glibc \
               keeps the stacks of ended threads.",
    },
    Reason {
        rows: &["panic: unwind and catch"],
        text: "The difference is the unwinder. With musl, Rust links LLVM's, which finds and \
               parses the tables for each frame again, through dl_iterate_phdr (an eighth of the \
               time); with glibc it links GCC's, which calls glibc's _dl_find_object.",
    },
    Reason {
        rows: &[
            "malloc: pair, 256 KiB, written",
            "Rust heap: pair, 256 KiB, written",
        ],
        text: "jemalloc caches freed blocks of up to 32 KiB per thread; a larger block returns to \
               its arena, through locks (musl's mutexes, a quarter of jemalloc's time) and an \
               index of all memory. glibc's heap has one lock and a neighbour to merge with.",
    },
    Reason {
        rows: &["malloc: growth to 64 KiB", "Rust heap: growth to 64 KiB"],
        text: "glibc's block is the last one in its heap and grows without a move; jemalloc's \
               small blocks, up to 14 KiB, lie among others of their size and are copied at each \
               doubling.",
    },
    Reason {
        rows: &["malloc: growth to 4 MiB", "Rust heap: growth to 4 MiB"],
        text: "glibc's block is the last one in its heap and grows without a move; jemalloc \
               copies it at each doubling up to 512 KiB, where it moves to a region with room \
               behind it.",
    },
    Reason {
        rows: &["environment: getenv"],
        text: "musl compares the name with each variable through strncmp; glibc compares the \
               first two bytes inline, and calls a function only if they are equal.",
    },
    Reason {
        rows: &["process: fork and wait"],
        text: "A child initialises the locks of all jemalloc arenas again, which copies the pages \
               that hold them; with one arena (_RJEM_MALLOC_CONF=narenas:1) it takes as long as \
               with glibc.",
    },
    Reason {
        rows: &["threads: mutex, several threads"],
        text: "In musl, a thread that finds the mutex locked spins a hundred times before it \
               sleeps; glibc's sleeps at once. Rust's std has its own mutexes on Linux.",
    },
    Reason {
        rows: &["memory: memcmp", "memory: bcmp"],
        text: "glibc masks one vector for up to 32 bytes (AVX-512), without a branch. fast-musl \
               loads in the pieces in which a copy stores, which the processor forwards from its \
               store queue: bytes just copied take 2 ns to compare, and 10 ns with glibc.",
    },
    Reason {
        rows: &["memory: memset", "memory: memcpy"],
        text: "The difference is up to half a nanosecond. glibc fills up to 64 bytes by one \
               masked vector (AVX-512), and selects a build once at program start; fast-musl \
               checks a byte in each call of more than 64 bytes.",
    },
    Reason {
        rows: &[
            "strings: strlen",
            "strings: strnlen",
            "strings: memchr",
            "strings: memrchr",
            "strings: strchr",
            "strings: strchrnul",
            "strings: strrchr",
            "strings: strcmp",
            "strings: strncmp",
            "strings: strcasecmp",
            "strings: strcpy",
            "strings: stpcpy",
        ],
        text: "The difference is up to a nanosecond, on short strings. glibc has a build with \
               AVX-512 registers and masks, which need no clearing at the end (vzeroupper) as \
               AVX2 does, and selects a build once; fast-musl checks a byte in each call.",
    },
    Reason {
        rows: &["strings: strcspn"],
        text: "Each call first makes a table of the set, for any bytes, which pays off from about \
               50 bytes on; glibc compares short sets with an SSE4.2 instruction.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    #[test]
    fn every_reason_is_for_a_row() {
        let rows = rows::all();
        for name in REASONS.iter().flat_map(|reason| reason.rows) {
            assert!(rows.iter().any(|row| fits(name, &row.name)), "{name}");
        }
    }

    #[test]
    fn every_reason_is_a_sentence() {
        for Reason { rows, text } in REASONS {
            let first = text
                .chars()
                .next()
                .is_some_and(|first| !first.is_whitespace());
            assert!(
                first && text.ends_with('.') && !text.contains('\n'),
                "{rows:?}: {text}"
            );
        }
    }

    #[test]
    fn a_name_is_that_of_a_row_or_of_a_group() {
        for (name, row, expected) in [
            ("math: sin", "math: sin", true),
            ("math: sin", "math: sinf", false),
            ("strings: strlen", "strings: strlen, 8 B", true),
            ("strings: strlen, 8 B", "strings: strlen, 16 B", false),
            ("numbers: snprintf", "numbers: snprintf %d", true),
        ] {
            assert_eq!(fits(name, row), expected, "{name}, {row}");
        }
    }
}
