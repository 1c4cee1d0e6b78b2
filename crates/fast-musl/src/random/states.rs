//! The vDSO generator's states, one per thread: created, claimed, released.
//!
//! States come in [`Block`]s of 64. Their pages are mapped as the kernel requires and may be zeroed
//! at any time, when memory is short and in the child of a fork; the vDSO notices. Data that must
//! not be lost is therefore kept elsewhere: which states are free in a bitmap per block, and the
//! data of a state in its [`Slot`]. Blocks are never unmapped, so slots are valid forever.
//!
//! A slot has one owner, the thread whose value of a pthread key points to it. It changes hands
//! in four places, none of which takes a lock:
//! - it is claimed from the bitmap on the thread's first call, with signals blocked;
//! - it is released by the key's destructor at the thread's end, with signals blocked;
//! - in the child of `fork`, all except the remaining thread's own are released, whatever the
//!   parent's other threads were about to do with them;
//! - a child created by other means (`_Fork`, `clone`) releases no state, and is merely larger.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_uint, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, compiler_fence};

use super::sys;

/// Enough for 16,000 threads at once; further threads use the system call.
const BLOCKS: usize = 256;
const STATES_PER_BLOCK: usize = 64;

/// No two states, and no two slots, share a cache line.
const CACHE_LINE: usize = 64;

/// The key's value in threads that must use the system call.
const NO_SLOT: *mut c_void = ptr::without_provenance_mut(1);

/// `getrandom` of the vDSO: buffer, length, flags, the state and its size. Returns the number of
/// bytes, or `-errno`.
pub(super) type Function =
    unsafe extern "C" fn(*mut c_void, usize, c_uint, *mut c_void, usize) -> isize;

/// How states are mapped and laid out, according to the kernel's answer.
pub(super) struct Layout {
    state_size: usize,
    page: usize,
    protection: c_int,
    flags: c_int,
}

struct Setup {
    function: Function,
    layout: Layout,
    key: c_uint,
}

/// Written once, by `prepare` before it publishes `PREPARED`; from then on only read.
struct Once(UnsafeCell<Option<Setup>>);

// SAFETY: see above; readers have seen `PREPARED` or `ALLOWED` set, with acquire ordering.
unsafe impl Sync for Once {}

static SETUP: Once = Once(UnsafeCell::new(None));

/// The setup is complete. 0, or the key plus one.
static PREPARED: AtomicU32 = AtomicU32::new(0);

/// The vDSO may be called too: the kernel's generator is seeded. 0, or the key plus one.
static ALLOWED: AtomicU32 = AtomicU32::new(0);

static POOL: [Block; BLOCKS] = [const { Block::new() }; BLOCKS];

struct Block {
    /// One bit per state without an owner.
    free: AtomicU64,
    /// `STATES_PER_BLOCK` slots; null before they exist.
    slots: AtomicPtr<Slot>,
}

/// The data of one state. Lies outside the state's page, see above.
#[repr(align(64))]
pub(super) struct Slot {
    function: Function,
    state: *mut c_void,
    state_size: usize,
    block: &'static Block,
    bit: u64,
    /// The owner is inside the vDSO with this state.
    ///
    /// The vDSO has such a mark in the state, but it vanishes when the page is zeroed. A signal
    /// handler that interrupts the vDSO, forks, and asks for bytes in the child would rekey the
    /// state there, and the interrupted call would go on to return the parent's bytes.
    busy: AtomicBool,
}

const _: () = assert!(size_of::<Slot>() == CACHE_LINE);

/// Returns the calling thread's slot. `None`: use the system call.
pub(super) fn mine() -> Option<&'static Slot> {
    let key = ALLOWED.load(Ordering::Acquire).checked_sub(1)?;
    // SAFETY: `ALLOWED` follows from the creation of this key, which is never deleted.
    let value = unsafe { sys::pthread_getspecific(key) };
    if value.is_null() {
        return acquire();
    }
    slot(value)
}

/// Returns the slot for a value of the key.
fn slot(value: *mut c_void) -> Option<&'static Slot> {
    if value.is_null() || value == NO_SLOT {
        return None;
    }
    // SAFETY: other values of the key are slots of the pool, which are valid forever and written
    // only before they are published, except for the atomic `busy`.
    Some(unsafe { &*value.cast::<Slot>() })
}

/// Lets `mine` hand out states, if the vDSO has the function.
pub(super) fn allow() {
    ALLOWED.store(PREPARED.load(Ordering::Acquire), Ordering::Release);
}

