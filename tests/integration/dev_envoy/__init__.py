"""What dev_envoy_test.py is made of: the world outside, the operator in dev mode, and clients."""
