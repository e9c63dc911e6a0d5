# tests/c/test_<name>.c is one program: exit 0 passes. It may include internal headers and links the static library, so
# that it reaches every function. tests/fuzz/mutate.c mutates models and must survive: `mutate COUNT MODEL…`.

file(GLOB test_sources CONFIGURE_DEPENDS tests/c/test_*.c)
set(test_programs "")
foreach(source IN LISTS test_sources)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
  list(APPEND test_programs ${name})
endforeach()
if(EXISTS ${PROJECT_SOURCE_DIR}/tests/fuzz/mutate.c)
  add_executable(mutate tests/fuzz/mutate.c)
  list(APPEND test_programs mutate)
endif()
foreach(name IN LISTS test_programs)
  target_link_libraries(${name} PRIVATE samara_static)
  target_include_directories(${name} PRIVATE tests/c kernels_c kernels_c/common kernels_c/ops kernels_c/ukernels
                                             interpreter/runtime)
  target_compile_options(${name} PRIVATE ${samara_flags})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE SAMARA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endforeach()
