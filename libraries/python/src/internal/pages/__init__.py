"""What pages and reports share: templates, formats, small pictures, and the files that a browser loads."""
