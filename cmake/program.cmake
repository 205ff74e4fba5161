# The program: build/<preset>/egress-operator.
add_executable(egress-operator runtime/main.cpp)
target_link_libraries(egress-operator PRIVATE egress_program egress_compile)
