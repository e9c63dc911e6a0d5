/* libFuzzer: any bytes through load + prepare + invoke. Built by -DSAMARA_FUZZ=ON; run as
 *     fuzz_model -max_len=65536 CORPUS_FOLDER */
#include "run_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  void *copy; /* exactly as large as the input, so that the sanitizer sees every byte read past it */
  if (posix_memalign(&copy, 16, size ? size : 1) != 0) return 0;
  memcpy(copy, data, size);
  run_max_macs = 2000000; /* counting every comparison makes some loops a hundred times slower */
  run_model(copy, size);
  free(copy);
  return 0;
}
