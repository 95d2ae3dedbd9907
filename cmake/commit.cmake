# Writes OUT, a header that defines TERN_COMMIT as the commit of SOURCE, with a + where files differ from it.
execute_process(COMMAND git -C ${SOURCE} describe --always --abbrev=12 --match= --dirty=+ OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define TERN_COMMIT \"${commit}\"\n")
