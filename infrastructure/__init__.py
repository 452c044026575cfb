"""What runs the fund outside one machine, and the small tools that the tasks of maskfile.md call.

It knows names, addresses and schedules; it does not know how a forecast or an order is made.
"""
