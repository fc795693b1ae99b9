# loiter_add_test(NAME name COMMAND program [argument...] [OPTIONS option...]): a test that runs the
# program under Loiter, with these options of `loiter run`. It fails on findings, when the program
# fails, and when the record is incomplete. Its label is "loiter". The program may be a target.
function(loiter_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 T "" "NAME" "COMMAND;OPTIONS")
  if(NOT T_NAME OR NOT T_COMMAND OR T_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "loiter_add_test: expected NAME name COMMAND program [argument...] [OPTIONS option...]")
  endif()
  list(POP_FRONT T_COMMAND program)
  if(TARGET ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  add_test(NAME ${T_NAME}
    COMMAND ${LOITER_EXECUTABLE} run ${T_OPTIONS} -- ${program} ${T_COMMAND})
  set_tests_properties(${T_NAME} PROPERTIES LABELS loiter)
endfunction()
