//! Why rows stay slow with fast musl, as data.

/// Why some rows take longer than with glibc.
#[derive(Debug)]
pub struct Reason {
    /// Their names, or what comes before a comma or a space in these.
    pub rows: &'static [&'static str],
    /// A sentence.
    pub text: &'static str,
}

/// The reason for a row: that for the longest of the names that fit.
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

/// All of them.
pub const REASONS: &[Reason] = &[
    Reason {
        rows: &["time: strftime"],
        text: "musl prints each field by a call of snprintf, and one such call takes about as \
               long as all of glibc's strftime, which writes the digits itself.",
    },
    Reason {
        rows: &["numbers: snprintf"],
        text: "musl goes through the format twice, first to check it and then to print, and \
               prints by way of a stream that it sets up for the call and writes each piece \
               to; glibc goes through it once, into the buffer.",
    },
    Reason {
        rows: &["stdio: fprintf to /dev/null"],
        text: "musl goes through the format twice, as snprintf does, and its streams have a \
               buffer of 1 KiB, where glibc's have 4 KiB: it makes four times as many system \
               calls.",
    },
    Reason {
        rows: &["stdio: fputs to /dev/null"],
        text: "musl's streams have a buffer of 1 KiB, and glibc's one of 4 KiB: it makes four \
               times as many system calls. A larger buffer by setvbuf makes up for most of \
               it.",
    },
    Reason {
        rows: &["numbers: strtod"],
        text: "musl works all numbers but small whole ones out by one exact algorithm on \
               digits of a thousand million and in extended precision; glibc multiplies by a \
               power of ten from a table. Rust's own parsing uses neither.",
    },
    Reason {
        rows: &["numbers: sscanf %d %lf"],
        text: "Two thirds of the time go into the conversion of %lf, which is strtod's (its \
               row has the reason).",
    },
    Reason {
        rows: &["time: localtime_r", "time: mktime"],
        text: "musl looks TZ up in the environment on each call, and works out anew when \
               summer time begins and ends; glibc keeps these days for a year, and \
               localtime_r reads TZ once.",
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
               multiplication and addition, which it picks where the processor has these; \
               without them (GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2) glibc takes as long \
               as musl.",
    },
    Reason {
        rows: &["math: sinf"],
        text: "musl tells nine ranges of the argument apart by comparisons and calls one of \
               two polynomials; glibc reduces the argument by one multiplication and calls \
               nothing, and has a second build with fused multiplication and addition.",
    },
    Reason {
        rows: &["math: log10"],
        text: "musl's own algorithm carries each term as two numbers, for precision; glibc \
               multiplies the result of its log, which has a second build with fused \
               multiplication and addition.",
    },
    Reason {
        rows: &["math: hypot"],
        text: "musl splits both squares into two numbers so that their sum is exact before \
               the square root; glibc takes the root first and corrects it.",
    },
    Reason {
        rows: &["threads: condition variable, there and back"],
        text: "A thread that is woken while the mutex is still locked spins for it a hundred \
               turns in musl before it sleeps again, and the thread that unlocks has to wake \
               it once more; glibc's does not spin. Rust's std has condition variables of its \
               own on Linux.",
    },
    Reason {
        rows: &[
            "threads: pthread_create and join",
            "threads: std's spawn and join",
        ],
        text: "musl maps a stack for each thread, sets its guard page and unmaps it \
               afterwards: three system calls, and a page fault for each page touched. glibc \
               keeps the stacks of threads that have ended.",
    },
    Reason {
        rows: &["panic: unwind and catch"],
        text: "It is the unwinder: with musl, Rust links LLVM's, which finds and reads the \
               tables of each frame anew, by dl_iterate_phdr (an eighth of the time); with \
               glibc it links gcc's, which asks glibc's _dl_find_object.",
    },
    Reason {
        rows: &[
            "malloc: pair, 256 KiB, written",
            "Rust heap: pair, 256 KiB, written",
        ],
        text: "jemalloc keeps freed blocks of up to 32 KiB for each thread; a larger one goes \
               back to its arena, through locks (musl's mutexes, a quarter of what jemalloc \
               takes) and an index of all memory. glibc's heap has one lock and a neighbour \
               to merge with.",
    },
    Reason {
        rows: &["malloc: growth to 64 KiB", "Rust heap: growth to 64 KiB"],
        text: "glibc's block is the last one of its heap, so that it grows without a move; \
               jemalloc's small blocks, up to 14 KiB, lie among others of their size and are \
               copied at each doubling.",
    },
    Reason {
        rows: &["malloc: growth to 4 MiB", "Rust heap: growth to 4 MiB"],
        text: "glibc's block is the last one of its heap, so that it grows without a move; \
               jemalloc copies it at each doubling up to 512 KiB, where it moves to a region \
               with room behind it.",
    },
    Reason {
        rows: &["environment: getenv"],
        text: "musl compares the name with each variable by a call of strncmp; glibc compares the \
               first two bytes where it is, and calls only if they are equal.",
    },
    Reason {
        rows: &["process: fork and wait"],
        text: "A child sets up the locks of all of jemalloc's arenas anew, and so copies the pages \
               that hold them; with one arena (_RJEM_MALLOC_CONF=narenas:1) it takes as long as \
               with glibc.",
    },
    Reason {
        rows: &["threads: mutex, several threads"],
        text: "A thread that finds the mutex locked spins for it a hundred turns in musl before \
               it sleeps; glibc's sleeps at once. Rust's std has mutexes of its own on Linux.",
    },
    Reason {
        rows: &["memory: memcmp", "memory: bcmp"],
        text: "glibc masks one vector for up to 32 bytes (AVX-512), without a branch. Here pieces \
               are loaded as a copy stores them, which the processor hands over from its queue of \
               stores: bytes that were just copied take 2 ns to compare, and 10 with glibc.",
    },
    Reason {
        rows: &["memory: memset", "memory: memcpy"],
        text: "It is up to half a nanosecond. glibc fills up to 64 bytes by one masked vector \
               (AVX-512), and decides between its builds once, when the program starts, where \
               fast-musl looks at a byte in each call of more than 64.",
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
        text: "It is up to a nanosecond, on short strings. glibc has a build with the registers and \
               masks of AVX-512, which need no clearing at the end (vzeroupper) as AVX2's do, and \
               decides between its builds once, where fast-musl looks at a byte in each call.",
    },
    Reason {
        rows: &["strings: strcspn"],
        text: "A call first makes a table of the set, for any bytes, which pays from some 50 bytes \
               on; glibc compares short sets by an instruction of SSE4.2.",
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
