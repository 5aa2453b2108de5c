#pragma once

/// Whether AddressSanitizer or ThreadSanitizer is in this build: they own operator new, so tests
/// that count allocations are left out there and run in the release build.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRAIT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRAIT_SANITIZED 1
#endif
#endif

namespace strait::test {
#ifdef STRAIT_SANITIZED
inline constexpr bool counts_allocations = false;
#else
inline constexpr bool counts_allocations = true;
#endif
} // namespace strait::test
