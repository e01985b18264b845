//! A hint to the processor that some memory is needed soon, so that it is fetched while other things are done.
//!
//! It reads nothing, and nothing that is computed hangs on it.

/// Are there such hints on this machine? Where not, there is no use in finding out what will be needed.
pub const CAN_PREFETCH: bool = cfg!(target_arch = "x86_64");

/// Asks for the memory where `value` begins.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    #[expect(
        unsafe_code,
        reason = "the safe `std::hint::prefetch_read` is not stable; a hint never faults, and this address is a reference's"
    )]
    // SAFETY: every x86-64 processor has SSE, and a prefetch has no effect but on time.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
