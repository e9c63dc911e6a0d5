# The Python extension: C code that cffi generates from the marked regions of the public headers, linked with the
# library's object files into one abi3 module.
#
# The module needs nothing of Python but the stable ABI. Where the headers of Python are missing (a bare Debian; a cross
# build), it is compiled with cmake/abi3/Python.h, which declares the part of that ABI that cffi's code calls.

if(NOT EXISTS ${PROJECT_SOURCE_DIR}/interpreter/_build_ffi.py)
  return()
endif()
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter)

set(python_include ${PROJECT_SOURCE_DIR}/cmake/abi3)
if(NOT CMAKE_CROSSCOMPILING AND NOT SAMARA_OWN_PYTHON_H)
  execute_process(COMMAND ${Python_EXECUTABLE} -c "import sysconfig; print(sysconfig.get_path('include'), end='')"
                  OUTPUT_VARIABLE python_headers COMMAND_ERROR_IS_FATAL ANY)
  if(EXISTS ${python_headers}/Python.h)
    set(python_include ${python_headers})
  endif()
endif()
message(STATUS "Python headers: ${python_include}")

add_custom_command(
  OUTPUT _samara.c
  COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/interpreter/_build_ffi.py _samara.c
  DEPENDS interpreter/_build_ffi.py interpreter/include/samara.h kernels_c/include/samara/types.h
          kernels_c/include/samara/op.h
  VERBATIM)
add_library(samara_python MODULE ${PROJECT_BINARY_DIR}/_samara.c ${samara_objects})
set_target_properties(samara_python PROPERTIES OUTPUT_NAME _samara PREFIX "" SUFFIX .abi3.so)
target_compile_definitions(samara_python PRIVATE Py_LIMITED_API=0x030A0000 _GNU_SOURCE)
target_include_directories(samara_python PRIVATE interpreter/include kernels_c/include)
target_include_directories(samara_python SYSTEM PRIVATE ${python_include})
target_compile_options(samara_python PRIVATE -Werror=implicit-function-declaration)
target_link_libraries(samara_python PRIVATE ${samara_libraries})
if(CMAKE_SYSTEM_NAME STREQUAL Linux)
  target_link_options(samara_python PRIVATE -Wl,-Bsymbolic-functions)
elseif(APPLE)
  target_link_options(samara_python PRIVATE -undefined dynamic_lookup)
endif()
if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT SAMARA_SANITIZE)
  target_link_options(samara_python PRIVATE -s)
endif()
install(TARGETS samara_python DESTINATION samara/interpreter COMPONENT python)
