"""The trading core: from a day's inputs to targets, orders and positions; pure rules on typed rows and arrays."""
