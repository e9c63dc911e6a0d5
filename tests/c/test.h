/* The whole C test framework: EXPECT counts failures and prints them, test_result ends main.
 *
 *     int main(void) { EXPECT(1 + 1 == 2); EXPECT_EQ(f(3), 4); return test_result(); } */
#ifndef SAMARA_TEST_H
#define SAMARA_TEST_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_checks, test_failures;

#define EXPECT(condition)                                                              \
  do {                                                                                 \
    test_checks++;                                                                     \
    if (!(condition)) {                                                                \
      if (test_failures++ < 20) printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                                  \
  } while (0)

#define EXPECT_EQ(actual, expected)                                                              \
  do {                                                                                           \
    long long test_a = (long long)(actual), test_e = (long long)(expected);                      \
    test_checks++;                                                                               \
    if (test_a != test_e && test_failures++ < 20)                                                \
      printf("%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #actual, test_a, test_e); \
  } while (0)

/* |actual - expected| <= tolerance, or both are NaN. */
#define EXPECT_NEAR(actual, expected, tolerance)                                                           \
  do {                                                                                                     \
    double test_a = (double)(actual), test_e = (double)(expected);                                         \
    test_checks++;                                                                                         \
    if (!(fabs(test_a - test_e) <= (tolerance) || test_a == test_e || (isnan(test_a) && isnan(test_e))) && \
        test_failures++ < 20)                                                                              \
      printf("%s:%d: %s is %.9g, expected %.9g\n", __FILE__, __LINE__, #actual, test_a, test_e);           \
  } while (0)

/* A small repeatable generator (xorshift64*); never the C library's, whose numbers differ between systems. */
static uint64_t test_state = 0x9E3779B97F4A7C15u;
static inline uint64_t test_random(void) {
  test_state ^= test_state >> 12;
  test_state ^= test_state << 25;
  test_state ^= test_state >> 27;
  return test_state * 0x2545F4914F6CDD1Du;
}
/* In [low, high], both included. */
static inline int32_t test_int(int32_t low, int32_t high) {
  uint64_t span = (uint64_t)((int64_t)high - low) + 1;
  return (int32_t)(low + (int64_t)((test_random() >> 16) % span));
}
static inline float test_float(float low, float high) {
  return low + (high - low) * (float)(test_random() >> 40) / 16777216.0f;
}

/* Exit status of a program; says how much was checked, so that an empty test is seen. */
static inline int test_result(void) {
  printf("%d checks, %d failures\n", test_checks, test_failures);
  return test_failures || !test_checks ? 1 : 0;
}

#endif
