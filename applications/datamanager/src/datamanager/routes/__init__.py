"""HTTP, one module a noun: each route parses, calls one function and answers."""
