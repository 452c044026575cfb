"""The lake: Delta tables in a folder or a bucket, one a noun."""
