# `cmake --install`: libraries, headers, samara.pc for pkg-config, find_package(Samara).

install(TARGETS ${samara_targets} EXPORT Samara LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
                                          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES interpreter/include/samara.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY kernels_c/include/samara DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

include(CMakePackageConfigHelpers)
set(samara_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Samara)
install(EXPORT Samara NAMESPACE Samara:: DESTINATION ${samara_cmake_dir} FILE SamaraTargets.cmake)
configure_package_config_file(cmake/SamaraConfig.cmake.in SamaraConfig.cmake INSTALL_DESTINATION ${samara_cmake_dir})
write_basic_package_version_file(SamaraConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/SamaraConfig.cmake ${PROJECT_BINARY_DIR}/SamaraConfigVersion.cmake
        DESTINATION ${samara_cmake_dir})

# The prefix is written relative to the .pc file, so that an installed tree may be moved.
file(RELATIVE_PATH samara_pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/samara.pc.in samara.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/samara.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
