# cmake -D PROGRAM=<program> -D EXPECTED=<file> -P compare_output.cmake: the program must print the file, to the letter.
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE printed RESULT_VARIABLE status COMMAND_ECHO STDOUT)
file(READ ${EXPECTED} expected)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${status} after printing:\n${printed}")
elseif(NOT printed STREQUAL expected)
  message(FATAL_ERROR "${PROGRAM} printed:\n${printed}\n--- expected, from ${EXPECTED}:\n${expected}")
endif()
