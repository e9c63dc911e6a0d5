# libFuzzer over load + prepare + invoke: cmake -DCMAKE_C_COMPILER=clang -DSAMARA_FUZZ=ON -DSAMARA_SANITIZE=address,undefined

if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
  message(FATAL_ERROR "SAMARA_FUZZ needs clang: pass -DCMAKE_C_COMPILER=clang")
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_model.c)
  add_executable(fuzz_model tests/fuzz/fuzz_model.c)
  target_link_libraries(fuzz_model PRIVATE samara_static)
  target_compile_options(fuzz_model PRIVATE ${samara_flags} -fsanitize=fuzzer)
  target_link_options(fuzz_model PRIVATE -fsanitize=fuzzer)
endif()
