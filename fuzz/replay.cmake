# Runs a fuzzer over its committed corpus and then for a fixed number of new inputs.
# New inputs go to a work folder: a test never changes the source tree.
file(MAKE_DIRECTORY ${WORK}/found)
execute_process(
  COMMAND ${FUZZER} -runs=${RUNS} -seed=1 -max_len=4096 -timeout=10 -rss_limit_mb=2048
          -artifact_prefix=${WORK}/ ${WORK}/found ${CORPUS}
  RESULT_VARIABLE status ERROR_VARIABLE log)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${FUZZER} failed (${status}):\n${log}")
endif()
