"""The public interface for strategies and notebooks: everything else is the package `internal`."""
