"""What runs the fund outside one machine, and the small tools that the tasks of maskfile.md call."""