/// Called once, while there is one thread.
pub(super) fn prepare(function: Function, layout: Layout) {
    let mut key = 0;
    // SAFETY: `end_of_thread` and `child_of_fork` are functions of this program, which is never
    // unloaded, and may be called wherever musl calls them.
    unsafe {
        if sys::pthread_key_create(&raw mut key, Some(end_of_thread)) != 0 {
            return;
        }
        // Without it, children are larger, but correct.
        sys::pthread_atfork(None, None, Some(child_of_fork));
    }
    // SAFETY: no thread reads it yet, because neither `PREPARED` nor `ALLOWED` is set.
    unsafe {
        *SETUP.0.get() = Some(Setup {
            function,
            layout,
            key,
        });
    }
    PREPARED.store(key.wrapping_add(1), Ordering::Release);
}

fn setup() -> Option<&'static Setup> {
    if PREPARED.load(Ordering::Acquire) == 0 {
        return None;
    }
    // SAFETY: `PREPARED` was stored after the only write.
    unsafe { &*SETUP.0.get() }.as_ref()
}

/// Gives the calling thread a slot, or `NO_SLOT` if there is none.
#[cold]
fn acquire() -> Option<&'static Slot> {
    let setup = setup()?;
    // Signals are blocked, because a handler's call would acquire a slot as well, and one of the
    // two would be lost.
    sys::undisturbed(|| {
        // SAFETY: the key exists. What a handler stored before signals were blocked stays.
        let value = unsafe { sys::pthread_getspecific(setup.key) };
        if !value.is_null() {
            return slot(value);
        }
        let claimed = claim(setup);
        let value = claimed.map_or(NO_SLOT, |slot| ptr::from_ref(slot).cast_mut().cast());
        // SAFETY: the key exists.
        if unsafe { sys::pthread_setspecific(setup.key, value) } != 0 {
            claimed?.release();
            return None;
        }
        claimed
    })
}

/// Claims the first free slot, and creates a new block if there is none.
fn claim(setup: &Setup) -> Option<&'static Slot> {
    for block in &POOL {
        let slots =
            NonNull::new(block.slots.load(Ordering::Acquire)).or_else(|| block.fill(setup))?;
        let Some(index) = block.take() else { continue };
        // SAFETY: `slots` are `STATES_PER_BLOCK`, valid forever, written before `block.slots` was.
        let slot = unsafe { slots.add(index).as_ref() };
        // The previous owner may have ended inside the vDSO, or in the parent process.
        slot.busy.store(false, Ordering::Relaxed);
        return Some(slot);
    }
    None
}

/// The key's destructor: releases the ending thread's slot.
///
/// The thread still runs other destructors and signal handlers. They get `NO_SLOT`, because a slot
/// that they acquire after musl's last round of destructors would never be released. A value that
/// is not null makes musl call this again, a fixed number of times.
unsafe extern "C-unwind" fn end_of_thread(value: *mut c_void) {
    let Some(setup) = setup() else { return };
    sys::undisturbed(|| {
        // musl has cleared the value; a handler may have acquired another slot since.
        // SAFETY: the key exists.
        let later = unsafe { sys::pthread_getspecific(setup.key) };
        // SAFETY: the key exists. A failure would leave null, or `later`.
        unsafe { sys::pthread_setspecific(setup.key, NO_SLOT) };
        for value in &[value, later] {
            if let Some(slot) = slot(*value) {
                slot.release();
            }
        }
    });
}

/// Releases, in the child of a fork, the slots of the parent's other threads.
///
/// It stores whole bitmaps, so it does not matter what those threads were doing: a state may be
/// claimed but not stored in its thread yet, or a block may have no bit set.
extern "C-unwind" fn child_of_fork() {
    let Some(setup) = setup() else { return };
    sys::undisturbed(|| {
        // SAFETY: the key exists. Fork keeps the calling thread and its values, and no other
        // thread.
        let own = slot(unsafe { sys::pthread_getspecific(setup.key) });
        for block in &POOL {
            if !block.slots.load(Ordering::Acquire).is_null() {
                let held = match own {
                    Some(own) if ptr::eq(own.block, block) => own.bit,
                    _ => 0,
                };
                block.free.store(!held, Ordering::Release);
            }
        }
    });
}

