include(GoogleTest)
# egress_test(NAME SOURCES… LINKS targets… LABEL unit|actor|integration): one GoogleTest program;
# each TEST in it is one ctest test. Its sources are compiled fast rather than optimised, but for those in OPTIMISED, which
# measure or have much to compute. HEADERS base|asio|caf: which of precompile.cmake's they have use for.
function(egress_test name)
  cmake_parse_arguments(arg "SERIAL" "LABEL;TIMEOUT;HEADERS" "SOURCES;OPTIMISED;LINKS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_HEADERS)
    set(arg_HEADERS base)
  endif()
  add_executable(${name} ${arg_SOURCES} ${arg_OPTIMISED})
  set_property(SOURCE ${arg_SOURCES} PROPERTY COMPILE_OPTIONS -O0)
  if(arg_SOURCES AND NOT EGRESS_PRECOMPILE STREQUAL "none")
    egress_precompiled(tests_${arg_HEADERS} FOR ${name} SOURCES ${arg_SOURCES} LINKS GTest::gtest OPTIONS -O0
                       HEADERS ${egress_headers_${arg_HEADERS}} ${egress_headers_tests})
  endif()
  target_link_libraries(${name} PRIVATE ${arg_LINKS} GTest::gtest GTest::gmock GTest::gtest_main egress_compile)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  # SERIAL: measures time, so nothing else may run beside it.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} RUN_SERIAL ${arg_SERIAL})
endfunction()

# The path of this tree in one object, so that all others are the same for ccache wherever the tree is.
add_library(egress_source_dir STATIC EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/support/source_dir.cpp)
target_compile_definitions(egress_source_dir PRIVATE EGRESS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_link_libraries(egress_source_dir PUBLIC egress_compile)
