# Precompiled headers: of the standard library and of third parties, never ours, so an edit recompiles what it did before.
# EGRESS_PRECOMPILE says for whom. What is precompiled is there without an #include, so what users build (make run, make
# build) and the dev preset go without: there a missing one shows.
#
# Not CMake's own target_precompile_headers: its file differs in each folder, and ccache would find nothing of another
# clone's. This one is the same bytes everywhere: what Clang is given as the header is the C library's
# stdint.h, which adds nothing; the others come as -include; and no times are kept.
set(EGRESS_PRECOMPILE "none" CACHE STRING "who uses precompiled headers: none, tests or all")
set_property(CACHE EGRESS_PRECOMPILE PROPERTY STRINGS none tests all)
find_file(EGRESS_STDINT stdint.h)
mark_as_advanced(EGRESS_STDINT)
if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang OR NOT EGRESS_STDINT)
  set(EGRESS_PRECOMPILE "none")
endif()

# Each set holds those before it: base is what the pure parts have in common.
set(egress_headers_base
  algorithm array atomic charconv chrono cmath cstdint cstring deque expected filesystem fstream functional iterator map
  memory mutex optional random set span sstream stdexcept string string_view thread unordered_map utility variant vector
  boost/json/array.hpp boost/json/object.hpp boost/json/value.hpp fmt/format.h)
set(egress_headers_asio ${egress_headers_base}
  boost/asio/any_io_executor.hpp boost/asio/as_tuple.hpp boost/asio/awaitable.hpp
  boost/asio/bind_cancellation_slot.hpp boost/asio/cancellation_signal.hpp boost/asio/co_spawn.hpp
  boost/asio/io_context.hpp boost/asio/ip/tcp.hpp boost/asio/ip/udp.hpp boost/asio/posix/stream_descriptor.hpp
  boost/asio/post.hpp boost/asio/ssl/context.hpp boost/asio/steady_timer.hpp boost/asio/this_coro.hpp
  boost/asio/use_awaitable.hpp)
set(egress_headers_caf ${egress_headers_asio}
  caf/actor_system.hpp caf/event_based_actor.hpp caf/send.hpp caf/stateful_actor.hpp caf/typed_event_based_actor.hpp)
set(egress_headers_tests gmock/gmock.h gtest/gtest.h boost/json/parse.hpp boost/json/serialize.hpp)

# egress_precompiled(NAME FOR target SOURCES sources… HEADERS headers… [LINKS targets…] [OPTIONS options…]): these sources
# of this folder's target are compiled with OPTIONS, and with HEADERS as precompiled/NAME.pch, which is made once.
function(egress_precompiled name)
  cmake_parse_arguments(arg "" "FOR" "SOURCES;HEADERS;LINKS;OPTIONS" ${ARGN})
  set(folder ${CMAKE_BINARY_DIR}/precompiled)
  # Clang's dependency files leave it out.
  set_property(SOURCE ${arg_SOURCES} APPEND PROPERTY OBJECT_DEPENDS ${folder}/${name}.pch)
  set_property(SOURCE ${arg_SOURCES} PROPERTY COMPILE_OPTIONS ${arg_OPTIONS} -include-pch ${folder}/${name}.pch)
  if(NOT TARGET egress_precompiled_${name})
    egress_precompile(${name} ${folder})
  endif()
  add_dependencies(${arg_FOR} egress_precompiled_${name})
endfunction()

# Its target egress_precompiled_NAME, from the caller's HEADERS, LINKS and OPTIONS.
function(egress_precompile name folder)
  list(TRANSFORM arg_HEADERS PREPEND "-include;")
  file(MAKE_DIRECTORY ${folder})

  # With the definitions of those whose headers they are.
  add_library(egress_precompiled_${name}_options INTERFACE)
  target_link_libraries(egress_precompiled_${name}_options INTERFACE egress_compile fmt::fmt Boost::headers ${arg_LINKS})
  set(of $<TARGET_PROPERTY:egress_precompiled_${name}_options)
  set(definitions ${of},INTERFACE_COMPILE_DEFINITIONS>)
  # Debian's libraries are where the compiler looks anyway; elsewhere they may have folders of their own.
  set(folders $<FILTER:${of},INTERFACE_INCLUDE_DIRECTORIES>,EXCLUDE,^${CMAKE_SOURCE_DIR}$|^/usr/include$>)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
  add_custom_command(OUTPUT ${folder}/${name}.pch ${folder}/${name}.pch.sum
    COMMAND ${CMAKE_COMMAND} -E chdir / ${CMAKE_CXX_COMPILER} ${flags} ${CMAKE_CXX23_STANDARD_COMPILE_OPTION}
            "$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},;-D>>" "$<$<BOOL:${folders}>:-isystem$<JOIN:${folders},;-isystem>>"
            "${of},INTERFACE_COMPILE_OPTIONS>" ${arg_OPTIONS}
            -Xclang -fno-pch-timestamp -fpch-instantiate-templates ${arg_HEADERS} -o ${folder}/${name}.pch
            -MD -MF ${folder}/${name}.d -MT ${folder}/${name}.pch -x c++-header ${EGRESS_STDINT}
    # What ccache takes for it, so that it need not read all of it for each file.
    COMMAND ${CMAKE_COMMAND} -E sha256sum ${name}.pch > ${name}.pch.sum
    DEPFILE ${folder}/${name}.d WORKING_DIRECTORY ${folder}
    COMMENT "Precompiling headers: ${name}" COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(egress_precompiled_${name} DEPENDS ${folder}/${name}.pch)
endfunction()

# egress_precompile_library(TARGET SET): a library of ours, when `all` use them.
function(egress_precompile_library target set)
  if(EGRESS_PRECOMPILE STREQUAL "all")
    get_target_property(sources ${target} SOURCES)
    egress_precompiled(${set} FOR ${target} SOURCES ${sources} HEADERS ${egress_headers_${set}})
  endif()
endfunction()
