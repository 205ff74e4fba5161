module egress-operator.test/resolver

go 1.21
