# loiter_link_archives(TARGET NAME...): the imported target stands for lib<NAME>.a of each name, if
# all are there. The command is what every recorded program is started by: loading seven shared
# libraries takes it longer than all else that it does beforehand.
option(LOITER_ARCHIVES "link the command to static libraries where they are" ON)
function(loiter_link_archives target)
  set(archives)
  foreach(name ${ARGN})
    find_library(LOITER_ARCHIVE_${name} lib${name}.a)
    mark_as_advanced(LOITER_ARCHIVE_${name})
    list(APPEND archives ${LOITER_ARCHIVE_${name}})
  endforeach()
  if(LOITER_ARCHIVES AND NOT archives MATCHES "NOTFOUND")
    set_property(TARGET ${target} PROPERTY INTERFACE_LINK_LIBRARIES ${archives})
  endif()
endfunction()
