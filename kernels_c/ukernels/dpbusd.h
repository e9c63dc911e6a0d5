/* Samara: vpdpbusd, four products of unsigned with signed bytes added to each 32-bit lane of `acc`, a vector of any
 * width. An assembler line, because GCC 12 moves the sums through memory around the intrinsic. {vex} asks for the
 * encoding of AVX-VNNI. */
#ifndef SAM_DPBUSD /* else the build has its own, for machines without the instruction */
#ifdef __AVX512VNNI__
#define SAM_DPBUSD(acc, x, w) __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w))
#define SAM_DPBUSD_AT(acc, x, p) \
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "m"(*(const __typeof__(acc) *)(p)))
#else
#define SAM_DPBUSD(acc, x, w) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(w))
#define SAM_DPBUSD_AT(acc, x, p) \
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "m"(*(const __typeof__(acc) *)(p)))
#endif
#endif
