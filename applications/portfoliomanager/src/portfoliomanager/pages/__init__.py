"""Pages: the fund for the eye, rendered on the server, without scripts or outside addresses."""
