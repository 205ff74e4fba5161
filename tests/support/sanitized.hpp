#pragma once
// Whether a sanitizer slows this program down and keeps memory: clang tells by __has_feature, GCC by macros.

namespace egress::test {

#ifdef __has_feature
#define EGRESS_HAS_FEATURE(name) __has_feature(name)
#else
#define EGRESS_HAS_FEATURE(name) 0
#endif
#if EGRESS_HAS_FEATURE(address_sanitizer) || EGRESS_HAS_FEATURE(thread_sanitizer) || \
    defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#undef EGRESS_HAS_FEATURE

}  // namespace egress::test
