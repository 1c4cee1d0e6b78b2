//! `qsort` and `qsort_r` against std's stable sort, in a static musl executable.
//!
//! (Not under Miri, which does not allow calling a function with more arguments than it takes.)
#![cfg(all(feature = "sort", replaced, not(miri)))]

mod guarded;

use std::cell::Cell;
use std::ffi::{CStr, CString, c_int, c_void};
use std::iter;
use std::ptr::null_mut;

use fast_musl as _;
use guarded::Guarded;

type ComparePlain = unsafe extern "C" fn(*const c_void, *const c_void) -> c_int;
type Compare = unsafe extern "C" fn(*const c_void, *const c_void, *mut c_void) -> c_int;

unsafe extern "C" {
    fn qsort(base: *mut c_void, n: usize, size: usize, compare: ComparePlain);
    fn qsort_r(base: *mut c_void, n: usize, size: usize, compare: Compare, argument: *mut c_void);
    fn __qsort_r(base: *mut c_void, n: usize, size: usize, compare: Compare, argument: *mut c_void);
}

/// Sorts slices of elements of one size with a closure.
fn sort_by<F: FnMut(&[u8], &[u8]) -> c_int>(bytes: &mut [u8], size: usize, compare: F) {
    struct Call<F> {
        compare: F,
        size: usize,
        area: std::ops::Range<*const u8>,
    }

    unsafe extern "C" fn call<F: FnMut(&[u8], &[u8]) -> c_int>(
        a: *const c_void,
        b: *const c_void,
        call: *mut c_void,
    ) -> c_int {
        // SAFETY: it is the argument below, which nothing else uses during the call.
        let call = unsafe { &mut *call.cast::<Call<F>>() };
        let [a, b] = [a, b].map(|element| {
            let element = element.cast::<u8>();
            assert!(call.area.contains(&element));
            assert_eq!((element.addr() - call.area.start.addr()) % call.size, 0);
            // SAFETY: an element of the array.
            unsafe { std::slice::from_raw_parts(element, call.size) }
        });
        (call.compare)(a, b)
    }

    let area = bytes.as_ptr_range();
    let mut argument = Call {
        compare,
        size,
        area,
    };
    // SAFETY: the array has this many elements.
    unsafe {
        qsort_r(
            bytes.as_mut_ptr().cast(),
            bytes.len() / size,
            size,
            call::<F>,
            (&raw mut argument).cast(),
        );
    }
}

/// Pseudorandom numbers.
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % n
    }
}

/// The order of the keys.
#[derive(Clone, Copy, Debug)]
enum Keys {
    Random,
    Sorted,
    Reversed,
    Equal,
    Few,
    /// Sorted, except for the last.
    Appended,
    /// Sorted, except for two that were swapped.
    Exchanged,
    /// Reversed, except for a few at the end.
    AppendedToReversed,
    UpAndDown,
    Saw,
}

const KEYS: [Keys; 10] = [
    Keys::Random,
    Keys::Sorted,
    Keys::Reversed,
    Keys::Equal,
    Keys::Few,
    Keys::Appended,
    Keys::Exchanged,
    Keys::AppendedToReversed,
    Keys::UpAndDown,
    Keys::Saw,
];

impl Keys {
    fn make(self, n: usize) -> Vec<usize> {
        let mut noise = Noise(5);
        (0..n)
            .map(|i| match self {
                Self::Random => noise.below(1 << 30),
                Self::Reversed => n - i,
                Self::Equal => 7,
                Self::Few => noise.below(16),
                Self::Appended if i == n - 1 => n / 2,
                Self::Exchanged if i == n / 4 => n / 2,
                Self::Exchanged if i == n / 2 => n / 4,
                Self::AppendedToReversed if i + 3 < n => n - i,
                Self::AppendedToReversed => n / 2 + i % 2,
                Self::Sorted | Self::Appended | Self::Exchanged => i,
                Self::UpAndDown => i.min(n - i),
                Self::Saw => i % 20,
            })
            .collect()
    }

