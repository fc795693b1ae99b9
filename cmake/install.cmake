# What is installed where, and the packages that `cpack` makes of it. All of it can be moved as a
# whole: the command finds its library, and each file its prefix, from where it lies itself.
include(CMakePackageConfigHelpers)

set(package_in ${CMAKE_SOURCE_DIR}/cmake/package)
set(package_out ${CMAKE_BINARY_DIR}/package)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH PC_PREFIX /${pkgconfig_dir} /)
string(REGEX REPLACE "/$" "" PC_PREFIX ${PC_PREFIX})

function(install_package name)
  set(dir ${CMAKE_INSTALL_LIBDIR}/cmake/${name})
  string(TOLOWER ${name} lower)
  configure_package_config_file(${package_in}/${name}Config.cmake.in
    ${package_out}/${name}Config.cmake INSTALL_DESTINATION ${dir} PATH_VARS ${ARGN})
  write_basic_package_version_file(${package_out}/${name}ConfigVersion.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
  configure_file(${package_in}/${lower}.pc.in ${package_out}/${lower}.pc @ONLY)
  install(FILES ${package_out}/${name}Config.cmake ${package_out}/${name}ConfigVersion.cmake
    DESTINATION ${dir})
  install(FILES ${package_out}/${lower}.pc DESTINATION ${pkgconfig_dir})
endfunction()

if(LOITER_RUNTIME)
  install_package(Weft)
  install(EXPORT WeftTargets NAMESPACE Weft:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Weft)
  install(FILES docs/weft.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
if(LOITER_PRELOAD AND LOITER_ANALYZER)
  set(LOITER_COMMAND ${CMAKE_INSTALL_BINDIR}/loiter)
  set(LOITER_HEADERS ${CMAKE_INSTALL_INCLUDEDIR})
  install_package(Loiter LOITER_COMMAND LOITER_HEADERS)
  install(FILES ${package_in}/LoiterAddTest.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Loiter)
  install(FILES docs/adopting.md docs/always-on.md docs/ci.md docs/event-log.md
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()

set(CPACK_PACKAGE_NAME loiter)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "finds what lingers in a running program; with Weft")
set(CPACK_PACKAGE_CONTACT "The developers of Loiter <loiter@localhost>")
set(CPACK_GENERATOR TGZ)
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(DPKG_SHLIBDEPS)
if(DPKG_SHLIBDEPS)
  list(APPEND CPACK_GENERATOR DEB)
endif()
set(CPACK_STRIP_FILES OFF) # `loiter doctor` needs what it plants with its names
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
include(CPack)
