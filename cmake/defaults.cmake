# What every target of the project shares.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

add_library(loiter_defaults INTERFACE)
target_compile_definitions(loiter_defaults INTERFACE _GNU_SOURCE)
target_include_directories(loiter_defaults INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(loiter_defaults INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Werror
  -fno-strict-aliasing -fno-omit-frame-pointer)

add_library(loiter_sanitize INTERFACE)
if(LOITER_SANITIZE)
  target_compile_options(loiter_sanitize INTERFACE -fsanitize=${LOITER_SANITIZE}
    -fno-sanitize-recover=undefined)
  target_link_options(loiter_sanitize INTERFACE -fsanitize=${LOITER_SANITIZE})
endif()

# loiter_unit_test(NAME SOURCES... LIBS libs...): a cmocka test beside the code, label `unit`.
function(loiter_unit_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE loiter_defaults loiter_sanitize ${T_LIBS} cmocka)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 400)
endfunction()