    fn make_ints(self, n: usize) -> Vec<i32> {
        let int = |key| i32::try_from(key).expect("it is small");
        self.make(n).into_iter().map(int).collect()
    }
}

/// Sorts integers and returns the number of comparisons.
fn count(ints: &mut [i32]) -> usize {
    thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });

    unsafe extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: both are elements.
        let (a, b) = unsafe { (*a.cast::<i32>(), *b.cast::<i32>()) };
        a.cmp(&b) as c_int
    }

    COUNT.set(0);
    // SAFETY: the array has this many integers.
    unsafe { qsort(ints.as_mut_ptr().cast(), ints.len(), 4, compare) };
    COUNT.get()
}

/// How many times this number of elements can be halved.
fn halvings(n: usize) -> usize {
    usize::try_from(n.ilog2()).expect("it is small") + 1
}

/// Otherwise the other tests would say nothing about real programs.
#[test]
fn symbols_are_ours() {
    macro_rules! assert_ours {
        ($($name:ident),+) => {
            $(assert_eq!($name as *const (), fast_musl::sort::$name as *const (), stringify!($name));)+
        };
    }
    assert_ours!(qsort, __qsort_r);
    assert_eq!(
        qsort_r as *const (),
        fast_musl::sort::__qsort_r as *const ()
    );
}

