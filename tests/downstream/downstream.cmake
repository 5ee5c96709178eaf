# The test `downstream`; CMakeLists.txt says with which variables it is run.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message("${output}")
    message(FATAL_ERROR "ended with ${status}: ${command}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(prefix ${WORK_DIR}/prefix)
set(consumer ${WORK_DIR}/consumer)
file(REMOVE_RECURSE ${prefix} ${consumer})

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix})
# The package must not lean on the checkout, so its files may not name it.
file(GLOB_RECURSE package ${prefix}/*.cmake)
foreach(file IN LISTS package)
  file(STRINGS ${file} lines)
  string(FIND "${lines}" "${BUILD_DIR}/" found)
  if(found GREATER_EQUAL 0)
    message(FATAL_ERROR "${file} names the build folder")
  endif()
endforeach()

run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${consumer} -G ${GENERATOR}
    -D CMAKE_BUILD_TYPE=${BUILD_TYPE} -D CMAKE_CXX_COMPILER=${CXX_COMPILER} -D "CMAKE_CXX_FLAGS=${CXX_FLAGS}"
    -D CMAKE_PREFIX_PATH=${prefix} -D WANTED_VERSION=${VERSION})
run(${CMAKE_COMMAND} --build ${consumer})
run(${consumer}/consumer ${VERSION})

if(PROGRAM)
  run(${prefix}/bin/trialwright --version)
  string(FIND "${output}" "${VERSION}" found)
  if(found LESS 0)
    message(FATAL_ERROR "the installed program calls itself ${output}, not ${VERSION}")
  endif()
  run(${prefix}/bin/trialwright check ${prefix}/share/trialwright/configs/phase2.yaml)
endif()