impl Slot {
    /// Calls the vDSO: the number of bytes, or `-errno`. `None` if this interrupts another call.
    ///
    /// # Safety
    ///
    /// `buf` is valid for writes of `len` bytes; the slot is the calling thread's own.
    pub(super) unsafe fn fill(&self, buf: *mut c_void, len: usize, flags: c_uint) -> Option<isize> {
        // Only this thread and its signal handlers get here; a handler that runs in between leaves
        // the mark as it was.
        if self.busy.load(Ordering::Relaxed) {
            return None;
        }
        self.busy.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        // SAFETY: the state has the size that the kernel requires, in a page mapped as it requires,
        // and no other call uses it: other threads have other states, and of this thread's nested
        // calls only the outermost passes the mark.
        let result = unsafe { (self.function)(buf, len, flags, self.state, self.state_size) };
        compiler_fence(Ordering::SeqCst);
        self.busy.store(false, Ordering::Relaxed);
        Some(result)
    }

    /// Releases the slot with an empty state: no key of this thread, and no mark of a call that was
    /// never finished.
    fn release(&self) {
        // SAFETY: the state is still ours, and the kernel itself empties it at times.
        unsafe { sys::memset(self.state, 0, self.state_size) };
        self.block.free.fetch_or(self.bit, Ordering::Release);
    }
}

impl Block {
    const fn new() -> Self {
        Self {
            free: AtomicU64::new(0),
            slots: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Takes a free state. Never waits: a thread that clears a set bit owns the state.
    fn take(&self) -> Option<usize> {
        let mut free = self.free.load(Ordering::Relaxed);
        while free != 0 {
            let lowest = free & free.wrapping_neg();
            // Acquire: the previous owner's writes to the state come before ours.
            let before = self.free.fetch_and(!lowest, Ordering::Acquire);
            if before & lowest != 0 {
                return Some(lowest.trailing_zeros() as usize);
            }
            free = before;
        }
        None
    }

    /// Maps states and slots. If another thread is faster, returns that thread's slots.
    fn fill(&'static self, setup: &Setup) -> Option<NonNull<Slot>> {
        let layout = &setup.layout;
        let states_size = layout.size();
        let slots_size = const { STATES_PER_BLOCK * size_of::<Slot>() };
        let states = sys::map(states_size, layout.protection, layout.flags)?;
        let ordinary = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS;
        let Some(slots) = sys::map(slots_size, sys::PROT_READ_WRITE, ordinary) else {
            // SAFETY: it was mapped above, and no other code knows of it.
            unsafe { sys::unmap(states, states_size) };
            return None;
        };
        let slots = slots.cast::<Slot>();
        let (mut offset, mut bit) = (0, 1_u64);
        for index in 0..STATES_PER_BLOCK {
            let slot = Slot {
                function: setup.function,
                state: states.wrapping_byte_add(offset),
                state_size: layout.state_size,
                block: self,
                bit,
                busy: AtomicBool::new(false),
            };
            // SAFETY: the mapping holds `STATES_PER_BLOCK` slots; pages are aligned better.
            unsafe { slots.add(index).write(slot) };
            offset = layout.after(offset);
            bit = bit.wrapping_shl(1);
        }
        let published = self.slots.compare_exchange(
            ptr::null_mut(),
            slots,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if let Err(faster) = published {
            // SAFETY: it was mapped above, and no other code knows of it.
            unsafe {
                sys::unmap(slots.cast(), slots_size);
                sys::unmap(states, states_size);
            }
            return NonNull::new(faster);
        }
        self.free.store(u64::MAX, Ordering::Release);
        NonNull::new(slots)
    }
}

impl Layout {
    /// `None` if the kernel's answer is not usable.
    pub(super) fn new(
        state_size: u32,
        page: usize,
        protection: c_int,
        flags: c_int,
    ) -> Option<Self> {
        let state_size = usize::try_from(state_size).ok()?;
        let sound = page.is_power_of_two() && page >= CACHE_LINE;
        if !sound || state_size == 0 || state_size > page {
            return None;
        }
        Some(Self {
            state_size,
            page,
            protection,
            flags,
        })
    }

    /// Returns where the next state begins after the one at `offset`: on its own cache line, and on
    /// the next page if it would straddle two.
    fn after(&self, offset: usize) -> usize {
        let stride = self.state_size.wrapping_add(CACHE_LINE - 1) & !(CACHE_LINE - 1);
        let next = offset.wrapping_add(stride);
        let page_ends = next.wrapping_add(self.page.wrapping_sub(1)) & !(self.page.wrapping_sub(1));
        if next.wrapping_add(self.state_size) > page_ends {
            page_ends
        } else {
            next
        }
    }

    /// Returns the bytes for the states of a block, in whole pages.
    fn size(&self) -> usize {
        let end = (0..STATES_PER_BLOCK).fold(0, |offset, _| self.after(offset));
        end.wrapping_add(self.page.wrapping_sub(1)) & !(self.page.wrapping_sub(1))
    }
}
