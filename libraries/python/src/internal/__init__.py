"""The shared library of the fund; import its modules, for this package imports none of them."""
