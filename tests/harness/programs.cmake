# loiter_programs(PREFIX name [CXX]): the programs of the current folder, as its expect.json lists
# them: builds each and adds a test of label e2e for each. tests/README.md describes the file.
#
# A program needs what it is run with (the loiter command, libloiter.so, Weft); one whose parts are
# not built is left out, and the number left out is said.
# Not loiter_defaults: these programs stand for other people's, which have no frame pointers.
add_library(sample_defaults INTERFACE)
target_compile_definitions(sample_defaults INTERFACE _GNU_SOURCE)
target_include_directories(sample_defaults INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(sample_defaults INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
find_package(Threads REQUIRED)
target_link_libraries(sample_defaults INTERFACE loiter_sanitize Threads::Threads)

# json_get(VARIABLE json default keys...): the value, or the default where there is none.
function(json_get variable json default)
  string(JSON value ERROR_VARIABLE error GET "${json}" ${ARGN})
  if(error)
    set(value ${default})
  endif()
  set(${variable} ${value} PARENT_SCOPE)
endfunction()

# Builds `source` once as `target`, against `link`: none, shared, static or static-nopie.
function(loiter_program_build target source link)
  if(TARGET ${target})
    return()
  endif()
  add_executable(${target} ${source})
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test-programs)
  target_link_libraries(${target} PRIVATE sample sample_defaults ${LOITER_PROGRAM_LIBS})
  target_compile_options(${target} PRIVATE ${LOITER_PROGRAM_OPTIONS})
  if(link STREQUAL shared)
    target_link_libraries(${target} PRIVATE weft)
  elseif(link MATCHES static)
    target_link_libraries(${target} PRIVATE weft_static)
  endif()
  if(link MATCHES nopie)
    # The last option wins over -fPIE or -fPIC of the build.
    target_compile_options(${target} PRIVATE -fno-pic -fno-pie)
    target_link_options(${target} PRIVATE -no-pie)
  endif()
endfunction()

function(loiter_program_test name target source program processors)
  add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/e2e.py
    --loiter $<TARGET_FILE:loiter> --babeltrace ${CMAKE_SOURCE_DIR}/eventlog/check-babeltrace.sh
    --el-count $<TARGET_FILE:el-count> --expect ${CMAKE_CURRENT_SOURCE_DIR}/expect.json --program ${program} --source ${source}
    --work ${CMAKE_BINARY_DIR}/e2e/${name} $<TARGET_FILE:${target}>)
  set_tests_properties(${name} PROPERTIES LABELS e2e TIMEOUT 400
    PROCESSORS ${processors})
  set_property(GLOBAL APPEND PROPERTY LOITER_PROGRAM_TESTS ${name})
endfunction()

# Builds and tests one entry of expect.json; sets `left_out` in the caller when it cannot.
function(loiter_program prefix json program)
  json_get(runtime "${json}" pthread programs ${program} runtime)
  json_get(file "${json}" ${program}.c programs ${program} source)
  json_get(processors "${json}" 1 programs ${program} processors)
  json_get(links "${json}" shared programs ${program} links)
  get_filename_component(stem ${file} NAME_WE)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  if(runtime STREQUAL pthread)
    set(links none)
  elseif(NOT TARGET weft)
    return()
  endif()
  string(REPLACE "," ";" links ${links})
  foreach(link ${links})
    set(suffix "")
    if(link MATCHES static)
      set(suffix -${link})
    endif()
    loiter_program_build(${prefix}-${stem}${suffix} ${source} ${link})
    if(LOITER_PRELOAD AND TARGET loiter)
      loiter_program_test(e2e-${prefix}-${program}${suffix} ${prefix}-${stem}${suffix} ${source}
        ${program} ${processors})
    endif()
  endforeach()
endfunction()

function(loiter_programs prefix)
  file(READ expect.json json)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS expect.json)
  string(JSON last LENGTH "${json}" programs)
  math(EXPR last "${last} - 1")
  foreach(i RANGE ${last})
    string(JSON program MEMBER "${json}" programs ${i})
    loiter_program(${prefix} "${json}" ${program})
  endforeach()
endfunction()