/// musl's own callers reach the same function.
#[test]
fn callers_in_musl() {
    let folder = std::env::temp_dir().join(format!("fast-musl-sort-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("there is room for a folder");
    let names: Vec<_> = Keys::Random.make(50);
    for name in &names {
        std::fs::write(folder.join(format!("{name:010}")), "").expect("there is room for a file");
    }
    let pattern = format!("{}/*", folder.to_str().expect("it is text"));
    let pattern = CString::new(pattern).expect("it has no zero");
    // SAFETY: all zeros are a `glob_t`, which is filled and freed.
    let found: Vec<String> = unsafe {
        let mut found = std::mem::zeroed::<libc::glob_t>();
        assert_eq!(libc::glob(pattern.as_ptr(), 0, None, &raw mut found), 0);
        let paths = std::slice::from_raw_parts(found.gl_pathv, found.gl_pathc);
        let paths = paths.iter().map(|&path| CStr::from_ptr(path));
        let paths = paths.map(|path| path.to_str().expect("it is text").to_owned());
        let paths = paths.collect();
        libc::globfree(&raw mut found);
        paths
    };
    std::fs::remove_dir_all(&folder).expect("it can be removed");
    assert_eq!(found.len(), names.len());
    assert!(found.is_sorted());
}

/// Each element size, at odd addresses, with keys of one to four bytes. After the key each element
/// has bytes of its own.
#[test]
fn sorts_elements_of_each_size() {
    for size in 1..=200 {
        let of_key = size.min(4);
        for n in [0, 1, 2, 3, 5, 8, 9, 10, 17, 63, 64, 65, 300] {
            for keys in KEYS {
                let elements: Vec<Vec<u8>> = iter::zip(keys.make(n), 0_usize..)
                    .map(|(key, i)| {
                        let key =
                            &u32::try_from(key).expect("it is small").to_be_bytes()[4 - of_key..];
                        let rest = i.to_le_bytes().into_iter().cycle();
                        key.iter().copied().chain(rest).take(size).collect()
                    })
                    .collect();
                let at = n % 5;
                let mut bytes = vec![0xee; at];
                bytes.extend(elements.concat());
                bytes.extend([0xee; 9]);
                let end = at + n * size;
                sort_by(&mut bytes[at..end], size, |a, b| {
                    a[..of_key].cmp(&b[..of_key]) as c_int * 1000
                });
                let what = format!("{n} elements of {size} bytes, {keys:?}");
                assert!(
                    bytes[..at]
                        .iter()
                        .chain(&bytes[end..])
                        .all(|&byte| byte == 0xee)
                );

                let mut sorted: Vec<_> = bytes[at..end].chunks(size).collect();
                let mut expected = elements;
                expected.sort_by(|a, b| a[..of_key].cmp(&b[..of_key]));
                let keys = iter::zip(&sorted, &expected);
                assert!(
                    keys.map(|(a, b)| (&a[..of_key], &b[..of_key]))
                        .all(|(a, b)| a == b),
                    "{what}"
                );
                // All elements are still there, each once.
                sorted.sort_unstable();
                expected.sort_unstable();
                assert!(sorted == expected, "{what}");
            }
        }
    }
}

#[test]
fn sorts_integers() {
    for n in [10, 1000, 40_000] {
        for keys in KEYS {
            let mut ints = keys.make_ints(n);
            let mut expected = ints.clone();
            expected.sort_unstable();
            count(&mut ints);
            assert!(ints == expected, "{n}, {keys:?}");
        }
    }
}

/// All orders of up to eight elements, and of zeros and ones up to eleven.
#[test]
fn sorts_all_that_is_short() {
    fn permute(ints: &mut Vec<i32>, fixed: usize) {
        let mut sorted = ints.clone();
        count(&mut sorted);
        assert!(sorted.is_sorted(), "{ints:?}");
        for i in fixed..ints.len() {
            ints.swap(fixed, i);
            permute(ints, fixed + 1);
            ints.swap(fixed, i);
        }
    }
    for n in 0..=7 {
        permute(&mut (0..n).collect(), 0);
    }
    for n in 0..=11 {
        for bits in 0..1 << n {
            let mut ints: Vec<i32> = (0..n).map(|i| bits >> i & 1).collect();
            count(&mut ints);
            assert!(ints.is_sorted(), "{bits:#b}");
        }
    }
}

/// Nothing is compared if nothing needs sorting.
#[test]
fn sorts_nothing() {
    unsafe extern "C" fn compare(_: *const c_void, _: *const c_void) -> c_int {
        unreachable!("there are no two elements")
    }
    let mut one = 5_i32;
    // SAFETY: there are no elements, or one, or they have no bytes.
    unsafe {
        qsort(null_mut(), 0, 4, compare);
        qsort(null_mut(), 0, 100, compare);
        qsort((&raw mut one).cast(), 1, 4, compare);
        qsort((&raw mut one).cast(), 100, 0, compare);
    }
    assert_eq!(one, 5);
}

/// Both names pass the argument on.
#[test]
fn hands_the_argument_on() {
    unsafe extern "C" fn descending(
        a: *const c_void,
        b: *const c_void,
        times: *mut c_void,
    ) -> c_int {
        // SAFETY: two elements, and the argument below.
        unsafe {
            *times.cast::<usize>() += 1;
            (*b.cast::<i32>()).cmp(&*a.cast()) as c_int
        }
    }
    for function in [qsort_r, __qsort_r] {
        let mut ints = Keys::Random.make_ints(100);
        let mut times = 0_usize;
        // SAFETY: it is an array of a hundred integers.
        unsafe {
            function(
                ints.as_mut_ptr().cast(),
                100,
                4,
                descending,
                (&raw mut times).cast(),
            );
        };
        assert!(ints.is_sorted_by(|a, b| a >= b));
        assert!(times > 100);
    }
}

/// If many elements are sorted already or equal, each is compared hardly more than once.
#[test]
fn compares_seldom() {
    for n in [100, 10_000, 100_000] {
        let of = |keys: Keys| count(&mut keys.make_ints(n));
        for keys in [Keys::Sorted, Keys::Reversed, Keys::Equal] {
            assert_eq!(of(keys), n - 1, "{n}, {keys:?}");
        }
        let mut steps: Vec<_> = Keys::Reversed.make_ints(n).iter().map(|i| i / 3).collect();
        assert_eq!(count(&mut steps), n - 1, "{n}");
        assert!(of(Keys::Few) < 7 * n, "{n}: {}", of(Keys::Few));
        let halvings = halvings(n);
        for (keys, most) in [
            (Keys::Appended, n + 2 * halvings),
            (Keys::AppendedToReversed, n + 6 * halvings),
            (Keys::Exchanged, 2 * n),
        ] {
            assert!(of(keys) < most, "{n}, {keys:?}: {}", of(keys));
        }
        // With only a median of three there would be more.
        assert!(of(Keys::Random) < n * halvings, "{n}: {}", of(Keys::Random));
        for keys in KEYS {
            assert!(
                of(keys) < n * halvings * 5 / 4,
                "{n}, {keys:?}: {}",
                of(keys)
            );
        }
    }
}

/// A comparison function that decides only when it must, and so that each pivot turns out to be a
/// bad one. (Doug `McIlroy`, "A killer adversary for quicksort", Software: Practice and Experience
/// 29, 1999.)
struct Adversary {
    /// The value of each element, once it is decided.
    values: Vec<Option<usize>>,
    decided: usize,
    candidate: usize,
    compared: usize,
}

impl Adversary {
    fn new(n: usize) -> Self {
        let mut values = vec![None; n];
        // Without these, it answers as if all were sorted.
        values[..3].copy_from_slice(&[Some(2), Some(0), Some(1)]);
        Self {
            values,
            decided: 3,
            candidate: 0,
            compared: 0,
        }
    }

    fn decide(&mut self, element: usize) {
        self.values[element] = Some(self.decided);
        self.decided += 1;
    }

    fn compare(&mut self, a: usize, b: usize) -> c_int {
        self.compared += 1;
        if self.values[a].is_none() && self.values[b].is_none() {
            self.decide(if a == self.candidate { a } else { b });
        }
        if self.values[a].is_none() {
            self.candidate = a;
        } else if self.values[b].is_none() {
            self.candidate = b;
        }
        let value = |element: usize| self.values[element].unwrap_or(usize::MAX);
        value(a).cmp(&value(b)) as c_int
    }
}

#[test]
fn stands_an_adversary() {
    for n in [1000, 10_000, 100_000] {
        let mut elements: Vec<u8> = (0..n).flat_map(usize::to_le_bytes).collect();
        let mut adversary = Adversary::new(n);
        let number =
            |element: &[u8]| usize::from_le_bytes(element.try_into().expect("eight bytes"));
        sort_by(&mut elements, 8, |a, b| {
            adversary.compare(number(a), number(b))
        });
        // The last is greater than all others, whatever its value.
        let value = |element: usize| adversary.values[element].unwrap_or(n);
        assert!(elements.chunks(8).map(number).map(value).is_sorted());
        let halvings = halvings(n);
        let usual = count(&mut Keys::Random.make_ints(n));
        // The same values again, for which the pivots are equally bad.
        let mut again: Vec<i32> = (0..n)
            .map(|element| i32::try_from(value(element)).expect("it is small"))
            .collect();
        for compared in [adversary.compared, count(&mut again)] {
            assert!(compared < 4 * n * halvings, "{compared} for {n}");
            // It is an effective adversary.
            assert!(
                compared * 10 > usual * 13,
                "{compared} for {n}, usually {usual}"
            );
        }
    }
}

/// For any answers of the function, sorting ends, within the array, with all elements. An access
/// out of bounds would end the test with SIGSEGV.
#[test]
fn ends_without_an_order() {
    let mut guarded = Guarded::new(300 * 100);
    for size in [1, 3, 4, 8, 16, 24, 100] {
        for n in [2, 3, 8, 9, 20, 100, 300] {
            for end in [false, true] {
                for kind in 0..9 {
                    let bytes = guarded.edge(n * size, end);
                    for (i, element) in bytes.chunks_mut(size).enumerate() {
                        let i = u8::try_from(i % 251).expect("it is a byte");
                        element.fill(i);
                    }
                    let mut expected: Vec<_> = bytes.chunks(size).map(<[u8]>::to_vec).collect();
                    let (mut noise, mut compared) = (Noise(3), 0_usize);
                    sort_by(bytes, size, |a, b| {
                        compared += 1;
                        match kind {
                            0 => -1,
                            1 => 1,
                            2 => c_int::MIN,
                            3 => c_int::MAX,
                            4 => [-1, 1][compared % 2],
                            5 => [-1, 0, 1][noise.below(3)],
                            // At first, as if all were sorted or reversed.
                            6 if compared < 40 => -1,
                            7 if compared < 40 => 1,
                            6 | 7 => [-1, 1, 1][noise.below(3)],
                            // A circular order.
                            _ => [0, -1, 1][usize::from(a[0].wrapping_sub(b[0])) % 3],
                        }
                    });
                    let what = format!("{n} elements of {size} bytes, {kind}");
                    assert!(compared < 4 * n * 9, "{what}: {compared}");
                    let mut elements: Vec<_> = bytes.chunks(size).map(<[u8]>::to_vec).collect();
                    elements.sort_unstable();
                    expected.sort_unstable();
                    assert!(elements == expected, "{what}");
                }
            }
        }
    }
}

/// If the function leaves by `longjmp`, all elements are still there.
#[test]
fn has_all_elements_at_any_time() {
    for size in [1, 4, 8, 16, 24, 100] {
        for keys in KEYS {
            let mut bytes: Vec<u8> = keys
                .make(150)
                .into_iter()
                .flat_map(|key| vec![u8::try_from(key % 256).expect("it is a byte"); size])
                .collect();
            let (area, length) = (bytes.as_ptr().expose_provenance(), bytes.len());
            let sum = move || {
                let start = std::ptr::with_exposed_provenance::<u8>(area);
                // SAFETY: within the array, which does not change during the call.
                (0..length)
                    .map(|at| u64::from(unsafe { start.add(at).read_volatile() }))
                    .sum::<u64>()
            };
            let expected = sum();
            sort_by(&mut bytes, size, |a, b| {
                assert_eq!(sum(), expected, "{size} bytes, {keys:?}");
                a[0].cmp(&b[0]) as c_int
            });
        }
    }
}

/// The stack used below the caller is bounded, also with bad pivots.
#[test]
fn takes_little_stack() {
    thread_local!(static DEEPEST: Cell<usize> = const { Cell::new(usize::MAX) });

    let below = |size: usize, n: usize, compare: &mut dyn FnMut(&[u8], &[u8]) -> c_int| {
        let mut bytes: Vec<u8> = Keys::Random
            .make(n)
            .into_iter()
            .zip(0_usize..)
            .flat_map(|(key, i)| {
                [key.to_be_bytes(), i.to_be_bytes(), [0; 8]]
                    .concat()
                    .into_iter()
                    .take(size)
            })
            .collect();
        let mut here = 0_u8;
        DEEPEST.set(usize::MAX);
        let start = (&raw mut here).addr();
        sort_by(&mut bytes, size, |a, b| {
            let mut here = 0_u8;
            DEEPEST.set(DEEPEST.get().min((&raw mut here).addr()));
            compare(a, b)
        });
        start - DEEPEST.get()
    };
    let n = 1 << 17;
    for size in [8, 16, 24] {
        // Two elements: the stack used by the test's own functions.
        let own = below(size, 2, &mut |_, _| 0);
        let usual = below(size, n, &mut |a, b| a[..8].cmp(&b[..8]) as c_int);
        let mut adversary = Adversary::new(n);
        let adverse = (size >= 16).then(|| {
            let number = |element: &[u8]| {
                usize::from_be_bytes(element[8..16].try_into().expect("eight bytes"))
            };
            below(size, n, &mut |a, b| adversary.compare(number(a), number(b)))
        });
        for taken in [Some(usual), adverse].into_iter().flatten() {
            assert!(taken - own < 3000, "{size} bytes: {}", taken - own);
        }
    }
}
