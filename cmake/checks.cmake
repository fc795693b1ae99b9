# The checks of the source as tests, label `lint`; included by tests/CMakeLists.txt.
set(checks ${CMAKE_SOURCE_DIR}/cmake)

function(loiter_check name)
  add_test(NAME check-${name} COMMAND ${ARGN})
  set_tests_properties(check-${name} PROPERTIES LABELS lint TIMEOUT 300)
endfunction()

loiter_check(includes ${checks}/check-includes.sh)
loiter_check(includes-self ${checks}/check-includes.sh --self-test)
loiter_check(sizes ${checks}/check-sizes.sh)
loiter_check(sizes-self ${checks}/check-sizes.sh --self-test)
loiter_check(docs ${checks}/check-docs.sh)
loiter_check(headers ${checks}/check-headers.sh)
loiter_check(format ${checks}/check-format.sh)
if(TARGET loiter_preload)
  loiter_check(exports-loiter ${checks}/check-exports.sh $<TARGET_FILE:loiter_preload>
    ${CMAKE_SOURCE_DIR}/preload/exports.txt)
  loiter_check(robustness ${checks}/check-robustness.sh ${CMAKE_SOURCE_DIR}/docs/robustness.md
    ${CMAKE_BINARY_DIR})
endif()
if(TARGET weft)
  loiter_check(exports-weft ${checks}/check-exports.sh $<TARGET_FILE:weft>
    --declared ${CMAKE_SOURCE_DIR}/runtime/include/weft.h
    ${CMAKE_SOURCE_DIR}/runtime/include/weft_io.h
    ${CMAKE_SOURCE_DIR}/runtime/include/weft_shared.h)
endif()

# `ninja tidy`: clang-tidy over everything that is compiled.
find_program(RUN_CLANG_TIDY NAMES run-clang-tidy run-clang-tidy-14)
if(RUN_CLANG_TIDY)
  add_custom_target(tidy COMMAND ${RUN_CLANG_TIDY} -quiet -p ${CMAKE_BINARY_DIR}
    "${CMAKE_SOURCE_DIR}/.*\\.c$$" WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} USES_TERMINAL)
endif()
