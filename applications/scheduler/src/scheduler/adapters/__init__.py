"""The ports of the scheduler on HTTP and on the lake's objects."""
