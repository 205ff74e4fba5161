# How every target is compiled. Linked by all of ours: egress_compile.
add_library(egress_compile INTERFACE)
target_include_directories(egress_compile INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(egress_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Wunused
  -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough -fno-omit-frame-pointer)
# The packet path and the decoders are measured at this level; link time is kept low with lld.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_link_options(egress_compile INTERFACE -fuse-ld=lld)
endif()
if(EGRESS_WERROR)
  target_compile_options(egress_compile INTERFACE -Werror)
endif()
if(EGRESS_SANITIZE)
  target_compile_options(egress_compile INTERFACE
    -fsanitize=${EGRESS_SANITIZE} -fno-sanitize-recover=all -gline-tables-only)
  target_link_options(egress_compile INTERFACE -fsanitize=${EGRESS_SANITIZE})
endif()
if(EGRESS_COVERAGE)
  target_compile_options(egress_compile INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(egress_compile INTERFACE -fprofile-instr-generate)
endif()
# Asio's and Beast's function bodies are compiled once, in runtime/net/asio.cpp.
target_compile_definitions(egress_compile INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_BEAST_USE_STD_STRING_VIEW)

# egress_library(NAME SOURCES… LINKS targets… [HEADERS base|asio|caf]): one static library of ours. HEADERS: which of
# precompile.cmake's it has use for.
function(egress_library name)
  cmake_parse_arguments(arg "" "HEADERS" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC egress_compile ${arg_LINKS})
  if(NOT arg_HEADERS)
    set(arg_HEADERS base)
  endif()
  egress_precompile_library(${name} ${arg_HEADERS})
endfunction()
