"""The commands of `research`, one module each."""
