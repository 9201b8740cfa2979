// What makes two binaries fit each other: the contract's number and the way it was built.
#pragma once

/// Number of the plugin contract. Raised by every change of a header in this folder that changes
/// layout or meaning; a test pins the hash of these headers to it.
#define APUS_ABI 9

#define APUS_STRINGIFY_(x) #x
#define APUS_STRINGIFY(x) APUS_STRINGIFY_(x)

#if defined(__clang__)
#define APUS_BUILD_COMPILER "clang" APUS_STRINGIFY(__clang_major__)
#elif defined(__GNUC__)
#define APUS_BUILD_COMPILER "gcc" APUS_STRINGIFY(__GNUC__)
#else
#error "Apus is built with g++ or clang"
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define APUS_BUILD_ASAN_ 1
#endif
#if __has_feature(thread_sanitizer)
#define APUS_BUILD_TSAN_ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(APUS_BUILD_ASAN_)
#define APUS_BUILD_SANITIZER "+asan"
#elif defined(__SANITIZE_THREAD__) || defined(APUS_BUILD_TSAN_)
#define APUS_BUILD_SANITIZER "+tsan"
#else
#define APUS_BUILD_SANITIZER ""
#endif

#if defined(_GLIBCXX_ASSERTIONS) || defined(_GLIBCXX_DEBUG)
#define APUS_BUILD_CHECKS "+checks"
#else
#define APUS_BUILD_CHECKS ""
#endif

/// Compiler, C++ standard, sanitizer and library checks of this translation unit, for example
/// "gcc12 c++20" or "clang14 c++20+asan". Host and plugin must show the same text.
#define APUS_BUILD APUS_BUILD_COMPILER " c++20" APUS_BUILD_SANITIZER APUS_BUILD_CHECKS

/// Marks what libapus shows to plugins; everything else stays hidden.
#define APUS_API __attribute__((visibility("default")))
