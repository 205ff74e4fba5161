"""A random run of what people and servers do to a cluster, which a seed repeats."""
